"""One function decides a redirect: method, URL, headers, body."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.content.streams import ByteStream, SyncByteStream
from httpure_core.errors import RemoteProtocolError, StreamConsumed, UnsupportedProtocol
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.redirects import MAX_LOCATION_SIZE, is_redirect_to_follow, next_request, redirect

HERE = "https://example.org/a/b?c=d"


def answer(location: str | bytes, status: int = 302) -> Response:
    value = location.encode() if isinstance(location, str) else location
    return Response(status, headers=[(b"Location", value)])


def follow(request: Request, location: str | bytes, status: int = 302, **options: Any) -> Request:
    return redirect(request, answer(location, status), **{"allow_downgrade": True, **options})


def target(location: str | bytes, here: str = HERE) -> str:
    return str(follow(Request("GET", here), location).url)


@pytest.mark.parametrize("status", [200, 201, 300, 301, 302, 303, 304, 305, 306, 307, 308, 400])
def test_which_responses_are_redirects(status: int) -> None:
    assert is_redirect_to_follow(answer("/", status)) is (status in (301, 302, 303, 307, 308))
    assert not is_redirect_to_follow(Response(status))


@pytest.mark.parametrize(
    ("method", "followed"),
    [
        # after 301, 302, 303, 307, 308
        ("GET", ("GET", "GET", "GET", "GET", "GET")),
        ("HEAD", ("HEAD", "HEAD", "HEAD", "HEAD", "HEAD")),
        ("POST", ("GET", "GET", "GET", "POST", "POST")),
        ("PUT", ("PUT", "PUT", "GET", "PUT", "PUT")),
        ("DELETE", ("DELETE", "DELETE", "GET", "DELETE", "DELETE")),
        ("PURGE", ("PURGE", "PURGE", "GET", "PURGE", "PURGE")),
    ],
)
def test_methods_are_those_of_fetch(method: str, followed: tuple[str, ...]) -> None:
    for status, expected in zip((301, 302, 303, 307, 308), followed, strict=True):
        assert follow(Request(method, HERE), "/", status).method == expected


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/x", "https://example.org/x"),
        ("x?y", "https://example.org/a/x?y"),
        ("?y", "https://example.org/a/b?y"),
        ("../../x", "https://example.org/x"),
        ("", "https://example.org/a/b?c=d"),
        ("//other.example/x", "https://other.example/x"),
        ("http://other.example:8080/x", "http://other.example:8080/x"),
        ("HTTPS://OTHER.example/", "https://other.example/"),
        ("https:///x", "https://example.org/x"),
        ("http:///x", "http://example.org/x"),
        ("http:", "http://example.org"),
        (" /x\t", "https://example.org/x"),
        ("/a b/é?ü=ß", "https://example.org/a%20b/%C3%A9?%C3%BC=%C3%9F"),
        (b"/\xe9", "https://example.org/%C3%A9"),
        ("/%7E%2f", "https://example.org/%7E%2f"),
        ("https://bücher.example/", "https://xn--bcher-kva.example/"),
    ],
)
def test_where_it_leads(location: str | bytes, expected: str) -> None:
    assert target(location) == expected


def test_a_location_is_utf8_whatever_other_fields_hold() -> None:
    response = Response(302, headers=[(b"X-Old", b"\xff"), (b"Location", "/é".encode())])
    assert redirect(Request("GET", HERE), response).url.raw_path == b"/%C3%A9"


def test_a_port_is_kept_where_only_the_host_was_forgotten() -> None:
    assert target("https:///x", "https://example.org:8443/") == "https://example.org:8443/x"
    assert target("http:///x", "https://example.org:8443/") == "http://example.org/x"


def test_fragments() -> None:
    assert target("/x", HERE + "#part") == "https://example.org/x#part"
    assert target("/x#other", HERE + "#part") == "https://example.org/x#other"
    assert target("/x#other") == "https://example.org/x#other"


@pytest.mark.parametrize(
    "location", ["file:///etc/passwd", "mailto:a@b.example", "data:,x", "ftp://h/", "wss://h/"]
)
def test_other_schemes_are_refused(location: str) -> None:
    request = Request("GET", HERE)
    with pytest.raises(UnsupportedProtocol, match=repr(location.partition(":")[0])) as caught:
        follow(request, location)
    assert caught.value.request is request
    assert caught.value.request_sent is True


@pytest.mark.parametrize(
    "location", ["https://h:99999/", "https://😇/", "https://a@b@c/", "http:foo", "https://[::1", "/\x7f"]
)
def test_what_is_no_url_is_the_servers_fault(location: str) -> None:
    request = Request("GET", HERE)
    with pytest.raises(RemoteProtocolError, match="Location is no valid URL") as caught:
        follow(request, location)
    assert caught.value.request is request


def test_a_location_has_at_most_16_kibibytes() -> None:
    longest = "/" + "x" * (MAX_LOCATION_SIZE - 1)
    assert target(longest).endswith(longest)
    with pytest.raises(RemoteProtocolError, match="16385 bytes"):
        target(longest + "x")


def test_several_locations_must_agree() -> None:
    request = Request("GET", HERE)
    same = Response(302, headers=[("Location", "/x"), ("location", "/x")])
    assert str(redirect(request, same).url) == "https://example.org/x"
    with pytest.raises(RemoteProtocolError, match="2 different Location fields"):
        redirect(request, Response(302, headers=[("Location", "/x"), ("Location", "/y")]))
    with pytest.raises(RemoteProtocolError, match="0 different Location fields"):
        redirect(request, Response(302))


CREDENTIALS = {
    "Authorization": "hush",
    "X-Api-Key": "hush",
    "X-AUTH-TOKEN": "hush",
    "PRIVATE-TOKEN": "hush",
    "X-Amz-Security-Token": "hush",
    "Ocp-Apim-Subscription-Key": "hush",
    "X-Client-Secret": "hush",
}
HARMLESS = {"Accept": "text/html", "User-Agent": "x", "Idempotency-Key": "1", "X-Request-Id": "2"}


@pytest.mark.parametrize(
    ("here", "location", "kept"),
    [
        ("https://example.org/", "/x", True),
        ("https://example.org/", "https://example.org:443/x", True),
        ("http://example.org/", "https://example.org/", True),
        ("http://example.org:80/", "https://example.org:443/", True),
        ("https://example.org/", "http://example.org/", False),
        ("http://example.org:8080/", "https://example.org/", False),
        ("http://example.org/", "https://example.org:8443/", False),
        ("http://example.org/", "https://www.example.org/", False),
        ("https://example.org/", "https://www.example.org/", False),
        ("https://example.org/", "https://example.org:8443/", False),
        ("https://example.org/", "https://example.org./", False),
        ("https://example.org/", "https://example.org@evil.example/", False),
    ],
)
def test_who_sees_credentials(here: str, location: str, kept: bool) -> None:
    request = Request("GET", here, headers=CREDENTIALS | HARMLESS)
    headers = follow(request, location).headers
    for name in CREDENTIALS:
        assert (name in headers) is kept, name
    for name, value in HARMLESS.items():
        assert headers[name] == value


def test_the_callers_own_list() -> None:
    request = Request("GET", HERE, headers={"X-Tenant": "7"})
    assert "X-Tenant" in follow(request, "https://other.example/").headers
    assert "X-Tenant" not in follow(request, "https://other.example/", sensitive=["x-TENANT"]).headers
    assert "X-Tenant" in follow(request, "/x", sensitive=["x-tenant"]).headers
    assert "X-Tenant" in follow(Request("GET", "http://h.example/", headers={"X-Tenant": "7"}), "https://h.example/",
                                sensitive=["x-tenant"]).headers  # fmt: skip


def test_what_was_dropped_never_comes_back() -> None:
    request = Request("GET", HERE, headers=CREDENTIALS)
    away = follow(request, "https://other.example/")
    home = follow(away, HERE)
    assert not set(CREDENTIALS) & set(home.headers)


def test_the_cookie_header_is_the_clients_to_make() -> None:
    request = Request("GET", HERE, headers={"Cookie": "a=1"})
    assert "Cookie" not in follow(request, "/x").headers
    assert "Cookie" not in follow(request, "https://other.example/").headers


def cookies_after(request: Request, location: str, *, sets: str = "other=1") -> dict[str, str] | None:
    """What of the request's own cookies may go along."""
    response = Response(302, headers={"Location": location, "Set-Cookie": sets})
    cookies = redirect(request, response, allow_downgrade=True)._cookies
    return None if cookies is None else dict(cookies)


