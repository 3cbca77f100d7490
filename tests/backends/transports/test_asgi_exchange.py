"""What an app receives, and what it may send; each on asyncio and trio."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import pytest

import httpure
from tests.running import on_each_loop

from .apps import (
    CallersError,
    Receive,
    Scope,
    Send,
    answer,
    body,
    client,
    echo,
    hello,
    reading,
    start,
)
from .loops import cancelled_after, event, left_running, sleep, together

# The request's body


@on_each_loop
async def test_body_in_memory_is_one_message(http: Any) -> None:
    messages: list[Any] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        messages.append(await receive())
        await answer(send)
        messages.append(await receive())
        messages.append(await receive())

    async with client(app) as http_client:
        await http_client.post("/", content=b"abc")
        await http_client.get("/")
    gone = {"type": "http.disconnect"}
    assert messages == [
        {"type": "http.request", "body": b"abc", "more_body": False},
        gone,
        gone,
        {"type": "http.request", "body": b"", "more_body": False},
        gone,
        gone,
    ]


@on_each_loop
async def test_streamed_body(http: Any) -> None:
    messages: list[Any] = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        await sleep(0.001)
        yield b""
        yield b"two"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        while not messages or messages[-1]["more_body"]:
            messages.append(await receive())
        await answer(send)

    async with client(app) as http_client:
        await http_client.post("/", content=pieces())
        assert await left_running() == []
    assert [(message["body"], message["more_body"]) for message in messages] == [
        (b"one", True),
        (b"two", True),
        (b"", False),
    ]


@on_each_loop
async def test_blocking_bodies(http: Any, tmp_path: Any) -> None:
    """Iterables and files that block; the files are read in threads."""
    path = tmp_path / "file"
    path.write_bytes(b"of a file")
    async with client(echo) as http_client:
        assert (await http_client.post("/", content=[b"of ", b"a list"])).content == b"of a list"
        with path.open("rb") as file:
            assert (await http_client.post("/", content=file)).content == b"of a file"
        with path.open("rb") as file:
            assert b"of a file" in (await http_client.post("/", files={"file": file})).content


@on_each_loop
async def test_body_is_asked_for_when_the_app_asks(http: Any) -> None:
    """And not at all where it does not."""
    asked = []

    async def pieces() -> AsyncIterator[bytes]:
        asked.append(1)
        yield b"content"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await (hello if scope["path"] == "/hello" else echo)(scope, receive, send)

    async with client(app) as http_client:
        response = await http_client.post("/hello", content=pieces())
        assert (response.content, asked) == (b"Hello", [])
        response = await http_client.post("/echo", content=pieces())
        assert (response.content, asked) == (b"content", [1])


@on_each_loop
async def test_body_one_piece_ahead(http: Any) -> None:
    """The caller's iterator is asked for what the app has taken, and one piece more."""
    given = taken = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal given
        for _ in range(10):
            given += 1
            yield b"x"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal taken
        while (await receive())["more_body"]:
            taken += 1
            await sleep(0.001)
            assert given - taken <= 1
        await answer(send)

    async with client(app) as http_client:
        await http_client.post("/", content=pieces())
    assert taken == 10


@on_each_loop
async def test_receive_can_be_cancelled(http: Any) -> None:
    """As apps do to find out whether the client has gone: nothing of the body is lost."""
    may_go_on = event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        await may_go_on.wait()
        yield b"two"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        assert (await receive())["body"] == b"one"
        for _ in range(3):
            assert await cancelled_after(0.005, receive)
        may_go_on.set()
        await answer(send, await reading(receive))

    async with client(app) as http_client:
        assert (await http_client.post("/", content=pieces())).content == b"two"


@on_each_loop
async def test_receive_by_several_tasks(http: Any) -> None:
    got = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async def ask() -> None:
            got.append((await receive())["type"])

        async def respond() -> None:
            await sleep(0.005)
            await answer(send)

        await together(ask, ask, ask, respond)

    async with client(app) as http_client:
        await http_client.post("/", content=b"body")
    assert sorted(got) == ["http.disconnect", "http.disconnect", "http.request"]


@on_each_loop
@pytest.mark.parametrize("raising", [True, False])
async def test_body_that_raises(http: Any, raising: bool) -> None:
    """The caller's error is the caller's, whatever the app makes of it; to the app, the client has gone."""
    seen = []

    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        raise CallersError("of the body")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(await receive())
        seen.append(await receive())
        await answer(send, b"never seen")

    async with client(app, raise_app_exceptions=raising) as http_client:
        with pytest.raises(CallersError, match="of the body"):
            await http_client.post("/", content=pieces())
        assert await left_running() == []
    assert [message["type"] for message in seen] == ["http.request", "http.disconnect"]


