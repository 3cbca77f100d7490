"""What stands in the fields of a response."""

from __future__ import annotations

import calendar
import re
import time
from collections.abc import Hashable
from typing import Any

import httpure
from httpure_core.auth.challenges import parse_challenges
from httpure_core.content.text import LineDecoder, TextDecoder
from httpure_core.models.cookie_syntax import parse_cookie_date, parse_set_cookie, split_cookie_header
from httpure_core.models.links import parse_links
from httpure_core.retries import Outcome, wait_asked_for

from .target import cut, target

__all__: list[str] = []

CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
SECRET = "hush-hush"
#: The most that a client keeps and sends of cookies.
MOST_COOKIES = 50
LONGEST_COOKIE_HEADER = 8192


def response(
    *fields: tuple[bytes, bytes], content: bytes = b"", url: str = "http://a.example/x/y"
) -> httpure.Response:
    """Return a response as it would come from a server; fields that no server gets through are left out."""
    wire = [(name, re.sub(rb"[\x00\r\n]", b"", value)) for name, value in fields]
    return httpure.Response(200, headers=wire, content=content, request=httpure.Request("GET", url))


@target(
    [
        b"a=b",
        b"id=1; Path=/x; Domain=a.example; Secure; HttpOnly; SameSite=Lax; Max-Age=60",
        b'a=b; Expires=Wed, 21 Oct 2026 07:28:00 GMT\nc="d e"; Domain=.example\n=x; path=x\n__Host-a=b; Secure; Path=/',
    ],
    [
        b";",
        b"=",
        b"; Domain=",
        b"example",
        b"a.example",
        b"; Path=/",
        b"; Max-Age=",
        b"; Expires=",
        b"__Secure-",
        b"\n",
        b"\xe9",
        b" ",
    ],
)
def set_cookie(data: bytes) -> Hashable:
    """Set-Cookie fields, one on a line: what is kept of them can be sent, and read again, and is not too much."""
    lines = data.split(b"\n")
    cookies = httpure.Cookies()
    cookies.extract_cookies(response(*[(b"Set-Cookie", line) for line in lines]))
    assert len(cookies.jar) <= MOST_COOKIES
    sent = []
    for url in ("http://a.example/x/z", "https://b.a.example/", "http://example/", "http://evil.example/x/y"):
        request = httpure.Request("GET", url)
        cookies.set_cookie_header(request)
        header = request.headers.get("Cookie", "")
        assert len(header) <= LONGEST_COOKIE_HEADER
        assert not CONTROLS.search(header)
        assert not (header and url.startswith("http://e")), f"{header!r} is none of {url}"
        sent.append(bool(header))
        for name, pair in split_cookie_header(header):
            assert len(pair) <= 4097 * 4
            assert not name or pair.startswith(name)
    kept = 0
    for line in lines:
        cookie = parse_set_cookie(line.decode("latin-1"))
        if cookie is not None:
            kept += 1
            again = parse_set_cookie(f"{cookie.name}={cookie.value}")
            assert again is not None and again[:2] == cookie[:2], f"{again} instead of {cookie}"
    return (*sent, min(kept, 3), len(cookies.jar) > 1)


@target(
    [
        b"Wed, 21 Oct 2026 07:28:00 GMT",
        b"Wednesday, 21-Oct-26 07:28:00 GMT",
        b"Wed Oct 21 07:28:00 2026",
        b"29 Feb 2000 0:0:0",
    ],
    [b"Feb", b"29", b"1600", b"1601", b"99", b"69", b":", b"23:59:60", b"24:00:00", b"12:0", b"31", b"Apr"],
)
def date(data: bytes) -> Hashable:
    """A date of a cookie: seconds, the day and the time of which were in the text."""
    text = data.decode("latin-1")
    seconds = parse_cookie_date(text)
    if seconds is None:
        return None
    day = time.gmtime(seconds) if abs(seconds) < 1 << 38 else None
    assert day is not None, "a year without four digits"
    assert calendar.timegm(day) == seconds
    numbers = {int(number) for number in re.findall(r"[0-9]{1,4}", text)}
    assert {day.tm_mday, day.tm_hour, day.tm_min, day.tm_sec} <= numbers
    assert day.tm_year in numbers or day.tm_year % 100 in numbers
    return day.tm_year > 2000, day.tm_mon


