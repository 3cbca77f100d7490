"""Each option, by what the server gets and what is shown of its answer."""

from __future__ import annotations

import base64
import json
import os
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import httpure
from tests.peers import Answer, Call, RealNetwork, Site

from .calling import Calling


class Server:
    """Answers every call with `answer(call)`; `calls` are what it got."""

    def __init__(self, network: RealNetwork) -> None:
        self.answer: Callable[[Call], Answer] = lambda call: Answer(
            200, b"hello", [("Content-Type", "text/plain")]
        )
        self._site = Site(lambda call: self.answer(call))
        self.url = f"http://127.0.0.1:{network.listen(self._site)}"

    @property
    def calls(self) -> list[Call]:
        return self._site.calls

    @property
    def call(self) -> Call:
        """The only one."""
        (call,) = self._site.calls
        return call


@pytest.fixture
def server(network: RealNetwork) -> Server:
    return Server(network)


def test_get(httpure_cli: Calling, server: Server, backend: str) -> None:
    outcome = httpure_cli(server.url, "--backend", backend)
    assert outcome.code == 0
    assert outcome.lines == ["HTTP/1.1 200", "Content-Type: text/plain", "Content-Length: 5", "", "hello"]
    assert (server.call.method, server.call.target) == ("GET", "/")


@pytest.mark.parametrize(
    ("arguments", "method"),
    [
        ((), "GET"),
        (("-m", "DELETE"), "DELETE"),
        (("--method", "purge"), "PURGE"),
        (("-c", "x"), "POST"),
        (("-c", ""), "POST"),
        (("-j", "0"), "POST"),
        (("-j", "null"), "POST"),
        (("-d", "a", "b"), "POST"),
        (("-d", "a", "b", "-m", "PUT"), "PUT"),
        (("-c", "x", "-m", "GET"), "GET"),
    ],
)
def test_method(httpure_cli: Calling, server: Server, arguments: tuple[str, ...], method: str) -> None:
    assert httpure_cli(server.url, *arguments).code == 0
    assert server.call.method == method


def test_params(httpure_cli: Calling, server: Server) -> None:
    assert httpure_cli(f"{server.url}/?x=%7e", "-p", "a", "1", "--params", "a", "zwei & drei").code == 0
    assert server.call.target == "/?x=%7e&a=1&a=zwei+%26+drei"


def test_headers_and_cookies(httpure_cli: Calling, server: Server) -> None:
    options = ("-h", "X-One", "1", "--headers", "X-One", "2", "-h", "User-Agent", "me")
    assert httpure_cli(server.url, *options, "--cookies", "a", "b", "--cookies", "c", "d").code == 0
    assert [value for name, value in server.call.fields if name == "x-one"] == ["1", "2"]
    assert server.call.field("user-agent") == "me"
    assert server.call.field("cookie") == "a=b; c=d"


@pytest.mark.parametrize(
    ("arguments", "body", "content_type"),
    [
        (("-c", "grün"), "grün".encode(), None),
        (("-j", '{"a": 1.10, "b": "ü"}'), '{"a":1.10,"b":"ü"}'.encode(), "application/json"),
        (("-j", "null"), b"null", "application/json"),
        (("-j", "[]", "-h", "content-type", "application/x+json"), b"[]", "application/x+json"),
        (
            ("-d", "a", "1", "-d", "a", "2", "-d", "b", "ü"),
            b"a=1&a=2&b=%C3%BC",
            "application/x-www-form-urlencoded",
        ),
        (("-i", "-"), b"from stdin", None),
    ],
)
def test_bodies(
    httpure_cli: Calling,
    server: Server,
    arguments: tuple[str, ...],
    body: bytes,
    content_type: str | None,
    backend: str,
) -> None:
    outcome = httpure_cli(server.url, *arguments, "--backend", backend, input=b"from stdin")
    assert outcome.code == 0, outcome.err
    assert server.call.body == body
    assert server.call.field("content-type") == content_type


def test_input_file(httpure_cli: Calling, server: Server, tmp_path: Path) -> None:
    path = tmp_path / "body.bin"
    path.write_bytes(b"\0\xff" * 1000)
    assert httpure_cli(server.url, "--input", str(path)).code == 0
    assert server.call.body == path.read_bytes()
    assert server.call.field("content-length") == "2000"


