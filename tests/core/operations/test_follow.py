"""Auth, redirects, cookies and hooks around each exchange."""

from __future__ import annotations

import gzip
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from httpure_core.auth import Auth, BasicAuth
from httpure_core.auth.digest import DigestAuth
from httpure_core.config.options import Timeout
from httpure_core.content.streams import SyncByteStream
from httpure_core.contracts import Log
from httpure_core.effects import Advance, Call, Close, Operation, Read, Transmit
from httpure_core.errors import (
    BodyTooLarge,
    ConnectError,
    ConnectTimeout,
    DecodingError,
    LimitExceeded,
    RemoteProtocolError,
    RequestError,
    TooManyRedirects,
)
from httpure_core.limits import DEFAULT_LIMITS, Limits
from httpure_core.models.cookies import Cookies
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL
from httpure_core.operations.follow import follow
from httpure_core.operations.reading import MAX_DRAINED, read_whole
from httpure_core.operations.report import INFO, silent
from httpure_core.retries import Retry

from .stepping import ANSWER, EMPTY, Act, Cancelled, World, drive, each_way, left_at_each_step


def answer(status: int = 200, body: bytes = b"hello", **fields: str) -> list[Act]:
    """A response whose body arrives after its head."""
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in fields.items())
    return [f"HTTP/1.1 {status} Words\r\n{lines}Content-Length: {len(body)}\r\n\r\n".encode(), body]


def redirect(to: str = "/there", status: int = 302, **fields: str) -> list[Act]:
    return answer(status, b"moved", Location=to, **fields)


class Pooled:
    """A transport that is a pool of the core's."""

    def __init__(self, world: World) -> None:
        self.transmitter = world.transmitter


class Custom:
    """A transport of the user's, without an attribute `transmitter`."""

    def __init__(self, handler: Callable[[Request], Response]) -> None:
        self.handle_request = handler


class Session:
    """A client, as far as `follow` is concerned."""

    def __init__(self, world: World, transport: Any = None) -> None:
        self.clock = world.clock
        self.mutex = threading.Lock()
        self.max_redirects = 20
        self.max_auth_rounds = 20
        self.limits = DEFAULT_LIMITS
        self.retries: Any = None
        self.allow_downgrade = False
        self.default_encoding = "utf-8"
        self.sensitive_headers: tuple[str, ...] = ()
        self.request_log: Log = silent("")
        self.store = Cookies()
        self.hooks: dict[str, list[Callable[..., Any]]] = {"request": [], "response": []}
        self.transport = transport or Pooled(world)
        self.asked_for: list[str] = []

    def transport_for(self, url: URL) -> Any:
        self.asked_for.append(str(url))
        return self.transport

    def transport_through(self, proxy: Any, url: URL) -> Any:
        self.asked_for.append(f"{url} through {proxy}")
        return self.transport


class Journeys(World):
    """A world with a client in it."""

    def __init__(self, *answers: list[Act], transport: Any = None) -> None:
        super().__init__(*answers)
        self.session = Session(self, transport)

    def follow(
        self,
        request: Request | None = None,
        auth: Auth | None = None,
        follow_redirects: bool = True,
        read: bool = True,
    ) -> Operation[Response]:
        request = request or Request("GET", "http://example.org/")
        return follow(self.session, request, auth, follow_redirects, read)  # type: ignore[arg-type]

    def send(self, *arguments: Any, **keywords: Any) -> Response:
        return self.run(self.follow(*arguments, **keywords))

    def sent(self, index: int = 0) -> list[bytes]:
        """The request heads that a connection has carried."""
        return [head for head in self.wires[index].sent.split(b"\r\n\r\n") if head]


class TestOneExchange:
    def test_reads_to_the_end(self) -> None:
        response = Journeys().send()
        assert (response.status_code, response.content, response.is_closed) == (200, b"hello", True)
        assert response.history == []
        assert response.next_request is None

    def test_does_not_read_a_stream(self) -> None:
        world = Journeys()
        response = world.send(read=False)
        assert not response.is_closed
        assert world.pool.statistics == (1, 0, 0)

    def test_asks_for_the_transport_of_the_url(self) -> None:
        world = Journeys()
        world.send(Request("GET", "http://example.org/a?b"))
        assert world.session.asked_for == ["http://example.org/a?b"]

    def test_asks_for_the_way_through_the_proxy_of_the_request(self) -> None:
        world = Journeys()
        world.send(Request("GET", "http://example.org/", extensions={"proxy": "http://p"}))
        assert world.session.asked_for == ["http://example.org/ through http://p"]

    def test_of_a_transport_that_returns_something_else_is_an_error(self) -> None:
        with pytest.raises(TypeError, match="Custom returned None"):
            Journeys(transport=Custom(lambda request: None)).send()

    def test_hands_on_the_default_encoding(self) -> None:
        world = Journeys(answer(body="ü".encode("latin-1"), Content_Type="text/plain"))
        world.session.default_encoding = "latin-1"
        assert world.send().text == "ü"

    @pytest.mark.parametrize("coding", [gzip.compress, bytes])
    def test_of_what_comes_in_one_piece_needs_one_wait(self, coding: Callable[[bytes], bytes]) -> None:
        body = coding(b"hello")
        world = Journeys([b"".join(answer(body=body, Content_Encoding="gzip"))])  # type: ignore[arg-type]
        if coding is gzip.compress:
            assert world.send().text == "hello"
        else:
            with pytest.raises(DecodingError) as caught:
                world.send()
            assert caught.value.request.url.host == "example.org"
        assert [type(effect).__name__ for effect in world.performed][-2:] == ["Flush", "Receive"]
        assert world.pool.statistics == (1, 1, 0)

    def test_undoes_the_content_coding(self) -> None:
        assert Journeys(answer(body=gzip.compress(b"hello"), Content_Encoding="gzip")).send().text == "hello"

    def test_of_broken_coding_is_an_error_with_its_request(self) -> None:
        world = Journeys(answer(body=b"nonsense", Content_Encoding="gzip"))
        with pytest.raises(DecodingError) as caught:
            world.send()
        assert caught.value.request.url.host == "example.org"
        assert world.pool.statistics == (1, 1, 0), "the connection is not to blame"

    def test_that_breaks_off_is_an_error_with_its_request(self) -> None:
        world = Journeys([ANSWER[0], b"he", b""])
        with pytest.raises(RemoteProtocolError) as caught:
            world.send()
        assert caught.value.request.url.host == "example.org"
        assert world.pool.statistics == (0, 0, 0)


