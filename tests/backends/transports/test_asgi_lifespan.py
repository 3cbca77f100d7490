"""`ASGITransport(lifespan=True)`: the app is started up and shut down; each on asyncio and trio."""

from __future__ import annotations

from typing import Any

import pytest

import httpure
from httpure._transports import asgi_lifespan
from tests.running import on_each_loop

from .apps import Receive, Scope, Send, answer
from .loops import cancelled_after, event, left_running, sleep


class Living:
    """An app that notes what happens to it."""

    def __init__(self, **replies: Any) -> None:
        self.replies = replies
        self.log: list[str] = []

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            self.log.append("begins")
            try:
                await self.live(scope, receive, send)
            finally:
                self.log.append("ends")
        else:
            state = scope["state"]
            state["requests"] = state.get("requests", 0) + 1
            await answer(send, repr(state).encode())

    async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
        for asked in "startup", "shutdown":
            message = await receive()
            assert message == {"type": f"lifespan.{asked}"}
            self.log.append(asked)
            scope["state"]["database"] = "open"
            reply = self.replies.get(asked, {"type": f"lifespan.{asked}.complete"})
            if isinstance(reply, BaseException):
                raise reply
            if reply is not None:
                await send(reply)


def transport(app: Any, **kwargs: Any) -> httpure.ASGITransport:
    return httpure.ASGITransport(app, lifespan=True, **kwargs)


def client(app: Any, **kwargs: Any) -> httpure.AsyncClient:
    return httpure.AsyncClient(transport=transport(app, **kwargs), base_url="http://app.test")


async def enter(http_client: httpure.AsyncClient) -> None:
    async with http_client:
        pytest.fail("entered")


@on_each_loop
async def test_life(http: Any) -> None:
    app = Living()
    async with client(app) as http_client:
        assert app.log == ["begins", "startup"]
        assert await left_running() == ["ASGI lifespan"]
        # Each request has a copy of its own.
        for _ in range(2):
            assert (await http_client.get("/")).text == "{'database': 'open', 'requests': 1}"
    assert app.log == ["begins", "startup", "shutdown", "ends"]
    assert await left_running() == []


@on_each_loop
async def test_scope(http: Any) -> None:
    scopes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(dict(scope))
        await Living().live(scope, receive, send)

    async with client(app):
        pass
    assert scopes == [
        {"type": "lifespan", "asgi": {"version": "3.0", "spec_version": "2.0"}, "state": {"database": "open"}}
    ]


@on_each_loop
async def test_without_it(http: Any) -> None:
    """It is not asked for by default, and then there is no state."""
    scopes = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        scopes.append(scope)
        await answer(send)

    async with httpure.AsyncClient(transport=httpure.ASGITransport(app)) as http_client:
        await http_client.get("http://app.test/")
    assert [scope["type"] for scope in scopes] == ["http"]
    assert "state" not in scopes[0]


@on_each_loop
async def test_client_that_is_not_entered(http: Any) -> None:
    http_client = client(Living())
    with pytest.raises(RuntimeError, match="not started up: use the client in `async with`"):
        await http_client.get("/")
    await http_client.aclose()


@on_each_loop
async def test_aclose(http: Any) -> None:
    """As leaving the block, and once."""
    app = Living()
    async with client(app) as http_client:
        await http_client.aclose()
        assert app.log[-2:] == ["shutdown", "ends"]
    assert app.log.count("shutdown") == 1


@on_each_loop
async def test_shared_by_clients(http: Any) -> None:
    """Until the last of them leaves; and then it can be started up again."""
    app = Living()
    shared = transport(app)
    for _ in range(2):
        async with httpure.AsyncClient(transport=shared) as one:
            async with httpure.AsyncClient(transport=shared) as other:
                await other.get("http://app.test/")
            await one.get("http://app.test/")
    assert app.log == ["begins", "startup", "shutdown", "ends"] * 2


