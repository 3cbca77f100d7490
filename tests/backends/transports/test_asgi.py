"""`ASGITransport`: what the app is told, event loops, what the client does around it; on asyncio and trio."""

from __future__ import annotations

import asyncio
import contextvars
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import trio

import httpure
from tests.backends.fresh import fresh
from tests.running import on_each_loop

from .apps import (
    URL,
    App,
    AppsError,
    Receive,
    Scope,
    Send,
    Witness,
    answer,
    body,
    client,
    echo,
    hello,
    raising_first,
    start,
)

# What the app sees


@on_each_loop
async def test_scope(http: Any) -> None:
    seen: list[Scope] = []

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen.append(scope)
        await answer(send)

    async with client(app, root_path="/mounted", client=("192.0.2.7", 4711)) as http_client:
        await http_client.post(
            "https://user:secret@B\u00fccher.test:8443/a%20b%2Fc/\u00e4?q=%20&x=1#fragment",
            headers=[("X-One", "1"), ("x-one", "2")],
            content=b"abc",
        )
    (scope,) = seen
    headers = scope.pop("headers")
    assert scope == {
        "type": "http",
        "asgi": {"version": "3.0", "spec_version": "2.3"},
        "http_version": "1.1",
        "method": "POST",
        "scheme": "https",
        "path": "/a b/c/\u00e4",
        "raw_path": b"/a%20b%2Fc/%C3%A4",
        "query_string": b"q=%20&x=1",
        "root_path": "/mounted",
        "client": ("192.0.2.7", 4711),
        "server": ("xn--bcher-kva.test", 8443),
    }
    assert headers[0] == (b"host", b"xn--bcher-kva.test:8443")
    assert [value for name, value in headers if name == b"x-one"] == [b"1", b"2"]
    assert (b"content-length", b"3") in headers
    assert all(type(part) is bytes for pair in headers for part in pair)
    assert not [name for name, _ in headers if name != name.lower()]


@on_each_loop
async def test_scope_of_the_plainest_request(http: Any) -> None:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        await answer(
            send, repr([scope["path"], scope["raw_path"], scope["query_string"], scope["server"]]).encode()
        )

    async with client(app) as http_client:
        assert (await http_client.get("http://app.test")).text == "['/', b'/', b'', ('app.test', 80)]"
        assert (await http_client.get("https://[::1]/?")).text == "['/', b'/', b'', ('::1', 443)]"
        response = await http_client.get("/url", extensions={"target": b"/raw%2Fpath?q"})
        assert response.text == "['/raw/path', b'/raw%2Fpath', b'q', ('app.test', 80)]"


@on_each_loop
async def test_relative_url(http: Any) -> None:
    async with httpure.AsyncClient(transport=httpure.ASGITransport(hello)) as http_client:
        with pytest.raises(httpure.UnsupportedProtocol, match=r"absolute URL.*base_url") as caught:
            await http_client.get("/path")
    assert caught.value.request.url.path == "/path"


@on_each_loop
async def test_context_variables(http: Any) -> None:
    """The app has a copy of the caller's."""
    variable = contextvars.ContextVar("variable", default="nothing")

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        seen = variable.get()
        variable.set("the app's")
        await answer(send, seen.encode())

    async with client(app) as http_client:
        variable.set("the caller's")
        assert (await http_client.get("/")).text == "the caller's"
        assert variable.get() == "the caller's"


# Event loops


def test_one_transport_on_several_loops() -> None:
    transport = httpure.ASGITransport(Witness())

    async def once() -> None:
        http_client = httpure.AsyncClient(transport=transport)
        await http_client.send(http_client.build_request("GET", URL), stream=True)

    async def close() -> None:
        await transport.aclose()

    asyncio.run(once())
    trio.run(once)
    loop = asyncio.new_event_loop()
    loop.run_until_complete(once())  # and its task is left as it is
    asyncio.run(close())
    for task in asyncio.all_tasks(loop):
        task.cancel()
    loop.run_until_complete(asyncio.sleep(0))
    loop.run_until_complete(asyncio.sleep(0))
    loop.close()


def test_eager_tasks() -> None:
    if not hasattr(asyncio, "eager_task_factory"):
        pytest.skip("Python 3.12")

    async def pieces() -> AsyncIterator[bytes]:
        yield b"a"
        yield b"b"

    async def main() -> None:
        asyncio.get_running_loop().set_task_factory(getattr(asyncio, "eager_task_factory"))  # noqa: B009
        async with client(echo) as http_client:
            assert (await http_client.post("/", content=pieces())).content == b"ab"
            assert (await http_client.post("/", content=b"abc")).content == b"abc"
        async with client(raising_first) as http_client:
            with pytest.raises(AppsError):
                await http_client.get("/")

    asyncio.run(main())