@on_each_loop
async def test_body_with_empty_pieces(http: Any) -> None:
    """An app is not bothered with them."""
    messages: list[Any] = []

    class Stream(httpure.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield b""
            yield b"content"
            yield b""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        messages.extend([await receive(), await receive()])
        await answer(send)

    async with client(app) as http_client:
        await http_client.post("/", content=Stream())
    assert [message["body"] for message in messages] == [b"content", b""]


@on_each_loop
async def test_body_of_wrong_pieces(http: Any) -> None:
    class Wrong(httpure.AsyncByteStream):
        async def __aiter__(self) -> AsyncIterator[bytes]:
            yield "text"  # type: ignore[misc]

    async with client(echo) as http_client:
        with pytest.raises(TypeError, match="of type str"):
            await http_client.post("/", content=Wrong())


@on_each_loop
async def test_body_that_nobody_reads_is_closed(http: Any) -> None:
    """In the task that has read it, whether it waits itself or is waited for."""
    closed = []
    entered = event()

    async def waiting() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            entered.set()
            await event().wait()
        finally:
            closed.append("waiting")

    async def ready() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"piece"
        finally:
            await sleep(0)
            closed.append("ready")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        if scope["path"] == "/waiting":
            await entered.wait()
        await answer(send, b"enough", 413)

    async with client(app) as http_client:
        for path, content in ("/waiting", waiting()), ("/ready", ready()):
            response = await http_client.post(path, content=content)
            assert response.status_code == 413
            assert await left_running() == []
    assert closed == ["waiting", "ready"]


@on_each_loop
async def test_both_directions_at_once(http: Any) -> None:
    """The response can be read while the request is still being written, by the same task."""
    answered = event()

    async def pieces() -> AsyncIterator[bytes]:
        yield b"ping"
        await answered.wait()
        yield b"bye"

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        more = True
        while more:
            message = await receive()
            more = message["more_body"]
            await send(body(message["body"].upper(), more))

    async with client(app) as http_client:
        async with http_client.stream("POST", "/", content=pieces()) as response:
            got = response.aiter_raw()
            assert await anext(got) == b"PING"
            answered.set()
            assert [piece async for piece in got] == [b"BYE"]


# Messages that break the rules


WRONG: dict[str, tuple[list[Any], str]] = {
    "twice": ([start(), start()], "sent 'http.response.start' twice"),
    "body first": ([body()], "sent 'http.response.body' before 'http.response.start'"),
    "body after the end": ([start(), body(), body(b"x")], "after the end of its response"),
    "twice wrong": ([body(), {"type": "unknown"}], "sent 'http.response.body' before 'http.response.start'"),
    "unknown": ([{"type": "http.response.push"}], "a message of type 'http.response.push'"),
    "no type": ([{}], "a message of type None"),
    "no message": (["http.response.start"], "a message of type None"),
    "no status": ([{"type": "http.response.start"}], "the status None"),
    "text as status": ([start("200")], "the status '200'"),  # type: ignore[arg-type]
    "small status": ([start(99)], "the status 99"),
    "header without value": ([start(200, (b"x",))], "headers that are none"),  # type: ignore[arg-type]
    "header of numbers": ([start(200, (b"x", 1))], "'x' must be str or bytes, not int"),  # type: ignore[arg-type]
    "header with line": ([start(200, (b"x", b"1\r\nsecret"))], "CR, LF or NUL, at position 1"),
    "text as body": ([start(), body("text")], "a body of type str instead of bytes"),  # type: ignore[arg-type]
}


@on_each_loop
@pytest.mark.parametrize("raising", [True, False])
@pytest.mark.parametrize("case", WRONG)
async def test_wrong_messages(http: Any, case: str, raising: bool, caplog: pytest.LogCaptureFixture) -> None:
    """They raise in the app, and where its response is read; also where the app does not mind."""
    messages, expected = WRONG[case]
    raised_in_the_app = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            try:
                await send(message)
            except httpure.RemoteProtocolError as exc:
                raised_in_the_app.append(exc)

    async with client(app, raise_app_exceptions=raising) as http_client:
        with pytest.raises(httpure.RemoteProtocolError) as caught:
            await http_client.get("/?token=secret")
    assert raised_in_the_app[0] is caught.value
    assert expected in str(caught.value) and "The ASGI app sent" in str(caught.value)
    assert "secret" not in str(caught.value)
    assert caught.value.request.url.query == b"token=secret"
    assert not caplog.records
