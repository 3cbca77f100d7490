"""What a user gives, or the environment."""

from __future__ import annotations

import re
from collections.abc import Hashable
from typing import Any
from urllib.parse import urlsplit

import httpure
from httpure_core.auth.netrc import NotNetRC, parse_netrc
from httpure_core.config.environment import proxies_from_environment
from httpure_core.config.options import Proxy
from httpure_core.config.patterns import URLPattern
from httpure_core.models.url import URL

from .target import target

__all__: list[str] = []

SECRET = "hush-hush"


def no_values(text: object) -> str:
    """Return the text of an error as far as it is the same for all of its kind."""
    return re.sub(r"'.*'|\".*\"|[0-9]+", "#", str(text))[:30]


URL_WORDS = [
    *(
        b"http://",
        b"https://",
        b"//",
        b"/",
        b":",
        b"@",
        b"?",
        b"#",
        b"%",
        b"%00",
        b"%2f",
        b"%2e",
        b"\\",
        b"[::1]",
        b"[",
        b"]",
    ),
    *(
        b":80",
        b":443",
        b":0",
        b":65536",
        b"..",
        b"./",
        b"xn--",
        b"xn--bcher-kva",
        "bücher".encode(),
        "\u3002".encode(),
    ),
    *(
        "\uff21".encode(),
        "ß".encode(),
        "\u200d".encode(),
        "\u0661".encode(),
        b"\t",
        b" ",
        b"127.0.0.1",
        b"0x7f.1",
        b"1.2.3",
    ),
    *(
        b"[fe80::1%25eth0]",
        b"+",
        b"&",
        b"=",
        b";",
        b"a" * 300,
        b"example.org",
        b"user:pass@",
        b"\xf0\x9f\x98\x80",
    ),
]


@target(
    [
        b"http://example.org/a/b?c=d&e=f#g",
        b"https://user:p%40ss@example.org:8443/%7Ea/./../b%2Fc",
        "http://b\xfccher.example/\xe9?\xe9#\xe9".encode(),
        b"http://[2001:db8::1]:80/\n../x",
        b"//a/b\n?q",
        b"mailto:a@b",
        b"/a b/%zz\n//c\\d@e/",
        b"http://127.0.0.1/\nhttp:g",
    ],
    URL_WORDS,
)
def url(data: bytes) -> Hashable:
    """A URL, and on a second line one that is relative to it: the same when it is read again, here and elsewhere."""
    first, _, second = data.decode("utf-8", "replace").partition("\n")
    try:
        base = URL(first)
    except httpure.InvalidURL as exc:
        assert str(exc)
        return no_values(exc)
    sound(base)
    for method in ("join",) if second else ():
        try:
            joined = getattr(base, method)(second)
        except httpure.InvalidURL as exc:
            return "joined", no_values(exc)
        sound(joined)
    return (
        base.scheme in ("http", "https"),
        bool(base.host),
        base.port is None,
        bool(base.userinfo),
        bool(base.query),
    )


def sound(one: URL) -> None:
    """See that a URL means one thing only."""
    text = str(one)
    again = URL(text)
    assert (again, str(again)) == (one, text), f"{text!r} becomes {again!s}"
    assert text.isascii() and not re.search(r"[\x00-\x20\x7f\"<>]", text), f"{text!r}"
    assert not re.search(rb"[\x00-\x20\x7f-\xff#]", one.target)
    assert one.port is None or 0 <= one.port <= 65535
    assert one.raw_host.isascii() and len(one.raw_host) <= 255
    assert URL(text).copy_with() == one
    if len(one.password) > 5 and text.count(one.password) == 1:
        assert one.password not in repr(one)
    if one.scheme in ("http", "https") and one.host:
        assert one.target[:1] in (b"/", b"*")
        other = urlsplit(text)
        told = (other.hostname or "").replace("%25", "%") if ":" in one.host else other.hostname or ""
        assert told.encode() == one.raw_host.lower(), f"{other.hostname} and {one.raw_host!r}"
        assert (other.port or None) == one.port or one.port == 0, f"{other.port} and {one.port}"
        assert (other.username or "") == one.userinfo.decode().partition(":")[0]
        assert other.path == one.raw_path.decode().partition("?")[0] or other.path in ("", "/"), (
            other.path,
            one.raw_path,
        )


