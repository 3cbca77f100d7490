"""How long each phase may take, and what is said when it took longer."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.errors import (
    ConnectError,
    ConnectTimeout,
    HeadTooLarge,
    PoolTimeout,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    TimeoutException,
    TransportError,
    WriteTimeout,
)
from httpure_core.models.request import Request
from httpure_core.operations.budget import Budget, place, telling

from .stepping import Clock

PHASES = ("connect", "read", "write", "pool")


def request(timeout: Timeout | None = None, url: str = "http://example.org/path?secret#fragment") -> Request:
    extensions: dict[str, Any] = {} if timeout is None else {"timeout": timeout.as_dict()}
    return Request("GET", url, extensions=extensions)


def budget(timeout: Timeout | None = None, clock: Clock | None = None, ends: float | None = None) -> Budget:
    return Budget(request(timeout), clock or Clock(), ends)


@pytest.mark.parametrize("phase", PHASES)
def test_without_limits_everything_may_take_for_ever(phase: str) -> None:
    assert budget().seconds(phase) is None
    assert budget(Timeout(None)).seconds(phase) is None


def test_each_phase_has_its_own_limit() -> None:
    each = budget(Timeout(1, read=2, write=None, pool=4.5))
    assert [each.seconds(phase) for phase in PHASES] == [1, 2, None, 4.5]


def test_a_request_may_say_that_it_has_no_limits() -> None:
    assert Budget(Request("GET", "http://a/", extensions={"timeout": None}), Clock()).seconds("read") is None


@pytest.mark.parametrize("given", [5.0, (1, 2)])
def test_limits_that_are_none(given: object) -> None:
    with pytest.raises(TypeError) as caught:
        Budget(Request("GET", "http://a/", extensions={"timeout": given}), Clock())
    assert str(caught.value) == (
        f"The extension 'timeout' is a dict such as Timeout(5.0).as_dict(), not {given!r}."
    )


class TestTotal:
    def test_a_driver_that_wakes_a_little_early_tells_the_same(self) -> None:
        clock = Clock()
        each = budget(Timeout(5, total=1), clock)
        clock.now += 0.999
        assert "within 1 s (the total timeout)" in str(each.spent("read"))
        clock.now -= 0.1
        assert "for 5 s (the read timeout)" in str(each.spent("read"))

    def test_begins_with_the_budget_and_ends_every_phase(self) -> None:
        clock = Clock()
        clock.now = 100.0
        each = budget(Timeout(5, write=None, total=10), clock)
        assert each.ends == 110.0
        assert (each.seconds("read"), each.seconds("write")) == (5, 10)
        clock.now = 107.0
        assert (each.seconds("read"), each.seconds("write")) == (3, 3)

    @pytest.mark.parametrize(
        ("phase", "kind"),
        [("connect", ConnectTimeout), ("read", ReadTimeout), ("write", WriteTimeout), ("pool", PoolTimeout)],
    )
    @pytest.mark.parametrize("now", [10.0, 11.0])
    def test_when_it_is_over_no_phase_begins(
        self, phase: str, kind: type[TimeoutException], now: float
    ) -> None:
        clock = Clock()
        each = budget(Timeout(None, total=10), clock)
        clock.now = now
        with pytest.raises(kind, match=r"within 10 s \(the total timeout\)"):
            each.seconds(phase)

    def test_may_have_begun_earlier(self) -> None:
        clock = Clock()
        clock.now = 100.0
        assert budget(Timeout(5, total=10), clock, ends=103.0).seconds("read") == 3

    def test_may_come_from_outside_alone(self) -> None:
        assert budget(ends=3.0).seconds("read") == 3


class TestLeft:
    """What a custom transport is told of a total that others have used some of."""

    def journey(self, asked: Request, begun: float, now: float) -> Budget:
        clock = Clock()
        clock.now = now
        return Budget(asked, clock, ends=begun + 10)

    def test_is_less_of_the_total_and_all_else(self) -> None:
        left = self.journey(request(Timeout(5, read=None, total=10)), begun=0, now=4).left()
        assert left == {"connect": 5, "read": None, "write": 5, "pool": 5, "total": 6}

    def test_is_nothing_where_it_is_used_up(self) -> None:
        with pytest.raises(
            ConnectTimeout, match=r"within 10 s \(the total timeout\), GET http://example.org/path"
        ):
            self.journey(request(Timeout(None, total=10)), begun=0, now=10).left()

    def test_is_all_where_there_is_no_total(self) -> None:
        assert budget(Timeout(5)).left() == {**Timeout(5).as_dict(), "total": None}

    def test_is_lent_and_taken_back(self) -> None:
        asked = request(Timeout(5, total=10))
        own = asked.extensions["timeout"]
        left = self.journey(asked, begun=0, now=4).left()
        left.lend(asked)
        assert Budget(asked, Clock()).ends == 6
        left.take_back(asked)
        assert asked.extensions["timeout"] is own

    def test_leaves_nothing_where_nothing_was(self) -> None:
        asked = request()
        left = self.journey(asked, begun=0, now=4).left()
        left.lend(asked)
        asked.extensions["note"] = "of the transport"
        assert Budget(asked, Clock()).ends == 6
        left.take_back(asked)
        assert asked.extensions == {"note": "of the transport"}

    def test_yields_to_what_the_transport_has_put_there(self) -> None:
        asked = request(Timeout(5, total=10))
        left = self.journey(asked, begun=0, now=4).left()
        left.lend(asked)
        asked.extensions["timeout"] = own = {"read": 1.0}
        left.take_back(asked)
        assert asked.extensions["timeout"] is own

    @pytest.mark.parametrize("nested", [False, True])
    def test_of_two_that_have_the_same_request(self, nested: bool) -> None:
        """A transport hands it on to another client; or two tasks send it at the same time."""
        asked = request(Timeout(5, total=10))
        own = asked.extensions["timeout"]
        outer = self.journey(asked, begun=0, now=1).left()
        outer.lend(asked)
        inner = self.journey(asked, begun=0, now=2).left()
        inner.lend(asked)
        if nested:
            inner.take_back(asked)
            assert asked.extensions["timeout"] is outer
            outer.take_back(asked)
        else:
            outer.take_back(asked)
            assert asked.extensions["timeout"] is inner
            inner.take_back(asked)
        assert asked.extensions["timeout"] is own

    def test_messages_name_what_the_user_gave(self) -> None:
        asked = request(Timeout(None, total=10))
        for now in (4, 5):  # lent twice, as where a transport hands the request on to another client
            self.journey(asked, begun=0, now=now).left().lend(asked)
        clock = Clock()
        each = Budget(asked, clock)
        assert each.ends == 5
        clock.now = 5
        assert "within 10 s (the total timeout)" in str(each.spent("read"))


@pytest.mark.parametrize(
    ("phase", "kind", "words"),
    [
        ("connect", ConnectTimeout, "No connection was made within 1.5 s (the connect timeout)"),
        ("read", ReadTimeout, "Nothing was received for 1.5 s (the read timeout)"),
        ("write", WriteTimeout, "Nothing could be sent for 1.5 s (the write timeout)"),
        ("pool", PoolTimeout, "No connection of the pool became free within 1.5 s (the pool timeout)"),
    ],
)
def test_the_message_names_the_phase_the_limit_the_place_and_the_remedy(
    phase: str, kind: type[TimeoutException], words: str
) -> None:
    spent = budget(Timeout(1.5)).spent(phase)
    assert type(spent) is kind
    assert str(spent).startswith(f"{words}, GET http://example.org/path; allow more with ")
    assert f"Timeout({phase}=...)" in str(spent)
    assert spent.request.url.path == "/path"


def test_the_total_is_to_blame_when_it_is_over() -> None:
    clock = Clock()
    each = budget(Timeout(5, total=2), clock)
    clock.now = 2.0
    assert str(each.spent("read")) == (
        "Nothing was received within 2 s (the total timeout), GET http://example.org/path; "
        "allow more with Timeout(total=...)"
    )
    clock.now = 1.0
    assert "(the read timeout)" in str(each.spent("read"))


def test_a_total_that_began_elsewhere() -> None:
    assert "before the total timeout passed" in str(budget(ends=0.0).spent("read"))


def test_a_timeout_of_the_system_without_any_limit_of_ours() -> None:
    assert str(budget().spent("connect", " (192.0.2.1:80: timed out)")).startswith(
        "No connection was made in time (192.0.2.1:80: timed out), GET"
    )


@pytest.mark.parametrize(
    ("url", "text"),
    [
        ("http://user:password@example.org/a/b?token=1#x", "GET http://example.org/a/b"),
        ("https://example.org:8443/", "GET https://example.org:8443/"),
        ("https://example.org:443/", "GET https://example.org/"),
        ("http://[2001:db8::1]:81/x", "GET http://[2001:db8::1]:81/x"),
    ],
)
def test_a_place_holds_no_secret(url: str, text: str) -> None:
    assert place(request(url=url)) == text


def test_telling_keeps_class_cause_and_words() -> None:
    cause = OSError("why")
    error = ConnectError("It failed")
    error.__cause__ = cause
    told = telling(error, request())
    assert type(told) is ConnectError
    assert str(told) == "It failed, GET http://example.org/path"
    assert (told.__cause__, told.request.method) == (cause, "GET")
    assert str(error) == "It failed", "the one that the stream keeps stays as it is"
    assert isinstance(told, TransportError)


class Demanding(ReadError):
    """Whose constructor wants more than a message."""

    def __init__(self, where: str, number: int) -> None:
        super().__init__(f"{where} {number}")
        self.number = number


def test_telling_keeps_all_that_is_known() -> None:
    error = Demanding("in", 7)
    error.reason, error.unanswered = "reset", True
    told = telling(error, request())
    assert (type(told), str(told)) == (Demanding, "in 7, GET http://example.org/path")
    assert (told.reason, told.unanswered, told.unprocessed) == ("reset", True, False)
    assert told.number == 7  # type: ignore[attr-defined]
    large = telling(HeadTooLarge("It is too large", limit="max_fields"), request())
    assert (large.limit, large.request.method) == ("max_fields", "GET")  # type: ignore[attr-defined]


@pytest.mark.parametrize("unprocessed", [True, False])
def test_telling_knows_that_it_was_sent(unprocessed: bool) -> None:
    error = RemoteProtocolError("It is gone")
    error.unprocessed = unprocessed
    assert telling(error, request()).request_sent is not unprocessed


def test_telling_twice_is_telling_once() -> None:
    told = telling(ConnectError("It failed"), request())
    assert telling(told, request(url="http://other.example/")) is told


def test_a_timeout_says_whether_anything_was_sent() -> None:
    each = budget(Timeout(1))
    assert each.spent("read").request_sent is False
    each.sent = True
    assert each.spent("read").request_sent is True


def test_what_has_no_limit_of_its_own_has_the_rest_of_the_total() -> None:
    clock = Clock()
    assert budget(Timeout(5), clock).rest() is None
    assert not budget(Timeout(5), clock).over
    each = budget(Timeout(5, total=10), clock)
    assert (each.rest(), each.over) == (10, False)
    clock.now = 9.5
    assert (each.rest(), each.over) == (0.5, False)
    clock.now = 10.0
    assert each.over
    with pytest.raises(WriteTimeout, match=r"within 10 s \(the total timeout\)"):
        each.rest()
