"""Whatever is given for an argument: it works, or a TypeError, ValueError or InvalidURL says what is wrong.

Never the AttributeError, KeyError or RecursionError of something further in, and never words about `NoneType` without
the name of what is meant: the next to read them is not who wrote this library.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest

import httpure
from httpure_core.models import field

pytestmark = [pytest.mark.filterwarnings("ignore::DeprecationWarning")]


class Odd:
    """Nothing that anybody asks for."""


def generator() -> Iterator[str]:
    yield "a"


circle: list[Any] = []
circle.append(circle)
loop: dict[str, Any] = {}
loop["a"] = loop


@pytest.fixture(autouse=True)
def forget_what_is_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one client calls sensitive, no other shows either; the tests that follow want to see it."""
    monkeypatch.setattr(field, "_named", set())


#: Makes each value anew.
ODD: dict[str, Callable[[], Any]] = {
    "None": lambda: None,
    "bytes": lambda: b"x\xff",
    "text": lambda: "x",
    "empty text": lambda: "",
    "half a character": lambda: "\ud800",
    "NUL": lambda: "a\0b",
    "CR LF": lambda: "a\r\nb",
    "number": lambda: 7_000_000,
    "negative": lambda: -1,
    "huge": lambda: 10**400,
    "NaN": lambda: float("nan"),
    "infinity": lambda: float("inf"),
    "complex": lambda: 1j,
    "generator": generator,
    "object": Odd,
    "class": lambda: Odd,
    "function": lambda: lambda *_, **__: Odd(),
    "list": lambda: [1],
    "pair": lambda: (1, 2),
    "set": lambda: {1},
    "dict": lambda: {1: 2},
    "dict of objects": lambda: {"a": Odd()},
    "dict of lists of objects": lambda: {"a": [Odd()]},
    "dict of halves": lambda: {"\ud800": "\ud800"},
    "dict of None": lambda: {None: None},
    "list of triples": lambda: [("a", "b", "c")],
    "list of None": lambda: [(None, None)],
    "circle": lambda: circle,
    "loop": lambda: loop,
    "bytearray": lambda: bytearray(b"x"),
    "memoryview": lambda: memoryview(b"x"),
    "long text": lambda: "x" * 70_000,
}

#: What Python says by itself, and what tells nobody which argument it is.
UNHELPFUL = re.compile(
    r"codec can't|object is not|has no attribute|has no len|expected (str|string|bytes)|unhashable"
    r"|unsupported operand|unpack|cannot be interpreted|'[<>]' not supported|argument must|NoneType' object"
)
RIGHT = (TypeError, ValueError, httpure.InvalidURL)


def check(what: str, call: Callable[[Any], object]) -> None:
    """Call with each of the values, and see what it says."""
    wrong = []
    for kind, make in ODD.items():
        try:
            call(make())
        except RIGHT as exc:
            if UNHELPFUL.search(str(exc)) or len(str(exc)) < 15 or len(str(exc)) > 700:
                wrong.append(f"{what} with {kind}: {type(exc).__name__}: {exc!s:.300}")
        except Exception as exc:
            wrong.append(f"{what} with {kind}: {type(exc).__name__}: {exc!s:.300}")
    assert not wrong, "\n".join(wrong)


def handler(request: httpure.Request) -> httpure.Response:
    return httpure.Response(200, text="sound")


def mock() -> httpure.MockTransport:
    return httpure.MockTransport(handler)


def parameters(function: Callable[..., Any], *without: str) -> list[str]:
    """Return the names of those that can be given by name."""
    skipped = {"self", "args", "kwargs", *without}
    return [name for name in inspect.signature(function).parameters if name not in skipped]


@pytest.mark.parametrize("name", parameters(httpure.Client.__init__, "transport"))
def test_of_a_client(name: str) -> None:
    def use(value: Any) -> None:
        with httpure.Client(**{"transport": mock(), name: value}) as client:
            client.post("http://example.org/")

    check(f"Client({name}=)", use)