class TestCookies:
    def test_are_kept(self) -> None:
        world = Journeys(answer(Set_Cookie="a=1"))
        world.send()
        assert dict(world.session.store) == {"a": "1"}
        assert not world.session.mutex.locked()

    def test_of_redirects_too_and_go_along(self) -> None:
        world = Journeys(redirect(Set_Cookie="a=1"), redirect("/further", Set_Cookie="b=2"))
        world.send()
        first, second, third = world.sent()
        assert b"Cookie" not in first
        assert b"\r\nCookie: a=1" in second
        assert b"\r\nCookie: a=1; b=2" in third

    def test_go_into_the_next_request_of_a_redirect_that_is_not_followed(self) -> None:
        world = Journeys(redirect(Set_Cookie="a=1"))
        following = world.send(follow_redirects=False).next_request
        assert following is not None
        assert following.headers["cookie"] == "a=1"


class TestRedirects:
    def test_are_followed(self) -> None:
        world = Journeys(redirect(), redirect("http://example.org/further", 307))
        response = world.send()
        assert response.content == b"hello"
        assert str(response.url) == "http://example.org/further"
        assert [each.status_code for each in response.history] == [302, 307]
        assert [each.content for each in response.history] == [b"moved", b"moved"]
        assert [len(each.history) for each in response.history] == [0, 1]
        assert len(world.wires) == 1, "a short body is read, and the connection used again"

    def test_are_not_followed_unless_asked_for(self) -> None:
        world = Journeys(redirect())
        response = world.send(follow_redirects=False)
        assert (response.status_code, response.content) == (302, b"moved")
        assert response.next_request is not None
        assert str(response.next_request.url) == "http://example.org/there"

    def test_take_the_sessions_sensitive_headers_to_no_stranger(self) -> None:
        world = Journeys(redirect("/there"), redirect("http://stranger.example/"))
        world.session.sensitive_headers = ("x-tenant",)
        response = world.send(Request("GET", "http://example.org/", headers={"X-Tenant": "7"}))
        assert [head.count(b"X-Tenant: 7") for head in world.sent()] == [1, 1]
        assert "X-Tenant" not in response.request.headers
        world = Journeys(redirect("http://stranger.example/"))
        world.session.sensitive_headers = ("x-tenant",)
        request = Request("GET", "http://example.org/", headers={"X-Tenant": "7"})
        following = world.send(request, follow_redirects=False).next_request
        assert following is not None and "X-Tenant" not in following.headers

    def test_that_lead_nowhere_hurt_only_those_who_follow(self) -> None:
        world = Journeys(redirect("ftp://example.org/"))
        response = world.send(follow_redirects=False)
        assert (response.status_code, response.next_request) == (302, None)
        world = Journeys(redirect("ftp://example.org/"))
        with pytest.raises(RequestError) as caught:
            world.send()
        assert world.pool.statistics == (0, 0, 0), "given up, though the traceback still holds the response"
        assert "ftp" in str(caught.value)
        world.check()

    def test_without_a_location_are_responses_as_any(self) -> None:
        response = Journeys(answer(302)).send()
        assert (response.status_code, response.next_request) == (302, None)

    @pytest.mark.parametrize("most", [0, 1, 5])
    def test_have_a_limit(self, most: int) -> None:
        world = Journeys(*[redirect("/again")] * 10)
        world.session.max_redirects = most
        with pytest.raises(TooManyRedirects) as caught:
            world.send(Request("GET", "http://example.org/?secret"))
        assert str(caught.value).startswith(
            f"More than {most} redirects were followed, GET http://example.org/"
        )
        assert "secret" not in str(caught.value)
        assert caught.value.request.url.host == "example.org"
        assert len(world.sent()) == most + 1
        world.check()

    def test_up_to_the_limit_are_fine(self) -> None:
        world = Journeys(redirect(), redirect())
        world.session.max_redirects = 2
        assert len(world.send().history) == 2

    def test_are_counted_without_the_challenges_of_an_auth_flow(self) -> None:
        world = Journeys(CHALLENGE, redirect())
        world.session.max_redirects = 1
        assert [each.status_code for each in world.send(auth=Twice()).history] == [401, 302]

    def test_with_a_long_body_are_not_read(self) -> None:
        long = [
            b"HTTP/1.1 302 Found\r\nLocation: /there\r\nContent-Length: 999999\r\n\r\n",
            b"x" * (MAX_DRAINED + 1),
        ]
        world = Journeys(long)
        response = world.send()
        assert response.content == b"hello"
        assert response.history[0].content == b""
        assert [wire.closed for wire in world.wires] == [True, False]

    def test_that_swell_are_not_kept(self) -> None:
        """Twenty of them stay in the history, each of a few bytes on the wire."""
        bomb = gzip.compress(bytes(1024 * 1024 + 1))
        response = Journeys(answer(302, bomb, Location="/there", Content_Encoding="gzip")).send()
        assert (response.content, response.history[0].content) == (b"hello", b"")

    def test_with_a_broken_coding_are_followed_all_the_same(self) -> None:
        world = Journeys(answer(302, b"nonsense", Location="/there", Content_Encoding="gzip"))
        response = world.send()
        assert response.content == b"hello"
        assert response.history[0].is_closed

    def test_whose_body_breaks_off_are_an_error(self) -> None:
        world = Journeys([redirect()[0], b""])
        with pytest.raises(RemoteProtocolError):
            world.send()
        world.check()

    def test_share_the_total_timeout(self) -> None:
        world = Journeys(redirect())
        timeout = Timeout(None, total=10).as_dict()
        times: list[float] = []

        def perform(effect: Any) -> None:
            times.append(effect.timeout)
            world.clock.now += 1.0
            world.perform(effect)

        operation = world.follow(Request("GET", "http://example.org/", extensions={"timeout": timeout}))
        effect: Any = next(operation)
        with pytest.raises(StopIteration):
            while True:
                perform(effect)
                effect = next(operation)
        assert times[0] == 10
        assert times[-1] == 10 - len(times) + 1, "the second exchange has only what the first left over"


