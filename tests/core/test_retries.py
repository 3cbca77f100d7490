"""The policy of sending again, as tables; and what holds whatever it is told."""

from __future__ import annotations

import math
import pickle
import threading
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.errors import (
    BodyTooLarge,
    CertificateError,
    CloseError,
    ConnectError,
    ConnectTimeout,
    DecodingError,
    HeadTooLarge,
    LocalProtocolError,
    NetworkError,
    PoolTimeout,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    ResolveError,
    TLSError,
    TooManyRedirects,
    TransportError,
    UnsupportedProtocol,
    WriteError,
    WriteTimeout,
)
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.retries import EXCEPTIONS, Outcome, Retry, RetryBudget, retry_of, wait_asked_for

#: Sunday, 6 November 1994, 08:49:37 UTC.
DATE = 784111777.0


def request(method: str = "GET", **headers: str) -> Request:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Request(method, "https://example.org/", headers=named)


def answered(
    status: int = 503, number: int = 1, method: str = "GET", now: float = DATE, **headers: str
) -> Outcome:
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Outcome(number, request(method), response=Response(status, headers=named), now=now)


def failed(
    error: RequestError | type[RequestError], sent: bool | None = True, method: str = "GET", number: int = 1
) -> Outcome:
    if isinstance(error, type):
        error = error("what happened")
        error.request_sent = sent
    return Outcome(number, request(method), error=error)


def plain(total: int = 3, **options: Any) -> Retry:
    """A policy without chance, that pauses 1, 2, 4, ... seconds."""
    return Retry(total, **{"backoff": 1.0, "jitter": 0.0, **options})


class TestStatuses:
    @pytest.mark.parametrize(
        ("status", "pause"),
        [
            (200, None),
            (304, None),
            (408, None),
            (421, None),
            (429, 1.0),
            (500, None),
            (502, 1.0),
            (503, 1.0),
            (504, 1.0),
        ],
    )
    def test_by_default(self, status: int, pause: float | None) -> None:
        assert plain().decide(answered(status)) == pause

    def test_as_chosen(self) -> None:
        policy = plain(statuses=range(500, 600))
        assert [policy.decide(answered(status)) for status in (429, 500, 599, 600)] == [None, 1.0, 1.0, None]
        assert plain(statuses=()).decide(answered(503)) is None


class TestMethods:
    @pytest.mark.parametrize("method", ["GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"])
    def test_that_mean_the_same_if_they_arrive_twice(self, method: str) -> None:
        assert plain().decide(answered(method=method)) == 1.0
        assert plain().decide(failed(ReadError, method=method)) == 1.0

    @pytest.mark.parametrize("method", ["POST", "PATCH", "CONNECT", "BREW", "get"])
    def test_that_do_not(self, method: str) -> None:
        asked = request()
        asked.method = method
        assert plain().decide(Outcome(1, asked, response=Response(503))) is None
        error = ReadError("lost")
        error.request_sent = True
        assert plain().decide(Outcome(1, asked, error=error)) is None

    def test_as_chosen(self) -> None:
        assert plain(methods=["get"]).methods == frozenset(["GET"])
        assert plain(methods=["post"]).decide(answered(method="POST")) == 1.0
        assert plain(methods=["POST"]).decide(answered()) is None
        assert plain(methods=None).decide(answered(method="POST")) == 1.0

    @pytest.mark.parametrize(("sent", "pause"), [(False, 1.0), (True, None), (None, None)])
    def test_do_not_matter_where_nothing_was_sent(self, sent: bool | None, pause: float | None) -> None:
        assert plain().decide(failed(WriteError, sent, "POST")) == pause
        assert plain(methods=()).decide(failed(WriteError, sent)) == pause

    def test_a_key_makes_it_repeatable(self) -> None:
        post = request("POST", Idempotency_Key="7f3a")
        assert plain().decide(Outcome(1, post, response=Response(503))) == 1.0
        assert plain(idempotency_key=None).decide(Outcome(1, post, response=Response(503))) is None
        assert plain(idempotency_key="X-Once").decide(Outcome(1, post, response=Response(503))) is None
        other = request("POST", X_Once="7f3a")
        assert plain(idempotency_key="x-once").decide(Outcome(1, other, response=Response(503))) == 1.0
        empty = request("POST", Idempotency_Key="")
        assert plain().decide(Outcome(1, empty, response=Response(503))) is None