@pytest.mark.parametrize("name", parameters(httpure.AsyncClient.__init__, "transport"))
def test_of_an_async_client(name: str) -> None:
    check(
        f"AsyncClient({name}=)",
        lambda value: httpure.AsyncClient(**{"transport": mock(), name: value}).build_request(
            "GET", "http://a/"
        ),
    )


@pytest.mark.parametrize("name", parameters(httpure.Client.request))
def test_of_a_request_by_a_client(name: str) -> None:
    with httpure.Client(transport=mock()) as client:
        check(
            f"request({name}=)",
            lambda value: client.request(**{"method": "POST", "url": "http://example.org/", name: value}),
        )


ATTRIBUTES = [
    "base_url",
    "headers",
    "cookies",
    "params",
    "auth",
    "timeout",
    "event_hooks",
    "sensitive_headers",
]


@pytest.mark.parametrize("name", [*ATTRIBUTES, "max_redirects", "follow_redirects"])
def test_of_what_a_client_has(name: str) -> None:
    def use(value: Any) -> None:
        with httpure.Client(transport=mock()) as client:
            setattr(client, name, value)
            client.get("http://example.org/")

    check(f"client.{name}", use)


MADE: list[tuple[Any, dict[str, Any]]] = [
    (httpure.HTTPTransport, {}),
    (httpure.AsyncHTTPTransport, {}),
    (httpure.Request, {"method": "GET", "url": "http://example.org/"}),
    (httpure.Timeout, {"timeout": 5}),
    (httpure.Limits, {}),
    (httpure.Proxy, {"url": "http://proxy.example:1"}),
    (httpure.BasicAuth, {"username": "a", "password": "b"}),
    (httpure.DigestAuth, {"username": "a", "password": "b"}),
    (httpure.MockTransport, {}),
    (httpure.ASGITransport, {}),
    (httpure.WSGITransport, {}),
    (httpure.TLSConfig, {}),
]


@pytest.mark.parametrize(("kind", "others"), MADE, ids=lambda value: getattr(value, "__name__", ""))
def test_of_what_is_made(kind: Any, others: dict[str, Any]) -> None:
    for name in parameters(kind):
        check(f"{kind.__name__}({name}=)", lambda value, name=name: repr(kind(**{**others, name: value})))


@pytest.mark.parametrize("name", parameters(httpure.Response.__init__, "stream"))
def test_of_a_response(name: str) -> None:
    def use(value: Any) -> None:
        content = {} if name in ("content", "text", "html", "json") else {"content": b"\xff"}
        response = httpure.Response(**{"status_code": 200, **content, name: value})
        repr(response)
        if hasattr(response, "_content") and response._content is not None:
            assert isinstance(response.text, str)

    check(f"Response({name}=)", use)


@pytest.mark.parametrize("kind", [httpure.Headers, httpure.Cookies, httpure.QueryParams, httpure.URL])
def test_of_values(kind: Any) -> None:
    check(kind.__name__, lambda value: repr(kind(value)))


PARTS = ["scheme", "userinfo", "username", "password", "host", "port", "netloc", "path", "query", "fragment"]


@pytest.mark.parametrize("name", [*PARTS, "raw_path", "params"])
def test_of_a_url(name: str) -> None:
    url = httpure.URL("http://example.org/?a=1")
    check(f"URL({name}=)", lambda value: str(httpure.URL("http://example.org/", **{name: value})))
    check(f"copy_with({name}=)", lambda value: str(url.copy_with(**{name: value})))