def test_uvloop() -> None:
    uvloop = pytest.importorskip("uvloop")

    async def main() -> None:
        async with client(Witness()) as http_client:
            async with http_client.stream("GET", "/") as response:
                assert await anext(response.aiter_raw()) == b"piece"

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())


def test_trio_clock() -> None:
    """Timeouts and moments of grace are those of trio's clock."""
    import trio.testing

    async def main() -> None:
        async with client(hanging, timeout=1000) as http_client:
            with pytest.raises(httpure.ReadTimeout):
                await http_client.get("/middle")

    async def hanging(scope: Scope, receive: Receive, send: Send) -> None:
        await trio.sleep(5000)

    trio.run(main, clock=trio.testing.MockClock(autojump_threshold=0.01))


def test_the_scopes_of_an_app_are_its_own() -> None:
    """Cancel scopes and nurseries that are open while the response is read close in whatever order."""

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        async with trio.open_nursery() as nursery:
            with trio.move_on_after(0.02):
                nursery.start_soon(trio.sleep, 0.01)
                await send(start())
                await send(body(b"one", more=True))
                await send(body(b"two", more=True))
                await trio.sleep(60)
        await send(body(b"three"))

    async def main() -> None:
        async with client(app) as http_client:
            response = await http_client.send(http_client.build_request("GET", "/"), stream=True)
            with trio.CancelScope():
                pieces = response.aiter_raw()
                assert await anext(pieces) == b"one"
            async with trio.open_nursery() as nursery:
                nursery.start_soon(trio.sleep, 0)
                assert [piece async for piece in pieces] == [b"two", b"three"]
            await trio.sleep(0.03)

    trio.run(main)


def test_the_run_of_trio_ends_an_app() -> None:
    app = Witness()

    async def main() -> None:
        http_client = client(app)
        await http_client.send(http_client.build_request("GET", "/"), stream=True)

    trio.run(main)
    assert app.ended == "cancelled"


@pytest.mark.slow
def test_ctrl_c_reaches_an_app_that_never_awaits() -> None:
    code = """if True:
        import httpure, os, signal, threading, trio

        async def app(scope, receive, send):
            threading.Timer(0.05, os.kill, (os.getpid(), signal.SIGINT)).start()
            while True:
                pass

        async def main():
            async with httpure.AsyncClient(transport=httpure.ASGITransport(app)) as client:
                await client.get("http://app.test/")

        try:
            trio.run(main)
        except BaseException as exc:
            while isinstance(exc, BaseExceptionGroup):
                exc = exc.exceptions[0]
            print(type(exc).__name__)
    """
    assert fresh(code) == "KeyboardInterrupt"


# What the client does around it


@pytest.fixture
def site() -> Iterator[App]:
    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        fields = dict(scope["headers"])
        if scope["path"] == "/api/login":
            await answer(send, b"", 303, (b"location", b"home"), (b"set-cookie", b"session=1; Path=/"))
        elif fields.get(b"authorization") != b"Basic YWRhOmxvdmU=":
            await answer(send, b"", 401)
        else:
            await answer(send, scope["path"].encode() + b" " + fields.get(b"cookie", b"no cookie"))

    yield app


@on_each_loop
async def test_redirects_cookies_auth_base_url(http: Any, site: App) -> None:
    async with httpure.AsyncClient(
        transport=httpure.ASGITransport(site),
        base_url="http://app.test/api",
        auth=("ada", "love"),
        follow_redirects=True,
    ) as http_client:
        response = await http_client.post("login", data={"name": "ada"})
        assert response.text == "/api/home session=1"
        assert [each.status_code for each in response.history] == [303]
        assert (await http_client.get("home", auth=None)).status_code == 401
        assert dict(http_client.cookies) == {"session": "1"}


@on_each_loop
async def test_mounted(http: Any) -> None:
    mounts = {"all://app.test": httpure.ASGITransport(hello)}
    async with httpure.AsyncClient(mounts=mounts) as http_client:
        assert (await http_client.get(URL)).text == "Hello"


# How it is found


@pytest.mark.slow
def test_it_is_imported_when_it_is_used() -> None:
    code = """if True:
        import sys, httpure
        assert not [name for name in sys.modules if "asgi" in name or "wsgi" in name]
        for kind in httpure.ASGITransport, httpure.WSGITransport:
            assert kind.__module__ == "httpure" and kind.__name__ in httpure.__all__
            print(repr(kind))
        assert "asyncio" not in sys.modules and "trio" not in sys.modules and "logging" not in sys.modules
        assert httpure.ASGITransport is httpure.ASGITransport
    """
    assert fresh(code) == "<class 'httpure.ASGITransport'>\n<class 'httpure.WSGITransport'>"