class TestExceptions:
    @pytest.mark.parametrize(
        "kind",
        [
            ConnectError, ResolveError, TLSError, ConnectTimeout, ProxyError, ReadError, ReadTimeout,
            RemoteProtocolError, WriteError, WriteTimeout,
        ],
    )  # fmt: skip
    def test_that_may_be_otherwise_the_next_time(self, kind: type[RequestError]) -> None:
        assert plain().decide(failed(kind)) == 1.0

    @pytest.mark.parametrize(
        "kind",
        [
            BodyTooLarge, CertificateError, CloseError, DecodingError, HeadTooLarge, LocalProtocolError, PoolTimeout,
            TooManyRedirects, TransportError, UnsupportedProtocol, RequestError,
        ],
    )  # fmt: skip
    @pytest.mark.parametrize("sent", [False, True])
    def test_that_will_be_the_same(self, kind: type[RequestError], sent: bool) -> None:
        assert plain().decide(failed(kind, sent)) is None

    def test_as_chosen(self) -> None:
        policy = plain(exceptions=[NetworkError, PoolTimeout])
        assert policy.decide(failed(ReadError)) == policy.decide(failed(PoolTimeout)) == 1.0
        assert policy.decide(failed(ReadTimeout)) is None
        assert policy.decide(failed(CertificateError)) is None, "which is a NetworkError, but lasts"
        assert plain(exceptions=[CertificateError]).decide(failed(CertificateError)) == 1.0
        assert plain(exceptions=[RequestError]).decide(failed(LocalProtocolError)) is None
        assert plain(exceptions=[RequestError]).decide(failed(DecodingError)) == 1.0

    @pytest.mark.parametrize(
        ("status", "fields", "pause"),
        [(None, {}, 1.0), (503, {}, 1.0), (503, {"Retry-After": "9"}, 9.0), (403, {}, None), (407, {}, None)],
    )
    def test_of_a_proxy_that_has_answered(
        self, status: int | None, fields: dict[str, str], pause: float
    ) -> None:
        error = ProxyError("it refused")
        error.proxy_response = None if status is None else Response(status, headers=fields)
        assert plain().decide(failed(error, method="POST")) == pause


class TestPauses:
    def test_grow_up_to_a_bound(self) -> None:
        policy = plain(9, max_backoff=20.0)
        assert [policy.decide(answered(number=number)) for number in range(1, 11)] == [
            1.0, 2.0, 4.0, 8.0, 16.0, 20.0, 20.0, 20.0, 20.0, None,
        ]  # fmt: skip

    def test_by_another_factor(self) -> None:
        assert [plain(factor=1).pause(number, 0.0) for number in (1, 2, 9)] == [1.0, 1.0, 1.0]
        assert [plain(factor=3, backoff=0.1).pause(number, 0.0) for number in (1, 2)] == pytest.approx(
            [0.1, 0.3]
        )

    @pytest.mark.parametrize(
        ("jitter", "chance", "pause"), [(1.0, 0.0, 4.0), (1.0, 0.75, 1.0), (0.5, 0.5, 3.0), (0.0, 0.9, 4.0)]
    )
    def test_are_left_to_chance(self, jitter: float, chance: float, pause: float) -> None:
        assert Retry(backoff=1.0, jitter=jitter).pause(3, chance) == pause

    def test_without_end_are_bounded(self) -> None:
        assert plain(10**9, max_backoff=7).pause(10**9, 0.0) == 7
        assert plain(10**9, backoff=0).pause(10**9, 0.0) == 0.0
        assert plain(2, max_backoff=math.inf).pause(5000, 0.0) == math.inf

    @given(
        total=st.integers(0, 20),
        backoff=st.floats(0, 1e6),
        factor=st.floats(1, 100),
        most=st.floats(0, 1e6),
        jitter=st.floats(0, 1),
        chances=st.lists(st.floats(0, 1, exclude_max=True), min_size=25, max_size=25),
    )
    def test_hold_their_bounds(
        self, total: int, backoff: float, factor: float, most: float, jitter: float, chances: list[float]
    ) -> None:
        policy = Retry(total, backoff=backoff, factor=factor, max_backoff=most, jitter=jitter)
        bounds = [policy.pause(number, 0.0) for number in range(1, 26)]
        assert bounds == sorted(bounds)
        assert max(bounds) <= most
        pauses = []
        for number, chance in enumerate(chances, 1):
            outcome = answered(number=number)
            outcome.chance = chance
            pause = policy.decide(outcome)
            assert pause == policy.decide(outcome), "the same outcome, the same decision"
            if pause is not None:
                assert bounds[number - 1] * (1 - jitter) <= pause <= bounds[number - 1]
                pauses.append(pause)
        assert len(pauses) == total
        assert sum(pauses) <= total * most * (1 + 1e-9)


