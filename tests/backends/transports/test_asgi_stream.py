"""How the response of an app is read: pieces, errors, timeouts; each on asyncio and trio."""

from __future__ import annotations

import asyncio
import tracemalloc
from collections.abc import AsyncIterator
from typing import Any

import pytest

import httpure
from tests.running import on_each_loop

from .apps import (
    URL,
    App,
    AppsError,
    Receive,
    Scope,
    Send,
    answer,
    body,
    client,
    echo,
    forever,
    hanging,
    hello,
    raising_after_the_start,
    raising_at_the_end,
    raising_first,
    raising_in_the_middle,
    start,
)
from .loops import event, left_running, sleep, together

# The response


@on_each_loop
async def test_response(http: Any) -> None:
    async with client(hello) as http_client:
        response = await http_client.get("/")
        assert (response.status_code, response.text, response.http_version) == (200, "Hello", "HTTP/1.1")
        assert response.headers.raw == [(b"content-type", b"text/plain")]
        assert response.request.url == URL
        assert response.elapsed.total_seconds() >= 0
        assert await left_running() == []
    async with http.Client(transport=httpure.ASGITransport(hello)) as http_client:
        assert (await http_client.get(URL)).text == "Hello"


@on_each_loop
async def test_without_a_client(http: Any) -> None:
    async with httpure.ASGITransport(hello) as transport:
        response = await transport.handle_async_request(httpure.Request("GET", URL))
        assert await response.aread() == b"Hello"
        assert response.is_closed


@on_each_loop
async def test_other_forms_of_messages(http: Any) -> None:
    """Headers as lists, of text, or left out; bodies that are no `bytes`, or left out; a status of an enum."""
    import http as standard

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["path"] == "/full":
            await send(start(standard.HTTPStatus.CREATED, ["x-a", "1"], (b"X-B", "2")))  # type: ignore[arg-type]
            await send(body(bytearray(b"abc"), more=True))  # type: ignore[arg-type]
            await send(body(memoryview(b"def")))  # type: ignore[arg-type]
        else:
            await send({"type": "http.response.start", "status": 200})
            await send({"type": "http.response.body"})

    async with client(app) as http_client:
        response = await http_client.get("/full")
        assert (response.status_code, response.content) == (201, b"abcdef")
        assert response.headers.raw == [(b"x-a", b"1"), (b"X-B", b"2")]
        response = await http_client.get("/bare")
        assert (response.content, response.headers.raw) == (b"", [])


@on_each_loop
async def test_head(http: Any) -> None:
    after = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, (b"content-length", b"5")))
        await send(body(b"Hel", more=True))
        await send(body(b"lo"))
        after.append(scope["method"])

    async with client(app) as http_client:
        response = await http_client.head("/")
    assert (response.content, response.headers["content-length"], after) == (b"", "5", ["HEAD"])


@on_each_loop
async def test_endless_answer_to_head(http: Any) -> None:
    """There is nothing to wait for, and the loop must not stand still."""
    async with client(forever, timeout=0.03) as http_client:
        with pytest.raises(httpure.ReadTimeout):
            await http_client.head("/")
        assert await left_running() == []


@on_each_loop
async def test_stream_that_never_ends(http: Any) -> None:
    async with client(forever) as http_client:
        async with http_client.stream("GET", "/") as response:
            lines = [line async for line, _ in azip(response.aiter_lines(), range(5))]
        assert lines == ["data: 0", "", "data: 1", "", "data: 2"]
        assert await left_running() == []


async def azip(lines: AsyncIterator[str], numbers: range) -> AsyncIterator[tuple[str, int]]:
    for number in numbers:
        yield await anext(lines), number


@on_each_loop
async def test_response_begins_before_its_body(http: Any) -> None:
    """So that a test can make happen what the endpoint waits for."""
    happened = event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start(200, (b"content-type", b"text/event-stream")))
        await happened.wait()
        await send(body(b"data: happened\n\n"))

    async with client(app) as http_client:
        async with http_client.stream("GET", "/") as response:
            assert response.headers["content-type"] == "text/event-stream"
            happened.set()
            assert await response.aread() == b"data: happened\n\n"


@on_each_loop
async def test_send_waits_for_the_reader(http: Any) -> None:
    """One piece waits to be read, and the app with the next."""
    sent = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal sent
        await send(start())
        for _ in range(10):
            await send(body(b"piece", more=True))
            sent += 1
        await send(body())

    async with client(app) as http_client:
        async with http_client.stream("GET", "/") as response:
            read = 0
            async for _ in response.aiter_raw():
                await sleep(0.001)
                read += 1
                assert sent <= read + 1
    assert (sent, read) == (10, 10)