@target(
    [
        b"Host: a\nX-Y: z\nx-y: w",
        b"Authorization: hush-hush\nContent-Type: a/b; charset=utf-8",
        b"Cookie: a=hush-hush; b\nA:\nB: \xe9",
    ],
    [
        b": ",
        b"\n",
        b"\r",
        b"\0",
        b" ",
        b"\t",
        b"\x7f",
        b"\xe9",
        b"\xff",
        b"Cookie: ",
        b"Set-Cookie: hush-hush",
        b"Proxy-Authorization: ",
    ],
)
def headers(data: bytes) -> Hashable:
    """Header fields, one on a line: refused, or such as can be sent, and the same when they are made anew."""
    pairs: list[tuple[Any, Any]] = [
        (name, value) for name, _, value in (line.partition(b": ") for line in data.split(b"\n"))
    ]
    if len(data) % 2:
        pairs = [(name.decode("latin-1"), value.decode("utf-8", "replace")) for name, value in pairs]
    try:
        fields = httpure.Headers(pairs)
    except ValueError as exc:
        assert str(exc)
        assert SECRET not in str(exc) or any(SECRET in str(name) for name, _ in pairs)
        return no_values(exc)
    for name, value in fields.raw:
        assert re.fullmatch(rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name), name
        assert not re.search(rb"[\x00\r\n]", value)
        if name.lower() in (b"authorization", b"proxy-authorization", b"cookie", b"set-cookie"):
            assert SECRET.encode() not in value or SECRET not in repr(httpure.Headers([(name, value)]))
    again = httpure.Headers(fields.raw)
    assert again == fields and again.raw == fields.raw
    assert httpure.Headers(fields.multi_items()) == fields or fields.encoding != "ascii"
    for name in fields:
        assert name == name.lower() and name in fields and name.upper() in fields
        assert ", ".join(fields.get_list(name)) == fields[name]
    copy = fields.copy()
    for name in list(copy):
        del copy[name]
    assert not copy.raw
    return fields.encoding, min(len(fields.raw), 4), len(fields) < len(fields.raw)


@target(
    [
        b"field\nname.txt\ntext/plain\nhello",
        b'a"b\n\xc3\xa9\\.png\n\n\r\n--x',
        b"f\nf\nimage/png\n" + bytes(range(256)),
    ],
    [b'"', b"\r\n", b"\n", b"%22", b"\\", b"--", b'; filename="x"', b"\0", b"\xc3\xa9", b": "],
)
def multipart(data: bytes) -> Hashable:
    """A form with a field and a file: what another reader finds in it is what was put there, and nothing else."""
    name, filename, kind, content = (data.split(b"\n", 3) + [b""] * 3)[:4]
    texts = [each.decode("utf-8", "replace") for each in (name, filename, kind)]
    part: Any = (texts[1], content, texts[2]) if kind else (texts[1], content)
    try:
        request = httpure.Request(
            "POST", "http://a/", data={texts[0]: content.decode("latin-1")}, files={texts[0]: part}
        )
    except ValueError as exc:
        assert str(exc)
        return no_values(exc)
    body = request.read()
    assert int(request.headers["Content-Length"]) == len(body)
    boundary = request.headers["Content-Type"].partition("boundary=")[2].encode()
    parts = plainly_parted(body, boundary)
    assert [part[1] for part in parts] == [content.decode("latin-1").encode(), content]
    for number, (lines, _) in enumerate(parts):
        expected = [
            rb'content-disposition: form-data; name="([^"\r\n]*)"'
            + rb'; filename="([^"\r\n]*)"' * (number and bool(filename))
        ]
        assert re.fullmatch(expected[0], lines[0].replace(b"Content-Disposition", b"content-disposition")), (
            lines
        )
        assert len(lines) <= 1 + number
    return bool(kind), bool(filename), len(parts[1][0])


def plainly_parted(body: bytes, boundary: bytes) -> list[tuple[list[bytes], bytes]]:
    """Read a form: the header lines and the content of each part."""
    assert body.count(boundary) == 3
    start, *parts, end = body.split(b"--" + boundary)
    assert (start, end) == (b"", b"--\r\n")
    found = []
    for part in parts:
        assert part.startswith(b"\r\n") and part.endswith(b"\r\n")
        head, _, content = part[2:-2].partition(b"\r\n\r\n")
        found.append((head.split(b"\r\n"), content))
    return found