class TestRetryAfter:
    @pytest.mark.parametrize(
        ("value", "fields", "seconds"),
        [
            ("0", {}, 0.0),
            ("120", {}, 120.0),
            (" 7\t", {}, 7.0),
            ("000000000000000000007", {}, 7.0),
            ("9" * 11, {}, math.inf),
            ("9" * 100_000, {}, math.inf),
            ("Sun, 06 Nov 1994 08:50:37 GMT", {}, 60.0),
            ("Sunday, 06-Nov-94 08:50:37 GMT", {}, 60.0),
            ("Sun Nov  6 08:50:37 1994", {}, 60.0),
            ("Sun, 06 Nov 1994 08:49:00 GMT", {}, 0.0),
            ("Sun, 06 Nov 1994 08:50:37 GMT", {"Date": "Sun, 06 Nov 1994 08:50:30 GMT"}, 7.0),
            ("Sun, 06 Nov 1994 08:50:37 GMT", {"Date": "yesterday"}, 60.0),
            ("", {}, None),
            ("soon", {}, None),
            ("-1", {}, None),
            ("1.5", {}, None),
            ("1e3", {}, None),
            ("1, 2", {}, None),
            ("٣", {}, None),
            ("x" * 100_000, {}, None),
        ],
    )  # fmt: skip
    def test_in_each_form(self, value: str, fields: dict[str, str], seconds: float | None) -> None:
        response = Response(
            503,
            headers=[
                (b"Retry-After", value.encode()),
                *((k.encode(), v.encode()) for k, v in fields.items()),
            ],
        )
        assert wait_asked_for(response, DATE) == seconds

    def test_is_not_always_there(self) -> None:
        assert wait_asked_for(Response(503), DATE) is None

    @pytest.mark.parametrize(
        ("asked", "pause"),
        [("0", 1.0), ("30", 30.0), ("60", 60.0), ("61", None), ("9" * 20, None), ("soon", 1.0)],
    )
    def test_is_heeded_up_to_a_limit(self, asked: str, pause: float | None) -> None:
        assert plain().decide(answered(Retry_After=asked)) == pause

    def test_is_no_reason_by_itself(self) -> None:
        assert plain().decide(answered(500, Retry_After="1")) is None
        assert plain().decide(answered(503, method="POST", Retry_After="1")) is None

    def test_as_chosen(self) -> None:
        assert plain(max_wait=None).decide(answered(Retry_After="86400")) == 86400.0
        assert plain(max_wait=None).decide(answered(Retry_After="9" * 20)) is None, "nobody waits for ever"
        assert plain(max_wait=None).decide(answered(Retry_After="9" * 10)) is None, "no clock counts that far"
        assert plain(max_wait=5).decide(answered(Retry_After="6")) is None
        assert plain(respect_retry_after=False).decide(answered(Retry_After="86400")) == 1.0

    @given(
        value=st.text(st.characters(max_codepoint=255, exclude_characters="\r\n\0"), max_size=80),
        now=st.floats(0, 1e10),
    )
    def test_whatever_a_server_says(self, value: str, now: float) -> None:
        response = Response(503, headers=[(b"Retry-After", value.encode("latin-1"))])
        seconds = wait_asked_for(response, now)
        assert seconds is None or seconds >= 0
        pause = plain().decide(Outcome(1, request(), response=response, now=now))
        assert pause is None or 0 <= pause <= 60