@on_each_loop
async def test_sending_from_several_tasks(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def some() -> None:
            for _ in range(5):
                await send(body(b"x", more=True))

        await send(start())
        await together(some, some)
        await send(body())

    async with client(app) as http_client:
        assert (await http_client.get("/")).content == b"x" * 10


@on_each_loop
async def test_the_end_is_when_the_app_returns(http: Any) -> None:
    """So what it does after its response has been done when the caller goes on."""
    done = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"content")
        await sleep(0.005)
        done.append(scope["path"])

    async with client(app) as http_client:
        await http_client.get("/get")
        assert done == ["/get"]
        async with http_client.stream("GET", "/stream") as response:
            async for _ in response.aiter_raw():
                pass
            assert done == ["/get", "/stream"]


@pytest.mark.slow
@on_each_loop
async def test_big_bodies_take_no_memory(http: Any) -> None:
    """10 MB up, and down, in pieces of 64 KiB."""
    piece, count = b"x" * 65536, 160

    async def pieces() -> AsyncIterator[bytes]:
        for _ in range(count):
            yield bytes(piece)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send(body(bytes(bytearray(message["body"])), more))

    length = 0
    async with client(app) as http_client:
        tracemalloc.start()
        try:
            async with http_client.stream("POST", "/", content=pieces()) as response:
                async for received in response.aiter_raw():
                    length += len(received)
            _, peak = tracemalloc.get_traced_memory()
        finally:
            tracemalloc.stop()
        assert (length, peak < 1_500_000) == (len(piece) * count, True)
        big = bytes(10_000_000)
        response = await http_client.post("/", content=big)
        assert response.content == big


