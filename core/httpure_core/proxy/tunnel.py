"""CONNECT (RFC 9110 section 9.3.6): a proxy is asked, in HTTP/1.1, for a tunnel, and then carries bytes of others.

What the proxy answers is never a response of the origin. If it is no success there is no tunnel, and the answer is kept
as a `refusal` to tell of.
"""

from __future__ import annotations

import h11

from ..content.streams import ByteStream
from ..contracts import Fields
from ..http1.reasons import of_request, of_response
from ..layers import Passage
from ..models.headers import Headers
from ..models.request import Request
from ..models.response import Response

__all__ = ["MAX_HEAD_SIZE", "MAX_REFUSAL", "Refusal", "Tunnel"]

#: Bytes of an answer's head that are held before giving up.
MAX_HEAD_SIZE = 64 * 1024
#: Header fields of an answer.
MAX_FIELDS = 1000
#: Informational responses (1xx) accepted before the final one.
MAX_INFORMATIONAL = 16
#: Bytes of a refusal's body that are kept.
MAX_REFUSAL = 16 * 1024
_BEGINNING = b"HTTP/1."
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))
#: Characters of it that are told in an error.
_MAX_SHOWN = 200


class Refusal:
    """A proxy's answer other than 2xx, with the beginning of its body, as it came."""

    __slots__ = ("body", "fields", "reason", "status", "version")

    def __init__(self, head: h11.Response) -> None:
        self.version = b"HTTP/" + head.http_version
        self.status = head.status_code
        self.reason = head.reason
        self.fields: Fields = head.headers.raw_items()
        self.body = b""

    def response(self, request: Request) -> Response:
        """Return it as a response, for those who look into errors."""
        headers = Headers.from_wire(self.fields)
        extensions = {"http_version": self.version, "reason_phrase": self.reason}
        response = Response.assemble(self.status, headers, ByteStream(self.body), request, extensions)
        response.absorb_little(self.body)  # which may be encoded, and cut off
        return response

    def __str__(self) -> str:
        text = f"it answered {self.status} {_plain(self.reason)}".rstrip()
        said = self._said()
        if said:
            text += f": {said!r}"
        if self.status == 407:
            text += "; give user name and password with Proxy(url, auth=...)"
        return text

    def _said(self) -> str:
        values = {name.lower(): value for name, value in self.fields}
        if not values.get(b"content-type", b"").lower().startswith(b"text/plain"):
            return ""  # a page for a browser tells little in one line
        said = _plain(self.body)
        return said if len(said) <= _MAX_SHOWN else said[:_MAX_SHOWN] + "…"


def _plain(text: bytes) -> str:
    """Return text of a stranger's as one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace")).split())


class Tunnel(Passage):
    """Asks a proxy for a tunnel to `authority`, such as b"example.org:443", with the given header fields.

    Raises ValueError where they cannot be sent over HTTP/1.1.
    """

    __slots__ = ("_begun", "_h11", "_informational", "refusal")

    def __init__(self, authority: bytes, fields: Fields) -> None:
        super().__init__()
        #: The answer of a proxy that opened no tunnel.
        self.refusal: Refusal | None = None
        self._begun = b""
        self._informational = 0
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_SIZE)
        if not any(name.lower() == b"host" for name, _ in fields):
            fields = [(b"Host", authority), *fields]
        if any(name.lower() in _FRAMING for name, _ in fields):
            # A proxy that does not look at it would take it, and so what it announces, for the tunnel's.
            raise ValueError(
                "The proxy's headers tell of a body (Content-Length, Transfer-Encoding), and CONNECT has none "
                "(RFC 9110 section 9.3.6)"
            )
        try:
            request = h11.Request(method=b"CONNECT", target=authority, headers=fields)
        except h11.LocalProtocolError as exc:
            why = of_request(exc, fields)
            raise ValueError(f"The proxy's headers cannot be sent over HTTP/1.1: {why}") from None
        self.outgoing = (self._h11.send(request) or b"") + (self._h11.send(h11.EndOfMessage()) or b"")

    def hear(self, data: bytes) -> None:
        """Take bytes of the proxy's answer."""
        if len(self._begun) < len(_BEGINNING):
            # h11 waits for the end of a head, which never comes from somebody who speaks something else.
            self._begun = (self._begun + data)[: len(_BEGINNING)]
            if not _BEGINNING.startswith(self._begun):
                self.fail("its answer is not HTTP/1.1")
                return
        self._h11.receive_data(data)
        try:
            self._advance()
        except h11.RemoteProtocolError as exc:
            self.fail(str(self.refusal or f"its answer is not valid HTTP/1.1: {of_response(exc)}"))

    def lose(self, error: OSError | None) -> None:
        """The proxy hung up: that may be the end of a refusal."""
        if self.refusal is not None:
            self.fail(str(self.refusal))
        else:
            super().lose(error)

    def _advance(self) -> None:
        while self.failure is None:
            held = len(self._h11.trailing_data[0])
            event = self._h11.next_event()
            if isinstance(event, h11.InformationalResponse | h11.Response):
                if held - len(self._h11.trailing_data[0]) > MAX_HEAD_SIZE or len(event.headers) > MAX_FIELDS:
                    raise h11.RemoteProtocolError("the head is too long")
                self._take_head(event)
                if self.established:
                    return
            elif isinstance(event, h11.Data):
                self._take_body(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self.fail(str(self.refusal))
            else:
                return  # more bytes are needed

    def _take_head(self, head: h11.InformationalResponse | h11.Response) -> None:
        if not isinstance(head, h11.Response):
            self._informational += 1
            if self._informational > MAX_INFORMATIONAL or head.status_code == 101:
                raise h11.RemoteProtocolError("more informational responses than allowed, or 101")
        elif 200 <= head.status_code < 300:
            self.succeed()
            behind = self._h11.trailing_data[0]
            if behind:
                self.inner.receive_data(behind)
        else:
            self.refusal = Refusal(head)

    def _take_body(self, data: bytes) -> None:
        assert self.refusal is not None
        self.refusal.body = (self.refusal.body + data)[:MAX_REFUSAL]
        if len(self.refusal.body) == MAX_REFUSAL:
            self.fail(str(self.refusal))
