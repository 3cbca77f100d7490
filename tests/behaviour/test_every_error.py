"""Every class of the tree of errors is met on every backend, and its message says what happened and where."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

import httpure
from tests.peers import CLOSE, RESET, Answer, Channel, Deaf, Peer, Site, scripted

from .world import AnyClient, World

Scenario = Callable[[World, AnyClient], Awaitable[object]]

#: For each class: how it is met, and what its message must say.
PROVOKED: dict[type[Exception], tuple[Scenario, str]] = {}


def provokes(kind: type[Exception], message: str) -> Callable[[Scenario], Scenario]:
    """Mark how an error is met. `message` is a regular expression for the whole of its text."""

    def mark(scenario: Scenario) -> Scenario:
        assert kind not in PROVOKED
        PROVOKED[kind] = (scenario, message)
        return scenario

    return mark


def serving(http: World, **answer: Any) -> str:
    return http.serve(Site(lambda call: Answer(**answer)))


@provokes(
    httpure.ConnectTimeout,
    r"No connection was made within 0\.2 s \(the connect timeout\).* TLS .*, GET https://.*/; allow more.*",
)
async def connect_timeout(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted()).replace("http:", "https:"), timeout=0.2)


@provokes(
    httpure.ReadTimeout, r"Nothing was received for 0\.02 s \(the read timeout\), GET http://.*/path; allow.*"
)
async def read_timeout(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted()) + "/path?key=hidden", timeout=httpure.Timeout(5, read=0.02))


@provokes(
    httpure.WriteTimeout, r"Nothing could be sent for 0\.02 s \(the write timeout\), POST http://.*/; allow.*"
)
async def write_timeout(http: World, client: AnyClient) -> None:
    await client.post(http.serve(Deaf), content=b"x" * 16_000_000, timeout=httpure.Timeout(5, write=0.02))


@provokes(
    httpure.PoolTimeout,
    r"No connection .* free within 0\.02 s \(the pool timeout\), GET http://.*:1/; .*Limits.*",
)
async def pool_timeout(http: World, client: AnyClient) -> None:
    url = serving(http, body=[b"x", b"y"], pause=0.2)
    async with client.stream("GET", url), client.stream("GET", url):
        await client.get("http://127.0.0.1:1/", timeout=httpure.Timeout(5, pool=0.02))


@provokes(
    httpure.ConnectError, r"Could not connect to 127\.0\.0\.1 \(127.*: Connection refused\), GET http://.*/"
)
async def connect_error(http: World, client: AnyClient) -> None:
    await client.get(f"http://127.0.0.1:{http.free_port()}/?key=hidden")


@provokes(
    httpure.ResolveError,
    r"Could not look up the host name 'nonexistent\.invalid' \(.+\), GET http://nonexistent\.invalid/",
)
async def resolve_error(http: World, client: AnyClient) -> None:
    await client.get("http://nonexistent.invalid/?key=hidden")


@provokes(
    httpure.TLSError,
    r"Could not make a TLS connection to 127\.0\.0\.1 \(.+\), GET https://.*/; if that port speaks no TLS, .*",
)
async def tls_error(http: World, client: AnyClient) -> None:
    await client.get(serving(http, status=200).replace("http:", "https:") + "/?key=hidden")


@provokes(
    httpure.CertificateError,
    r"Could not make a TLS .* 127\.0\.0\.1 \(its certificate is not trusted: .* not known here\), GET https://.*/; "
    r"if you trust that authority, say so with verify=ssl\.create_default_context\(cafile=\.\.\.\).*",
)
async def certificate_error(http: World, client: AnyClient) -> None:
    await client.get(http.serve(Site(lambda call: Answer(200)), tls=True) + "/?key=hidden")


@provokes(httpure.ReadError, r"The connection was lost: Connection reset by peer, GET http://.*/")
async def read_error(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([RESET])))


class TakesNothing(Peer):
    """Reads nothing of what it is sent, and breaks off."""

    def connected(self, channel: Channel) -> None:
        channel.pause()
        channel.call_later(0.03, channel.reset)


@provokes(httpure.WriteError, r"The connection was lost.*, POST http://.*/")
async def write_error(http: World, client: AnyClient) -> None:
    await client.post(http.serve(TakesNothing), content=http.body([b"x" * 65536] * 200, pause=0.001))


@provokes(httpure.CloseError, "the cable is cut")
async def close_error(http: World, client: AnyClient) -> None:
    """Closing never fails with us; a transport of somebody else may say that it did."""

    def cut(request: httpure.Request) -> httpure.Response:
        raise httpure.CloseError("the cable is cut")

    async with http.client(transport=httpure.MockTransport(cut)) as other:
        await other.get("http://example.org")


@provokes(httpure.LocalProtocolError, r".*Content-Length.*2.*")
async def local_protocol_error(http: World, client: AnyClient) -> None:
    await client.post(serving(http, status=200), content=http.body([b"x"]), headers={"Content-Length": "2"})


@provokes(
    httpure.RemoteProtocolError, r"The server closed the connection before its response.*, GET http://.*/"
)
async def remote_protocol_error(http: World, client: AnyClient) -> None:
    await client.get(http.serve(scripted([CLOSE])))


@provokes(httpure.ProxyError, r".*127\.0\.0\.1:[0-9]+.*403 Not today.*, GET https://example\.org/")
async def proxy_error(http: World, client: AnyClient) -> None:
    proxy = http.serve(scripted([b"HTTP/1.1 403 Not today\r\nContent-Length: 2\r\n\r\nno"]))
    proxy = proxy.replace("http://", "http://user:hidden@")
    async with http.client(proxy=proxy) as other:
        await other.get("https://example.org/?key=hidden")


@provokes(
    httpure.UnsupportedProtocol, r"The URL's scheme is 'ftp', and only 'http' and 'https' are supported.*"
)
async def unsupported_protocol(http: World, client: AnyClient) -> None:
    await client.get("ftp://user:hidden@127.0.0.1/")


@provokes(httpure.DecodingError, r".*gzip.*")
async def decoding_error(http: World, client: AnyClient) -> None:
    await client.get(serving(http, body=b"x", fields=[("Content-Encoding", "gzip")]))


@provokes(
    httpure.BodyTooLarge,
    r"The body has more than 5 bytes \(max_body\), 6 as its Content-Length says, GET http://.*/; allow more with .*",
)
async def body_too_large(http: World, client: AnyClient) -> None:
    limits = httpure.Limits(max_body=5)
    await client.get(serving(http, body=b"hidden") + "/?key=hidden", extensions={"limits": limits})


@provokes(
    httpure.HeadTooLarge,
    r"The head of the response has 1,001 fields, and 1,000 are allowed: .*Limits\(max_fields=\.\.\.\), GET http://.*/",
)
async def head_too_large(http: World, client: AnyClient) -> None:
    answer = b"HTTP/1.1 200 OK\r\n" + b"Set-Cookie: hidden\r\n" * 1001 + b"Content-Length: 0\r\n\r\n"
    await client.get(http.serve(scripted([answer])) + "/?key=hidden")


@provokes(httpure.TooManyRedirects, r"More than 20 redirects were followed, GET http://.*/.*max_redirects.*")
async def too_many_redirects(http: World, client: AnyClient) -> None:
    url = serving(http, status=302, fields=[("Location", "/?key=hidden")])
    await client.get(url, follow_redirects=True)


@provokes(httpure.HTTPStatusError, r"Client error '404 Not Found' for url 'http://[^?]*/path'\nFor more .*")
async def status_error(http: World, client: AnyClient) -> None:
    (await client.get(serving(http, status=404) + "/path?key=hidden")).raise_for_status()


@provokes(httpure.InvalidURL, r"Port '99999' is not between 0 and 65535\.")
async def invalid_url(http: World, client: AnyClient) -> None:
    await client.get("http://user:hidden@127.0.0.1:99999/")


@provokes(httpure.CookieConflict, r".*'flavour'.*domain.*path.*")
async def cookie_conflict(http: World, client: AnyClient) -> None:
    fields = [("Set-Cookie", "flavour=hidden; Path=/"), ("Set-Cookie", "flavour=hidden; Path=/sub")]
    await client.get(serving(http, status=200, fields=fields) + "/sub/page")
    client.itself.cookies["flavour"]


@provokes(httpure.StreamConsumed, r".*read.*only once.*")
async def stream_consumed(http: World, client: AnyClient) -> None:
    async with client.stream("GET", serving(http, body=b"text")) as response:
        for _ in range(2):
            async for _piece in http.pieces(response, "iter_raw"):
                pass


@provokes(httpure.StreamClosed, r".*closed.*`with` block.*")
async def stream_closed(http: World, client: AnyClient) -> None:
    async with client.stream("GET", serving(http, body=b"text")) as response:
        pass
    await http.read(response)


@provokes(httpure.ResponseNotRead, r".*\.read\(\).*")
async def response_not_read(http: World, client: AnyClient) -> None:
    async with client.stream("GET", serving(http, body=b"text")) as response:
        response.text  # noqa: B018


@provokes(httpure.RequestNotRead, r".*\.read\(\).*")
async def request_not_read(http: World, client: AnyClient) -> None:
    client.itself.build_request("POST", "http://example.org", content=http.body([b"x"])).content  # noqa: B018


#: What the classes above say to programs, too. A broken pipe and a reset are a matter of chance.
REASONS = {
    httpure.ResolveError: "resolve",
    httpure.ConnectError: "refused",
    httpure.TLSError: "tls",
    httpure.CertificateError: "certificate",
    httpure.ReadError: "reset",
    httpure.WriteError: "reset",
    httpure.RemoteProtocolError: "closed",
}


#: Before these, no byte of the request has left.
UNSENT = (
    httpure.ConnectError,
    httpure.ConnectTimeout,
    httpure.PoolTimeout,
    httpure.ProxyError,
    httpure.UnsupportedProtocol,
)


def tree() -> list[type[Exception]]:
    """Return every exception that `httpure` offers."""
    public = (getattr(httpure, name) for name in httpure.__all__)
    return [
        value
        for value in public
        if isinstance(value, type) and issubclass(value, Exception) and not issubclass(value, Warning)
    ]


def test_the_tree_is_provoked_whole() -> None:
    """Each class, or one below it."""
    assert [kind for kind in tree() if not any(issubclass(provoked, kind) for provoked in PROVOKED)] == []


@pytest.mark.parametrize("kind", PROVOKED, ids=lambda kind: kind.__name__)
async def test_error(http: World, kind: type[Exception]) -> None:
    scenario, message = PROVOKED[kind]
    async with http.client(limits=httpure.Limits(max_connections=2)) as client:
        with pytest.raises(kind) as caught:
            await scenario(http, client)
        assert type(caught.value) is kind
        text = str(caught.value)
        assert re.fullmatch(message, text, re.DOTALL), text
        assert "hidden" not in text
        if isinstance(caught.value, httpure.TransportError):
            assert caught.value.reason == REASONS.get(type(caught.value))
        if issubclass(kind, httpure.RequestError):
            sent = None if kind is httpure.CloseError else not issubclass(kind, UNSENT)
            assert caught.value.request_sent is sent  # type: ignore[attr-defined]
        if issubclass(kind, httpure.HTTPError):
            assert caught.value.request.url.host in ("127.0.0.1", "example.org", "nonexistent.invalid")  # type: ignore[attr-defined]
        assert (await client.get(serving(http, body=b"sound"))).text == "sound"