CALLS: dict[str, Callable[[Any], object]] = {
    "URL.join": lambda value: httpure.URL("http://a/").join(value),
    "URL.copy_merge_params": lambda value: httpure.URL("http://a/").copy_merge_params(value),
    "URL.copy_set_param name": lambda value: httpure.URL("http://a/").copy_set_param(value, 1),
    "URL.copy_set_param value": lambda value: httpure.URL("http://a/").copy_set_param("a", value),
    "URL.copy_remove_param": lambda value: httpure.URL("http://a/").copy_remove_param(value),
    "QueryParams.get": lambda value: httpure.QueryParams("a=1").get(value),
    "QueryParams in": lambda value: value in httpure.QueryParams("a=1"),
    "QueryParams.add": lambda value: httpure.QueryParams("a=1").add(value, value),
    "QueryParams.remove": lambda value: httpure.QueryParams("a=1").remove(value),
    "QueryParams.merge": lambda value: httpure.QueryParams("a=1").merge(value),
    "Headers.get": lambda value: httpure.Headers({"a": "b"}).get(value),
    "Headers.get_list": lambda value: httpure.Headers({"a": "b"}).get_list(value),
    "Headers in": lambda value: value in httpure.Headers({"a": "b"}),
    "Headers ==": lambda value: httpure.Headers({"a": "b"}) == value,
    "Headers[] name": lambda value: httpure.Headers().__setitem__(value, "x"),
    "Headers[] value": lambda value: httpure.Headers().__setitem__("x", value),
    "Headers.update": lambda value: httpure.Headers().update(value),
    "Headers.encoding": lambda value: setattr(httpure.Headers(), "encoding", value),
    "Cookies.set name": lambda value: httpure.Cookies().set(value, "b"),
    "Cookies.set value": lambda value: httpure.Cookies().set("a", value),
    "Cookies.set domain": lambda value: httpure.Cookies().set("a", "b", domain=value),
    "Cookies.set path": lambda value: httpure.Cookies().set("a", "b", path=value),
    "Cookies.get domain": lambda value: httpure.Cookies({"a": "b"}).get("a", domain=value),
    "Cookies.get": lambda value: httpure.Cookies({"a": "b"}).get(value),
    "Cookies.update": lambda value: httpure.Cookies().update(value),
    "Response.encoding": lambda value: _text_in(value),
    "Response.iter_bytes": lambda value: list(httpure.Response(200, content=b"abc").iter_bytes(value)),
    "Response.iter_text": lambda value: list(httpure.Response(200, content=b"abc").iter_text(value)),
    "file": lambda value: _post(files={"f": value}),
    "file content": lambda value: _post(files={"f": ("name", value)}),
    "file name": lambda value: _post(files={"f": (value, b"x")}),
    "file type": lambda value: _post(files={"f": ("name", b"x", value)}),
    "file headers": lambda value: _post(files={"f": ("name", b"x", "text/plain", value)}),
    "form value": lambda value: _post(data={"a": value}),
    "header value": lambda value: _post(headers={"a": value}),
    "cookie value": lambda value: _post(cookies={"a": value}),
    "parameter value": lambda value: _post(params={"a": value}),
    "event hook": lambda value: httpure.Client(event_hooks={"request": [value]}),
    "event hooks": lambda value: httpure.Client(event_hooks={"request": value}),
    "mount": lambda value: httpure.Client(mounts={"all://": value}),
    "send": lambda value: httpure.Client(transport=mock()).send(value),
    "auth function": lambda value: _post(auth=lambda request: value),
    "sni_hostname": lambda value: _post(extensions={"sni_hostname": value}),
    "trace": lambda value: _post(extensions={"trace": value}),
    "informational": lambda value: _post(extensions={"informational": value}),
}


def _text_in(encoding: Any) -> str:
    response = httpure.Response(200, content=b"\xff")
    response.encoding = encoding
    return response.text


def _post(**arguments: Any) -> None:
    with httpure.Client(transport=mock()) as client:
        client.post("http://example.org/", **arguments)


@pytest.mark.parametrize("what", CALLS)
def test_of_calls(what: str) -> None:
    check(what, CALLS[what])


def test_a_charset_that_nobody_knows() -> None:
    """Both classes: that of httpx's users, and that of bad values."""
    for kind in (LookupError, ValueError):
        with pytest.raises(kind, match="Text cannot be in 'x-none', which is no charset that is read here"):
            _text_in("x-none")


def test_what_cannot_be_read_of_a_netrc_file() -> None:
    for file in (5, True, 1.5, b"x", [1]):
        with pytest.raises(TypeError, match="The netrc file is given by its path, not"):
            httpure.NetRCAuth(file)  # type: ignore[arg-type]
    with pytest.raises(OSError):
        httpure.NetRCAuth("/nonexistent/netrc")