def chunked(*pieces: bytes, fields: str = "") -> list[Act]:
    """A response whose length nobody knows, with nothing behind those pieces."""
    head = f"HTTP/1.1 200 OK\r\n{fields}Transfer-Encoding: chunked\r\n\r\n".encode()
    return [head, *(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)]


LAST = b"0\r\n\r\n"
FIVE = Limits(max_body=5)


class TestLimitsOfBodies:
    """Whoever carried the request; how they are obeyed is in `tests/core/models/test_reading.py`."""

    def limited(self, limits: Limits, *answers: list[Act], transport: Any = None) -> Journeys:
        world = Journeys(*answers, transport=transport)
        world.session.limits = limits
        return world

    @pytest.mark.parametrize(
        "acts",
        [answer(), [*chunked(b"he", b"llo"), LAST], [b"HTTP/1.0 200 OK\r\n\r\nhe", b"llo", b""]],
        ids=["said", "chunked", "closed"],
    )
    def test_as_much_as_may_be(self, acts: list[Act]) -> None:
        world = self.limited(FIVE, acts)
        response = world.send()
        assert (response.content, response.is_closed, response.num_bytes_downloaded) == (b"hello", True, 5)

    def test_a_length_that_is_too_much_is_refused_before_a_byte_is_read(self) -> None:
        world = self.limited(FIVE, answer(body=b"hello!"))
        with pytest.raises(
            BodyTooLarge, match=r"6 as its Content-Length says, GET http://example.org/;"
        ) as caught:
            world.send()
        assert (caught.value.limit, caught.value.request.method) == ("max_body", "GET")
        assert list(world.wire.incoming) == [b"hello!"]
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_one_that_came_with_its_head(self) -> None:
        world = self.limited(FIVE, [b"HTTP/1.1 200 OK\r\nContent-Length: 6\r\n\r\nhello!"])
        with pytest.raises(BodyTooLarge, match="more than 5 bytes"):
            world.send()
        assert world.pool.statistics == (1, 1, 0), "the connection is as good as ever"

    def test_no_more_is_received_than_may_be(self) -> None:
        world = self.limited(FIVE, chunked(b"he", b"llo", b"!", b"never"))
        with pytest.raises(BodyTooLarge, match=r"more than 5 bytes \(max_body\), GET http://example.org/;"):
            world.send()
        assert len(world.wire.incoming) == 1
        assert world.wire.closed
        assert world.pool.statistics == (0, 0, 0)

    def test_of_what_is_decoded(self) -> None:
        body = gzip.compress(b"hello")
        fields = "Content-Encoding: gzip\r\n"
        for limits in (FIVE, Limits(max_body=len(body))):
            world = self.limited(limits, [*chunked(body, fields=fields), LAST])
            assert world.send().content == b"hello"
            world = self.limited(limits, answer(body=body, Content_Encoding="gzip"))
            assert world.send().content == b"hello"
        world = self.limited(Limits(max_body=4), chunked(body, fields=fields))
        with pytest.raises(BodyTooLarge):
            world.send()

    def test_a_broken_one_says_whose_it_is(self) -> None:
        for acts in (
            chunked(b"junk", fields="Content-Encoding: gzip\r\n"),
            answer(body=b"junk", Content_Encoding="gzip"),
        ):
            world = self.limited(FIVE, acts)
            with pytest.raises(
                DecodingError, match=r"gzip body is broken.*, GET http://example.org/$"
            ) as caught:
                world.send()
            assert caught.value.request_sent is True

    def test_one_that_is_cut_off(self) -> None:
        acts = chunked(gzip.compress(b"hello")[:-1], fields="Content-Encoding: gzip\r\n")
        world = self.limited(FIVE, [*acts, LAST])
        with pytest.raises(DecodingError, match=r"ended before its end marker: .*, GET http://example.org/$"):
            world.send()

    def test_a_redirect_and_a_challenge_may_have_any(self) -> None:
        """Nobody looks at them, and no more than a little is read."""
        world = self.limited(Limits(max_body=2), redirect(), CHALLENGE, answer(body=b"ok"))
        response = world.send(auth=Twice())
        assert response.content == b"ok"
        assert [each.content for each in response.history] == [b"", b""]

    def test_an_auth_flow_that_wants_the_body(self) -> None:
        world = self.limited(Limits(max_body=3), CHALLENGE)
        with pytest.raises(BodyTooLarge):
            world.send(auth=NeedsBodies())

    @pytest.mark.parametrize("read", [True, False])
    def test_of_custom_transports(self, read: bool) -> None:
        def handler(request: Request) -> Response:
            return Response(200, content=b"hello!" if request.url.path == "/" else iter([b"hel", b"lo!"]))

        for path in ("/", "/pieces"):
            world = self.limited(FIVE, transport=Custom(handler))
            with pytest.raises(BodyTooLarge, match=f"more than 5 bytes .*, GET http://example.org{path};"):
                response = world.send(Request("GET", f"http://example.org{path}"), read=read)
                list(response.iter_bytes())

    def test_of_the_request(self) -> None:
        world = Journeys(redirect(), answer(body=b"hello!"), answer(body=b"hello!"))
        with pytest.raises(BodyTooLarge):
            world.send(Request("GET", "http://example.org/", extensions={"limits": FIVE}))
        assert world.send().content == b"hello!"
        with pytest.raises(TypeError, match="The extension 'limits' is made by Limits"):
            world.send(Request("GET", "http://example.org/", extensions={"limits": 5}))

    def test_default_ones_are_not_set(self) -> None:
        world = Journeys(answer())
        assert "_limits" not in vars(world.send())


