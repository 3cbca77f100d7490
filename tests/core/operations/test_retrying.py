"""Sending again as the user's `Retry` says: who is asked, what is waited for, and what is left in between."""

from __future__ import annotations

import errno
import gc
import weakref
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import pytest

from httpure_core.auth import Auth, BasicAuth
from httpure_core.config.options import Timeout
from httpure_core.effects import Call, Close, Dial, Operation, Read, Sleep
from httpure_core.errors import (
    ConnectError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    TooManyRedirects,
)
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.report import INFO
from httpure_core.operations.retrying import Retrying
from httpure_core.retries import Outcome, Retry, RetryBudget

from .stepping import ANSWER, Act, World, each_way, left_at_each_step
from .test_follow import Custom, Journeys, answer, redirect

RESET: list[Act] = [ConnectionResetError(errno.ECONNRESET, "Connection reset by peer")]
CUT: list[Act] = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"he", *RESET]
BUSY = answer(503, b"busy")


def plain(total: int = 3, **options: Any) -> Retry:
    return Retry(total, **{"backoff": 1.0, "jitter": 0.0, **options})


def journeys(*answers: list[Act], policy: Any = None, transport: Any = None) -> Journeys:
    world = Journeys(*answers, transport=transport)
    world.session.retries = plain() if policy is None else policy
    return world


def slept(world: World) -> list[float]:
    return [effect.seconds for effect in world.performed if isinstance(effect, Sleep)]


def post(content: Any = b"order", **headers: str) -> Request:
    return Request("POST", "http://example.org/", content=content, headers=headers)


@pytest.mark.parametrize("kind", ["request", "response"])
def test_a_hook_that_raises_ends_it(kind: str) -> None:
    """Whatever it raises: it may have sent a request of its own, and that says nothing of this one."""
    called: list[Any] = []

    def hook(message: Any) -> None:
        called.append(message)
        raise ConnectError("Refused", request=post())

    world = journeys()
    world.session.hooks[kind].append(hook)
    with pytest.raises(ConnectError, match=r"^Refused$"):
        world.send()
    assert len(called) == 1 and slept(world) == []


class TestResponses:
    def test_that_are_busy_are_asked_for_again(self) -> None:
        world = journeys(BUSY, BUSY, answer())
        response = world.send()
        assert (response.status_code, response.content, response.retries) == (200, b"hello", 2)
        assert slept(world) == [1.0, 2.0]
        assert len(world.wires) == 1, "short bodies are read, and the connection used again"
        assert response.history == []
        world.check()

    def test_are_given_when_nothing_is_left(self) -> None:
        world = journeys(*[BUSY] * 9, policy=plain(2))
        response = world.send()
        assert (response.status_code, response.content, response.retries) == (503, b"busy", 2)
        assert len(world.sent()) == 3

    def test_with_long_bodies_cost_their_connection(self) -> None:
        head, body = answer(503, b"x" * 100_000)
        assert isinstance(body, bytes)
        world = journeys([head, body[:70_000], body[70_000:]], answer())
        assert world.send().status_code == 200
        assert [wire.closed for wire in world.wires] == [True, False]

    def test_whose_bodies_break_off_are_no_loss(self) -> None:
        broken = [b"HTTP/1.1 503 Busy\r\nContent-Length: 5\r\n\r\n", b"he", *RESET]
        world = journeys(broken, answer())
        assert world.send().status_code == 200
        assert [wire.closed for wire in world.wires] == [True, False]
        world.check()

    def test_set_cookies_that_are_sent_with_the_next_go(self) -> None:
        world = journeys(answer(503, b"", Set_Cookie="flavour=oat"), answer())
        world.send()
        assert world.session.store["flavour"] == "oat"

    def test_are_shown_to_hooks_each_time(self) -> None:
        world = journeys(BUSY, answer())
        seen: list[Any] = []
        world.session.hooks = {"request": [seen.append], "response": [seen.append]}
        world.send()
        assert [getattr(each, "status_code", "asked") for each in seen] == ["asked", 503, "asked", 200]
        assert sum(isinstance(effect, Call) for effect in world.performed) == 4

    def test_are_not_touched_where_a_hook_raises(self) -> None:
        def refuse(response: Response) -> None:
            raise RuntimeError("not this one")

        world = journeys(BUSY, answer())
        world.session.hooks["response"].append(refuse)
        with pytest.raises(RuntimeError, match="not this one"):
            world.send()
        assert slept(world) == []
        world.session.hooks["response"].clear()
        world.check()

    def test_are_closed_where_the_policy_raises(self) -> None:
        class Broken(Retry):
            def decide(self, outcome: Outcome) -> float | None:
                raise ZeroDivisionError

        world = journeys(BUSY, policy=Broken())
        with pytest.raises(ZeroDivisionError):
            world.send()
        world.session.retries = None
        world.check()

    def test_may_be_streams(self) -> None:
        world = journeys(BUSY, answer())
        response = world.send(read=False)
        assert (response.status_code, response.retries, response.is_closed) == (200, 1, False)
        response.stream.incoming.close()  # type: ignore[union-attr]
        world.check()