def test_files(httpure_cli: Calling, server: Server, tmp_path: Path, backend: str) -> None:
    path = tmp_path / "bild.png"
    path.write_bytes(b"\x89PNG")
    options = ("-f", "a", str(path), "-f", "b", "-", "-d", "c", "d", "--backend", backend)
    assert httpure_cli(server.url, *options, input=b"piped").code == 0
    body = server.call.body
    assert b'name="a"; filename="bild.png"\r\nContent-Type: image/png\r\n\r\n\x89PNG\r\n' in body
    assert b'name="b"; filename="stdin"\r\n' in body and b"\r\n\r\npiped\r\n" in body
    assert b'name="c"\r\n\r\nd\r\n' in body


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("-c", "x", "-j", "1"), "--content and --json"),
        (("-j", "1", "-d", "a", "b"), "--data and --json"),
        (("-c", "x", "-i", "-", "-d", "a", "b"), "--content and --input and --data"),
    ],
)
def test_two_bodies(httpure_cli: Calling, arguments: tuple[str, ...], words: str) -> None:
    outcome = httpure_cli("http://127.0.0.1:1", *arguments)
    assert outcome.code == 2
    assert f"Only one of {words} can be the body." in outcome.err


def credentials(call: Call) -> str:
    kind, _, value = (call.field("authorization") or "").partition(" ")
    assert kind == "Basic"
    return base64.b64decode(value).decode()


def test_auth(httpure_cli: Calling, server: Server) -> None:
    assert httpure_cli(server.url, "--auth", "me", "geheim").code == 0
    assert credentials(server.call) == "me:geheim"


def test_auth_asks_for_the_password(httpure_cli: Calling, server: Server) -> None:
    """On standard error: standard output may go to another program."""
    outcome = httpure_cli(server.url, "--auth", "me", "-", input=b"geheim\n")
    assert outcome.code == 0
    assert credentials(server.call) == "me:geheim"
    assert "Password:" in outcome.err
    assert "geheim" not in outcome.out + outcome.err
    assert outcome.lines[0].startswith("HTTP/1.1 200")


def test_auth_without_a_password(httpure_cli: Calling) -> None:
    assert httpure_cli("http://127.0.0.1:1", "--auth", "me", "-", input=b"").code == 130


def test_redirects(httpure_cli: Calling, server: Server, backend: str) -> None:
    """Each head is shown, and the last body."""
    server.answer = lambda call: (
        Answer(302, b"moved", [("Location", "/there")]) if call.path == "/" else Answer(200, b"there")
    )
    outcome = httpure_cli(server.url, "--backend", backend)
    assert outcome.code == 1
    assert outcome.lines[0].startswith("HTTP/1.1 302")
    assert outcome.body == "moved\n"
    outcome = httpure_cli(server.url, "--follow-redirects", "--backend", backend)
    assert outcome.code == 0
    assert outcome.lines == [
        *("HTTP/1.1 302", "Location: /there", "Content-Length: 5", ""),
        *("HTTP/1.1 200", "Content-Length: 5", "", "there"),
    ]


@pytest.mark.parametrize(("status", "code"), [(200, 0), (204, 0), (304, 1), (404, 1), (500, 1)])
def test_exit_code(httpure_cli: Calling, server: Server, status: int, code: int) -> None:
    server.answer = lambda call: Answer(status)
    assert httpure_cli(server.url).code == code


def test_timeout(httpure_cli: Calling, server: Server, backend: str) -> None:
    server.answer = lambda call: Answer(200, delay=1.0)
    outcome = httpure_cli(server.url, "--timeout", "0.02", "--backend", backend)
    assert outcome.code == 1
    assert outcome.err.startswith("ReadTimeout: Nothing was received for 0.02 s")
    assert outcome.out == ""


@pytest.mark.parametrize("seconds", ["0", "-1", "nan", "soon"])
def test_timeouts_that_are_none(httpure_cli: Calling, seconds: str) -> None:
    outcome = httpure_cli("http://127.0.0.1:1", "--timeout", seconds)
    assert outcome.code == 2
    assert "--timeout" in outcome.err


def test_no_timeout(httpure_cli: Calling, server: Server) -> None:
    assert httpure_cli(server.url, "--timeout", "inf").code == 0