@target(
    [
        b'Digest realm="r", nonce="n", qop="auth, auth-int", algorithm=SHA-256, opaque="o"',
        b'Basic realm="x", Digest realm=r, nonce=n, algorithm=MD5-sess, userhash=true, stale=true\nNegotiate YWJj==',
        b'Digest realm="\\"q\\\\", nonce="", charset=UTF-8, domain="/a http://b/c", qop=auth',
    ],
    [
        b'"',
        b"\\",
        b",",
        b"=",
        b" ",
        b"Digest ",
        b"realm=",
        b"nonce=",
        b"qop=",
        b"auth-int",
        b"algorithm=",
        b"SHA-512-256",
        b"MD5-sess",
        b"\xe9",
    ],
)
def digest(data: bytes) -> Hashable:
    """WWW-Authenticate, one on a line: answered with one line that holds no secret, or refused with a typed error."""
    lines = [(b"WWW-Authenticate", line) for line in re.sub(rb"[\x00\r]", b"", data).split(b"\n")]
    challenges = parse_challenges(response(*lines).headers.get_list("WWW-Authenticate"))
    assert all(re.fullmatch(r"[!#$%&'*+.^_`|~0-9a-z-]+", each.scheme) for each in challenges)
    flow = httpure.DigestAuth("user\xe9", SECRET).auth_flow(
        httpure.Request("POST", "http://a.example/x?y", content=b"z")
    )
    next(flow)
    answer = response(*lines)
    answer.status_code = 401
    try:
        request = flow.send(answer)
    except StopIteration:
        return None
    except httpure.RemoteProtocolError as exc:
        assert SECRET not in str(exc)
        return re.sub(r"'.*'", "#", str(exc))
    authorization = request.headers["Authorization"]
    assert authorization.startswith("Digest ") and not re.search("[\x00\r\n]", authorization)
    assert SECRET not in authorization
    sent = parse_challenges(authorization)
    assert len(sent) == 1 and sent[0].token68 is None, "it does not read as one set of parameters"
    for name in ("realm", "nonce", "opaque"):
        theirs = [each.parameters.get(name) or "" for each in challenges if each.scheme == "digest"]
        assert (sent[0].parameters.get(name) or "") in theirs, f"{name} is not the one of the challenge"
    return tuple(sorted(sent[0].parameters)), sent[0].parameters.get("algorithm")


@target(
    [
        b"<http://a/b>; rel=next",
        b'</x>; rel="prev last"; title="a, b; c", <y>;rel=z',
        b"<>",
        b"<a>;a=b;a=c,,<b>",
    ],
    [b"<", b">", b";", b",", b"=", b'"', b"\\", b"; rel=", b" "],
)
def links(data: bytes) -> Hashable:
    """A Link field: read without complaint, into texts that were in it."""
    data = re.sub(rb"[\x00\r\n]", b"", data)
    found = parse_links(data.decode("latin-1"))
    assert sum(len(name) + len(value) for link in found for name, value in link.items()) <= 4 * len(
        data
    ) + 8 * len(found)
    assert all("url" in link for link in found)
    by_relation = response((b"Link", data)).links
    assert len(by_relation) <= len(found)
    return min(len(found), 4), max([*map(len, found), 0]), len(by_relation)


@target(
    [
        b"text/html; charset=utf-8\n<p>\xc3\xa9\r\n\xff</p>",
        b'text/plain;charset="iso-8859-1"; x=y\na\rb\x85c\xe2\x80\xa8d',
        b'application/json\n[1, {"a": null}]',
        b"a/b; charset=utf-16\n\xff\xfea\x00\n\x00",
        b"a/b; charset=utf-7\n+AGE-",
        b"a/b; charset=shift_jis\n\x82\xa0\r",
        b"application/json\n" + b"[" * 18_000,
    ],
    [
        b"charset=",
        b'"',
        b";",
        b"utf-16",
        b"utf-32",
        b"utf-7",
        b"hz",
        b"iso-2022-kr",
        b"idna",
        b"base64",
        b"zlib",
        b"rot13",
        b"undefined",
        b"unicode_escape",
        b"mbcs",
        b"cp65001",
        b"utf-8-sig",
        b"big5hkscs",
        b"\xef\xbb\xbf",
        b"\r",
        b"[",
        b'{"a":',
        b"NaN",
        b"1e999",
        b"\\ud800",
    ],
)
def text(data: bytes) -> Hashable:
    """Content-Type and a body: text for any charset, the same however it is cut; JSON, or ValueError."""
    content_type, _, body = data.partition(b"\n")
    answer = response((b"Content-Type", content_type), content=body)
    whole = answer.text
    assert isinstance(whole, str)
    assert answer.encoding
    for pieces in cut(body, len(body)):
        decoder, lines = TextDecoder(answer.encoding), LineDecoder()
        came = [decoder.decode(piece) for piece in pieces] + [decoder.flush()]
        assert "".join(came) == whole
        read = [line for piece in came for line in lines.decode(piece)] + lines.flush()
        assert read == re.split("\r\n|\r|\n", whole)[: len(read)] and len("".join(read)) >= len(
            re.sub("[\r\n]", "", whole)
        )
    try:
        value = answer.json()
    except ValueError as exc:
        return answer.encoding, type(exc).__name__
    return answer.encoding, type(value).__name__