class TestErrors:
    def test_are_tried_again(self) -> None:
        world = journeys(RESET, RESET, answer())
        response = world.send()
        assert (response.content, response.retries) == (b"hello", 2)
        assert slept(world) == [1.0, 2.0]
        world.check()

    def test_are_told_when_nothing_is_left(self) -> None:
        world = journeys(*[RESET] * 9, policy=plain(2))
        with pytest.raises(ReadError) as caught:
            world.send()
        assert (caught.value.retries, caught.value.request_sent) == (2, True)
        assert caught.value.request.method == "GET"
        assert caught.value.__context__ is None
        assert len(world.wires) == 3

    def test_of_a_post_that_was_sent_are_not(self) -> None:
        world = journeys(RESET, answer())
        with pytest.raises(ReadError) as caught:
            world.send(post())
        assert caught.value.retries == 0
        assert slept(world) == []

    def test_of_a_post_that_was_not_are(self) -> None:
        world = journeys(answer())
        failing = iter([ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")] * 2)

        def dial(effect: Dial) -> None:
            for error in failing:
                raise error
            World.dial(world, effect)

        world.dial = dial  # type: ignore[method-assign]
        assert world.send(post()).retries == 2
        assert world.wire.sent.endswith(b"order")

    def test_of_a_post_with_a_key_are(self) -> None:
        world = journeys(RESET, answer())
        assert world.send(post(**{"Idempotency-Key": "7f3a"})).retries == 1
        assert world.wires[0].sent == world.wires[1].sent

    def test_in_the_body_are_tried_again(self) -> None:
        world = journeys(CUT, CUT, answer())
        response = world.send()
        assert (response.content, response.retries) == (b"hello", 2)
        assert slept(world) == [1.0, 2.0]
        world.check()

    def test_in_the_body_of_a_stream_are_its_readers(self) -> None:
        world = journeys(CUT, answer())
        response = world.send(read=False)
        with pytest.raises(ReadError):
            world.run(response.stream.incoming.read_all())  # type: ignore[union-attr]

    def test_in_the_body_are_told_when_nothing_is_left(self) -> None:
        world = journeys(*[CUT] * 9, policy=plain(1))
        with pytest.raises(ReadError) as caught:
            world.send()
        assert (caught.value.retries, caught.value.request_sent) == (1, True)

    @pytest.mark.parametrize("before", [RESET, BUSY, CUT], ids=["lost", "busy", "cut off"])
    def test_tell_whether_it_was_sent_in_a_go_before(self, before: list[Act]) -> None:
        world = journeys(before, policy=plain(1))
        dials = iter([None])

        def dial(effect: Dial) -> None:
            for _ in dials:
                World.dial(world, effect)
                return
            raise ConnectionRefusedError(errno.ECONNREFUSED, "Connection refused")

        world.dial = dial  # type: ignore[method-assign]
        world.transmitter.pool.retire()  # so that each go dials
        with pytest.raises(ConnectError) as caught:
            world.send()
        assert (caught.value.retries, caught.value.request_sent) == (1, True)

    def test_keep_no_response_that_its_user_drops(self) -> None:
        """It has a connection, and nobody knows when garbage is collected."""
        world = journeys(RESET, [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n"], policy=plain(1))
        gc.disable()
        try:
            response = weakref.ref(world.send(read=False))
            assert response() is None
        finally:
            gc.enable()

    def test_of_others_are_not_ours(self) -> None:
        def handler(request: Request) -> Response:
            raise OSError("no disk")

        world = journeys(transport=Custom(handler))
        with pytest.raises(OSError, match="no disk"):
            world.send()


class TestBodies:
    def test_that_can_be_read_once_are_sent_once(self) -> None:
        world = journeys(BUSY, answer(), policy=plain(methods=None))
        response = world.send(post(iter([b"a", b"b"])))
        assert (response.status_code, response.retries) == (503, 0)

    def test_that_were_not_begun_can_be_sent(self) -> None:
        world = journeys(answer(), policy=plain(methods=None))
        failing = iter([OSError(errno.EHOSTUNREACH, "No route to host")])

        def dial(effect: Dial) -> None:
            for error in failing:
                raise error
            World.dial(world, effect)

        world.dial = dial  # type: ignore[method-assign]
        assert world.send(post(iter([b"a", b"b"]))).retries == 1
        assert b"1\r\na\r\n1\r\nb\r\n0\r\n\r\n" in world.wire.sent

    def test_in_memory_are_sent_again(self) -> None:
        world = journeys(BUSY, answer(), policy=plain(methods=None))
        assert world.send(post(b"x" * 200_000)).retries == 1


class TestJourneys:
    def test_have_one_count(self) -> None:
        world = journeys(BUSY, redirect(), BUSY, answer(), policy=plain(2))
        response = world.send()
        assert (response.status_code, response.retries, len(response.history)) == (200, 2, 1)
        assert slept(world) == [1.0, 2.0]
        world = journeys(BUSY, redirect(), BUSY, BUSY, policy=plain(2))
        assert world.send().status_code == 503

    def test_go_on_from_the_last_hop(self) -> None:
        """What a 303 came from is not sent again because the body behind it was cut off."""
        world = journeys(redirect(status=303), CUT, answer())
        response = world.send(post())
        assert (response.content, response.retries) == (b"hello", 1)
        assert [each.request.method for each in response.history] == ["POST"]
        heads = b"".join(wire.sent for wire in world.wires)
        assert (heads.count(b"POST / "), heads.count(b"GET /there ")) == (1, 2)

    def test_may_take_another_way_the_next_time(self) -> None:
        world = journeys(CUT, redirect(), answer())
        response = world.send()
        assert (response.content, len(response.history), response.retries) == (b"hello", 1, 1)

    def test_with_auth(self) -> None:
        world = journeys(RESET, BUSY, answer())
        response = world.send(auth=BasicAuth("ada", "secret"))
        assert response.retries == 2
        assert all(
            b"Authorization: Basic" in head
            for wire in world.wires
            for head in wire.sent.split(b"\r\n\r\n")[:-1]
        )

    def test_with_auth_that_asks_twice(self) -> None:
        class Twice(Auth):
            def auth_flow(self, request: Request) -> Iterator[Request]:  # type: ignore[override]
                response = yield request
                assert response is not None
                request.headers["X-Seen"] = str(response.status_code)
                yield request

        world = journeys(BUSY, answer(401, b"who?"), BUSY, answer())
        response = world.send(auth=Twice())
        assert (response.status_code, response.retries) == (200, 2)
        assert world.sent()[-1].endswith(b"X-Seen: 401")

    def test_tell_of_it_whatever_ends_them(self) -> None:
        world = journeys(BUSY, *[redirect("/")] * 30)
        with pytest.raises(TooManyRedirects) as caught:
            world.send()
        assert (caught.value.retries, caught.value.request_sent) == (1, True)


class TestChoosing:
    @pytest.mark.parametrize(("given", "count"), [(None, 0), (1, 1), (plain(2), 2), (0, 0)])
    def test_by_the_request(self, given: Any, count: int) -> None:
        world = journeys(*[BUSY] * 9)
        request = Request("GET", "http://example.org/", extensions={"retries": given})
        assert world.send(request).retries == count

    def test_by_the_request_alone(self) -> None:
        world = Journeys(BUSY, answer())
        request = Request("GET", "http://example.org/", extensions={"retries": 1})
        assert world.send(request).retries == 1

    def test_by_a_client_with_a_number(self) -> None:
        assert journeys(*[BUSY] * 9, policy=2).send().retries == 2

    def test_by_something_else_is_an_error_before_anything_is_sent(self) -> None:
        world = Journeys()
        with pytest.raises(TypeError, match="a Retry, a number of goes or None"):
            world.send(Request("GET", "http://example.org/", extensions={"retries": "3"}))
        assert world.performed == []

    def test_nothing_is_done_again_by_default(self) -> None:
        response = Journeys(BUSY).send()
        assert (response.status_code, response.retries) == (503, 0)

    @pytest.mark.parametrize("pause", [0.0, -5.0])
    def test_a_subclass_does_not_outvote_the_total(self, pause: float) -> None:
        class Stubborn(Retry):
            def decide(self, outcome: Outcome) -> float | None:
                seen.append(outcome)
                return pause

        seen: list[Outcome] = []
        world = journeys(*[BUSY] * 9, policy=Stubborn(4))
        assert world.send().retries == 4
        assert slept(world) == []
        assert [outcome.number for outcome in seen] == [1, 2, 3, 4]
        assert len({outcome.chance for outcome in seen}) > 1
        assert all(0 <= outcome.chance < 1 and outcome.now > 0 for outcome in seen)
        assert all(outcome.response is not None and outcome.error is None for outcome in seen)


class TestTime:
    def limited(self, total: float) -> Request:
        timeout = Timeout(None, total=total).as_dict()
        return Request("GET", "http://example.org/", extensions={"timeout": timeout})

    def test_a_pause_beyond_the_total_is_not_begun(self) -> None:
        world = journeys(*[BUSY] * 9)
        response = world.send(self.limited(3.0))
        assert (response.status_code, response.retries) == (503, 1)
        assert slept(world) == [1.0]

    def test_nor_after_an_error(self) -> None:
        world = journeys(*[RESET] * 9)
        with pytest.raises(ReadError) as caught:
            world.send(self.limited(3.1))
        assert caught.value.retries == 2
        assert world.clock.now == 3.0

    def test_the_goes_share_it(self) -> None:
        world = journeys(BUSY, answer())
        world.send(self.limited(3.0))
        limits = [effect.timeout for effect in world.performed if hasattr(effect, "timeout")]
        assert (max(limits), min(limits)) == (3.0, 2.0)

    def test_what_reading_a_response_takes_is_part_of_the_pause(self) -> None:
        now = 0.0
        answers = [Response(503), Response(200)]

        def send(request: Request) -> Operation[Response]:
            yield from ()
            return answers.pop(0)

        def drain(response: Response) -> Operation[Response]:
            nonlocal now
            now += 0.75
            yield from ()
            return response

        policy = Retry(1, backoff=1.0, jitter=0.0)
        retrying = Retrying(policy, lambda: now, 1.5, Silent(), send, drain)
        going = retrying.exchange(Request("GET", "http://example.org/"))
        assert next(going).seconds == 0.25  # type: ignore[attr-defined]
        with pytest.raises(StopIteration) as ended:
            next(going)
        assert ended.value.value.status_code == 200


class Silent:
    def enabled(self, level: int) -> bool:
        return False

    def record(self, level: int, text: str, *arguments: object) -> None:
        raise AssertionError


class TestBudgets:
    def test_are_asked_last(self) -> None:
        budget = RetryBudget(0.0, 2)
        world = journeys(*[BUSY] * 9, policy=plain(budget=budget, methods=None))
        world.send(post(iter([b"a"])))
        assert budget.left == 2, "nothing was taken out for what cannot be sent again"
        assert world.send().retries == 2
        assert world.send().retries == 0

    def test_are_paid_in_by_each_request(self) -> None:
        budget = RetryBudget(0.5, 0)
        world = journeys(answer(), BUSY, answer(), policy=plain(budget=budget))
        assert world.send().retries == 0
        assert world.send().retries == 1


class TestCustomTransports:
    def handler(self, *answers: Response | Exception) -> Custom:
        waiting = list(answers)

        def handle(request: Request) -> Response:
            answer = waiting.pop(0)
            if isinstance(answer, Exception):
                raise answer
            return answer

        return Custom(handle)

    def test_are_asked_again(self) -> None:
        transport = self.handler(Response(503), ConnectError("down"), Response(200, content=b"up"))
        world = journeys(transport=transport)
        response = world.send()
        assert (response.content, response.retries) == (b"up", 2)
        assert slept(world) == [1.0, 2.0]

    @pytest.mark.parametrize(
        ("error", "again"), [(ConnectError, True), (ReadTimeout, False), (ReadError, False)]
    )
    def test_of_which_it_is_not_known_what_was_sent(self, error: type[RequestError], again: bool) -> None:
        world = journeys(transport=self.handler(error("it says"), Response(200)))
        if again:
            assert world.send(post()).retries == 1
        else:
            with pytest.raises(error) as caught:
                world.send(post())
            assert caught.value.request_sent is None

    def test_whose_responses_cannot_be_read_are_closed(self) -> None:
        class Broken(Response):
            def skim(self, most: int) -> None:
                raise ReadError("the cable is cut")

        world = journeys(transport=self.handler(Broken(503, stream=Response(200).stream), Response(200)))
        assert world.send().retries == 1
        assert [type(effect) for effect in world.performed if isinstance(effect, Read | Close)] == [
            Read,
            Close,
            Read,
        ]

    def test_whose_broken_responses_are_closed_already(self) -> None:
        class Broken(Response):
            def skim(self, most: int) -> None:
                self.is_closed = True
                raise ReadError("the cable is cut")

        world = journeys(transport=self.handler(Broken(503, stream=Response(200).stream), Response(200)))
        assert world.send().retries == 1
        assert not [effect for effect in world.performed if isinstance(effect, Close)]


class Lines:
    """A log."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def enabled(self, level: int) -> bool:
        return level >= INFO

    def record(self, level: int, text: str, *arguments: object) -> None:
        self.lines.append(text % arguments)


class TestLogs:
    def told(self, world: Journeys, *arguments: Any) -> list[str]:
        log = world.session.request_log = Lines()
        with suppress(RequestError):
            world.send(*arguments)
        return [line for line in log.lines if "Retry" in line]

    def test_tell_of_each_go(self) -> None:
        request = Request("GET", "http://ada:secret@example.org/?token=hidden&page=2")
        what = "GET http://ada:[secure]@example.org/?token=[secure]&page=2"
        assert self.told(journeys(RESET, BUSY, answer()), request) == [
            f"HTTP Retry: {what} again in 1.000 s after ReadError (1 of 3)",
            f"HTTP Retry: {what} again in 2.000 s after 503 (2 of 3)",
        ]

    def test_tell_why_there_is_none(self) -> None:
        budget = RetryBudget(0.0, 0)
        assert self.told(journeys(BUSY, policy=plain(methods=None)), post(iter([b"a"]))) == [
            "HTTP Retry: POST http://example.org/ not sent again after 503: its body can be read only once"
        ]
        assert self.told(journeys(RESET, policy=plain(budget=budget))) == [
            "HTTP Retry: GET http://example.org/ not sent again after ReadError: the retry budget is used up"
        ]
        timeout = Timeout(None, total=0.5).as_dict()
        request = Request("GET", "http://example.org/", extensions={"timeout": timeout})
        assert self.told(journeys(BUSY), request) == [
            "HTTP Retry: GET http://example.org/ not sent again after 503: "
            "a pause of 1 s would not end before the total timeout"
        ]


class TestLeaving:
    """Whatever becomes of the operation, and at whichever step: nothing is left behind."""

    @each_way
    @pytest.mark.parametrize(
        "answers", [(BUSY, RESET, ANSWER), (CUT, redirect(), BUSY, ANSWER)], ids=["errors", "bodies"]
    )
    def test_at_each_step(self, way: str, answers: tuple[list[Act], ...]) -> None:
        def make() -> Journeys:
            return journeys(*answers, policy=plain(exceptions=[ReadError]))

        for world in left_at_each_step(way, lambda world: world.follow(), make):  # type: ignore[attr-defined]
            world.check()

    def test_in_a_pause_nothing_is_held(self) -> None:
        world = journeys(BUSY, answer())
        operation = world.follow()
        effect = next(operation)
        while not isinstance(effect, Sleep):
            world.perform(effect)
            effect = next(operation)
        assert world.pool.statistics == (1, 1, 0)
        operation.close()
        world.check()


def test_protocol_errors_are_tried_again() -> None:
    world = journeys([b"nonsense\r\n\r\n"], answer())
    assert world.send().retries == 1
    with pytest.raises(RemoteProtocolError):
        Journeys([b"nonsense\r\n\r\n"]).send()
