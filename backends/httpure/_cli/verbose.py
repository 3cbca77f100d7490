"""What `--verbose` tells: connections, certificates, and the heads of requests.

It listens to the trace extension, whose events bear httpcore's names. The heads of responses are shown always, and
not here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from httpure_core.models.request import Request
from httpure_core.models.response import Response

from .printing import Printer

__all__ = ["Narrator", "request_head", "response_head"]


#: Fields that HTTP/2 does not have (RFC 9113 section 8.2.2).
_FOR_THE_HOP = frozenset(
    (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding", b"upgrade")
)


def response_head(response: Response) -> str:
    """Return the status line and the fields, as they were received."""
    first = f"{response.http_version} {response.status_code} {response.reason_phrase}".rstrip()
    return _head(first, response.headers.raw)


def request_head(request: Request, version: str) -> str:
    """Return the request line and the fields, as they are sent: HTTP/2 has lower-case names, and none for the hop."""
    target = request.extensions.get("target") or request.url.raw_path
    fields = request.headers.raw
    if version == "HTTP/2":
        fields = [(name.lower(), value) for name, value in fields if name.lower() not in _FOR_THE_HOP]
    return _head(f"{request.method} {_text(target)} {version}", fields)


def _head(first: str, fields: Iterable[tuple[bytes, bytes]]) -> str:
    return "\n".join([first, *(f"{_text(name)}: {_text(value)}" for name, value in fields)])


def _text(value: bytes) -> str:
    """Fields are ASCII, as a rule; some are UTF-8, and older ones ISO-8859-1."""
    try:
        return value.decode()
    except UnicodeDecodeError:
        return value.decode("latin-1")


class Narrator:
    """Tells what happens, as it happens."""

    def __init__(self, printer: Printer) -> None:
        self._printer = printer
        self._told: dict[str, Callable[[Mapping[str, Any]], None]] = {
            "connection.connect_tcp.started": self._connecting,
            "connection.connect_tcp.complete": self._connected,
            "connection.connect_unix_socket.complete": self._connected_to_path,
            "connection.start_tls.complete": self._secured,
            "proxy.setup_tunnel.started": self._tunnelling,
            "proxy.start_tls.complete": self._secured,
            "socks.setup_socks5_connection.started": self._tunnelling,
            "socks.start_tls.complete": self._secured,
            "http11.send_request_headers.started": self._requesting,
            "http2.send_request_headers.started": self._requesting_http2,
        }

    def __call__(self, name: str, info: Mapping[str, Any]) -> None:
        if name in self._told:
            self._told[name](info)

    def _say(self, text: str) -> None:
        self._printer.line(f"* {text}")

    def _connecting(self, info: Mapping[str, Any]) -> None:
        self._say(f"Connecting to {_plain(info['host'])!r}")

    def _connected(self, info: Mapping[str, Any]) -> None:
        address = _about(info, "server_addr")
        if address is not None:
            self._say(f"Connected to {address[0]!r} on port {address[1]}")

    def _connected_to_path(self, info: Mapping[str, Any]) -> None:
        self._say("Connected to a Unix socket")

    def _tunnelling(self, info: Mapping[str, Any]) -> None:
        self._say(f"Asking the proxy to connect to {_plain(info['host'])!r} on port {info['port']}")

    def _secured(self, info: Mapping[str, Any]) -> None:
        tls = _about(info, "ssl_object")
        if tls is None:
            return
        self._say(f"SSL established using {tls.version()!r} / {tls.cipher()[0]!r}")
        self._say(f"Selected ALPN protocol: {tls.selected_alpn_protocol()!r}")
        certificate = tls.getpeercert()
        if certificate:
            self._say("Server certificate:")
            for line in _certificate(certificate):
                self._say(f"  {line}")
        else:
            self._say("Server certificate: not verified")

    def _requesting(self, info: Mapping[str, Any]) -> None:
        self._printer.head(request_head(info["request"], "HTTP/1.1"))

    def _requesting_http2(self, info: Mapping[str, Any]) -> None:
        self._printer.head(request_head(info["request"], "HTTP/2"))


def _about(info: Mapping[str, Any], what: str) -> Any:
    """Return what the stream of an event knows of itself; None where there is no stream, as with some backends."""
    stream = info["return_value"]
    return None if stream is None else stream.get_extra_info(what)


def _plain(value: bytes | str) -> str:
    return value.decode("ascii", "replace") if isinstance(value, bytes) else value


def _certificate(certificate: Mapping[str, Any]) -> list[str]:
    """Return a line for each thing that `SSLObject.getpeercert()` tells and people look for."""
    names = ", ".join(f"{kind}:{name}" for kind, name in certificate.get("subjectAltName", ()))
    told = {
        "subject": _distinguished(certificate.get("subject", ())),
        "issuer": _distinguished(certificate.get("issuer", ())),
        "valid from": certificate.get("notBefore"),
        "valid until": certificate.get("notAfter"),
        "names": names,
        "serial number": certificate.get("serialNumber"),
    }
    return [f"{name}: {value}" for name, value in told.items() if value]


def _distinguished(name: Iterable[Iterable[tuple[str, str]]]) -> str:
    return ", ".join(f"{kind}={value}" for relative in name for kind, value in relative)
