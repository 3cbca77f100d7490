"""What is told of a message that h11 refuses, and what is not."""

from __future__ import annotations

import h11
import pytest

from httpure_core.http1.reasons import of_request, of_response


def refused(wire: bytes) -> h11.RemoteProtocolError:
    machine = h11.Connection(h11.CLIENT)
    machine.send(h11.Request(method="GET", target="/", headers=[("Host", "a")]))
    machine.send(h11.EndOfMessage())
    machine.receive_data(wire)
    with pytest.raises(h11.RemoteProtocolError) as caught:
        while machine.next_event() is not h11.NEED_DATA:
            pass
    return caught.value


CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"


@pytest.mark.parametrize(
    ("wire", "reason"),
    [
        (b"HTTP/1.1 2000 OK\r\n\r\n", "illegal status line that begins with 'HTTP/1.1 2000 OK'"),
        (b"x" * 5000 + b"\r\n\r\n", f"illegal status line that begins with {'x' * 40!r}"),
        (
            b"HTTP/1.1 200 OK\r\nSet-Cookie : id=hush\r\n\r\n",
            "illegal header line that begins with 'Set-Cookie '",
        ),
        (b"HTTP/1.1 200 OK\r\nSet-Cookie id=hush\r\n\r\n", "illegal header line"),
        (b"HTTP/1.1 200 OK\r\nX: y\r\nhush-hush\r\n\r\n", "illegal header line"),
        (
            b"HTTP/1.1 200 OK\r\n" + b"x" * 90 + b" : y\r\n\r\n",
            f"illegal header line that begins with {'x' * 40!r}",
        ),
        (CHUNKED + b"hush\r\n", "illegal chunk header"),
        (CHUNKED + b"0\r\nhush\r\n\r\n", "illegal header line"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "bad Content-Length"),
        (b"HTTP/1.1 101 No\r\n\r\n", "101 Switching Protocols, which nobody asked for"),
    ],
)
def test_of_a_response(wire: bytes, reason: str) -> None:
    assert of_response(refused(wire)) == reason


@pytest.mark.parametrize(
    ("field", "reason"),
    [
        (
            (b"Authorization", b"hush "),
            "the value of header 'authorization' begins or ends with white space, or ",
        ),
        ((b"X\r\nY", b"hush"), "Illegal header name b'X\\r\\nY'"),
        ((b"Content-Length", b"hush"), "bad Content-Length"),
    ],
)
def test_of_a_request(field: tuple[bytes, bytes], reason: str) -> None:
    fields = [(b"Host", b"a"), field]
    with pytest.raises(h11.LocalProtocolError) as caught:
        h11.Request(method=b"GET", target=b"/", headers=fields)
    assert of_request(caught.value, fields).startswith(reason)
    assert "hush" not in of_request(caught.value, fields)
