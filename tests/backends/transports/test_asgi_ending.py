"""How an app ends when nobody reads its response any more; each on asyncio and trio."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
from collections.abc import AsyncIterator
from typing import Any

import pytest
import trio

import httpure
from httpure._transports import asgi_exchange
from tests.running import on_each_loop

from .apps import (
    URL,
    AppsError,
    CallersError,
    Receive,
    Scope,
    Send,
    Witness,
    answer,
    body,
    client,
    echo,
    forever,
    hanging,
    hello,
    start,
)
from .loops import cancelled_after, cancelled_at_step, event, left_running, rounds, sleep, together


@on_each_loop
@pytest.mark.parametrize(("listening", "ended"), [(True, "told"), (False, "cancelled")])
async def test_closing_early(http: Any, listening: bool, ended: str) -> None:
    """An app that listens for it is told and let finish; one that does not is cancelled after a moment."""
    app = Witness(listening)
    async with client(app) as http_client:
        async with http_client.stream("GET", "/"):
            assert len(await left_running()) == 1
        assert (app.ended, await left_running()) == (ended, [])
        async with http_client.stream("GET", "/") as response:
            assert await anext(response.aiter_raw()) == b"piece"
        assert (app.ended, await left_running()) == (ended, [])
        with pytest.raises(httpure.StreamClosed):
            await anext(aiter(response.stream))  # type: ignore[arg-type]


@on_each_loop
async def test_an_app_that_was_told_has_time(http: Any) -> None:
    app = Witness(listening=True, cleaning=1.5 * asgi_exchange.MOMENT)
    async with client(app) as http_client:
        async with http_client.stream("GET", "/"):
            pass
        assert app.ended == "told"


@on_each_loop
async def test_an_app_that_has_responded_has_time(http: Any) -> None:
    """For what it does in the background, also where the caller does not read to the end."""
    done = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(send, b"content")
        await sleep(2 * asgi_exchange.MOMENT)
        done.append(True)

    async with client(app) as http_client:
        async with http_client.stream("GET", "/") as response:
            assert await anext(response.aiter_raw()) == b"content"
        assert done == [True]


@on_each_loop
async def test_but_not_for_ever(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asgi_exchange, "GRACE", 0.02)
    app = Witness(listening=True, cleaning=60)
    async with client(app) as http_client:
        async with http_client.stream("GET", "/"):
            pass
        assert (app.ended, await left_running()) == ("cancelled", [])


@on_each_loop
async def test_sending_to_a_client_that_has_gone(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is no error, does not wait for anybody, and lets others run."""
    monkeypatch.setattr(asgi_exchange, "MOMENT", 5.0)
    may_send, sent = event(), []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"one", more=True))
        await together(lambda: send(body(b"two", more=True)), may_send.wait)
        for _ in range(100):
            await send(body(b"x", more=True))
        await send({"type": "nonsense"})
        sent.append(await receive())

    async with client(app) as http_client:
        async with http_client.stream("GET", "/"):
            may_send.set()
        assert sent == [{"type": "http.disconnect"}]


@on_each_loop
async def test_an_app_that_never_stops_sending(http: Any) -> None:
    async with client(forever) as http_client:
        async with http_client.stream("GET", "/"):
            pass
        assert await left_running() == []


@on_each_loop
@pytest.mark.parametrize("path", ["/first", "/body"])
async def test_cancelling_the_caller(http: Any, path: str) -> None:
    """Before the response begins, and in its body: the app is cancelled, and has ended when the caller has."""
    app = Witness()
    async with client(app) as http_client:
        assert await cancelled_after(0.03, lambda: http_client.get(path))
        assert (app.ended, await left_running()) == ("cancelled", [])
        assert await cancelled_after(0, lambda: http_client.get(path))
        assert await left_running() == []


@on_each_loop
async def test_cancelling_while_a_stream_is_read(http: Any) -> None:
    app = Witness()

    async def read() -> None:
        async with http_client.stream("GET", "/") as response:
            async for _ in response.aiter_raw():
                pass

    async with client(app) as http_client:
        assert await cancelled_after(0.03, read)
        assert (app.ended, await left_running()) == ("cancelled", [])


@on_each_loop
async def test_cancelling_while_the_body_is_sent(http: Any) -> None:
    closed = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            yield b"one"
            await sleep(60)
        finally:
            closed.append(True)

    async with client(echo) as http_client:
        assert await cancelled_after(0.03, lambda: http_client.post("/", content=pieces()))
        assert (closed, await left_running()) == ([True], [])