class Twice(Auth):
    """Asks to be challenged first."""

    requires_response_body = False

    def auth_flow(self, request: Request) -> Any:
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = f"told {response.headers['www-authenticate']}"
            yield request


class NeedsBodies(Twice):
    requires_request_body = True
    requires_response_body = True
    seen: tuple[bytes, ...] = ()

    def auth_flow(self, request: Request) -> Any:
        self.seen = (request.content,)
        response = yield request
        self.seen = (request.content, response.content)
        yield request


class Own(Twice):
    """Does I/O of its own, so that a driver has to advance it."""

    def sync_auth_flow(self, request: Request) -> Any:
        return self.auth_flow(request)


class Nothing(Auth):
    def auth_flow(self, request: Request) -> Any:
        return
        yield request


class OwnNothing(Nothing):
    def sync_auth_flow(self, request: Request) -> Any:
        return self.auth_flow(request)


class Breaks(Auth):
    def auth_flow(self, request: Request) -> Any:
        yield request
        raise KeyError("the flow's own")


class OwnBreaks(Breaks):
    def sync_auth_flow(self, request: Request) -> Any:
        return self.auth_flow(request)


class Endless(Auth):
    """Is never content."""

    rounds = 0

    def auth_flow(self, request: Request) -> Any:
        try:
            while True:
                yield request
                self.rounds += 1
        finally:
            self.rounds = -self.rounds


class OwnEndless(Endless):
    def sync_auth_flow(self, request: Request) -> Any:
        return self.auth_flow(request)


CHALLENGE = answer(401, b"who?", WWW_Authenticate="Word")


