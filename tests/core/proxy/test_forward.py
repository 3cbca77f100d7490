"""Requests in the form that a forward proxy takes."""

from __future__ import annotations

import pytest

from httpure_core.errors import LocalProtocolError
from httpure_core.proxy.forward import ForwardConnection

ORIGIN = b"http://example.org:81"
HOST = (b"Host", b"example.org:81")
CREDENTIALS = (b"Proxy-Authorization", b"Basic eA==")


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
    connection = ForwardConnection(ORIGIN, [])
    connection.open_stream(b"OPTIONS", target, [HOST], b"")
    assert connection.data_to_send() == b"OPTIONS %b HTTP/1.1\r\nHost: example.org:81\r\n\r\n" % written


def test_fields_for_the_proxy() -> None:
    fields = [HOST, (b"accept", b"*/*")]
    connection = ForwardConnection(ORIGIN, [(b"Accept", b"no"), (b"X-A", b"1"), (b"X-A", b"2"), CREDENTIALS])
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
    connection = ForwardConnection(ORIGIN, [CREDENTIALS])
    connection.open_stream(b"GET", b"/", [HOST, (b"proxy-authorization", b"mine")], b"")
    sent = connection.data_to_send()
    assert b"proxy-authorization: mine" in sent
    assert CREDENTIALS[1] not in sent


@pytest.mark.parametrize("field", [(b"X", b"1\r\nY: 2"), (b"X\n", b"1")])
def test_fields_that_cannot_be_sent(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(LocalProtocolError):
        ForwardConnection(ORIGIN, [field]).open_stream(b"GET", b"/", [HOST], b"")