@target(
    [
        b"http://proxy.example:8080",
        b"socks5://user:hush-hush@[::1]:1080",
        b"socks5h://a",
        b"https://hush-hush@a:443/path",
        b"proxy:8080",
    ],
    [*URL_WORDS, b"hush-hush", b"socks5://", b"socks4://"],
)
def proxy(data: bytes) -> Hashable:
    """The URL of a proxy: refused without its password, or somewhere to connect to."""
    text = data.decode("utf-8", "replace")
    try:
        made = Proxy(text)
    except (ValueError, httpure.InvalidURL) as exc:
        assert str(exc)
        told = SECRET in str(exc) and text.count(SECRET) == 1
        assert not told or not re.match(f"[a-z0-9]+://[^/?#@]*:{SECRET}@", text), f"{exc}"
        return type(exc).__name__, no_values(exc)
    assert made.url.host and not made.url.userinfo
    assert SECRET not in repr(made) or made.auth is None or SECRET not in made.auth[1]
    sound(made.url)
    return made.url.scheme, made.auth is None, made.url.port is None


@target(
    [
        b"http_proxy=http://a:1\nNO_PROXY=localhost,127.0.0.1,.example.org,10.0.0.0/8,[::1]:80",
        b"ALL_PROXY=socks5://b\nHTTPS_PROXY=c:3\nno_proxy= example.org:443 http://x *.y",
        b"REQUEST_METHOD=GET\nHTTP_PROXY=evil\nno_proxy=*",
    ],
    [
        b"http_proxy=",
        b"HTTP_PROXY=",
        b"no_proxy=",
        b"NO_PROXY=",
        b"all_proxy=",
        b",",
        b"*",
        b".",
        b"/8",
        b"/",
        b":",
        b"[::1]",
        b"::1/128",
        b"10.0.0.0/33",
        b"a.example.org",
        b"://",
        b"all://",
        b" ",
        b"xn--",
        b"\xe9",
        b"[",
        b":99999",
        b"\n",
    ],
)
def environment(data: bytes) -> Hashable:
    """Variables of the environment, one on a line: proxies and exceptions, all of which can be used."""
    lines = data[:3000].decode("utf-8", "surrogateescape").split("\n")
    environ = {name: value for name, _, value in (line.partition("=") for line in lines)}
    proxies = proxies_from_environment(environ)
    urls = [
        URL(text)
        for text in (
            "http://a.example.org/",
            "https://127.0.0.1:443/",
            "http://[::1]/",
            "http://localhost:80/",
        )
    ]
    for pattern in proxies:
        made = URLPattern(pattern)
        assert URLPattern(pattern) == made
        for each in urls:
            made.matches(each)
    if "REQUEST_METHOD" in environ:
        assert "http://" not in proxies or environ.get("http_proxy")
    told = environ.get("no_proxy", environ.get("NO_PROXY", ""))
    for entry in told.replace(",", " ").split() if proxies else ():
        if re.fullmatch(r"[a-z][a-z0-9]{0,20}(\.[a-z][a-z0-9]{0,20}){1,3}", entry):
            exempt = [URLPattern(pattern) for pattern, where in proxies.items() if where is None]
            assert any(pattern.matches(URL(f"http://{entry}/")) for pattern in exempt), (
                f"{entry} goes through a proxy"
            )
    return len(proxies), sum(where is None for where in proxies.values())


@target(
    [
        b"machine a.example login ada password hush-hush",
        b'default login x account y password "hush-hush \\" z"\nmachine b\nlogin c # comment',
        b"macdef m\nls\n\nmachine c password hush-hush",
    ],
    [
        b"machine ",
        b"default ",
        b"login ",
        b"password ",
        b"account ",
        b"macdef ",
        b'"',
        b"\\",
        b"#",
        b"\n",
        b"\n\n",
        b"\t",
        b"\xe9",
    ],
)
def netrc(data: bytes) -> Hashable:
    """A netrc file: entries, or one error, which holds no word of it."""
    try:
        made = parse_netrc(data.decode("utf-8", "replace"))
    except NotNetRC as exc:
        assert str(exc) and SECRET not in str(exc)
        return no_values(exc)
    entry = made.lookup("a.example")
    assert SECRET not in repr(made)
    assert entry is None or entry.password != SECRET or entry.login == SECRET or SECRET not in repr(entry)
    return entry is None, made.lookup("b") is None, made.secret