class TestAuth:
    def test_changes_the_request(self) -> None:
        world = Journeys()
        assert world.send(auth=BasicAuth("user", "password")).status_code == 200
        assert b"\r\nAuthorization: Basic " in world.wire.sent
        assert not [effect for effect in world.performed if isinstance(effect, Advance)], (
            "no driver is needed"
        )

    @pytest.mark.parametrize("auth", [Twice(), Own()], ids=["pure", "its own"])
    def test_answers_a_challenge(self, auth: Auth) -> None:
        world = Journeys(CHALLENGE)
        response = world.send(auth=auth)
        assert response.status_code == 200
        assert [each.status_code for each in response.history] == [401]
        assert response.history[0].content == b"who?"
        first, second = world.sent()
        assert b"Authorization" not in first
        assert b"\r\nAuthorization: told Word" in second
        assert len(world.wires) == 1

    @pytest.mark.parametrize("auth", [Twice(), Own()], ids=["pure", "its own"])
    def test_is_content_without_one(self, auth: Auth) -> None:
        world = Journeys()
        assert world.send(auth=auth).history == []

    def test_of_its_own_is_an_effect(self) -> None:
        world = Journeys(CHALLENGE)
        world.send(auth=Own())
        assert world.kinds().count("Advance") == 3

    def test_sees_bodies_where_it_requires_them(self) -> None:
        world = Journeys(CHALLENGE)
        auth = NeedsBodies()
        request = Request("POST", "http://example.org/", content=iter([b"one ", b"two"]))
        assert world.send(request, auth).status_code == 200
        assert auth.seen == (b"one two", b"who?")

    def test_sees_a_body_that_was_read_already(self) -> None:
        auth = NeedsBodies()
        handler = Custom(lambda request: Response(401, content=b"who?"))
        Journeys(transport=handler).send(auth=auth)
        assert auth.seen == (b"", b"who?")

    @pytest.mark.parametrize("auth", [Endless(), OwnEndless()], ids=["pure", "its own"])
    def test_that_is_never_content_comes_to_an_end(self, auth: Endless) -> None:
        world = Journeys(*[CHALLENGE] * 5)
        world.session.max_auth_rounds = 3
        with pytest.raises(LimitExceeded) as caught:
            world.send(auth=auth)
        name = type(auth).__name__
        assert str(caught.value) == (
            f"{name} has made 3 requests and wants to make another (max_auth_rounds), GET http://example.org/; "
            "allow more with max_auth_rounds"
        )
        assert (caught.value.limit, caught.value.request.method) == ("max_auth_rounds", "GET")
        assert len(world.sent()) == 3
        assert auth.rounds == -3, "the flow is closed"
        assert world.pool.statistics == (1, 1, 0)

    def test_as_many_rounds_as_may_be(self) -> None:
        world = Journeys(CHALLENGE)
        world.session.max_auth_rounds = 2
        assert world.send(auth=Twice()).status_code == 200
        world.session.max_auth_rounds = 1
        assert world.send(auth=BasicAuth("user", "password")).status_code == 200

    def test_digest_answers_twice_whatever_the_limit(self) -> None:
        again = answer(401, b"who?", WWW_Authenticate='Digest realm="a", nonce="b", qop="auth", stale=true')
        world = Journeys(*[again] * 30)
        response = world.send(auth=DigestAuth("user", "password"))
        assert (response.status_code, len(response.history)) == (401, 2)
        assert len(world.sent()) == 3

    def test_and_redirects_go_together(self) -> None:
        world = Journeys(redirect(), CHALLENGE, redirect("/third"))
        response = world.send(auth=Twice())
        assert [each.status_code for each in response.history] == [302, 401, 302]

    def test_does_not_follow_to_strangers(self) -> None:
        world = Journeys(CHALLENGE, redirect("http://stranger.example/"))
        world.send(auth=Twice())
        assert b"Authorization" in world.wires[0].sent
        assert b"Authorization" not in world.wires[1].sent

    def test_what_it_changed_is_not_for_strangers_either(self) -> None:
        class Signs(Auth):
            def auth_flow(self, request: Request) -> Any:
                request.headers["X-Signature"] = "mine"
                yield request

        world = Journeys(redirect("http://stranger.example/"))
        request = Request("GET", "http://example.org/", headers={"X-Signature": "to come", "X-Other": "1"})
        world.send(request, Signs())
        assert b"X-Signature: mine" in world.wires[0].sent
        assert b"X-Signature" not in world.wires[1].sent
        assert b"X-Other: 1" in world.wires[1].sent

    def test_what_is_no_request_is_told(self) -> None:
        class Yields(Auth):
            def auth_flow(self, request: Request) -> Any:
                yield "a request"

        with pytest.raises(TypeError, match="Yields yielded what is no Request, but str"):
            Journeys().send(Request("GET", "http://example.org/"), Yields())

    @pytest.mark.parametrize("auth", [Nothing(), OwnNothing()], ids=["pure", "its own"])
    def test_without_a_request_says_so(self, auth: Auth) -> None:
        world = Journeys()
        with pytest.raises(RuntimeError, match="yielded no request"):
            world.send(auth=auth)

    def test_that_breaks_gives_the_response_up(self) -> None:
        world = Journeys()
        with pytest.raises(KeyError, match="the flow's own"):
            world.send(auth=Breaks())
        assert world.pool.statistics == (0, 0, 0)
        world.check()

    @pytest.mark.parametrize("kind", [Twice, Own])
    def test_is_closed_at_the_end_and_before(self, kind: type[Auth]) -> None:
        log: list[str] = []

        class Closing(kind):  # type: ignore[valid-type,misc]
            def auth_flow(self, request: Request) -> Any:
                try:
                    yield request
                    yield request
                finally:
                    log.append("closed")

        for steps in range(20):
            world = Journeys(CHALLENGE)
            operation = world.follow(auth=Closing())
            if drive(operation, world.perform, steps) is None:
                assert log == ["closed"]
                break
            operation.close()
            assert log == ["closed"] or (kind is Own and steps == 0)
            log.clear()

    def test_of_its_own_is_closed_as_its_driver_does_it_if_there_is_time(self) -> None:
        world = Journeys()
        operation = world.follow(auth=Own())
        effect = drive(operation, world.perform, 1)
        assert effect is not None
        last = operation.throw(OSError("the network's own"))
        assert isinstance(last, Advance) and last.finished
        with pytest.raises(ConnectError):
            operation.throw(KeyError("the flow's own, when it is closed"))
        world = Journeys()
        with pytest.raises(KeyError, match="the flow's own"):
            world.send(auth=OwnBreaks())
        advances = [effect for effect in world.performed if isinstance(effect, Advance)]
        assert len(advances) == 3 and advances[-1].finished

    def test_of_its_own_is_closed_as_its_driver_does_it_also_when_it_is_cancelled(self) -> None:
        world = Journeys()
        operation = world.follow(auth=Own())
        drive(operation, world.perform, 1)
        last = operation.throw(Cancelled("first"))
        assert isinstance(last, Advance) and last.finished
        with pytest.raises(Cancelled, match="first"):
            world.run(operation, last)

    def test_that_breaks_when_it_is_closed_hides_no_error(self) -> None:
        class Unruly(Auth):
            def auth_flow(self, request: Request) -> Any:
                try:
                    yield request
                finally:
                    raise KeyError("the flow's own, when it is closed")

        world = Journeys()
        operation = world.follow(auth=Unruly())
        next(operation)
        with pytest.raises(ConnectError):
            operation.throw(OSError("the network's own"))