def test_cookies_of_the_request_stay_within_its_origin() -> None:
    request = Request("GET", HERE, cookies={"a": "1", "b": "2"})
    assert cookies_after(request, "/x") == {"a": "1", "b": "2"}
    for stranger in (
        *(
            "https://other.example/",
            "https://www.example.org/",
            "https://example.org:8443/",
            "http://example.org/",
        ),
    ):
        assert cookies_after(request, stranger) is None
        there = follow(request, stranger)
        assert cookies_after(there, HERE) is None  # nothing that was dropped comes back
    plain = Request("GET", "http://example.org/", cookies={"a": "1"})
    assert cookies_after(plain, "https://example.org/") == {"a": "1"}
    assert cookies_after(Request("GET", HERE), "/x") is None


def test_cookies_of_the_request_give_way_to_those_that_a_response_sets() -> None:
    request = Request("GET", HERE, cookies={"a": "1", "b": "2"})
    assert cookies_after(request, "/x", sets="a=3") == {"b": "2"}
    assert cookies_after(request, "/x", sets="a=; Max-Age=0") == {"b": "2"}


@pytest.mark.parametrize("location", ["https://other.example/", "http://example.org/"])
def test_proxy_authorization_goes_nowhere_else(location: str) -> None:
    request = Request("GET", HERE, headers={"Proxy-Authorization": "hush"})
    assert "Proxy-Authorization" not in follow(request, location).headers
    upgraded = Request("GET", "http://example.org/", headers={"Proxy-Authorization": "hush"})
    assert "Proxy-Authorization" not in follow(upgraded, "https://example.org/").headers


