"""Requests in the form that a forward proxy takes."""

from __future__ import annotations

import pytest

from httpure_core.auth import DigestAuth
from httpure_core.config.options import Proxy
from httpure_core.contracts import Fields
from httpure_core.errors import LocalProtocolError
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.proxy.credentials import Credentials
from httpure_core.proxy.forward import ForwardConnection

ORIGIN = b"http://example.org:81"
HOST = (b"Host", b"example.org:81")
CREDENTIALS = (b"Proxy-Authorization", b"Basic eA==")


def forward(fields: Fields) -> ForwardConnection:
    connection = ForwardConnection(Credentials(Proxy("http://p", headers=Headers.from_wire(fields))))
    connection.turn_to(Request("GET", "http://example.org:81/"))
    return connection


@pytest.mark.parametrize(
    ("target", "written"),
    [
        (b"/", ORIGIN + b"/"),
        (b"/a?b=c", ORIGIN + b"/a?b=c"),
        (b"//a", ORIGIN + b"//a"),
        (b"*", ORIGIN),
        (b"http://other.test/", b"http://other.test/"),
    ],
)
def test_the_target_is_a_url(target: bytes, written: bytes) -> None:
    connection = forward([])
    connection.open_stream(b"OPTIONS", target, [HOST], b"")
    assert connection.data_to_send() == b"OPTIONS %b HTTP/1.1\r\nHost: example.org:81\r\n\r\n" % written


def test_fields_for_the_proxy() -> None:
    fields = [HOST, (b"accept", b"*/*")]
    connection = forward([(b"Accept", b"no"), (b"X-A", b"1"), (b"X-A", b"2"), CREDENTIALS])
    stream = connection.open_stream(b"GET", b"/", fields, b"")
    assert connection.data_to_send() == (
        b"GET http://example.org:81/ HTTP/1.1\r\nHost: example.org:81\r\naccept: */*\r\n"
        b"X-A: 1\r\nX-A: 2\r\nProxy-Authorization: Basic eA==\r\n\r\n"
    )
    assert fields == [HOST, (b"accept", b"*/*")], "the request's own list is as it was"
    connection.receive_data(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    assert (stream.status, stream.take()) == (200, b"ok")
    assert connection.reusable


def test_the_requests_own_credentials_count() -> None:
    connection = forward([CREDENTIALS])
    connection.open_stream(b"GET", b"/", [HOST, (b"proxy-authorization", b"mine")], b"")
    sent = connection.data_to_send()
    assert b"proxy-authorization: mine" in sent
    assert CREDENTIALS[1] not in sent


@pytest.mark.parametrize("field", [(b"X", b"1\r\nY: 2"), (b"X\n", b"1")])
def test_fields_that_cannot_be_sent(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(LocalProtocolError):
        forward([field]).open_stream(b"GET", b"/", [HOST], b"")


def test_turned_to_one_origin_after_the_other() -> None:
    connection = forward([])
    for origin in (b"http://example.org:81", b"http://other.test", b"http://[::1]"):
        connection.turn_to(Request("GET", origin.decode() + "/a"))
        connection.open_stream(b"GET", b"/", [HOST], b"")
        assert connection.data_to_send().startswith(b"GET %b/ HTTP/1.1\r\n" % origin)
        connection.receive_data(b"HTTP/1.1 204 No Content\r\n\r\n")


def proving() -> ForwardConnection:
    who = Credentials(Proxy("http://p", auth=DigestAuth("user", "pass")))
    assert who.heard([(b"Proxy-Authenticate", b'Digest realm="r", nonce="n", qop="auth-int"')], 0)
    return ForwardConnection(who)


def test_a_body_that_has_to_be_proved() -> None:
    connection = proving()
    connection.turn_to(Request("POST", "http://example.org/", content=b"body"))
    connection.open_stream(b"POST", b"/", [HOST, (b"Content-Length", b"4")], b"body")
    assert b"qop=auth-int" in connection.data_to_send()


def test_a_body_that_cannot_be_proved() -> None:
    connection = proving()
    connection.turn_to(Request("POST", "http://example.org/", content=iter([b"body"])))
    with pytest.raises(LocalProtocolError, match="this body is a stream: give content as bytes"):
        connection.open_stream(b"POST", b"/", [HOST, (b"Content-Length", b"4")], None)
    assert connection.data_to_send() == b""
    assert connection.reusable
