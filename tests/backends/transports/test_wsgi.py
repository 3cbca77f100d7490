"""`WSGITransport`: the environ, responses of every kind, errors, closing."""

from __future__ import annotations

import io
import sys
import wsgiref.validate
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import pytest

import httpure

StartResponse = Callable[..., Callable[[bytes], Any]]
Environ = dict[str, Any]
App = Callable[[Environ, StartResponse], Any]

URL = "http://app.test/"
TEXT = [("Content-Type", "text/plain")]


def client(app: App, **kwargs: Any) -> httpure.Client:
    return httpure.Client(transport=httpure.WSGITransport(app, **kwargs), base_url="http://app.test")


def returning(*pieces: bytes, status: str = "200 OK", headers: Any = TEXT) -> App:
    """An app that returns an iterator of these pieces."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response(status, headers)
        return iter(pieces)

    return app


def echo(environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", TEXT)
    return [environ["wsgi.input"].read()]


def environ_of(url: str = URL, method: str = "GET", kwargs: Any = None, **request: Any) -> Environ:
    """What an app sees of a request."""
    seen: list[Environ] = []

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        seen.append(environ)
        start_response("200 OK", TEXT)
        return []

    with client(app, **(kwargs or {})) as http:
        assert http.request(method, url, **request).status_code == 200
    return seen[0]


# The environ


def test_environ() -> None:
    environ = environ_of(
        "https://user:secret@B\u00fccher.test:8443/a%20b/\u00e4%ff?q=%20&x=1#fragment",
        "POST",
        {"remote_addr": "192.0.2.7"},
        headers=[
            ("X-One", "1"),
            ("x-one", "2"),
            ("X-Latin", b"\xe4"),
            ("Cookie", "a=1"),
            ("Cookie", "b=2"),
            ("Content-Type", "text/plain"),
            ("User-Agent", "test"),
        ],
        content=b"abc",
    )
    file = environ.pop("wsgi.input")
    assert file.read() == b"abc"
    authorization = environ.pop("HTTP_AUTHORIZATION")
    assert authorization.startswith("Basic ")
    assert environ.pop("HTTP_ACCEPT_ENCODING")
    assert type(environ) is dict
    assert environ == {
        "REQUEST_METHOD": "POST",
        "SCRIPT_NAME": "",
        "PATH_INFO": "/a b/\u00c3\u00a4\u00ff",  # the bytes, as ISO-8859-1
        "QUERY_STRING": "q=%20&x=1",
        "SERVER_NAME": "xn--bcher-kva.test",
        "SERVER_PORT": "8443",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "192.0.2.7",
        "CONTENT_TYPE": "text/plain",
        "CONTENT_LENGTH": "3",
        "HTTP_HOST": "xn--bcher-kva.test:8443",
        "HTTP_ACCEPT": "*/*",
        "HTTP_CONNECTION": "keep-alive",
        "HTTP_USER_AGENT": "test",
        "HTTP_X_ONE": "1, 2",
        "HTTP_X_LATIN": "\u00e4",
        "HTTP_COOKIE": "a=1; b=2",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "https",
        "wsgi.input_terminated": True,
        "wsgi.errors": sys.stderr,
        "wsgi.multithread": True,
        "wsgi.multiprocess": False,
        "wsgi.run_once": False,
    }


@pytest.mark.parametrize(
    ("url", "port"),
    [("http://app.test", "80"), ("https://app.test", "443"), ("http://app.test:8000", "8000")],
)
def test_port(url: str, port: str) -> None:
    assert environ_of(url)["SERVER_PORT"] == port


def test_ipv6_address() -> None:
    """In brackets (RFC 3875 section 4.1.14)."""
    assert environ_of("http://[::1]:8000/")["SERVER_NAME"] == "[::1]"


@pytest.mark.parametrize(
    ("script_name", "path", "expected"),
    [
        ("", "/a/b", "/a/b"),
        ("/a", "/a/b", "/b"),
        ("/a/", "/a/b", "/b"),
        ("/a", "/a", ""),
        ("/a", "/ab", "/ab"),
        ("/a", "/b", "/b"),
        ("/\u00c3\u00a4", "/%C3%A4/b", "/b"),
    ],
)
def test_script_name(script_name: str, path: str, expected: str) -> None:
    """Both together are the path, if it begins so; and else the app is asked as if it did."""
    environ = environ_of(path, kwargs={"script_name": script_name})
    assert (environ["SCRIPT_NAME"], environ["PATH_INFO"]) == (script_name, expected)


def test_target() -> None:
    environ = environ_of("/url", extensions={"target": b"/raw%2Fpath?q=1"})
    assert (environ["PATH_INFO"], environ["QUERY_STRING"]) == ("/raw/path", "q=1")


def test_errors_file() -> None:
    errors = io.StringIO()
    assert environ_of(kwargs={"wsgi_errors": errors})["wsgi.errors"] is errors


@pytest.mark.parametrize("url", ["/path", "ftp://app.test/", "https:///path"])
def test_url_that_no_app_serves(url: str) -> None:
    with httpure.Client(transport=httpure.WSGITransport(echo)) as http:
        with pytest.raises((httpure.UnsupportedProtocol, httpure.InvalidURL)) as caught:
            http.get(url)
    if isinstance(caught.value, httpure.UnsupportedProtocol):
        assert "base_url" in str(caught.value) and caught.value.request.method == "GET"


@pytest.mark.parametrize("method", ["GET", "POST", "HEAD"])
def test_validated(method: str) -> None:
    """By the standard library's referee, who looks at both sides. It knows what GET and HEAD have no body of."""

    def app(environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        content = environ["wsgi.input"].read(100)
        lines = environ["wsgi.input"].readlines()
        start_response("200 OK", TEXT)
        return [] if method == "HEAD" else [content, *lines]

    body = {"content": [b"a\nb", b"\nc"]} if method == "POST" else {}
    with client(wsgiref.validate.validator(app)) as http:
        response = http.request(method, "/path?query", **body)  # type: ignore[arg-type]
        assert (response.status_code, response.content) == (200, b"a\nb\nc" if body else b"")


# The request's body


def test_body_as_a_file() -> None:
    """All that a file can do, of a body in memory and of one that comes in pieces."""
    content = b"one\ntwo\nthree\nfour"

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        file = environ["wsgi.input"]
        assert file.read(2) == b"on"
        assert file.readline() == b"e\n"
        assert file.readline(2) == b"tw"
        assert next(iter(file)) == b"o\n"
        assert file.readlines() == [b"three\n", b"four"]
        assert file.read() == file.read(5) == file.readline() == b""
        start_response("200 OK", TEXT)
        return [b"right"]

    with client(app) as http:
        for body in content, io.BytesIO(content), [content[i : i + 3] for i in range(0, len(content), 3)]:
            assert http.post("/", content=body).text == "right"


def test_body_is_read_when_the_app_reads() -> None:
    given = []

    def pieces() -> Iterator[bytes]:
        for number in range(3):
            given.append(number)
            yield b"x" * 100_000

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        assert given == []
        assert len(environ["wsgi.input"].read(100)) == 100
        assert given == [0]
        start_response("200 OK", TEXT)
        yield b"%d" % len(environ["wsgi.input"].read())

    with client(app) as http:
        assert http.post("/", content=pieces()).text == "299900"


def test_body_without_a_length_ends() -> None:
    environ = environ_of(method="POST", content=iter([b"x"]))
    assert environ["HTTP_TRANSFER_ENCODING"] == "chunked" and "CONTENT_LENGTH" not in environ
    assert environ["wsgi.input_terminated"] is True


def test_body_that_nobody_reads_is_closed() -> None:
    closed = []

    def pieces() -> Iterator[bytes]:
        try:
            yield b"x" * 100
            yield b"x" * 100
        finally:
            closed.append(True)

    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        environ["wsgi.input"].read(1)
        start_response("200 OK", TEXT)
        return []

    with client(app) as http:
        http.post("/", content=pieces())
        assert closed == [True]


class CallersError(Exception):
    pass


def failing() -> Iterator[bytes]:
    yield b"one"
    raise CallersError("of the body")


@pytest.mark.parametrize("raising", [True, False])
def test_body_that_raises(raising: bool) -> None:
    """The caller's error is the caller's, whether the app lets it through, answers it, or meets it late."""

    def careful(environ: Environ, start_response: StartResponse) -> list[bytes]:
        try:
            return echo(environ, start_response)
        except CallersError:
            start_response("500 Oh", TEXT, sys.exc_info())
            return [b"never seen"]

    def late(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("200 OK", TEXT)
        yield b"first"
        try:
            yield environ["wsgi.input"].read()
        except CallersError:
            yield b"never seen"

    for app in echo, careful, late:
        with client(app, raise_app_exceptions=raising) as http:
            with pytest.raises(CallersError, match="of the body"):
                http.post("/", content=failing())


def test_body_of_an_iterator_that_cannot_be_closed() -> None:
    class Stream(httpure.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            return iter([b"a", b"", b"b"])

    with client(echo) as http:
        assert http.post("/", content=Stream()).content == b"ab"


def test_asynchronous_body() -> None:
    class Stream(httpure.AsyncByteStream):
        pass

    request = httpure.Request("POST", URL, stream=Stream())
    with pytest.raises(RuntimeError, match="can only be read asynchronously"):
        httpure.WSGITransport(echo).handle_request(request)


def test_body_of_wrong_pieces() -> None:
    class Stream(httpure.SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield "text"  # type: ignore[misc]

    with client(echo) as http:
        with pytest.raises(TypeError, match="of type str"):
            http.post("/", content=Stream())


# The response


def test_response() -> None:
    headers = [*TEXT, ("X-A", "1"), ("X-A", "2"), ("X-Latin", "\u00e4")]
    with client(returning(b"Hel", b"", b"lo", status="299 Quite fine", headers=headers)) as http:
        response = http.get("/")
    assert (response.status_code, response.reason_phrase, response.text) == (299, "Quite fine", "Hello")
    assert response.http_version == "HTTP/1.1"
    assert response.headers.raw[1:] == [(b"X-A", b"1"), (b"X-A", b"2"), (b"X-Latin", b"\xe4")]
    assert response.request.url == URL
    assert response.elapsed.total_seconds() >= 0


def test_without_a_client() -> None:
    with httpure.WSGITransport(echo) as transport:
        response = transport.handle_request(httpure.Request("POST", URL, content=b"abc"))
        assert response.read() == b"abc"


def test_status_without_a_reason() -> None:
    with client(returning(status="404")) as http:
        response = http.get("/")
    assert (response.status_code, response.extensions["reason_phrase"], response.content) == (404, b"", b"")


def test_start_response_by_a_generator() -> None:
    """It runs when it is first asked for a piece."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("201 Created", TEXT)
        yield b""
        yield b"one"
        yield b"two"

    def empty(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        start_response("204 No Content", [])
        yield from ()

    with client(app) as http:
        response = http.get("/")
        assert (response.status_code, response.content) == (201, b"onetwo")
    with client(empty) as http:
        response = http.get("/")
        assert (response.status_code, response.content) == (204, b"")


def test_body_as_it_comes() -> None:
    """An endpoint that never ends can be read."""
    made = 0

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        nonlocal made
        start_response("200 OK", [("Content-Type", "text/event-stream")])
        while True:
            made += 1
            yield b"data: %d\n\n" % made

    with client(app) as http:
        with http.stream("GET", "/") as response:
            lines = [line for line, _ in zip(response.iter_lines(), range(3), strict=False)]
            assert lines == ["data: 1", "", "data: 2"]
            assert made == 2
        with pytest.raises(httpure.StreamClosed):
            next(iter(response.stream))  # type: ignore[arg-type]


def test_write() -> None:
    """The callable that `start_response` returns: what it gets comes first."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        write = start_response("200 OK", TEXT)
        write(b"one ")
        write(b"")
        write(b"two ")
        return later(write)

    def later(write: Callable[[bytes], Any]) -> Iterator[bytes]:
        yield b"three "
        write(b"four ")
        yield b"five"

    with client(app) as http:
        assert http.get("/").text == "one two three four five"


def test_head() -> None:
    """The body is not asked for, and what was returned is closed."""
    result = Closable(b"one", b"two")
    with client(lambda environ, start_response: (start_response("200 OK", TEXT), result)[1]) as http:
        response = http.head("/")
        assert (response.status_code, response.content, result.log) == (200, b"", ["one", "closed"])


class Closable:
    """An iterable with a `close()`."""

    def __init__(self, *pieces: bytes, error: Exception | None = None) -> None:
        self.pieces = pieces
        self.error = error
        self.log: list[str] = []

    def __iter__(self) -> Iterator[bytes]:
        for piece in self.pieces:
            if piece == b"error":
                raise AppsError
            self.log.append(piece.decode())
            yield piece

    def close(self) -> None:
        self.log.append("closed")
        if self.error is not None:
            raise self.error


def closable_app(result: Closable) -> App:
    def app(environ: Environ, start_response: StartResponse) -> Closable:
        start_response("200 OK", TEXT)
        return result

    return app


def test_close_is_called_once() -> None:
    result = Closable(b"one", b"two")
    with client(closable_app(result)) as http:
        assert http.get("/").content == b"onetwo"
        assert result.log == ["one", "two", "closed"]
        result.log.clear()
        with http.stream("GET", "/") as response:
            assert next(response.iter_raw()) == b"one"
        assert result.log == ["one", "closed"]
        response.stream.close()  # type: ignore[union-attr]
        assert result.log == ["one", "closed"]


def test_close_is_called_after_an_error() -> None:
    result = Closable(b"one", b"error")
    with client(closable_app(result)) as http:
        with pytest.raises(AppsError):
            http.get("/")
    assert result.log == ["one", "closed"]
    result = Closable(b"one", error=ValueError("of close"))
    with client(closable_app(result)) as http:
        with pytest.raises(ValueError, match="of close"):
            http.get("/")
    with client(closable_app(result), raise_app_exceptions=False) as http:
        assert http.get("/").content == b"one"
    assert result.log == ["one", "closed"] * 2


# What an app raises


class AppsError(Exception):
    pass


def raising_at_once(environ: Environ, start_response: StartResponse) -> list[bytes]:
    raise AppsError


def raising_after_the_start(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    raise AppsError
    yield b""


def raising_in_the_middle(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
    start_response("200 OK", TEXT)
    yield b"part"
    raise AppsError


def test_exceptions() -> None:
    for app in raising_at_once, raising_after_the_start, raising_in_the_middle:
        with client(app) as http:
            with pytest.raises(AppsError):
                http.get("/")
    with client(raising_in_the_middle) as http:
        with http.stream("GET", "/") as response:
            pieces = response.iter_raw()
            assert next(pieces) == b"part"
            with pytest.raises(AppsError):
                next(pieces)


def test_exceptions_that_are_not_raised() -> None:
    """The answer is that of a server; a response that is not whole is an error there, too."""
    for app in raising_at_once, raising_after_the_start:
        with client(app, raise_app_exceptions=False) as http:
            response = http.get("/")
            assert (response.status_code, response.content, str(response.request.url)) == (500, b"", URL)
    with client(raising_in_the_middle, raise_app_exceptions=False) as http:
        with pytest.raises(
            httpure.RemoteProtocolError, match="failed in the middle of its response"
        ) as caught:
            http.get("/?secret")
    assert isinstance(caught.value.__cause__, AppsError)
    assert "secret" not in str(caught.value)


@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit])
def test_exceptions_that_are_always_raised(kind: type[BaseException]) -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        raise kind

    with client(app, raise_app_exceptions=False) as http:
        with pytest.raises(kind):
            http.get("/")


def answering(environ: Environ, start_response: StartResponse) -> list[bytes]:
    """An app that answers an exception itself, and tells of it; having begun another answer before."""
    start_response("200 OK", TEXT)
    try:
        raise AppsError
    except AppsError:
        start_response("500 Oh", [("X-Failed", "yes")], sys.exc_info())
    return [b"sorry"]


def test_exceptions_that_the_app_answers() -> None:
    with client(answering) as http:
        with pytest.raises(AppsError):
            http.get("/")
    with client(answering, raise_app_exceptions=False) as http:
        response = http.get("/")
        assert (response.status_code, response.content) == (500, b"sorry")
        assert response.headers == {"X-Failed": "yes"}


@pytest.mark.parametrize("writing", [True, False])
@pytest.mark.parametrize("raising", [True, False])
def test_exceptions_that_the_app_answers_too_late(writing: bool, raising: bool) -> None:
    """When the response is on its way, `start_response` raises the exception again (PEP 3333)."""

    def app(environ: Environ, start_response: StartResponse) -> Iterator[bytes]:
        write = start_response("200 OK", TEXT)
        if writing:
            write(b"part")
        else:
            yield b"part"
        try:
            raise AppsError
        except AppsError:
            start_response("500 Oh", TEXT, sys.exc_info())
        yield b"never seen"

    with client(app, raise_app_exceptions=raising) as http:
        if writing and not raising:
            assert http.get("/").status_code == 500
        else:
            with pytest.raises(AppsError if raising else httpure.RemoteProtocolError):
                http.get("/")


def test_exc_info_of_nothing() -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response("200 OK", TEXT, sys.exc_info())
        return [b"fine"]

    with client(app) as http:
        assert http.get("/").text == "fine"


def wrong_start(*arguments: Any) -> App:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        start_response(*arguments)
        return []

    return app


def starting_twice(environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", TEXT)
    start_response("200 OK", TEXT)
    return []


def writing_text(environ: Environ, start_response: StartResponse) -> list[bytes]:
    start_response("200 OK", TEXT)("text")  # type: ignore[arg-type]
    return []


WRONG: dict[str, tuple[App, str]] = {
    "no start": (lambda environ, start_response: [], "has not called start_response"),
    "late start": (lambda environ, start_response: [b"x"], "gave a body before it called start_response"),
    "two starts": (starting_twice, "called start_response twice"),
    "number as status": (wrong_start(200, []), "gave the status 200, which is not like '200 OK'"),
    "no status": (wrong_start("OK", []), "gave the status 'OK'"),
    "status with more": (wrong_start("2000 OK", []), "gave the status '2000 OK'"),
    "small status": (wrong_start("099 OK", []), "gave the status '099 OK'"),
    "no headers": (wrong_start("200 OK", None), "gave headers that are none"),
    "header of bytes": (wrong_start("200 OK", [(b"X", b"1")]), "b'X' and its value must be str"),
    "header beyond": (
        wrong_start("200 OK", [("X", "\u20ac secret")]),
        "'X' and its value must be str, of ISO-8859-1",
    ),
    "header with line": (wrong_start("200 OK", [("X", "1\r\nsecret")]), "CR, LF or NUL, at position 1"),
    "header name": (wrong_start("200 OK", [("X Y", "1")]), "'X Y' is not a token"),
    "nothing": (lambda environ, start_response: None, "returned NoneType, which is no iterable of bytes"),
    "bytes": (lambda environ, start_response: b"body", "returned bytes instead of an iterable of bytes"),
    "text": (lambda environ, start_response: "body", "returned str instead of an iterable of bytes"),
    "piece of text": (returning("text"), "a piece of its body of type str instead of bytes"),  # type: ignore[arg-type]
    "piece of nothing": (returning(None), "of type NoneType"),  # type: ignore[arg-type]
    "later piece of text": (returning(b"x", "text"), "of type str"),  # type: ignore[arg-type]
    "text written": (writing_text, "of type str"),
}


@pytest.mark.parametrize("raising", [True, False])
@pytest.mark.parametrize("swallowing", [True, False])
@pytest.mark.parametrize("case", WRONG)
def test_apps_that_break_the_rules(case: str, raising: bool, swallowing: bool) -> None:
    """The caller is told, whatever the app does with the error."""
    inner, expected = WRONG[case]

    def app(environ: Environ, start_response: StartResponse) -> Any:
        if not swallowing:
            return inner(environ, start_response)
        try:
            return inner(environ, start_response)
        except httpure.RemoteProtocolError:
            return []

    with client(app, raise_app_exceptions=raising) as http:
        with pytest.raises(httpure.RemoteProtocolError) as caught:
            http.get("/?token=secret")
    assert str(caught.value).startswith("The WSGI app ") and expected in str(caught.value)
    assert str(caught.value).endswith("in answer to GET http://app.test/")
    assert "secret" not in str(caught.value)
    assert caught.value.request.url.query == b"token=secret"


# What the client does around it


def test_redirects_cookies_auth_base_url() -> None:
    def app(environ: Environ, start_response: StartResponse) -> list[bytes]:
        if environ["PATH_INFO"] == "/api/login":
            start_response("303 See Other", [("Location", "home"), ("Set-Cookie", "session=1; Path=/")])
            return []
        if environ.get("HTTP_AUTHORIZATION") != "Basic YWRhOmxvdmU=":
            start_response("401 Unauthorized", [])
            return []
        start_response("200 OK", TEXT)
        return [environ["PATH_INFO"].encode(), b" ", environ.get("HTTP_COOKIE", "no cookie").encode()]

    with httpure.Client(
        transport=httpure.WSGITransport(app),
        base_url="http://app.test/api",
        auth=("ada", "love"),
        follow_redirects=True,
    ) as http:
        response = http.post("login", data={"name": "ada"})
        assert response.text == "/api/home session=1"
        assert [each.status_code for each in response.history] == [303]
        assert http.get("home", auth=None).status_code == 401


def test_a_hook_that_raises_closes_the_response() -> None:
    result = Closable(b"one", b"two")

    def hook(response: httpure.Response) -> None:
        raise CallersError

    with client(closable_app(result)) as http:
        http.event_hooks = {"response": [hook]}
        with pytest.raises(CallersError):
            http.get("/")
    assert result.log == ["one", "closed"]


def test_asynchronous_client() -> None:
    with pytest.raises(TypeError, match="asynchronous transport"):
        httpure.AsyncClient(transport=httpure.WSGITransport(echo))  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="blocking transport"):
        httpure.Client(transport=httpure.ASGITransport(echo))  # type: ignore[arg-type]
