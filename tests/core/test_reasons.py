"""What the system says, in the one word of `TransportError.reason`; and how that goes from a layer to an error."""

from __future__ import annotations

import errno
import os

import pytest

from httpure_core.contracts import Link
from httpure_core.errors import CertificateError, ReadError, RemoteProtocolError, TLSError
from httpure_core.http1.connection import Http1Connection
from httpure_core.http2 import failures
from httpure_core.http2.connection import Http2Connection
from httpure_core.layers import BrokenTLS, Layer, UnannouncedEnd, reason_of
from httpure_core.models.request import Request
from httpure_core.operations.budget import telling
from httpure_core.proxy.socks5 import Socks5


def system(name: str) -> OSError:
    number = getattr(errno, name)
    return OSError(number, os.strerror(number))


@pytest.mark.parametrize(
    ("error", "reason"),
    [
        (system("ECONNREFUSED"), "refused"),
        (system("ECONNRESET"), "reset"),
        (system("EPIPE"), "reset"),
        (ConnectionResetError(), "reset"),
        (system("ECONNABORTED"), "closed"),
        (UnannouncedEnd(), "closed"),
        (BrokenTLS("alert certificate required"), "tls"),
        (system("EHOSTUNREACH"), "unreachable"),
        (system("ENETUNREACH"), "unreachable"),
        (system("EADDRNOTAVAIL"), "unreachable"),
        (system("ETIMEDOUT"), "unreachable"),
        (system("EACCES"), None),
        (OSError("no number"), None),
        (OSError(-2, "Name or service not known"), None),
    ],
    ids=repr,
)
def test_of_an_error(error: OSError, reason: str | None) -> None:
    assert reason_of(error) == reason


def test_broken_tls_says_why() -> None:
    assert BrokenTLS("alert certificate required").strerror == "alert certificate required"


def test_the_first_failure_of_a_layer_is_the_one() -> None:
    layer = Layer()
    assert (layer.reason, layer.advice) == (None, "")
    layer.fail("it is broken", reason="tls", advice="mend it")
    layer.fail("it is gone", reason="closed")
    assert (layer.failure, layer.reason, layer.advice) == ("it is broken", "tls", "mend it")


@pytest.mark.parametrize(
    ("error", "reason"), [(None, "closed"), (UnannouncedEnd(), "closed"), (ConnectionResetError(), "reset")]
)
def test_of_a_proxy_that_is_lost(error: OSError | None, reason: str) -> None:
    layer = Socks5("example.org", 443)
    layer.receive_eof(error)
    assert layer.reason == reason


@pytest.mark.parametrize(
    ("reply", "reason"), [(1, None), (2, "policy"), (3, "unreachable"), (4, "unreachable"), (5, "refused")]
)
def test_of_what_a_socks_proxy_says(reply: int, reason: str | None) -> None:
    layer = Socks5("example.org", 443)
    layer.receive_data(b"\x05\x00")
    layer.receive_data(bytes([5, reply]))
    assert (layer.failure is None, layer.reason) == (False, reason)


@pytest.mark.parametrize(
    ("error", "kind", "reason"),
    [
        (None, RemoteProtocolError, "closed"),
        (system("ECONNRESET"), ReadError, "reset"),
        (BrokenTLS("alert unknown ca"), ReadError, "tls"),
        (system("ECONNABORTED"), ReadError, "closed"),
    ],
)
def test_of_a_connection_that_is_lost(error: OSError | None, kind: type[Exception], reason: str) -> None:
    connection = Http1Connection()
    connection.link = _link()
    stream = connection.open_stream(b"GET", b"/", [(b"Host", b"example.org")], b"")
    connection.data_to_send()
    connection.receive_eof(error)
    assert type(stream.failure) is kind
    assert stream.failure.reason == reason  # type: ignore[attr-defined]


def test_of_http2() -> None:
    assert failures.lost(ConnectionResetError()).reason == "reset"
    assert failures.unheard(1.0).reason == "unreachable"


def test_goes_on_with_the_error() -> None:
    error = ReadError("The connection was lost: reset")
    error.reason = "reset"
    assert telling(error, Request("GET", "http://example.org/")).reason == "reset"


def test_certificates_are_of_tls() -> None:
    assert issubclass(CertificateError, TLSError)


def _link() -> Link:
    return None  # type: ignore[return-value]


@pytest.mark.parametrize(
    ("error", "reason"), [(ConnectionResetError(), "reset"), (BrokenTLS("alert unknown ca"), "tls")]
)
def test_of_http2_that_ended_before_anything_was_asked(error: OSError, reason: str) -> None:
    """It is the server who is to blame, and not who asks."""
    connection = Http2Connection()
    connection.receive_eof(error)
    with pytest.raises(ReadError) as caught:
        connection.open_stream(b"GET", b"/", [(b"Host", b"example.org")], b"")
    assert caught.value.reason == reason
