"""`retries=` of clients: what is sent again, when, and when not; on each backend, and over custom transports."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

import httpure
from httpure import Retry
from tests.peers import CLOSE, RESET, Answer, Call, Peer, Site, scripted
from tests.peers.http2 import Ask, Http2Site, Reset

from .test_connect_retries import After
from .world import World, needs

#: Sends again at once, so that real worlds lose no time.
AT_ONCE = Retry(3, backoff=0.0)
#: As that, whatever the method.
ANY = Retry(3, backoff=0.0, methods=None)

CUT = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf", CLOSE]


def busy(times: int, status: int = 503, *fields: tuple[str, str]) -> Site:
    """A server that is busy so many times, and then answers with what it gets."""

    def app(call: Call) -> Answer:
        if len(site.calls) <= times:
            return Answer(status, b"busy", fields)
        return Answer(200, call.body or b"ready")

    site = Site(app)
    return site


def broken(times: int, *steps: Any) -> After:
    """A server whose first connections are broken in a way, and then are sound."""
    return After(scripted(list(steps)), times, Site(lambda call: Answer(200, call.body or b"ready")))


class TestResponses:
    async def test_a_busy_server(self, http: World) -> None:
        url = http.serve(site := busy(2))
        async with http.client(retries=AT_ONCE) as client:
            response = await client.get(url)
            assert (response.status_code, response.text, response.retries) == (200, "ready", 2)
            assert client.statistics == (1, 1, 0)
        assert (len(site.calls), site.connections) == (3, 1)

    async def test_that_stays_busy(self, http: World) -> None:
        url = http.serve(site := busy(99))
        async with http.client(retries=AT_ONCE) as client:
            response = await client.get(url)
            assert (response.status_code, response.text, response.retries) == (503, "busy", 3)
        assert len(site.calls) == 4

    async def test_off_by_default(self, http: World) -> None:
        url = http.serve(site := busy(1))
        async with http.client() as client:
            assert client.itself.retries is None
            assert (await client.get(url)).status_code == 503
            client.itself.retries = AT_ONCE
            site.calls.clear()
            assert (await client.get(url)).retries == 1

    async def test_for_one_request(self, http: World) -> None:
        url = http.serve(site := busy(1))
        async with http.client(retries=AT_ONCE) as client:
            assert (await client.get(url, extensions={"retries": None})).status_code == 503
            site.calls.clear()
            assert (await client.get(url)).status_code == 200
        async with http.client() as client:
            site.calls.clear()
            assert (await client.get(url, extensions={"retries": AT_ONCE})).status_code == 200

    async def test_a_post_is_sent_once(self, http: World) -> None:
        url = http.serve(site := busy(1))
        async with http.client(retries=AT_ONCE) as client:
            assert (await client.post(url, content=b"order")).status_code == 503
        assert len(site.calls) == 1

    async def test_a_post_with_a_key_is_sent_again(self, http: World) -> None:
        url = http.serve(site := busy(1))
        async with http.client(retries=AT_ONCE) as client:
            response = await client.post(url, content=b"order", headers={"Idempotency-Key": "7f3a"})
            assert response.text == "order"
        assert [call.field("idempotency-key") for call in site.calls] == ["7f3a"] * 2

    async def test_of_http2(self, http: World) -> None:
        def app(ask: Ask) -> Answer | Reset:
            return Answer(503 if len(site.asked) < 3 else 200, ask.path.encode())

        url = http.serve(site := Http2Site(app))
        async with http.client(http1=False, http2=True, retries=AT_ONCE) as client:
            response = await client.get(url + "/path")
            assert (response.text, response.retries) == ("/path", 2)
            assert client.statistics == (1, 1, 0)

    async def test_streamed(self, http: World) -> None:
        url = http.serve(busy(1))
        async with http.client(retries=AT_ONCE) as client, client.stream("GET", url) as response:
            assert (response.status_code, response.retries) == (200, 1)
            assert await http.read(response) == b"ready"

    async def test_cookies_of_each(self, http: World) -> None:
        url = http.serve(site := busy(1, 503, ("Set-Cookie", "flavour=oat")))
        async with http.client(retries=AT_ONCE) as client:
            await client.get(url)
            assert client.itself.cookies["flavour"] == "oat"
            await client.get(url)
        assert site.calls[-1].field("cookie") == "flavour=oat"


class TestErrors:
    @pytest.mark.parametrize("steps", [(RESET,), (CLOSE,), CUT], ids=["reset", "closed", "cut"])
    async def test_broken_connections(self, http: World, steps: Any) -> None:
        url = http.serve(server := broken(2, *steps))
        async with http.client(retries=AT_ONCE) as client:
            response = await client.get(url)
            assert (response.text, response.retries) == ("ready", 2)
            assert client.statistics == (1, 1, 0)
        assert server.made == 3

    async def test_that_stay_broken(self, http: World) -> None:
        url = http.serve(server := broken(99, RESET))
        async with http.client(retries=AT_ONCE) as client:
            with pytest.raises(httpure.ReadError) as caught:
                await client.get(url)
            assert (caught.value.retries, caught.value.request_sent, caught.value.reason) == (
                3,
                True,
                "reset",
            )
            assert client.statistics == (0, 0, 0)
        assert server.made == 4

    async def test_nobody_there(self, http: World) -> None:
        async with http.client(retries=AT_ONCE) as client:
            with pytest.raises(httpure.ConnectError) as caught:
                await client.post(f"http://127.0.0.1:{http.free_port()}", content=b"order")
            assert (caught.value.retries, caught.value.request_sent) == (3, False)

    async def test_a_post_that_was_sent(self, http: World) -> None:
        url = http.serve(server := broken(1, RESET))
        async with http.client(retries=AT_ONCE) as client:
            with pytest.raises(httpure.TransportError) as caught:
                await client.post(url, content=b"order")
            assert (caught.value.retries, caught.value.request_sent) == (0, True)
        assert server.made == 1

    async def test_a_post_that_the_server_did_not_look_at(self, http: World) -> None:
        """Five times unseen by the user, as always; and then as the policy says."""

        def app(ask: Ask) -> Answer | Reset:
            return Reset(7) if len(site.asked) < 8 else Answer(200, ask.body)

        url = http.serve(site := Http2Site(app))
        async with http.client(http1=False, http2=True, retries=AT_ONCE) as client:
            response = await client.post(url, content=b"order")
            assert (response.text, response.retries) == ("order", 1)

    async def test_a_slow_answer(self, http: World) -> None:
        url = http.serve(broken(1))
        patient = Retry(99, backoff=0.0)  # of a machine that is slow for a moment, more goes than one
        async with http.client(retries=patient, timeout=httpure.Timeout(5, read=0.05)) as client:
            assert (await client.get(url)).retries >= 1


class TestBodies:
    @pytest.mark.parametrize("make", [lambda: b"x" * 200_000, lambda: [b"a", b"b"]], ids=["memory", "list"])
    async def test_that_can_be_sent_again(self, http: World, make: Callable[[], Any]) -> None:
        content = make() if isinstance(make(), bytes) or http.blocking else b"ab"
        url = http.serve(site := busy(1))
        async with http.client(retries=ANY) as client:
            response = await client.post(url, content=content)
            assert response.retries == 1
        assert len({call.body for call in site.calls}) == 1

    async def test_that_can_be_read_once(self, http: World) -> None:
        url = http.serve(site := busy(1))
        async with http.client(retries=ANY) as client:
            response = await client.post(url, content=http.body([b"a", b"b"]))
            assert (response.status_code, response.retries) == (503, 0)
        assert [call.body for call in site.calls] == [b"ab"]

    async def test_that_were_not_begun(self, http: World) -> None:
        """Once it was read from, nothing more is done with it; before that, it is as good as new."""
        async with http.client(retries=AT_ONCE) as client:
            with pytest.raises(httpure.ConnectError) as caught:
                await client.post(f"http://127.0.0.1:{http.free_port()}", content=http.body([b"a"]))
            assert caught.value.retries == 3

    async def test_files(self, http: World) -> None:
        url = http.serve(site := busy(1))
        async with http.client(retries=ANY) as client:
            response = await client.post(url, files={"file": ("a.txt", b"content")}, data={"a": "1"})
            assert response.retries == 1
        assert len({call.body for call in site.calls}) == 1


class TestJourneys:
    async def test_redirects_and_auth(self, http: World) -> None:
        def app(call: Call) -> Answer:
            seen.append((call.method, call.path, call.field("authorization") is not None))
            if len(seen) % 2:
                return Answer(503)
            if call.path == "/":
                return Answer(303, fields=[("Location", "/there")])
            return Answer(200, b"here")

        seen: list[tuple[str, str, bool]] = []
        url = http.serve(Site(app))
        async with http.client(retries=AT_ONCE, follow_redirects=True, auth=("ada", "secret")) as client:
            response = await client.get(url)
            assert (response.text, response.retries, len(response.history)) == ("here", 2, 1)
        assert seen == [("GET", "/", True)] * 2 + [("GET", "/there", True)] * 2


class TestTime:
    @needs("virtual")
    async def test_pauses_grow(self, http: World) -> None:
        url = http.serve(busy(4))
        async with http.client(retries=Retry(4, backoff=10.0, jitter=0.0, max_backoff=60.0)) as client:
            began = http.clock()
            assert (await client.get(url)).retries == 4
            assert http.clock() - began == pytest.approx(10 + 20 + 40 + 60, abs=0.1)

    @needs("virtual")
    async def test_pauses_are_left_to_chance(self, http: World) -> None:
        url = http.serve(busy(4))
        async with http.client(retries=Retry(4, backoff=100.0, max_backoff=100.0)) as client:
            began = http.clock()
            assert (await client.get(url)).retries == 4
            assert 0 < http.clock() - began < 400

    @needs("virtual")
    async def test_as_the_server_says(self, http: World) -> None:
        url = http.serve(busy(1, 429, ("Retry-After", "45")))
        async with http.client(retries=Retry(backoff=0.0)) as client:
            began = http.clock()
            assert (await client.get(url)).retries == 1
            assert http.clock() - began == pytest.approx(45, abs=0.1)

    @needs("virtual")
    async def test_until_the_moment_that_the_server_says(self, http: World) -> None:
        fields = [("Date", "Sun, 06 Nov 1994 08:49:37 GMT"), ("Retry-After", "Sun, 06 Nov 1994 08:50:07 GMT")]
        url = http.serve(busy(1, 503, *fields))
        async with http.client(retries=Retry(backoff=0.0)) as client:
            began = http.clock()
            assert (await client.get(url)).retries == 1
            assert http.clock() - began == pytest.approx(30, abs=0.1)

    async def test_longer_than_anybody_waits(self, http: World) -> None:
        url = http.serve(busy(1, 503, ("Retry-After", "3600")))
        async with http.client(retries=3) as client:
            response = await client.get(url)
            assert (response.status_code, response.headers["Retry-After"], response.retries) == (
                503,
                "3600",
                0,
            )

    async def test_a_pause_that_the_total_would_cut_is_not_begun(self, http: World) -> None:
        url = http.serve(busy(1, 503, ("Retry-After", "59")))
        async with http.client(retries=3, timeout=httpure.Timeout(5, total=30)) as client:
            assert (await client.get(url)).status_code == 503
        async with http.client(retries=Retry(backoff=60.0, jitter=0.0)) as client:
            with pytest.raises(httpure.ConnectError):
                await client.get(f"http://127.0.0.1:{http.free_port()}", timeout=httpure.Timeout(5, total=30))

    @needs("virtual")
    async def test_the_total_holds_over_all_of_it(self, http: World) -> None:
        """Goes, pauses, and a last one that takes too long."""
        url = http.serve(After(Site(lambda call: Answer(503)), 2, Peer))
        policy = Retry(9, backoff=10.0, factor=1.0, jitter=0.0)
        async with http.client(retries=policy, timeout=httpure.Timeout(None, total=25)) as client:
            began = http.clock()
            with pytest.raises(httpure.ReadTimeout, match=r"within 25 s \(the total timeout\)") as caught:
                await client.get(url)
            assert http.clock() - began == pytest.approx(25, abs=0.1)
            assert caught.value.retries == 2

    @needs("cancels")
    async def test_cancelled_in_a_pause(self, http: World) -> None:
        url = http.serve(busy(1, 503))
        async with http.client(retries=Retry(backoff=50.0, jitter=0.0)) as client:

            async def get() -> None:
                await client.get(url)

            assert await http.give_up(get(), 0.05)
            assert client.statistics.waiting == 0
            assert client.statistics.connections == client.statistics.idle
            assert (await client.get(url, extensions={"retries": AT_ONCE})).status_code == 200


class TestTheTotalOfABody:
    @needs("cancels")
    async def test_a_source_that_hangs(self, http: World) -> None:
        """On threads, nobody can end what blocks."""
        closed: list[bool] = []

        async def source() -> Any:
            try:
                yield b"a"
                await http.sleep(4.0)
                yield b"b"
            finally:
                closed.append(True)

        url = http.serve(Site(lambda call: Answer(200)))
        async with http.client(timeout=httpure.Timeout(None, total=0.1)) as client:
            with pytest.raises(
                httpure.TimeoutException, match=r"within 0\.1 s \(the total timeout\)"
            ) as caught:
                await client.post(url, content=source())
            assert client.statistics == (0, 0, 0)
        if http.virtual:  # a real machine may be so slow that it does not come to that
            assert type(caught.value) is httpure.WriteTimeout
            assert "because the next piece of the request's body did not come" in str(caught.value)
            assert closed == [True]

    async def test_a_source_that_takes_its_time(self, http: World) -> None:
        url = http.serve(Site(lambda call: Answer(200, call.body)))
        async with http.client(timeout=httpure.Timeout(None, total=30)) as client:
            assert (await client.post(url, content=http.body([b"a", b"b"], pause=0.01))).text == "ab"

    @pytest.mark.parametrize("total", [None, 30])
    async def test_a_timeout_of_the_source_s_own(self, http: World, total: float | None) -> None:
        def blocking() -> Any:
            yield b"a"
            raise TimeoutError("the database is slow")

        async def awaiting() -> Any:
            yield b"a"
            raise TimeoutError("the database is slow")

        url = http.serve(Site(lambda call: Answer(200)))
        async with http.client(timeout=httpure.Timeout(None, total=total)) as client:
            with pytest.raises(TimeoutError, match="the database is slow"):
                await client.post(url, content=blocking() if http.blocking else awaiting())


class TestBudgets:
    async def test_are_shared(self, http: World) -> None:
        url = http.serve(site := busy(99))
        budget = httpure.RetryBudget(0.5, 2)
        policy = Retry(3, backoff=0.0, budget=budget)
        counts = []
        for _ in range(2):
            async with http.client(retries=policy) as client:
                counts += [(await client.get(url)).retries for _ in range(4)]
        assert counts == [2, 0, 1, 0, 1, 0, 1, 0]
        assert len(site.calls) == 8 + sum(counts)


class TestCustomTransports:
    async def test_mock(self, http: World) -> None:
        def handler(request: httpure.Request) -> httpure.Response:
            seen.append(request)
            if len(seen) == 1:
                raise httpure.ConnectError("no way")
            return httpure.Response(503 if len(seen) == 2 else 200, text="ready")

        seen: list[httpure.Request] = []
        async with http.client(transport=httpure.MockTransport(handler), retries=AT_ONCE) as client:
            response = await client.get("http://example.org")
            assert (response.text, response.retries) == ("ready", 2)

    @needs("cancels")
    async def test_asgi(self, http: World) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            calls.append(scope["path"])
            await send(
                {"type": "http.response.start", "status": 503 if len(calls) < 3 else 200, "headers": []}
            )
            await send({"type": "http.response.body", "body": b"ready"})

        if http.virtual:
            pytest.skip("the ASGI transport needs an event loop of asyncio or trio")
        calls: list[str] = []
        async with http.client(transport=httpure.ASGITransport(app), retries=AT_ONCE) as client:
            response = await client.get("http://example.org/path")
            assert (response.text, response.retries) == ("ready", 2)
        assert calls == ["/path"] * 3


class TestAppsThatCallOthers:
    """An app that cannot reach another server has had the request all the same: it is not asked twice."""

    def test_wsgi(self) -> None:
        def app(environ: Any, start_response: Any) -> Any:
            calls.append(environ["REQUEST_METHOD"])
            raise httpure.ConnectError("Refused", request=httpure.Request("GET", "http://other.example"))

        calls: list[str] = []
        with httpure.Client(transport=httpure.WSGITransport(app), retries=AT_ONCE) as client:
            with pytest.raises(httpure.ConnectError) as caught:
                client.post("http://example.com/", content=b"order")
        assert (calls, caught.value.request_sent) == (["POST"], True)

    @needs("cancels")
    @pytest.mark.parametrize("late", [False, True])
    async def test_asgi(self, http: World, late: bool) -> None:
        async def app(scope: Any, receive: Any, send: Any) -> None:
            calls.append(scope["method"])
            if late:
                await http.sleep(60)
            raise httpure.ConnectError("Refused", request=httpure.Request("GET", "http://other.example"))

        if http.virtual:
            pytest.skip("the ASGI transport needs an event loop of asyncio or trio")
        calls: list[str] = []
        async with http.client(
            transport=httpure.ASGITransport(app), retries=AT_ONCE, timeout=httpure.Timeout(5, read=0.01)
        ) as client:
            with pytest.raises(httpure.RequestError) as caught:
                await client.post("http://example.com/", content=b"order")
        assert isinstance(caught.value, httpure.ReadTimeout if late else httpure.ConnectError)
        assert (calls, caught.value.request_sent) == (["POST"], True)


async def test_hooks_see_each_go(http: World) -> None:
    url = http.serve(busy(1))
    seen: list[Any] = []

    def note(message: Any) -> None:
        seen.append(getattr(message, "status_code", "asked"))

    async with http.client(retries=AT_ONCE, event_hooks={"request": [note], "response": [note]}) as client:
        await client.get(url)
    assert seen == ["asked", 503, "asked", 200]


@pytest.mark.parametrize("retries", ["3", 1.5, True])
async def test_what_is_no_policy(http: World, retries: Any) -> None:
    with pytest.raises(TypeError, match="a Retry, a number of goes or None"):
        http.client(retries=retries)
    async with http.client() as client:
        with pytest.raises(TypeError, match="a Retry, a number of goes or None"):
            await client.get("http://example.org", extensions={"retries": retries})