@on_each_loop
async def test_cancelling_while_the_end_is_waited_for(http: Any) -> None:
    """The app has sent everything and does something more; or the caller has left and it is let finish."""
    app = Witness(listening=True, cleaning=60)

    async def leave() -> None:
        async with http_client.stream("GET", "/"):
            pass

    async with client(hanging) as http_client:
        assert await cancelled_after(0.03, lambda: http_client.get("/end"))
        assert await left_running() == []
    async with client(app) as http_client:
        assert await cancelled_after(0.03, leave)
        assert (app.ended, await left_running()) == ("cancelled", [])


@on_each_loop
async def test_cancelling_at_every_step(http: Any) -> None:
    """Of an exchange with pieces both ways, and something to do afterwards: all has ended when the caller has."""
    opened = 0

    async def pieces() -> AsyncIterator[bytes]:
        nonlocal opened
        opened += 1
        try:
            for _ in range(3):
                await sleep(0)
                yield b"x"
        finally:
            opened -= 1

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        nonlocal opened
        opened += 1
        try:
            await send(start())
            more = True
            while more:
                message = await receive()
                more = message["type"] == "http.request" and message["more_body"]
                await send(body(message.get("body", b""), more))
            await sleep(0)
        finally:
            opened -= 1

    async with client(app) as http_client:

        async def post() -> None:
            response = await http_client.post("/", content=pieces())
            assert response.content == b"xxx"

        number = 0
        while await cancelled_at_step(number, post):
            assert (opened, await left_running()) == (0, [])
            number += 1
        assert (opened, await left_running()) == (0, [])
        assert number > 10


@on_each_loop
async def test_cancelling_the_closing(http: Any) -> None:
    app = Witness(listening=True, cleaning=60)
    async with client(app) as http_client:
        response = await http_client.send(http_client.build_request("GET", "/"), stream=True)
        assert await cancelled_after(0, response.stream.aclose)  # type: ignore[union-attr]
        assert (app.ended, await left_running()) == ("cancelled", [])


@on_each_loop
async def test_reading_to_the_end_without_a_response(http: Any) -> None:
    """The stream alone, as other transports that wrap this one may read it."""
    transport = httpure.ASGITransport(hello)
    response = await transport.handle_async_request(httpure.Request("GET", URL))
    stream: Any = response.stream
    assert [piece async for piece in stream] == [b"Hello"]
    assert [piece async for piece in stream] == []
    await stream.aclose()
    stream.close()