class Given:
    """Takes the place of the client, and keeps what it was made with."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.arguments: dict[str, Any] = {}
        monkeypatch.setattr("httpure._cli.exchange.Client", self)

    def __call__(self, **arguments: Any) -> httpure.Client:
        self.arguments = arguments
        return httpure.Client(transport=httpure.MockTransport(lambda request: httpure.Response(200)))


@pytest.mark.parametrize(
    ("arguments", "given"),
    [
        ((), {"verify": True, "timeout": 5.0}),
        (("--no-verify",), {"verify": False, "timeout": 5.0}),
        (("--http2",), {"verify": True, "timeout": 5.0, "http2": True}),
        (("--timeout", "inf"), {"verify": True, "timeout": None}),
    ],
)
def test_what_a_client_is_given(
    httpure_cli: Calling,
    monkeypatch: pytest.MonkeyPatch,
    arguments: tuple[str, ...],
    given: dict[str, Any],
) -> None:
    client = Given(monkeypatch)
    assert httpure_cli("https://server.test/", *arguments).code == 0
    assert {
        name: value for name, value in client.arguments.items() if name not in ("backend", "event_hooks")
    } == given


def test_a_client_that_cannot_be_made(httpure_cli: Calling, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(**arguments: Any) -> None:
        raise ValueError("This goes with nothing.")

    monkeypatch.setattr("httpure._cli.exchange.Client", refuse)
    outcome = httpure_cli("https://server.test/")
    assert outcome.code == 2
    assert "Error: This goes with nothing." in outcome.err


def test_proxy(httpure_cli: Calling, server: Server, backend: str) -> None:
    outcome = httpure_cli("http://server.test/a", "--proxy", server.url, "--backend", backend)
    assert outcome.code == 0
    assert server.call.target == "http://server.test/a"


def test_a_proxy_that_is_none(httpure_cli: Calling) -> None:
    for url in ("ftp://me:geheim@proxy.test", "http://me:geheim@[::1"):
        outcome = httpure_cli("http://server.test/", "--proxy", url)
        assert outcome.code == 2
        assert "Invalid value for '--proxy'" in outcome.err
        assert "geheim" not in outcome.err


def test_body_only(httpure_cli: Calling, server: Server, backend: str) -> None:
    """In a pipe: the bytes, whatever they are, and nothing else."""
    server.answer = lambda call: Answer(
        200, [b"\x89P", b"NG\0"], [("Content-Type", "image/png")], chunked=True
    )
    for option in ("-b", "--body"):
        outcome = httpure_cli(server.url, option, "--backend", backend)
        assert (outcome.code, outcome.raw, outcome.err) == (0, b"\x89PNG\0", "")


def test_body_only_stays_bytes_with_colours(
    httpure_cli: Calling, server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    server.answer = lambda call: Answer(200, b'{"a":1}', [("Content-Type", "application/json")])
    assert httpure_cli(server.url, "--body").raw == b'{"a":1}'


def test_json_is_laid_out(httpure_cli: Calling, server: Server) -> None:
    server.answer = lambda call: Answer(200, b'{"a":{"b":[]}}', [("Content-Type", "application/json")])
    assert httpure_cli(server.url).body == '{\n    "a": {\n        "b": []\n    }\n}\n'


def test_unicode(httpure_cli: Calling, server: Server) -> None:
    text = "Zwölf Boxkämpfer · 世界 · 🜁\n"
    server.answer = lambda call: Answer(200, text.encode(), [("Content-Type", "text/html")])
    outcome = httpure_cli(server.url + "/ü", "-d", "ä", "世")
    assert outcome.body == text
    assert server.call.target == "/%C3%BC"


def test_old_fields_of_latin_1(httpure_cli: Calling, network: RealNetwork) -> None:
    from tests.peers import CLOSE, scripted

    answer = b"HTTP/1.1 200 OK\r\nX: gr\xfcn\r\nY: gr\xc3\xbcn\r\nContent-Length: 0\r\n\r\n"
    port = network.listen(scripted([answer, CLOSE]))
    assert httpure_cli(f"http://127.0.0.1:{port}").lines[1:3] == ["X: grün", "Y: grün"]


# What is none of it.


def test_backend_by_name(httpure_cli: Calling) -> None:
    outcome = httpure_cli("http://127.0.0.1:1", "--backend", "carrier-pigeon")
    assert outcome.code == 2
    assert "carrier-pigeon" in outcome.err and "sockets" in outcome.err and "trio" in outcome.err


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Missing argument 'URL'"),
        (("http://[::1",), "IPv6"),
        (("http://127.0.0.1:1", "--no-such"), "--no-such"),
        (("http://127.0.0.1:1", "-j", "{"), "This is no JSON"),
        (("http://127.0.0.1:1", "-h", "bad name", "x"), "bad name"),
        (("http://127.0.0.1:1", "-h", "X", "a\nb"), "x"),
        (("http://127.0.0.1:1", "-m", "bad method"), "bad method"),
        (("http://127.0.0.1:1", "-i", "/no/such/file"), "/no/such/file"),
        (("http://127.0.0.1:1", "--resume"), "--download"),
    ],
)
def test_what_you_typed_makes_no_request(
    httpure_cli: Calling, arguments: tuple[str, ...], words: str
) -> None:
    outcome = httpure_cli(*arguments)
    assert outcome.code == 2
    assert words in outcome.err
    assert outcome.out == ""


@pytest.mark.parametrize(
    ("url", "kind"),
    [
        ("http://127.0.0.1:1", "ConnectError"),
        ("ftp://server.test", "UnsupportedProtocol"),
        ("server.test", "UnsupportedProtocol"),
    ],
)
def test_errors(httpure_cli: Calling, url: str, kind: str, backend: str) -> None:
    outcome = httpure_cli(url, "--backend", backend)
    assert outcome.code == 1
    assert outcome.err.startswith(f"{kind}: ")
    assert outcome.err.count("\n") == 1
    assert outcome.out == ""


def test_a_body_that_is_cut(httpure_cli: Calling, network: RealNetwork, backend: str) -> None:
    """What came is shown, and then the error."""
    from tests.peers import CLOSE, scripted

    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: 10\r\n\r\n"
    port = network.listen(scripted([head + b"half", CLOSE]))
    outcome = httpure_cli(f"http://127.0.0.1:{port}", "--backend", backend)
    assert outcome.code == 1
    assert outcome.body == "half"
    assert outcome.err.startswith("RemoteProtocolError: ")


@pytest.mark.skipif(sys.platform == "win32", reason="no /dev/fd")
def test_a_body_that_cannot_be_sent_twice(httpure_cli: Calling, server: Server, backend: str) -> None:
    """A pipe is gone when it was read, and the redirect wants it again."""
    server.answer = lambda call: Answer(307, b"", [("Location", "/there")])
    reading, writing = os.pipe()
    os.write(writing, b"once")
    os.close(writing)
    try:
        options = ("-i", f"/dev/fd/{reading}", "--follow-redirects", "--backend", backend)
        outcome = httpure_cli(server.url, *options)
    finally:
        os.close(reading)
    assert server.call.body == b"once"
    assert outcome.code == 1
    assert outcome.err.startswith("StreamConsumed: ")


def test_ctrl_c(httpure_cli: Calling, monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*arguments: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("httpure._cli.call.carry_out", interrupted)
    outcome = httpure_cli("http://127.0.0.1:1")
    assert (outcome.code, outcome.out, outcome.err) == (130, "", "")


def test_a_password_in_the_url_is_in_no_error(httpure_cli: Calling) -> None:
    outcome = httpure_cli("http://me:geheim@127.0.0.1:1")
    assert outcome.code == 1
    assert "geheim" not in outcome.err


# Backends that others wrote.


class Blocking:
    name = "mine"

    def __init__(self) -> None:
        from httpure.sockets import Backend

        self._real = Backend()

    def __getattr__(self, name: str) -> Any:
        if name in ("offload", "run"):
            raise AttributeError(name)
        return getattr(self._real, name)


@pytest.fixture
def installed(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Any]]:
    """What is put into the list is the backend called "mine"."""
    backends: list[Any] = []
    monkeypatch.setattr("httpure.backends.find_backend", lambda name: backends[0])
    yield backends


def test_a_blocking_backend_of_ones_own(httpure_cli: Calling, server: Server, installed: list[Any]) -> None:
    installed.append(Blocking())
    assert httpure_cli(server.url, "--backend", "mine").code == 0


def test_an_async_backend_of_ones_own(httpure_cli: Calling, server: Server, installed: list[Any]) -> None:
    import asyncio

    from httpure.asyncio import Backend

    class Mine(Backend):
        name = "mine"

    installed.append(Mine())
    outcome = httpure_cli(server.url, "--backend", "mine")
    assert outcome.code == 2
    assert "run(function)" in outcome.err
    Mine.run = lambda self, function: asyncio.run(function())  # type: ignore[attr-defined]
    assert httpure_cli(server.url, "--backend", "mine").code == 0


def test_a_backend_that_cannot_be_imported(httpure_cli: Calling, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(name: str) -> None:
        raise ImportError("No module named 'gone'")

    monkeypatch.setattr("httpure.backends.find_backend", fail)
    outcome = httpure_cli("http://127.0.0.1:1", "--backend", "mine")
    assert outcome.code == 2
    assert "'mine' cannot be loaded: No module named 'gone'" in " ".join(outcome.err.split())


def test_against_the_test_server(httpure_cli: Calling, local_server: Any) -> None:
    outcome = httpure_cli(f"{local_server.url}/post", "-d", "name", "ada", "-d", "name", "grace")
    assert outcome.code == 0
    assert json.loads(outcome.body)["form"] == {"name": ["ada", "grace"]}