class TestBudget:
    def test_has_some_from_the_beginning(self) -> None:
        budget = RetryBudget(0.5, 3)
        assert [budget.take() for _ in range(5)] == [True, True, True, False, False]
        assert budget.left == 0

    def test_fills_with_each_request(self) -> None:
        budget = RetryBudget(0.25, 1)
        assert (budget.take(), budget.take()) == (True, False)
        for _ in range(4):
            assert not budget.take()
            budget.pay_in()
        assert (budget.take(), budget.take()) == (True, False)

    def test_never_saves_more(self) -> None:
        budget = RetryBudget(1.0, 2)
        for _ in range(100):
            budget.pay_in()
        assert budget.left == 2

    @pytest.mark.parametrize(
        ("ratio", "minimum", "left"), [(0.0, 2, 2), (0.5, 0, 1), (0.3, 0, 1), (0.0, 0, 0)]
    )
    def test_at_the_ends(self, ratio: float, minimum: int, left: int) -> None:
        budget = RetryBudget(ratio, minimum)
        assert budget.left == minimum
        for _ in range(100):
            budget.pay_in()
        assert budget.left == left

    @given(ratio=st.floats(0.01, 1), minimum=st.integers(0, 20), acts=st.lists(st.booleans(), max_size=300))
    def test_never_gives_more_than_its_share(self, ratio: float, minimum: int, acts: list[bool]) -> None:
        budget = RetryBudget(ratio, minimum)
        paid = taken = 0
        for pays in acts:
            if pays:
                budget.pay_in()
                paid += 1
            else:
                taken += budget.take()
            assert taken <= minimum + ratio * paid + 1e-9
            assert budget.left >= 0

    def test_can_be_shared_by_threads(self) -> None:
        budget = RetryBudget(0.2, 300)
        taken: list[bool] = []

        def work() -> None:
            for _ in range(200):
                taken.append(budget.take())

        threads = [threading.Thread(target=work) for _ in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        # Who finds too little puts it back, so that another one may have missed it just then.
        assert sum(taken) + budget.left == 300

    @pytest.mark.parametrize(
        ("arguments", "kind", "words"),
        [
            ((-0.1,), ValueError, "between 0 and 1, and not -0.1"),
            ((1.5,), ValueError, "between 0 and 1"),
            ((math.nan,), ValueError, "between 0 and 1"),
            ((0.1, -1), ValueError, "must not be negative"),
            ((0.1, 1.5), TypeError, "a number of goes, not float"),
        ],
    )
    def test_checks_what_it_is_given(
        self, arguments: tuple[Any, ...], kind: type[Exception], words: str
    ) -> None:
        with pytest.raises(kind, match=words):
            RetryBudget(*arguments)

    def test_tells_what_it_is(self) -> None:
        assert repr(RetryBudget(0.5, 3)) == "RetryBudget(ratio=0.5, minimum=3)"


class TestMaking:
    @pytest.mark.parametrize(
        ("options", "kind", "words"),
        [
            ({"total": -1}, ValueError, "total=...) is at least 0, and not -1"),
            ({"total": 1.0}, TypeError, "a number of goes, not float"),
            ({"total": True}, TypeError, "a number of goes, not bool"),
            ({"backoff": -1}, ValueError, "backoff"),
            ({"backoff": "1"}, TypeError, "is a number, not str"),
            ({"backoff": math.nan}, ValueError, "backoff"),
            ({"factor": 0.5}, ValueError, "at least 1"),
            ({"max_backoff": -1}, ValueError, "max_backoff"),
            ({"jitter": 1.1}, ValueError, "between 0 and 1"),
            ({"max_wait": -1}, ValueError, "max_wait"),
            ({"max_wait": False}, TypeError, "max_wait"),
            ({"methods": "GET"}, TypeError, r"write \['GET'\]"),
            ({"methods": [b"GET"]}, TypeError, "such as"),
            ({"statuses": 503}, TypeError, r"write \[503\]"),
            ({"statuses": ["503"]}, TypeError, "such as"),
            ({"exceptions": ReadError}, TypeError, r"write \[ReadError\]"),
            ({"exceptions": [OSError]}, TypeError, "classes of RequestError"),
            ({"exceptions": ["ReadError"]}, TypeError, "classes of RequestError"),
            ({"budget": 10}, TypeError, "a RetryBudget or None, not int"),
        ],
    )
    def test_checks_what_it_is_given(
        self, options: dict[str, Any], kind: type[Exception], words: str
    ) -> None:
        with pytest.raises(
            kind, match=words.replace("(", r"\(").replace(")", r"\)") if "=...)" in words else words
        ):
            Retry(**options)

    def test_of_a_number(self) -> None:
        assert retry_of(5) == Retry(5)
        assert retry_of(None) is None
        policy = Retry()
        assert retry_of(policy) is policy
        for wrong in ("3", 1.0, True):
            with pytest.raises(TypeError, match="a Retry, a number of goes or None"):
                retry_of(wrong)  # type: ignore[arg-type]
        with pytest.raises(ValueError, match="at least 0"):
            retry_of(-1)

    def test_shows_what_is_not_as_by_default(self) -> None:
        assert repr(Retry()) == "Retry(3)"
        assert repr(Retry(5, statuses=[503, 429], exceptions=[ReadError], methods=None, jitter=0.0)) == (
            "Retry(5, methods=None, statuses=[429, 503], exceptions=['ReadError'], jitter=0.0)"
        )

    def test_is_a_value(self) -> None:
        assert Retry(2) == Retry(2) != Retry(3)
        assert hash(Retry(2)) == hash(Retry(2))
        assert Retry(2) != 2
        assert pickle.loads(pickle.dumps(Retry(4, budget=None))) == Retry(4)
        assert pickle.loads(pickle.dumps(Retry(4, budget=RetryBudget(0.5, 3)))).budget.left == 3

    def test_the_defaults_are_what_is_said_of_them(self) -> None:
        words = str(Retry.__doc__)
        for kind in EXCEPTIONS:
            assert kind.__name__ in words

    def test_can_be_subclassed(self) -> None:
        class Patient(Retry):
            def decide(self, outcome: Outcome) -> float | None:
                if outcome.response is not None and outcome.response.status_code == 409:
                    return 0.1
                return super().decide(outcome)

        policy = Patient(jitter=0.0)
        assert policy.decide(answered(409)) == 0.1
        assert policy.decide(answered(503)) == 0.5
        assert policy != Retry(jitter=0.0)