def test_the_host_header() -> None:
    assert follow(Request("GET", HERE), "https://other.example:8443/").headers["Host"] == "other.example:8443"
    assert (
        follow(Request("GET", "http://example.org/"), "https://example.org/").headers["Host"] == "example.org"
    )
    virtual = Request("GET", HERE, headers={"X": "1", "HOST": "virtual.example", "Y": "2"})
    assert follow(virtual, "/x").headers["Host"] == "virtual.example"
    assert follow(virtual, "https://other.example/").headers.raw == [
        (b"X", b"1"), (b"HOST", b"other.example"), (b"Y", b"2"),
    ]  # fmt: skip


def test_a_referer_does_not_leave_tls() -> None:
    request = Request("GET", HERE, headers={"Referer": "https://example.org/secret"})
    assert "Referer" in follow(request, "https://other.example/").headers
    assert "Referer" not in follow(request, "http://other.example/").headers
    plain = Request("GET", "http://example.org/", headers={"Referer": "http://example.org/"})
    assert "Referer" in follow(plain, "http://other.example/").headers


def test_a_downgrade_needs_consent() -> None:
    request = Request("GET", HERE)
    assert str(follow(request, "http://example.org/").url) == "http://example.org/"
    with pytest.raises(RemoteProtocolError) as caught:
        redirect(request, answer("http://example.org/?key=hush"))
    assert str(caught.value) == (
        "The redirect leads from https to http, to 'example.org', and is refused, GET https://example.org/a/b; "
        "follow it with allow_downgrade=True"
    )
    assert caught.value.request is request
    assert next_request(request, answer("http://example.org/")) is None
    assert next_request(request, answer("http://example.org/"), allow_downgrade=True) is not None
    assert redirect(request, answer("https://other.example/"))
    assert redirect(Request("GET", "http://h.example/"), answer("http://other.example/"))


def test_once_on_https_there_is_no_way_back() -> None:
    upgraded = redirect(Request("GET", "http://h.example/"), answer("https://h.example/"))
    with pytest.raises(RemoteProtocolError, match="https to http"):
        redirect(upgraded, answer("http://h.example/"))


@pytest.mark.parametrize(
    ("here", "location", "expected"),
    [
        ("https://h.example/", "https://who:hush@other.example/", "https://other.example/"),
        ("https://h.example/", "https://who:hush@h.example/", "https://h.example/"),
        ("https://h.example/", "//hush@h.example/", "https://h.example/"),
        ("https://me:own@h.example/", "https://who:hush@h.example/", "https://h.example/"),
        ("https://me:own@h.example/", "https://me:own@other.example/", "https://other.example/"),
        ("https://me:own@h.example/", "https://me:own@h.example/x", "https://me:own@h.example/x"),
        ("https://me:own@h.example/", "/x", "https://me:own@h.example/x"),
        ("https://me:own@h.example/", "//other.example/x", "https://other.example/x"),
        ("http://me:own@h.example/", "https:///x", "https://h.example/x"),
    ],
)
def test_user_information_is_the_users_own_or_none(here: str, location: str, expected: str) -> None:
    """A server's would be sent to whom the server likes, and hides from people where a URL leads (RFC 9110, 4.2.4)."""
    assert target(location, here) == expected