@on_each_loop
async def test_requests_end_before_the_shutdown(http: Any) -> None:
    app = Living()

    async def mixed(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await app(scope, receive, send)
            return
        await send({"type": "http.response.start", "status": 200})
        await receive()
        await receive()
        app.log.append("disconnected")

    async with client(mixed) as http_client:
        response = await http_client.send(http_client.build_request("GET", "/"), stream=True)
    assert response.status_code == 200
    assert app.log == ["begins", "startup", "disconnected", "shutdown", "ends"]


FAILED = {"type": "lifespan.startup.failed", "message": "no database"}


@on_each_loop
async def test_startup_that_fails(http: Any) -> None:
    app = Living(startup=FAILED)
    with pytest.raises(httpure.ConnectError, match=r"^The ASGI app failed to start: no database$"):
        await enter(client(app))
    assert app.log[-1] == "ends"
    with pytest.raises(httpure.ConnectError, match=r"failed to start, and did not say why$"):
        await enter(client(Living(startup={"type": "lifespan.startup.failed"})))
    assert await left_running() == []


@on_each_loop
async def test_startup_that_raises(http: Any) -> None:
    error = ValueError("the app's own")
    with pytest.raises(ValueError, match="the app's own"):
        await enter(client(Living(startup=error)))
    with pytest.raises(httpure.ConnectError, match=r"failed to start: it raised ValueError$") as caught:
        await enter(client(Living(startup=error), raise_app_exceptions=False))
    assert caught.value.__cause__ is error


@on_each_loop
async def test_startup_that_fails_and_raises(http: Any) -> None:
    """As frameworks do: the exception says more than its text."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send(FAILED)
        await sleep(0.001)
        raise ValueError("the app's own")

    with pytest.raises(ValueError, match="the app's own"):
        await enter(client(app))
    with pytest.raises(httpure.ConnectError, match=r"failed to start: no database$"):
        await enter(client(app, raise_app_exceptions=False))


@on_each_loop
async def test_app_that_has_no_lifespan(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        return

    with pytest.raises(
        httpure.ConnectError, match=r"returned without .* make the transport without lifespan=True"
    ):
        await enter(client(app))


@on_each_loop
async def test_app_that_returns_after_its_startup(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "lifespan.startup.complete"})  # without having been asked, which does no harm

    async with client(app):
        pass


@on_each_loop
async def test_life_that_breaks_off(http: Any) -> None:
    """What a background task of the app raises comes out at the end."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            raise ValueError("in the background")
        await answer(send, b"still there")

    http_client = client(app)
    await http_client.__aenter__()
    assert (await http_client.get("/")).text == "still there"
    with pytest.raises(ValueError, match="in the background"):
        await http_client.__aexit__()


@on_each_loop
async def test_shutdown_that_fails(http: Any) -> None:
    http_client = client(Living(shutdown={"type": "lifespan.shutdown.failed", "message": "still busy"}))
    await http_client.__aenter__()
    with pytest.raises(httpure.CloseError, match=r"^The ASGI app failed to shut down: still busy$"):
        await http_client.__aexit__()
    http_client = client(Living(shutdown=ValueError("the app's own")))
    await http_client.__aenter__()
    with pytest.raises(ValueError, match="the app's own"):
        await http_client.__aexit__()
    http_client = client(Living(shutdown=ValueError("the app's own")), raise_app_exceptions=False)
    await http_client.__aenter__()
    with pytest.raises(httpure.CloseError, match="failed to shut down: it raised ValueError"):
        await http_client.__aexit__()


@on_each_loop
@pytest.mark.parametrize(
    ("messages", "expected"),
    [
        ([{"type": "lifespan.nonsense"}], "'lifespan.nonsense', which is none of a lifespan"),
        ([{"type": "http.response.start"}], "'http.response.start', which is none"),
        (["lifespan.startup.complete"], "None, which is none"),
        (
            [{"type": "lifespan.shutdown.complete"}],
            "'lifespan.shutdown.complete' when it was not asked for it",
        ),
        (
            [{"type": "lifespan.startup.complete"}] * 2,
            "'lifespan.startup.complete' when it was not asked for it",
        ),
    ],
)
async def test_wrong_messages(http: Any, messages: Any, expected: str) -> None:
    """They raise in the app."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        for message in messages:
            await send(message)

    http_client = client(app)
    with pytest.raises(httpure.RemoteProtocolError, match="The ASGI app sent") as caught:
        await http_client.__aenter__()
        await http_client.__aexit__()
    assert expected in str(caught.value)


@on_each_loop
async def test_app_that_does_not_return(http: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """It has said that it has shut down, and asks for more, of which there is nothing."""
    monkeypatch.setattr(asgi_lifespan, "GRACE", 0.02)

    class Endless(Living):
        async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
            await super().live(scope, receive, send)
            await receive()

    app = Endless()
    async with client(app):
        pass
    assert app.log[-1] == "ends"
    assert await left_running() == []


@on_each_loop
async def test_cancelling(http: Any) -> None:
    """In the startup, within the block, and in the shutdown: no task is left, and what the app cleans up is clean."""
    app = Living(startup=None)
    entered = event()

    async def within() -> None:
        async with client(app):
            entered.set()
            await sleep(60)

    assert await cancelled_after(0.03, within)
    assert (app.log, await left_running()) == (["begins", "startup", "ends"], [])
    app = Living()
    assert await cancelled_after(0.03, within)
    assert entered.is_set()
    assert (app.log[-1], await left_running()) == ("ends", [])
    app = Living(shutdown=None)

    async def leave() -> None:
        async with client(Stubborn()):
            pass

    assert await cancelled_after(0.03, leave)
    assert await left_running() == []


class Stubborn(Living):
    async def live(self, scope: Scope, receive: Receive, send: Send) -> None:
        await receive()
        await send({"type": "lifespan.startup.complete"})
        await receive()
        await sleep(60)
