"""`httpure.adapters`: clients of the real httpx on transports of ours, and clients of ours on transports of httpx."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import anyio
import httpx
import pytest

import httpure
from httpure.adapters import from_httpx, to_httpx, to_httpx2
from httpure.adapters._errors import translated
from tests.peers import CLOSE, Answer, RealNetwork, Site, scripted

LIBRARIES = ["asyncio", "trio"]
CUT = [b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n123", CLOSE]


def run(library: str, main: Callable[[], Awaitable[None]]) -> None:
    anyio.run(main, backend=library)


def serve(network: RealNetwork, peer: Any) -> str:
    return f"http://127.0.0.1:{network.listen(peer)}"


def echo(call: Any) -> Answer:
    """Answer with what came."""
    return Answer(200, [b"%s " % call.method.encode(), call.body], [("X-Target", call.target)], chunked=True)


class TestTheirClientOnOurs:
    """`to_httpx`."""

    def test_a_request_and_its_response(self, network: RealNetwork) -> None:
        site = Site(echo)
        url = serve(network, site)
        with httpx.Client(transport=to_httpx(httpure.HTTPTransport())) as client:
            answer = client.post(f"{url}/a%2Fb?q=%7e", content=b"body", headers={"X-A": "1"})
            again = client.put(url, json={})
        assert (answer.text, answer.headers["x-target"], answer.http_version) == (
            *("POST body", "/a%2Fb?q=%7e", "HTTP/1.1"),
        )
        assert answer.reason_phrase == "" and again.text == "PUT {}"  # the server's, which has none
        assert site.connections == 1
        assert site.calls[0].field("x-a") == "1"
        assert (site.calls[0].field("user-agent") or "").startswith("python-httpx/")
        assert [name for name, _ in site.calls[0].fields].count("host") == 1

    @pytest.mark.parametrize("library", LIBRARIES)
    def test_a_request_and_its_response_async(self, network: RealNetwork, library: str) -> None:
        site = Site(echo)
        url = serve(network, site)

        async def main() -> None:
            async with httpx.AsyncClient(transport=to_httpx(httpure.AsyncHTTPTransport())) as client:
                answer = await client.post(url, content=b"body")
                assert answer.text == "POST body" and (await client.get(url)).text == "GET "

        run(library, main)
        assert site.connections == 1

    def test_bodies_are_streamed_both_ways(self, network: RealNetwork) -> None:
        url = serve(network, Site(echo))
        with httpx.Client(transport=to_httpx(httpure.HTTPTransport())) as client:
            with client.stream("POST", url, content=iter([b"one ", b"two"])) as answer:
                assert b"".join(answer.iter_raw()) == b"POST one two"
            sent = client.post(url, content=(piece for piece in [b"again"]), follow_redirects=True)
        assert sent.text == "POST again"

    @pytest.mark.parametrize("library", LIBRARIES)
    def test_bodies_are_streamed_both_ways_async(self, network: RealNetwork, library: str) -> None:
        url = serve(network, Site(echo))

        async def pieces() -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two"

        async def main() -> None:
            async with httpx.AsyncClient(transport=to_httpx(httpure.AsyncHTTPTransport())) as client:
                async with client.stream("POST", url, content=pieces()) as answer:
                    assert b"".join([piece async for piece in answer.aiter_raw()]) == b"POST one two"

        run(library, main)

    def test_a_response_that_is_left_gives_its_connection_back(self, network: RealNetwork) -> None:
        url = serve(network, Site(lambda call: Answer(200, [b"x" * 100_000] * 20, chunked=True)))
        transport = httpure.HTTPTransport()
        with httpx.Client(transport=to_httpx(transport)) as client:
            with client.stream("GET", url) as answer:
                next(answer.iter_raw())
                assert transport.statistics.connections == 1
            assert transport.statistics.connections == 0
            with client.stream("GET", url) as answer:
                pass
            assert transport.statistics.connections == 0

    def test_errors_are_theirs_and_have_their_request(self, network: RealNetwork) -> None:
        slow = serve(network, Site(lambda call: Answer(200, b"late", delay=5)))
        cut = serve(network, scripted(CUT))
        with httpx.Client(transport=to_httpx(httpure.HTTPTransport())) as client:
            with pytest.raises(httpx.ReadTimeout, match="read timeout") as caught:
                client.get(slow, timeout=httpx.Timeout(5, read=0.02))
            assert isinstance(caught.value.request, httpx.Request) and caught.value.request.url == slow
            assert isinstance(caught.value.__cause__, httpure.ReadTimeout)
            with pytest.raises(httpx.RemoteProtocolError) as broken:
                client.get(cut)
            assert broken.value.request.url == cut
            with pytest.raises(httpx.ConnectError):
                client.get("http://127.0.0.1:1/")
            with pytest.raises(httpx.UnsupportedProtocol):
                client.get("ftp://example.org/")
            with pytest.raises(httpx.LocalProtocolError, match="not both"):
                client.post(
                    cut, content=b"1", headers={"Transfer-Encoding": "chunked", "Content-Length": "1"}
                )

    @pytest.mark.parametrize("library", LIBRARIES)
    def test_errors_are_theirs_async(self, network: RealNetwork, library: str) -> None:
        cut = serve(network, scripted(CUT))

        async def main() -> None:
            async with httpx.AsyncClient(transport=to_httpx(httpure.AsyncHTTPTransport())) as client:
                async with client.stream("GET", cut) as answer:
                    with pytest.raises(httpx.RemoteProtocolError) as broken:
                        await answer.aread()
                assert broken.value.request.url == cut
                with pytest.raises(httpx.ConnectError):
                    await client.get("http://127.0.0.1:1/")

        run(library, main)

    @pytest.mark.parametrize("library", LIBRARIES)
    def test_a_cancelled_request_leaves_nothing_behind(self, network: RealNetwork, library: str) -> None:
        url = serve(network, Site(lambda call: Answer(200, b"late", delay=5)))

        async def main() -> None:
            transport = httpure.AsyncHTTPTransport()
            async with httpx.AsyncClient(transport=to_httpx(transport)) as client:
                with anyio.move_on_after(0.03):
                    await client.get(url)
                assert transport.statistics.connections == 0

        run(library, main)

    def test_a_client_brings_what_it_does_to_requests(self, network: RealNetwork) -> None:
        site = Site(lambda call: Answer(307, b"", [("Location", "/there")]))
        url = serve(network, site)
        seen: list[str] = []
        carrier = httpure.Client(
            auth=("user", "pw"),
            headers={"X-Not": "sent"},
            follow_redirects=True,
            event_hooks={"request": [lambda request: seen.append(request.method)]},
        )
        with httpx.Client(transport=to_httpx(carrier)) as client:
            assert client.get(url).status_code == 307  # redirects are the business of their client
        assert seen == ["GET"] and carrier.is_closed
        assert site.calls[0].field("authorization") == "Basic dXNlcjpwdw=="
        assert site.calls[0].field("x-not") is None

    @pytest.mark.parametrize("library", LIBRARIES)
    def test_an_async_client_as_well(self, network: RealNetwork, library: str) -> None:
        url = serve(network, Site(echo))

        async def main() -> None:
            carrier = httpure.AsyncClient()
            async with httpx.AsyncClient(transport=to_httpx(carrier)) as client:
                assert (await client.post(url, content=b"x")).text == "POST x"
            assert carrier.is_closed

        run(library, main)

    def test_closing_it_closes_the_carrier(self) -> None:
        closed: list[str] = []

        class Carrier(httpure.BaseTransport):
            def __enter__(self) -> Any:
                closed.append("opened")
                return self

            def close(self) -> None:
                closed.append("closed")

        to_httpx(Carrier()).close()
        with httpx.Client(transport=to_httpx(Carrier())):
            pass
        assert closed == ["closed", "opened", "closed"]

    def test_one_transport_for_both_colours(self) -> None:
        both: Any = to_httpx(httpure.MockTransport(lambda request: httpure.Response(418, content=b"x")))
        assert isinstance(both, httpx.BaseTransport) and isinstance(both, httpx.AsyncBaseTransport)
        assert httpx.Client(transport=both).get("http://example.org").content == b"x"

        async def main() -> None:
            assert (await httpx.AsyncClient(transport=both).get("http://example.org")).status_code == 418

        run("asyncio", main)

    def test_for_clients_of_httpx2(self, network: RealNetwork) -> None:
        httpx2 = pytest.importorskip("httpx2")
        url = serve(network, Site(echo))
        with httpx2.Client(transport=to_httpx2(httpure.HTTPTransport())) as client:
            assert client.post(url, content=b"x").text == "POST x"
            with pytest.raises(httpx2.ConnectError):
                client.get("http://127.0.0.1:1/")

    def test_what_is_neither_is_refused(self) -> None:
        wrong: Any = object()
        with pytest.raises(TypeError, match=r"A transport or client of httpure is needed, not .* object"):
            to_httpx(wrong)


class TestOurClientOnTheirs:
    """`from_httpx`."""

    def test_a_request_and_its_response(self, network: RealNetwork) -> None:
        site = Site(echo)
        url = serve(network, site)
        with httpure.Client(transport=from_httpx(httpx.HTTPTransport())) as client:
            answer = client.post(f"{url}/a%2Fb?q=%7e", content=b"body")
            assert client.post(url, content=iter([b"one ", b"two"])).text == "POST one two"
            with client.stream("GET", url) as streamed:
                assert b"".join(streamed.iter_raw()) == b"GET "
        assert (answer.text, answer.headers["x-target"]) == ("POST body", "/a%2Fb?q=%7e")
        assert answer.request.method == "POST"
        assert site.connections == 1
        assert [name for name, _ in site.calls[0].fields].count("host") == 1

    @pytest.mark.parametrize("library", LIBRARIES)
    def test_a_request_and_its_response_async(self, network: RealNetwork, library: str) -> None:
        url = serve(network, Site(echo))

        async def pieces() -> AsyncIterator[bytes]:
            yield b"one "
            yield b"two"

        async def main() -> None:
            async with httpure.AsyncClient(transport=from_httpx(httpx.AsyncHTTPTransport())) as client:
                assert (await client.post(url, content=b"body")).text == "POST body"
                assert (await client.post(url, content=pieces())).text == "POST one two"
                assert (await client.post(url, content=iter([b"a", b"b"]))).text == "POST ab"
                async with client.stream("GET", url) as streamed:
                    assert b"".join([piece async for piece in streamed.aiter_raw()]) == b"GET "

        run(library, main)

    def test_mocks_of_theirs_see_their_requests(self) -> None:
        seen: list[Any] = []

        def handler(request: httpx.Request) -> httpx.Response:
            seen.append(request)
            return httpx.Response(200, json={"sent": request.content.decode()}, extensions={"own": 1})

        both: Any = from_httpx(httpx.MockTransport(handler))
        answer = httpure.Client(transport=both).post("http://example.org/", content="ä", timeout=3)
        assert (answer.json(), answer.extensions["own"]) == ({"sent": "ä"}, 1)
        assert type(seen[0]) is httpx.Request and seen[0].extensions["timeout"]["read"] == 3

        async def main() -> None:
            found = await httpure.AsyncClient(transport=both).get("http://example.org/")
            assert found.json() == {"sent": ""}

        run("asyncio", main)

    def test_errors_are_ours_and_have_our_request(self, network: RealNetwork) -> None:
        cut = serve(network, scripted(CUT))
        slow = serve(network, Site(lambda call: Answer(200, b"late", delay=5)))
        with httpure.Client(transport=from_httpx(httpx.HTTPTransport())) as client:
            with pytest.raises(httpure.RemoteProtocolError) as broken:
                client.get(cut)
            assert isinstance(broken.value.request, httpure.Request) and broken.value.request.url == cut
            with pytest.raises(httpure.ReadTimeout):
                client.get(slow, timeout=httpure.Timeout(5, read=0.02))

    def test_opening_and_closing_reach_it(self) -> None:
        done: list[str] = []

        class Theirs(httpx.BaseTransport):
            def __enter__(self) -> Any:
                done.append("entered")
                return self

            def __exit__(self, *exc_info: Any) -> None:
                done.append("left")

            def close(self) -> None:
                done.append("closed")

        with httpure.Client(transport=from_httpx(Theirs())):
            pass
        httpure.Client(transport=from_httpx(Theirs())).close()
        assert done == ["entered", "left", "closed"]

        class TheirsToo(httpx.AsyncBaseTransport):
            async def __aenter__(self) -> Any:
                done.append("entered")
                return self

            async def __aexit__(self, *exc_info: Any) -> None:
                done.append("left")

            async def aclose(self) -> None:
                done.append("closed")

        async def main() -> None:
            async with httpure.AsyncClient(transport=from_httpx(TheirsToo())):
                pass
            await httpure.AsyncClient(transport=from_httpx(TheirsToo())).aclose()

        run("asyncio", main)
        assert done[3:] == ["entered", "left", "closed"]

    def test_a_transport_of_nobody_is_taken_for_one_of_httpx(self) -> None:
        class Duck:
            def handle_request(self, request: Any) -> Any:
                return httpx.Response(200, text=type(request).__module__)

        duck: Any = Duck()
        assert httpure.Client(transport=from_httpx(duck)).get("http://example.org").text == "httpx"

    def test_ours_are_given_back_and_what_is_none_refused(self) -> None:
        ours: Any = httpure.HTTPTransport()
        assert from_httpx(ours) is ours
        wrong: Any = object()
        with pytest.raises(TypeError, match="A transport of httpx is needed, not an object of type object"):
            from_httpx(wrong)

    def test_there_and_back(self, network: RealNetwork) -> None:
        url = serve(network, Site(echo))
        carrier = from_httpx(to_httpx(httpure.HTTPTransport()))
        with httpure.Client(transport=carrier) as client:
            assert client.post(url, content=iter([b"x"])).text == "POST x"


class TestErrors:
    """What becomes of an exception of another family."""

    def test_the_nearest_ancestor_that_both_have(self) -> None:
        class Own(httpx.ConnectError):
            pass

        found = translated(Own("why"), ("httpx",), "httpure")
        assert type(found) is httpure.ConnectError and str(found) == "why"

    def test_one_without_words_gets_some(self) -> None:
        assert str(translated(httpx.PoolTimeout(""), ("httpx",), "httpure")) == (
            "PoolTimeout, of which httpx says no more."
        )

    def test_one_that_brings_its_own_words(self) -> None:
        assert type(translated(httpure.StreamConsumed(), ("httpure",), "httpx")) is httpx.StreamConsumed
        assert type(translated(httpure.InvalidURL("no"), ("httpure",), "httpx")) is httpx.InvalidURL

    def test_a_status_error_is_an_error_without_its_response(self) -> None:
        request = httpure.Request("GET", "http://example.org")
        error = httpure.HTTPStatusError("404", request=request, response=httpure.Response(404))
        assert type(translated(error, ("httpure",), "httpx")) is httpx.HTTPError

    def test_a_stranger_stays_one(self) -> None:
        assert translated(ValueError("no"), ("httpure",), "httpx") is None