@on_each_loop
async def test_many_at_once(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sleep(0.001)
        await answer(send, scope["path"].encode())

    async with client(app) as http_client:

        async def one(number: int) -> None:
            assert (await http_client.get(f"/{number}")).text == f"/{number}"

        await together(*(lambda number=number: one(number) for number in range(50)))


# What an app raises


@on_each_loop
@pytest.mark.parametrize(
    ("app", "message"),
    [
        (raising_first, "first"),
        (raising_after_the_start, "after the start"),
        (raising_in_the_middle, "in the middle"),
        (raising_at_the_end, "at the end"),
    ],
)
async def test_what_the_app_raises(
    http: Any, app: App, message: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with client(app) as http_client:
        with pytest.raises(AppsError, match=message) as caught:
            await http_client.get("/")
        assert caught.traceback[-1].name.startswith("raising_")
        assert await left_running() == []
    assert not caplog.records


@on_each_loop
async def test_an_exception_that_would_look_like_the_end(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"part", more=True))
        raise StopAsyncIteration

    async with client(app) as http_client:
        with pytest.raises(RuntimeError, match="The ASGI app raised StopAsyncIteration") as caught:
            await http_client.get("/")
        assert isinstance(caught.value.__cause__, StopAsyncIteration)


@on_each_loop
async def test_where_a_streamed_response_raises(http: Any) -> None:
    """Where it is read, after what was sent before."""
    async with client(raising_in_the_middle) as http_client:
        async with http_client.stream("GET", "/") as response:
            pieces = response.aiter_raw()
            assert (response.status_code, await anext(pieces)) == (201, b"part")
            with pytest.raises(AppsError, match="in the middle"):
                await anext(pieces)
            assert response.is_closed


@on_each_loop
async def test_exceptions_that_are_not_raised(http: Any, caplog: pytest.LogCaptureFixture) -> None:
    """The answer is that of a server; a response that is not whole is an error there, too."""
    async with client(raising_first, raise_app_exceptions=False) as http_client:
        response = await http_client.get("/")
        assert (response.status_code, response.content) == (500, b"")
    async with client(raising_at_the_end, raise_app_exceptions=False) as http_client:
        response = await http_client.get("/")
        assert (response.status_code, response.content) == (201, b"whole")
    for app in raising_after_the_start, raising_in_the_middle:
        async with client(app, raise_app_exceptions=False) as http_client:
            with pytest.raises(
                httpure.RemoteProtocolError, match=r"ended in the middle.*GET http://app.test/$"
            ) as caught:
                await http_client.get("/?secret")
            assert isinstance(caught.value.__cause__, AppsError)
            assert caught.value.request.method == "GET"
    assert not caplog.records


@on_each_loop
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
async def test_exceptions_that_are_always_raised(http: Any, kind: type[BaseException]) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise kind

    async with client(app, raise_app_exceptions=False) as http_client:
        try:
            await http_client.get("/")
        except kind:
            return
    pytest.fail("not raised")


@on_each_loop
async def test_app_that_says_nothing(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()

    for raising in True, False:
        async with client(app, raise_app_exceptions=raising) as http_client:
            with pytest.raises(
                httpure.RemoteProtocolError, match="returned without a response, in answer to GET http"
            ):
                await http_client.get("/")


@on_each_loop
async def test_app_that_returns_in_the_middle(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"part", more=True))

    async with client(app) as http_client:
        with pytest.raises(httpure.RemoteProtocolError, match="ended in the middle of its response"):
            await http_client.get("/")


def test_app_that_cancels_itself() -> None:
    """Nobody can cancel a system task of trio; on asyncio everybody can cancel everything."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        raise asyncio.CancelledError

    async def main() -> None:
        async with client(app) as http_client:
            with pytest.raises(httpure.RemoteProtocolError, match="was cancelled"):
                await http_client.get("/")

    asyncio.run(main())


# Timeouts


@on_each_loop
@pytest.mark.parametrize(
    ("path", "state"),
    [
        ("/first", "the ASGI app has not begun its response"),
        ("/middle", "the ASGI app has sent 5 bytes of its response, and no end"),
        ("/end", "the ASGI app has sent all of its response, but has not returned"),
    ],
)
async def test_read_timeout(http: Any, path: str, state: str) -> None:
    async with client(hanging, timeout=httpure.Timeout(None, read=0.02)) as http_client:
        with pytest.raises(httpure.ReadTimeout) as caught:
            await http_client.get(path)
        assert await left_running() == []
    assert str(caught.value) == (
        f"Nothing was received for 0.02 s (the read timeout): {state}, GET http://app.test{path}; "
        "allow more with Timeout(read=...)"
    )
    assert caught.value.request.url.path == path


@on_each_loop
async def test_read_timeout_is_one_of_progress(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        for _ in range(8):
            await sleep(0.05)
            await send(body(b"x", more=True))
        await send(body())

    async with client(app, timeout=0.35) as http_client:
        assert (await http_client.get("/")).content == b"x" * 8


@on_each_loop
async def test_an_app_that_blocks_the_loop_has_time_afterwards(http: Any) -> None:
    """As one does that is stopped in a debugger."""
    import time

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        time.sleep(0.25)
        for _ in range(3):
            await sleep(0.001)
        await answer(send, b"in the end")

    async with client(app, timeout=0.2) as http_client:
        assert (await http_client.get("/")).content == b"in the end"


@on_each_loop
async def test_total_timeout(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        while True:
            await send(body(b"x", more=True))
            await sleep(0.001)

    async with client(app, timeout=httpure.Timeout(5, total=0.05)) as http_client:
        with pytest.raises(httpure.ReadTimeout, match=r"within 0\.05 s \(the total timeout\)"):
            await http_client.get("/")
    async with client(hanging, timeout=httpure.Timeout(5, total=0.02)) as http_client:
        with pytest.raises(httpure.ReadTimeout, match=r"within 0\.02 s \(the total timeout\)"):
            await http_client.get("/first")


@on_each_loop
async def test_total_timeout_over_redirects(http: Any) -> None:
    """Each request begins with what those before it have left."""
    asked = 0

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal asked
        asked += 1
        await sleep(0.03)
        await answer(send, b"", 302, (b"location", b"/again"))

    timeout = httpure.Timeout(5, total=0.08)
    async with client(app, timeout=timeout) as http_client:
        with pytest.raises(httpure.TimeoutException, match=r"within 0\.08 s \(the total timeout\)"):
            await http_client.get("/", follow_redirects=True)
    assert 1 <= asked <= 4


@on_each_loop
async def test_the_callers_own_slowness_is_no_timeout(http: Any) -> None:
    """While the app waits for more of the request, save for the total."""

    async def slow() -> AsyncIterator[bytes]:
        for _ in range(2):
            await sleep(0.25)
            yield b"x"

    async with client(echo, timeout=0.2) as http_client:
        assert (await http_client.post("/", content=slow())).content == b"xx"
        timeout = httpure.Timeout(0.02, total=0.05)
        with pytest.raises(httpure.ReadTimeout, match="the total timeout"):
            await http_client.post("/", content=slow(), timeout=timeout)
        assert await left_running() == []


@on_each_loop
async def test_other_timeouts_do_not_hold(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await sleep(0.02)
        await answer(send, b"content")

    timeout = httpure.Timeout(connect=0.001, pool=0.001, write=0.001, read=None)
    async with client(app, timeout=timeout) as http_client:
        assert (await http_client.get("/")).content == b"content"