BODY_FIELDS = {
    "Content-Type": "text/plain",
    "Content-Length": "4",
    "Content-Encoding": "identity",
    "Content-Language": "en",
    "Content-Location": "/y",
    "Content-MD5": "x",
    "Digest": "x",
    "Repr-Digest": "x",
    "Expect": "100-continue",
}


def test_the_body_goes_with_all_that_describes_it() -> None:
    request = Request("POST", HERE, headers=BODY_FIELDS | {"Accept": "*/*"}, content=b"body")
    followed = follow(request, "/x", 303)
    assert followed.headers.raw == [(b"Host", b"example.org"), (b"Accept", b"*/*")]
    assert followed.content == b"" and b"".join(followed.stream) == b""  # type: ignore[arg-type]
    chunked = Request(
        "POST", HERE, headers={"Transfer-Encoding": "chunked", "Trailer": "X"}, content=iter([b"x"])
    )
    assert follow(chunked, "/x", 303).headers.raw == [(b"Host", b"example.org")]


@pytest.mark.parametrize("status", [307, 308])
def test_the_body_is_kept_with_all_that_describes_it(status: int) -> None:
    request = Request("POST", HERE, headers=BODY_FIELDS, content=b"body")
    followed = follow(request, "https://other.example/x", status)
    for name, value in BODY_FIELDS.items():
        assert followed.headers[name] == value
    assert followed.content == b"body"


class Stream(SyncByteStream):
    def __init__(self, replayable: bool | None) -> None:
        if replayable is not None:
            self.replayable = replayable

    def __iter__(self) -> Iterator[bytes]:
        yield b"body"


@pytest.mark.parametrize("replayable", [True, None])
def test_a_stream_that_can_be_sent_again(replayable: bool | None) -> None:
    stream = Stream(replayable)
    assert follow(Request("PUT", HERE, stream=stream), "/x", 307).stream is stream


def test_a_stream_that_cannot_be_sent_again() -> None:
    request = Request("POST", HERE, stream=Stream(False))
    with pytest.raises(StreamConsumed, match="A 307 redirect asks for the body of the POST once more"):
        follow(request, "/x", 307)
    assert isinstance(follow(request, "/x", 303).stream, ByteStream)
    generator = Request("POST", HERE, content=(piece for piece in [b"x"]))
    with pytest.raises(StreamConsumed):
        follow(generator, "/x", 308)
    generator.read()
    assert follow(generator, "/x", 308).content == b"x"


def test_extensions_that_are_about_the_old_url() -> None:
    extensions = {"timeout": 5, "target": b"*", "sni_hostname": "virtual.example"}
    request = Request("GET", HERE, extensions=extensions)
    assert follow(request, "/x").extensions == {"timeout": 5, "sni_hostname": "virtual.example"}
    assert follow(request, "https://other.example/").extensions == {"timeout": 5}
    assert request.extensions == extensions


def test_a_stranger_stays_one_on_the_way_back() -> None:
    """What the client would give to the next request by itself, its auth, is not for it either."""
    request = Request("GET", HERE)
    for location, stranger in (("/x", False), ("https://other.example/", True), (HERE, True), ("/y", True)):
        request = follow(request, location)
        assert request._to_stranger is stranger
    upgraded = follow(Request("GET", "http://example.org/"), "https://example.org/")
    assert not upgraded._to_stranger


def test_who_does_not_follow_suffers_no_error() -> None:
    request = Request("POST", HERE, stream=Stream(False), headers={"X-Tenant": "7"})
    for location in ("https://h:99999/", "file:///x"):
        assert next_request(request, answer(location)) is None
    assert next_request(request, answer("/x", 307)) is None
    followed = next_request(request, answer("https://other.example/", 303), sensitive=["X-Tenant"])
    assert followed is not None and "X-Tenant" not in followed.headers


@settings(max_examples=40)
@given(st.text(max_size=40))
def test_no_location_raises_anything_else(text: str) -> None:
    location = text.encode("utf-8", "surrogatepass").translate(None, b"\r\n\0")
    try:
        followed = follow(Request("GET", HERE, headers={"Authorization": "hush"}), location)
    except (RemoteProtocolError, UnsupportedProtocol):
        return
    assert followed.url.is_absolute_url
    assert ("Authorization" in followed.headers) is (followed.url.origin == ("https", "example.org", 443))