class TestLog:
    """One line for each exchange, at the level of INFO."""

    def journeys(self, *answers: list[Act], **keywords: Any) -> tuple[Journeys, list[str]]:
        lines: list[str] = []

        class Lines:
            enabled = staticmethod(lambda level: level == INFO)

            def record(self, level: int, text: str, *arguments: object) -> None:
                lines.append(text % arguments)

        world = Journeys(*answers, **keywords)
        world.session.request_log = Lines()
        return world, lines

    def test_says_what_was_asked_and_answered(self) -> None:
        world, lines = self.journeys(redirect("/there?token=secret"), answer(404))
        url = "http://user:pass@example.org/here?code=secret&page=2"
        world.run(world.follow(Request("POST", url), follow_redirects=True))
        assert lines == [
            'HTTP Request: POST http://user:[secure]@example.org/here?code=[secure]&page=2 "HTTP/1.1 302 Words"',
            'HTTP Request: GET http://user:[secure]@example.org/there?token=[secure] "HTTP/1.1 404 Words"',
        ]

    def test_knows_custom_transports(self) -> None:
        world, lines = self.journeys(transport=Custom(lambda request: Response(204)))
        world.run(world.follow(Request("GET", "http://example.org/")))
        assert lines == ['HTTP Request: GET http://example.org/ "HTTP/1.1 204 No Content"']

    def test_that_raises_leaves_nothing_behind(self) -> None:
        class Broken:
            enabled = staticmethod(lambda level: True)

            def record(self, level: int, text: str, *arguments: object) -> None:
                raise KeyError("of a filter")

        world = Journeys()
        world.session.request_log = Broken()
        with pytest.raises(KeyError, match="of a filter"):
            world.run(world.follow(Request("GET", "http://example.org/")))
        world.check()

    def test_comes_before_the_hooks(self) -> None:
        world, lines = self.journeys()
        world.session.hooks["response"].append(lambda response: lines.append("hook"))
        world.run(world.follow(Request("GET", "http://example.org/")))
        assert lines[1:] == ["hook"]

    def test_limits_that_are_none(self) -> None:
        world = Journeys()
        with pytest.raises(TypeError, match="The extension 'timeout' is a dict"):
            world.run(world.follow(Request("GET", "http://example.org/", extensions={"timeout": 5.0})))


class TestRequestSent:
    """Once a server has answered, no error says that none has seen what the user had sent, whatever it is of."""

    ELSEWHERE = Request("POST", "http://elsewhere.example/")

    def unsent(self, *arguments: Any) -> None:
        raise ConnectError("Refused", request=self.ELSEWHERE)

    def check(self, world: Journeys, auth: Auth | None = None) -> None:
        world.session.retries = Retry(2, backoff=0.0)
        with pytest.raises(ConnectError) as caught:
            world.send(Request("POST", "http://example.org/", content=b"order"), auth=auth)
        assert caught.value.request_sent is True
        assert [wire.sent.count(b"POST ") for wire in world.wires] == [1]
        assert world.pool.statistics.connections == world.pool.statistics.idle

    def test_after_a_redirect(self) -> None:
        world = Journeys(redirect("http://elsewhere.example/", 303))
        dial = world.dial

        def first_only(effect: Any) -> None:
            if world.wires:
                raise ConnectionRefusedError(111, "Connection refused")
            dial(effect)

        world.dial = first_only  # type: ignore[method-assign]
        self.check(world)

    def test_of_what_a_hook_has_sent(self) -> None:
        world = Journeys()
        world.session.hooks["response"].append(self.unsent)
        self.check(world)

    def test_of_what_an_auth_flow_has_sent(self) -> None:
        unsent = self.unsent

        class Asking(Auth):
            def auth_flow(self, request: Request) -> Any:
                yield request
                unsent()

        self.check(Journeys(CHALLENGE), Asking())

    def test_before_anybody_has_answered(self) -> None:
        world = Journeys()
        world.session.hooks["request"].append(self.unsent)
        with pytest.raises(ConnectError) as caught:
            world.send()
        assert caught.value.request_sent is False


class TestHooks:
    def test_see_each_request_and_each_response(self) -> None:
        world = Journeys(redirect())
        log: list[Any] = []
        world.session.hooks = {"request": [log.append], "response": [log.append, log.append]}
        response = world.send()
        assert [type(each) for each in log] == [Request, Response, Response] * 2
        assert [str(log[0].url), str(log[3].url)] == ["http://example.org/", "http://example.org/there"]
        assert log[4] is log[5] is response

    def test_are_effects_with_the_hook_and_its_argument(self) -> None:
        world = Journeys()
        world.session.hooks = {"request": [print], "response": []}
        request = Request("GET", "http://example.org/")
        effect = next(world.follow(request))
        assert isinstance(effect, Call)
        assert (effect.hook, effect.arguments) == (print, (request,))

    def test_may_read_the_response(self) -> None:
        world = Journeys()
        responses: list[Response] = []
        world.session.hooks["response"].append(responses.append)
        operation = world.follow()
        effect = drive(operation, world.perform, 4)
        assert isinstance(effect, Call)
        world.run(read_whole(*effect.arguments))
        assert world.run(operation, effect).content == b"hello"

    @pytest.mark.parametrize("kind", ["request", "response"])
    def test_that_raise_leave_nothing_behind(self, kind: str) -> None:
        def hook(argument: object) -> None:
            raise KeyError("the hook's own")

        world = Journeys()
        world.session.hooks[kind].append(hook)
        with pytest.raises(KeyError, match="the hook's own"):
            world.send()
        assert world.pool.statistics == (0, 0, 0)
        world.check()


