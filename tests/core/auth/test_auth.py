"""Auth as a generator, Basic, functions, and what `auth=` takes."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import AsyncIterator, Generator, Iterator
from typing import Any

import httpx
import pytest

from httpure_core.auth import Auth, BasicAuth, DigestAuth, FunctionAuth, build_auth, userinfo_auth
from httpure_core.content.streams import AsyncByteStream, ByteStream, SyncByteStream
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL


def run_sync(auth: Auth, request: Request, *responses: Response) -> list[Request]:
    flow = auth.sync_auth_flow(request)
    sent = [next(flow)]
    for response in responses:
        try:
            sent.append(flow.send(response))
        except StopIteration:
            break
    flow.close()
    return sent


def run_async(auth: Auth, request: Request, *responses: Response) -> list[Request]:
    async def run() -> list[Request]:
        flow = auth.async_auth_flow(request)
        sent = [await flow.__anext__()]
        for response in responses:
            try:
                sent.append(await flow.asend(response))
            except StopAsyncIteration:
                break
        await flow.aclose()
        return sent

    return asyncio.run(run())


class Body(SyncByteStream, AsyncByteStream):
    def __iter__(self) -> Iterator[bytes]:
        yield b"body"

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"body"


class Twice(Auth):
    requires_request_body = True
    requires_response_body = True
    finished = False

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        try:
            request.headers["X-Body"] = request.content.decode()
            response = yield request
            request.headers["X-Answer"] = response.text
            yield request
        finally:
            self.finished = True


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_bodies_are_read_where_the_scheme_asks_for_them(run: Any) -> None:
    auth = Twice()
    request = Request("POST", "https://example.org/", stream=Body())
    sent = run(auth, request, Response(401, stream=Body()), Response(200, stream=Body()))
    assert len(sent) == 2
    assert (request.headers["X-Body"], request.headers["X-Answer"]) == ("body", "body")
    assert auth.finished


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_a_flow_that_is_abandoned_is_closed(run: Any) -> None:
    auth = Twice()
    run(auth, Request("GET", "https://example.org/"))
    assert auth.finished


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_the_plain_scheme_sends_the_request_as_it_is(run: Any) -> None:
    request = Request("GET", "https://example.org/")
    assert run(Auth(), request, Response(200)) == [request]
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("run", [run_sync, run_async])
def test_a_flow_without_a_request_is_an_error(run: Any) -> None:
    class Empty(Auth):
        def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
            yield from ()

    with pytest.raises(RuntimeError, match=r"Empty.auth_flow\(\) yielded no request"):
        run(Empty(), Request("GET", "https://example.org/"))


@pytest.mark.parametrize(
    ("username", "password", "header"),
    [
        ("Aladdin", "open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        (b"Aladdin", b"open sesame", "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        ("test", "123£", "Basic dGVzdDoxMjPCow=="),  # RFC 7617 section 2.1
        ("", "", "Basic Og=="),
    ],
)
def test_basic(username: Any, password: Any, header: str) -> None:
    [request] = run_sync(BasicAuth(username, password), Request("GET", "https://example.org/"), Response(200))
    assert request.headers["Authorization"] == header


def test_basic_takes_text_and_bytes_only() -> None:
    with pytest.raises(TypeError, match="not int") as caught:
        BasicAuth("user", 12345)  # type: ignore[arg-type]
    assert "12345" not in str(caught.value)


def test_a_function_changes_the_request() -> None:
    def sign(request: Request) -> Request:
        request.headers["X-Signed"] = "yes"
        return request

    [request] = run_sync(FunctionAuth(sign), Request("GET", "https://example.org/"), Response(200))
    assert request.headers["X-Signed"] == "yes"


@pytest.mark.parametrize(
    ("url", "header"),
    [
        ("https://example.org/", None),
        ("https://@example.org/", None),
        ("https://:@example.org/", None),
        ("https://user@example.org/", "Basic dXNlcjo="),
        ("https://us%40er:pa%20ss@example.org/", "Basic dXNAZXI6cGEgc3M="),
        ("https://:secret@example.org/", "Basic OnNlY3JldA=="),
    ],
)
def test_credentials_of_a_url(url: str, header: str | None) -> None:
    auth = userinfo_auth(URL(url))
    assert (auth is None) == (header is None)
    if auth is not None:
        [request] = run_sync(auth, Request("GET", "https://example.org/"), Response(200))
        assert request.headers["Authorization"] == header


def test_what_auth_takes() -> None:
    auth = Auth()
    assert build_auth(None) is None
    assert build_auth(auth) is auth
    assert isinstance(build_auth(("user", b"pass")), BasicAuth)
    assert isinstance(build_auth(lambda request: request), FunctionAuth)


@pytest.mark.parametrize("wrong", ["user:hush", ["user", "hush"], ("hush",), ("u", "hush", "x"), 7, ("u", 7)])
def test_what_auth_does_not_take(wrong: Any) -> None:
    with pytest.raises(TypeError) as caught:
        build_auth(wrong)
    assert "hush" not in str(caught.value) and str(caught.value)


def test_no_secret_is_shown() -> None:
    for auth in (BasicAuth("user", "hush"), DigestAuth("user", "hush")):
        assert "hush" not in repr(auth)


@pytest.mark.parametrize("name", ["Auth", "FunctionAuth", "BasicAuth", "DigestAuth"])
def test_signatures_are_those_of_httpx(name: str) -> None:
    import httpure_core.auth as ours

    theirs = {"FunctionAuth": httpx._auth.FunctionAuth}.get(name) or getattr(httpx, name)
    for method in ("__init__", "auth_flow", "sync_auth_flow", "async_auth_flow"):
        if name == "Auth" and method == "__init__":
            continue
        expected = inspect.signature(getattr(theirs, method)).parameters
        actual = inspect.signature(getattr(getattr(ours, name), method)).parameters
        assert [(p.name, p.kind, p.default) for p in actual.values()] == [
            (p.name, p.kind, p.default) for p in expected.values()
        ]


def test_a_body_in_memory_needs_no_reading() -> None:
    assert isinstance(Request("POST", "https://example.org/", content=b"x").stream, ByteStream)


def test_what_is_imported_late() -> None:
    """All that the package names is there; nothing else is."""
    from httpure_core import auth

    for name in auth.__all__:
        assert name == "AuthTypes" or getattr(auth, name).__name__ == name
    with pytest.raises(AttributeError, match="has no attribute 'Nothing'"):
        _ = auth.Nothing  # type: ignore[attr-defined]
