"""Apps of real frameworks behind `ASGITransport` and `WSGITransport`: Starlette on asyncio and trio, and Flask."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterator
from typing import Any

import flask
import pytest
from starlette.applications import Starlette
from starlette.background import BackgroundTask
from starlette.middleware import Middleware
from starlette.middleware.base import BaseHTTPMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Mount, Route

import httpure
from tests.running import on_each_loop

from .loops import cancelled_after, left_running, sleep


class Notes(list[str]):
    """What happened in an app."""


def starlette(notes: Notes, *middleware: Middleware) -> Starlette:
    async def show(request: Request) -> Response:
        return JSONResponse(
            {
                "url": str(request.url),
                "path": request.url.path,
                "root_path": request.scope["root_path"],
                "params": dict(request.query_params),
                "client": list(request.client or ()),
                "cookies": request.cookies,
                "state": getattr(request.state, "database", None),
            }
        )

    async def echo(request: Request) -> Response:
        return Response(await request.body(), media_type=request.headers.get("content-type"))

    async def events(request: Request) -> Response:
        async def stream() -> AsyncIterator[str]:
            number = 0
            try:
                while True:
                    yield f"id: {number}\ndata: tick\n\n"
                    number += 1
                    await sleep(0.001)
            finally:
                notes.append(f"events end after {min(number, 1)} or more")

        return StreamingResponse(stream(), media_type="text/event-stream")

    async def silent(request: Request) -> Response:
        async def stream() -> AsyncIterator[bytes]:
            try:
                yield b"one"
                await sleep(60)
            finally:
                notes.append("silent ends")

        return StreamingResponse(stream())

    async def upload(request: Request) -> Response:
        try:
            async for piece in request.stream():
                notes.append(piece.decode())
        except ClientDisconnect:
            notes.append("disconnect")
        return Response()

    async def polling(request: Request) -> Response:
        asked = 0
        while not await request.is_disconnected():
            asked += 1
            await sleep(0.001)
            if asked == 3 and "short" in request.query_params:
                notes.append("polled")
                return PlainTextResponse(await request.body())
        notes.append("found out")
        return Response()

    async def background(request: Request) -> Response:
        async def task() -> None:
            await sleep(0.005)
            notes.append("background")

        return PlainTextResponse("done soon", background=BackgroundTask(task))

    async def fail(request: Request) -> Response:
        raise ValueError("of the endpoint")

    def blocking(request: Request) -> Response:
        return StreamingResponse(iter([b"from ", b"a thread"]))

    async def login(request: Request) -> Response:
        response = RedirectResponse("/show", 303)
        response.set_cookie("session", "1")
        return response

    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[dict[str, str]]:
        notes.append("startup")
        yield {"database": "open"}
        notes.append("shutdown")

    routes = [
        Route("/show", show),
        Route("/echo", echo, methods=["POST", "PUT"]),
        Route("/events", events),
        Route("/silent", silent),
        Route("/upload", upload, methods=["POST"]),
        Route("/polling", polling, methods=["GET", "POST"]),
        Route("/background", background),
        Route("/fail", fail),
        Route("/blocking", blocking),
        Route("/login", login, methods=["POST"]),
    ]
    mounted = [Mount("/api", routes=routes), *routes]
    return Starlette(routes=mounted, middleware=list(middleware), lifespan=lifespan)


def client(app: Any, **kwargs: Any) -> httpure.AsyncClient:
    return httpure.AsyncClient(
        transport=httpure.ASGITransport(app, **kwargs), base_url="http://app.test", follow_redirects=True
    )


@on_each_loop
async def test_starlette(http: Any) -> None:
    async with client(starlette(Notes())) as http_client:
        shown = (await http_client.get("/show?q=%C3%A4", cookies={"a": "1"})).json()
        assert shown == {
            "url": "http://app.test/show?q=%C3%A4",
            "path": "/show",
            "root_path": "",
            "params": {"q": "\u00e4"},
            "client": ["127.0.0.1", 123],
            "cookies": {"a": "1"},
            "state": None,
        }
        assert (await http_client.get("/api/show")).json()["path"] == "/api/show"
        assert (await http_client.get("/missing")).status_code == 404
        assert (await http_client.get("/echo")).headers["allow"]
        assert (await http_client.get("/blocking")).text == "from a thread"
        response = await http_client.head("/show")
        assert (response.status_code, response.content) == (200, b"")
        assert int(response.headers["content-length"]) > 100


@on_each_loop
async def test_starlette_mounted_at_a_root_path(http: Any) -> None:
    async with client(starlette(Notes()), root_path="/site") as http_client:
        shown = (await http_client.get("/site/show")).json()
        assert (shown["path"], shown["root_path"]) == ("/site/show", "/site")


@on_each_loop
async def test_starlette_bodies(http: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one "
        yield b"two"

    async with client(starlette(Notes())) as http_client:
        assert (await http_client.post("/echo", json={"a": 1})).json() == {"a": 1}
        assert (await http_client.put("/echo", content=pieces())).content == b"one two"


@on_each_loop
async def test_starlette_redirects_and_cookies(http: Any) -> None:
    async with client(starlette(Notes())) as http_client:
        response = await http_client.post("/login")
        assert response.json()["cookies"] == {"session": "1"}
        assert [each.status_code for each in response.history] == [303]


class Passing(BaseHTTPMiddleware):
    """The kind of middleware that runs the app in a task group, and hands its messages on."""

    async def dispatch(self, request: Request, call_next: Any) -> Response:
        response: Response = await call_next(request)
        response.headers["x-passed"] = "yes"
        return response


@pytest.mark.parametrize("middleware", [(), (Middleware(Passing),)], ids=["plain", "middleware"])
@on_each_loop
async def test_starlette_server_sent_events(http: Any, middleware: Any) -> None:
    """An endpoint that never ends: read by the line, and ended by leaving."""
    notes = Notes()
    async with client(starlette(notes, *middleware)) as http_client:
        async with http_client.stream("GET", "/events") as response:
            assert response.headers["content-type"].startswith("text/event-stream")
            lines = []
            async for line in response.aiter_lines():
                lines.append(line)
                if len(lines) == 6:
                    break
        assert lines == ["id: 0", "data: tick", "", "id: 1", "data: tick", ""]
        for _ in range(
            100
        ):  # where it was left at its `yield`, the event loop closes the generator a moment later
            if not notes:
                await sleep(0.01)
        assert notes == ["events end after 1 or more"]
        assert await left_running() == []


@pytest.mark.parametrize("middleware", [(), (Middleware(Passing),)], ids=["plain", "middleware"])
@on_each_loop
async def test_starlette_is_told_of_the_disconnect(http: Any, middleware: Any) -> None:
    """Also while it sends nothing."""
    notes = Notes()
    async with client(starlette(notes, *middleware)) as http_client:
        async with http_client.stream("GET", "/silent") as response:
            assert await anext(response.aiter_raw()) == b"one"
        assert (notes, await left_running()) == (["silent ends"], [])


@on_each_loop
async def test_starlette_polls_for_the_disconnect(http: Any) -> None:
    """It asks for messages in a cancelled scope, also where the body has not arrived yet."""
    notes = Notes()

    async def pieces() -> AsyncIterator[bytes]:
        while not notes:  # a poll would take it, and drop it
            await sleep(0.001)
        yield b"body"

    async with client(starlette(notes)) as http_client:
        response = await http_client.post("/polling?short", content=pieces())
        assert (response.content, notes) == (b"body", ["polled"])
        assert await cancelled_after(0.03, lambda: http_client.get("/polling"))
        assert await left_running() == []


@on_each_loop
async def test_starlette_and_a_body_that_breaks_off(http: Any) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        yield b"one"
        raise ConnectionError("of the caller")

    notes = Notes()
    async with client(starlette(notes)) as http_client:
        with pytest.raises(ConnectionError, match="of the caller"):
            await http_client.post("/upload", content=pieces())
    assert notes == ["one", "disconnect"]


@on_each_loop
async def test_starlette_background_tasks(http: Any) -> None:
    """They are done when the response is."""
    notes = Notes()
    async with client(starlette(notes)) as http_client:
        assert (await http_client.get("/background")).text == "done soon"
        assert notes == ["background"]


@on_each_loop
async def test_starlette_exceptions(http: Any) -> None:
    """It answers them, and raises them afterwards."""
    async with client(starlette(Notes())) as http_client:
        with pytest.raises(ValueError, match="of the endpoint"):
            await http_client.get("/fail")
    async with client(starlette(Notes()), raise_app_exceptions=False) as http_client:
        response = await http_client.get("/fail")
        assert (response.status_code, response.text) == (500, "Internal Server Error")


@on_each_loop
async def test_starlette_lifespan(http: Any) -> None:
    notes = Notes()
    async with client(starlette(notes), lifespan=True) as http_client:
        assert notes == ["startup"]
        assert (await http_client.get("/show")).json()["state"] == "open"
    assert notes == ["startup", "shutdown"]


@on_each_loop
async def test_starlette_lifespan_that_fails(http: Any) -> None:
    @contextlib.asynccontextmanager
    async def lifespan(app: Starlette) -> AsyncIterator[None]:
        raise ValueError("no database")
        yield

    app = Starlette(lifespan=lifespan)
    with pytest.raises(ValueError, match="no database"):
        async with client(app, lifespan=True):
            pass
    with pytest.raises(httpure.ConnectError, match="ValueError: no database"):
        async with client(app, lifespan=True, raise_app_exceptions=False):
            pass
    assert await left_running() == []


# Flask


def site() -> flask.Flask:
    app = flask.Flask(__name__)
    app.secret_key = "key"
    app.config["PROPAGATE_EXCEPTIONS"] = True

    @app.route("/show/<name>")
    def show(name: str) -> dict[str, Any]:
        request = flask.request
        return {
            "name": name,
            "url": request.url,
            "script_root": request.script_root,
            "args": request.args.to_dict(),
            "address": request.remote_addr,
            "visits": flask.session.get("visits", 0),
        }

    @app.route("/echo", methods=["POST"])
    def echo() -> bytes:
        return flask.request.get_data()

    @app.route("/form", methods=["POST"])
    def form() -> str:
        file = flask.request.files["file"]
        return f"{flask.request.form['name']} {file.filename} {file.read().decode()}"

    @app.route("/visit", methods=["POST"])
    def visit() -> Any:
        flask.session["visits"] = flask.session.get("visits", 0) + 1
        return flask.redirect("/show/again")

    @app.route("/events")
    def events() -> Any:
        def stream() -> Iterator[str]:
            try:
                while True:
                    yield f"data: {flask.request.path}\n\n"
            finally:
                app.config["closed"] = True

        return app.response_class(flask.stream_with_context(stream()), mimetype="text/event-stream")

    @app.route("/fail")
    def fail() -> str:
        raise ValueError("of the view")

    return app


def blocking_client(app: flask.Flask, **kwargs: Any) -> httpure.Client:
    return httpure.Client(
        transport=httpure.WSGITransport(app.wsgi_app, **kwargs),
        base_url="http://app.test",
        follow_redirects=True,
    )


def test_flask() -> None:
    with blocking_client(site(), remote_addr="192.0.2.7") as http:
        response = http.get("/show/K%C3%B6ln?q=%C3%A4")
        assert response.json() == {
            "name": "K\u00f6ln",
            "url": "http://app.test/show/K\u00f6ln?q=\u00e4",
            "script_root": "",
            "args": {"q": "\u00e4"},
            "address": "192.0.2.7",
            "visits": 0,
        }
        assert http.get("/missing").status_code == 404
        assert http.head("/show/x").headers["content-type"] == "application/json"
        assert http.options("/echo").headers["allow"]


def test_flask_mounted() -> None:
    """Whether the URL has the name of the script, as from outside, or not."""
    with blocking_client(site(), script_name="/site") as http:
        for path in "/site/show/x", "/show/x":
            shown = http.get(path).json()
            assert (shown["script_root"], shown["url"]) == ("/site", "http://app.test/site/show/x")


def test_flask_bodies() -> None:
    with blocking_client(site()) as http:
        assert http.post("/echo", content=b"bytes").content == b"bytes"
        assert http.post("/echo", content=iter([b"one ", b"two"])).content == b"one two"
        assert http.post("/echo", json={"a": 1}).json() == {"a": 1}
        response = http.post("/form", data={"name": "Ada"}, files={"file": ("notes.txt", b"content")})
        assert response.text == "Ada notes.txt content"


def test_flask_sessions() -> None:
    with blocking_client(site()) as http:
        for visits in 1, 2:
            response = http.post("/visit")
            assert (response.json()["visits"], len(response.history)) == (visits, 1)


def test_flask_stream_that_never_ends() -> None:
    app = site()
    with blocking_client(app) as http:
        with http.stream("GET", "/events") as response:
            lines = response.iter_lines()
            assert [next(lines) for _ in range(3)] == ["data: /events", "", "data: /events"]
        assert app.config["closed"]


def test_flask_exceptions() -> None:
    app = site()
    with blocking_client(app) as http:
        with pytest.raises(ValueError, match="of the view"):
            http.get("/fail")
    with blocking_client(app, raise_app_exceptions=False) as http:
        assert http.get("/fail").status_code == 500