class TestCustomTransports:
    def test_carry_requests(self) -> None:
        world = Journeys(transport=Custom(lambda request: Response(200, content=b"hello")))
        request = Request("GET", "http://example.org/")
        response = world.send(request)
        assert response.content == b"hello"
        assert response.request is request
        assert world.kinds() == ["Transmit", "Read"]
        assert isinstance(world.performed[0], Transmit)

    def test_get_what_is_left_of_the_total_timeout(self) -> None:
        """And the requests, of the user's and of ours, are as they were when the transport is done with them."""
        world = Journeys()
        told: list[Any] = []

        def slow(request: Request) -> Response:
            told.append(dict(request.extensions["timeout"]))
            request.extensions["note"] = len(told)
            world.clock.now += 3.0
            return Response(302, headers={"Location": "/there"}) if len(told) < 3 else Response(200)

        world.session.transport = Custom(slow)
        limits = Timeout(5, total=10).as_dict()
        request = Request("GET", "http://example.org/", extensions={"timeout": limits})
        response = world.send(request)
        assert [each["total"] for each in told] == [10, 7, 4]
        assert [each["read"] for each in told] == [5, 5, 5]
        assert request.extensions["timeout"] is limits
        sent = [*(each.request for each in response.history), response.request]
        assert [each.extensions["timeout"]["total"] for each in sent] == [10, 10, 10]
        assert [each.extensions["note"] for each in sent] == [1, 2, 3]

    def test_are_not_asked_any_more_when_it_is_used_up(self) -> None:
        world = Journeys()
        asked: list[Request] = []

        def slow(request: Request) -> Response:
            asked.append(request)
            world.clock.now += 6.0
            return Response(302, headers={"Location": "/there"})

        world.session.transport = Custom(slow)
        limits = Timeout(None, total=10).as_dict()
        with pytest.raises(
            ConnectTimeout, match=r"within 10 s \(the total timeout\), GET http://example.org/there"
        ):
            world.send(Request("GET", "http://example.org/", extensions={"timeout": limits}))
        assert len(asked) == 2

    @pytest.mark.parametrize("kind", [ConnectError, Cancelled, GeneratorExit])
    def test_that_fail_have_given_it_back(self, kind: type[BaseException]) -> None:
        world = Journeys(transport=Custom(lambda request: Response(200)))
        limits = Timeout(None, total=10).as_dict()
        request = Request("GET", "http://example.org/", extensions={"timeout": limits})
        operation = world.follow(request)
        assert isinstance(next(operation), Transmit)
        assert request.extensions["timeout"] is not limits
        with pytest.raises(kind):
            operation.throw(kind("it failed"))
        assert request.extensions["timeout"] is limits

    def test_responses_know_how_long_they_took(self) -> None:
        world = Journeys()

        def slow(request: Request) -> Response:
            world.clock.now += 2.0
            return Response(200, stream=Pieces())

        world.session.transport = Custom(slow)
        response = world.send(read=False)
        world.clock.now += 1.0
        response.read()
        assert response.elapsed.total_seconds() == 3.0

    def test_redirects_and_challenges_are_read_by_a_driver(self) -> None:
        answers = [
            Response(401, stream=Pieces()),
            Response(302, headers={"Location": "/there"}, stream=Pieces()),
            Response(200, stream=Pieces()),
        ]
        world = Journeys(transport=Custom(lambda request: answers.pop(0)))
        response = world.send(auth=NeedsBodies())
        assert [each.content for each in (*response.history, response)] == [b"one two"] * 3

    @pytest.mark.parametrize("status", [302, 401])
    def test_redirects_and_challenges_without_end_are_given_up(self, status: int) -> None:
        class Endless(SyncByteStream):
            taken = 0

            def __iter__(self) -> Iterator[bytes]:
                while True:
                    self.taken += 1
                    yield b"x" * 1024

        endless = Endless()
        fields = {"Location": "/there", "WWW-Authenticate": "Word"}
        answers = [Response(status, headers=fields, stream=endless), Response(200)]
        world = Journeys(transport=Custom(lambda request: answers.pop(0)))
        response = world.send(auth=Twice())
        assert (response.status_code, response.history[0].content) == (200, b"")
        assert endless.taken == MAX_DRAINED // 1024 + 1

    def test_whose_response_is_closed_already_are_not_read_again(self) -> None:
        closed = Response(302, headers={"Location": "/there"}, content=b"moved")
        answers = [closed, Response(200)]
        world = Journeys(transport=Custom(lambda request: answers.pop(0)))
        assert world.send().history == [closed]
        assert world.kinds() == ["Transmit", "Transmit", "Read"]

    @pytest.mark.parametrize("told", [False, True])
    def test_errors_name_the_request(self, told: bool) -> None:
        own = Request("GET", "http://own.example/")

        def failing(request: Request) -> Response:
            raise ConnectError("It failed", request=own if told else None)

        request = Request("GET", "http://example.org/")
        with pytest.raises(ConnectError) as caught:
            Journeys(transport=Custom(failing)).send(request)
        assert caught.value.request is (own if told else request)

    def test_a_hook_that_raises(self) -> None:
        def hook(argument: object) -> None:
            raise KeyError("the hook's own")

        world = Journeys(transport=Custom(lambda request: Response(200, stream=Pieces())))
        world.session.hooks["response"].append(hook)
        with pytest.raises(KeyError, match="the hook's own"):
            world.send()

    def test_whose_response_nobody_gets_is_closed(self) -> None:
        """A hook raised, or the caller left: what the transport holds must not be left to chance."""
        held = [Held(), Held()]
        for stream, way in zip(held, ("raised", "left"), strict=True):
            world, operation = at_its_hook(stream)
            if way == "left":
                operation.close()
            else:
                effect = operation.throw(KeyError("the hook's own"))
                assert isinstance(effect, Close)
                with pytest.raises(KeyError):
                    world.run(operation, effect)
            assert stream.closed == 1

    @pytest.mark.parametrize("reading", ["the response", "a redirect"])
    def test_that_break_while_they_are_read_are_closed(self, reading: str) -> None:
        class Breaking(Held):
            def __iter__(self) -> Iterator[bytes]:
                yield b"one "
                raise KeyError("the stream's own")

        stream = Breaking()
        location = {"Location": "/there"} if reading == "a redirect" else {}
        response = Response(302, headers=location, stream=stream)
        world = Journeys(transport=Custom(lambda request: response))
        with pytest.raises(KeyError, match="the stream's own"):
            world.send()
        assert stream.closed == 1

    @pytest.mark.parametrize("again", [False, True])
    def test_that_are_cancelled_while_they_are_read_are_closed(self, again: bool) -> None:
        stream = Held()
        world = Journeys(transport=Custom(lambda request: Response(200, stream=stream)))
        operation = world.follow()
        assert isinstance(drive(operation, world.perform, 1), Read)
        closing = operation.throw(Cancelled())
        assert isinstance(closing, Close)
        with pytest.raises(Cancelled):
            operation.throw(Cancelled()) if again else world.run(operation, closing)
        assert stream.closed == 1