@target(
    [
        b"/y",
        b"https://b.example/",
        b"//b.example/x",
        b"http://user:pass@a.example/#f",
        b"?q",
        b"http://a.example:81/",
        b"ftp://a.example/",
        b".",
    ],
    [
        b"//",
        b"/",
        b":",
        b"@",
        b"\\",
        b"#",
        b"?",
        b"%",
        b"http:",
        b"https://",
        b"a.example",
        b".",
        b"..",
        b"\t",
        b" ",
        b"[::1]",
        b"\xe9",
        b"xn--",
    ],
)
def redirect(data: bytes) -> Hashable:
    """A Location: followed with the credentials only where the origin is the same, or a typed error."""
    asked: list[httpure.Request] = []

    def answer(request: httpure.Request) -> httpure.Response:
        asked.append(request)
        fields = [] if len(asked) > 1 else [(b"Location", re.sub(rb"[\x00\r\n]", b"", data))]
        return httpure.Response(200 if len(asked) > 1 else 302, headers=fields)

    secrets = {"Authorization": SECRET, "Cookie": f"a={SECRET}", "Host": "a.example"}
    with CLIENT as client:
        client.transport = httpure.MockTransport(answer)
        try:
            client.get("http://a.example/x", headers=secrets)
        except (httpure.RequestError, httpure.InvalidURL) as exc:
            assert SECRET not in str(exc)
            assert isinstance(exc, httpure.RequestError), f"{exc!r} is not the error of a request"
            return type(exc).__name__
    if len(asked) < 2:
        return None
    request = asked[1]
    assert request.url.scheme in ("http", "https") and request.url.host
    assert b"#" not in request.url.target
    same = request.url.origin == asked[0].url.origin
    secure = request.url.origin == ("https", "a.example", 443)
    assert same or secure or SECRET not in str(request.headers.raw), f"the secrets go to {request.url}"
    assert request.headers.get_list("Host") == [request.url.netloc.decode("ascii")]
    return same, request.url.scheme, request.url.port is None, bool(request.url.userinfo)


class _Following:
    """A client that is made once."""

    def __init__(self) -> None:
        self.transport: Any = None
        self._client = httpure.Client(
            transport=_Through(self), follow_redirects=True, trust_env=False, max_redirects=3
        )

    def __enter__(self) -> _Following:
        return self

    def __exit__(self, *reason: object) -> None:
        self._client.cookies.clear()

    def get(self, url: str, headers: dict[str, str]) -> httpure.Response:
        return self._client.get(url, headers=headers)


class _Through(httpure.BaseTransport):
    def __init__(self, following: _Following) -> None:
        self._following = following

    def handle_request(self, request: httpure.Request) -> httpure.Response:
        return self._following.transport.handle_request(request)  # type: ignore[no-any-return]


CLIENT = _Following()


@target(
    [b"120", b"0", b"Wed, 21 Oct 2026 07:28:00 GMT\nWed, 21 Oct 2026 07:27:00 GMT", b" 5 ", b"1.5"],
    [b"-", b"+", b"9999999999", b"99999999999", "\u0661".encode(), b"GMT", b"\n", b"1e9", b" ", b","],
)
def retry_after(data: bytes) -> Hashable:
    """Retry-After, and on a second line Date: seconds from nothing to for ever, or no answer."""
    after, _, date = data.partition(b"\n")
    seconds = wait_asked_for(response((b"Retry-After", after), (b"Date", date)), 1_000_000_000.0)
    assert seconds is None or seconds >= 0
    if re.fullmatch(rb"[0-9]{1,10}", after):
        assert seconds == int(after)
    waits = httpure.Retry(1, max_wait=60).decide(
        Outcome(
            1,
            httpure.Request("GET", "http://a.example/"),
            response=httpure.Response(503, headers=[(b"Retry-After", re.sub(rb"[\x00\r\n]", b"", after))]),
        )
    )
    assert waits is None or 0 <= waits <= 60
    return seconds is None, bool(seconds), seconds == float("inf"), waits is None