@on_each_loop
async def test_an_app_that_ignores_cancellation(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is waited for, but not for ever; and once more when the transport is closed."""
    monkeypatch.setattr(asgi_exchange, "GRACE", 0.02)
    stop = event()

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        with trio.CancelScope(shield=True) if http.__name__.endswith("trio") else contextlib.nullcontext():
            while not stop.is_set():
                with contextlib.suppress(asyncio.CancelledError):
                    await stop.wait()

    async with client(app) as http_client:
        assert await cancelled_after(0.03, lambda: http_client.get("/"))
        assert len(await left_running()) == 1
    assert len(await left_running()) == 1
    stop.set()
    await rounds()
    assert await left_running() == []


@on_each_loop
async def test_dropping_a_response(http: Any) -> None:
    app = Witness()
    async with client(app) as http_client:
        response = await http_client.send(http_client.build_request("GET", "/"), stream=True)
        assert response.status_code == 200
        del response
        gc.collect()
        await rounds()
        assert (app.ended, await left_running()) == ("cancelled", [])


@on_each_loop
async def test_closing_without_waiting(http: Any) -> None:
    app = Witness()
    async with client(app) as http_client:
        response = await http_client.send(http_client.build_request("GET", "/"), stream=True)
        response.stream.close()  # type: ignore[union-attr]
        await rounds()
        assert (app.ended, await left_running()) == ("cancelled", [])
        await response.aclose()


@on_each_loop
async def test_closing_twice_at_once(http: Any) -> None:
    app = Witness()
    async with client(app) as http_client:
        response = await http_client.send(http_client.build_request("GET", "/"), stream=True)
        stream: Any = response.stream
        await together(stream.aclose, stream.aclose)
        assert (app.ended, await left_running()) == ("cancelled", [])


@on_each_loop
async def test_closing_from_another_thread(http: Any) -> None:
    """As the garbage collector may."""
    import threading

    app = Witness()

    async def endless() -> AsyncIterator[bytes]:
        while True:
            await sleep(0.001)
            yield b"x"

    async with client(app) as http_client:
        request = http_client.build_request("POST", "/", content=endless())
        app.listening = True
        response = await http_client.send(request, stream=True)
        thread = threading.Thread(target=response.stream.close)  # type: ignore[union-attr]
        thread.start()
        thread.join()
        await rounds()
        assert await left_running() == []


@on_each_loop
async def test_closing_the_client_ends_all_apps(http: Any) -> None:
    apps = [Witness(), Witness(listening=True)]
    clients = [client(app) for app in apps]
    for each in clients:
        await each.send(each.build_request("GET", "/"), stream=True)
    responses = [await each.send(each.build_request("GET", "/"), stream=True) for each in clients]
    assert len(await left_running()) >= 2
    for each in clients:
        await each.aclose()
    assert [app.ended for app in apps] == ["cancelled", "told"]
    assert await left_running() == []
    for response in responses:
        await response.aclose()


@on_each_loop
async def test_a_hook_that_raises(http: Any) -> None:
    """Nobody gets the response, and its app has ended when the caller is told."""

    async def hook(response: httpure.Response) -> None:
        raise CallersError("of the hook")

    app = Witness()
    async with client(app) as http_client:
        http_client.event_hooks = {"response": [hook]}
        with pytest.raises(CallersError):
            await http_client.get("/")
        assert (app.ended, await left_running()) == ("cancelled", [])


@on_each_loop
async def test_a_hook_that_is_cancelled(http: Any) -> None:
    """The response is closed in order, as far as the loop lets a cancelled task wait; nothing is left behind in it."""

    async def hook(response: httpure.Response) -> None:
        await sleep(60)

    app = Witness(listening=True)
    ended = "cancelled" if http.__name__.endswith("trio") else "told"
    async with client(app) as http_client:
        http_client.event_hooks = {"response": [hook]}
        assert await cancelled_after(0.03, lambda: http_client.get("/"))
        assert (app.ended, await left_running()) == (ended, [])


@pytest.mark.parametrize("where", ["head", "body", "closing"])
def test_a_coroutine_that_nobody_steps_any_more(where: str) -> None:
    """As when asyncio's loop ends before its tasks: closed where it stands, it must not wait for anything."""
    app = Witness(listening=where == "closing", cleaning=60)

    async def main() -> None:
        async with client(app) as http_client:
            if where == "head":
                coroutine: Any = http_client.get("/first")
            else:
                response = await http_client.send(http_client.build_request("GET", "/"), stream=True)
                assert await anext(response.aiter_raw()) == b"piece"
                coroutine = anext(aiter(response.stream)) if where == "body" else response.aclose()  # type: ignore[arg-type]
            coroutine.send(None)
            coroutine.close()
            await rounds()
            assert (app.ended, await left_running()) == ("cancelled", [])

    asyncio.run(main())


@on_each_loop
async def test_closing_the_client_while_it_waits(http: Any) -> None:
    """Before the response begins, and in its body."""
    app = Witness()
    for path in "/first", "/body":
        http_client = client(app)

        async def get(http_client: httpure.AsyncClient = http_client, path: str = path) -> None:
            with pytest.raises(
                httpure.ReadError, match=f"client was closed .*, GET http://app.test{path}"
            ) as caught:
                await http_client.get(path)
            assert caught.value.request.url.path == path

        async def close(http_client: httpure.AsyncClient = http_client) -> None:
            await sleep(0.005)
            await http_client.aclose()

        await together(get, close)
        assert await left_running() == []


@on_each_loop
@pytest.mark.parametrize("raising", [True, False])
async def test_what_an_app_raises_to_nobody_is_logged(
    http: Any, raising: bool, caplog: pytest.LogCaptureFixture
) -> None:
    async def listening(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"piece", more=True))
        await receive()
        await receive()
        raise AppsError("too late")

    async def early(scope: Scope, receive: Receive, send: Send) -> None:
        await send(start())
        await send(body(b"piece", more=True))
        raise AppsError("too early")

    for app in listening, early:
        async with client(app, raise_app_exceptions=raising) as http_client:
            async with http_client.stream("GET", "/?secret"):
                await sleep(0.001)
    if not raising:
        assert not caplog.records
        return
    assert [(record.name, record.levelno) for record in caplog.records] == [
        ("httpure.asgi", logging.ERROR)
    ] * 2
    assert (
        caplog.messages
        == ["The ASGI app raised AppsError after its client had gone, in answer to GET http://app.test/"] * 2
    )