def at_its_hook(stream: Any) -> tuple[Journeys, Operation[Response]]:
    """An operation that stands where a hook is to be called with the response of a custom transport."""
    world = Journeys(transport=Custom(lambda request: Response(200, stream=stream)))
    world.session.hooks["response"].append(str)
    operation = world.follow()
    assert isinstance(drive(operation, world.perform, 1), Call)
    return world, operation


class Pieces(SyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"one "
        yield b"two"


class Held(Pieces):
    """Counts how often it is closed."""

    closed = 0

    def close(self) -> None:
        self.closed += 1


class TestReadWhole:
    def test_of_a_stream_that_somebody_began_to_read(self) -> None:
        """What remains is the stream's business: it says that it cannot be read twice."""
        world = Journeys()
        response = world.send(read=False)
        response.is_stream_consumed = True
        operation = read_whole(response)
        effect = next(operation)
        assert isinstance(effect, Read)
        assert effect.message is response

    def test_without_a_body(self) -> None:
        assert Journeys(EMPTY).send().content == b""


# Abandoned at every step.


def plain(world: Any) -> Operation[Response]:
    return world.follow()  # type: ignore[no-any-return]


def with_redirects(world: Any) -> Operation[Response]:
    world.answers.extend([redirect(Set_Cookie="a=1"), redirect("https://example.org/", 307)])
    return world.follow(Request("POST", "http://example.org/", content=b"x"))  # type: ignore[no-any-return]


def with_auth(world: Any) -> Operation[Response]:
    world.answers.extend([CHALLENGE, redirect()])
    return world.follow(auth=NeedsBodies())  # type: ignore[no-any-return]


def with_own_auth(world: Any) -> Operation[Response]:
    world.answers.extend([CHALLENGE, redirect()])
    return world.follow(auth=Own())  # type: ignore[no-any-return]


def with_hooks(world: Any) -> Operation[Response]:
    world.answers.extend([redirect()])
    world.session.hooks = {"request": [str], "response": [str, str]}
    return world.follow()  # type: ignore[no-any-return]


def not_followed(world: Any) -> Operation[Response]:
    world.answers.extend([redirect()])
    return world.follow(follow_redirects=False)  # type: ignore[no-any-return]


STORIES = [plain, with_redirects, with_auth, with_own_auth, with_hooks, not_followed]


@pytest.mark.parametrize("story", STORIES)
@each_way
def test_left_at_each_step_the_pool_is_whole(story: Any, way: str) -> None:
    for world in left_at_each_step(way, story, Journeys):
        assert not world.session.mutex.locked()  # type: ignore[attr-defined]
        world.check()


@each_way
def test_left_at_each_step_with_a_custom_transport(way: str) -> None:
    def make() -> World:
        answers = [
            Response(302, headers={"Location": "/there"}, stream=Pieces()),
            Response(200, stream=Pieces()),
        ]
        return Journeys(transport=Custom(lambda request: answers.pop(0)))

    def begin(world: Any) -> Operation[Response]:
        world.session.hooks = {"request": [str], "response": [str]}
        return world.follow()  # type: ignore[no-any-return]

    worlds = list(left_at_each_step(way, begin, make))
    assert len(worlds) == 8


def test_a_cancellation_comes_out_of_the_deepest_place() -> None:
    world = Journeys(CHALLENGE, redirect())
    operation = world.follow(auth=Twice())
    drive(operation, world.perform, 7)
    cancelled = Cancelled("this one")
    with pytest.raises(Cancelled) as caught:
        operation.throw(cancelled)
    assert caught.value is cancelled
