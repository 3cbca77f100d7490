"""CONNECT (RFC 9110 section 9.3.6): a proxy is asked, in HTTP/1.1, for a tunnel, and then carries bytes of others.

What the proxy answers is never a response of the origin. If it is no success there is no tunnel, and the answer is kept
as a `refusal` to tell of. There is one refusal that can be answered: 407, by saying who we are. That is asked on the
same connection where the proxy keeps it, and else `again`, on another one.
"""

from __future__ import annotations

from collections.abc import Callable

import h11

from ..auth.challenges import parse_challenges
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
_SPOKEN = frozenset(("basic", "digest"))


class Refusal:
    """A proxy's answer other than 2xx, with the beginning of its body, as it came.

    `secret` is what it had been told of who we are: a proxy may well repeat it, but an error must not.
    """

    __slots__ = ("_secret", "body", "fields", "reason", "status", "version")

    def __init__(self, head: h11.Response, secret: bytes = b"") -> None:
        self._secret = secret
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
        text = f"it answered {self.status} {_plain(self._masked(self.reason))}".rstrip()
        said = self._said()
        if said:
            text += f": {said!r}"
        return f"{text}; {self._advice()}" if self.status == 407 else text

    def _advice(self) -> str:
        asked = [value for name, value in self.fields if name.lower() == b"proxy-authenticate"]
        schemes = {
            each.scheme: None for each in parse_challenges([field.decode("latin-1") for field in asked])
        }
        if schemes and not _SPOKEN & schemes.keys():
            return f"it asks for {_plain(', '.join(schemes).encode())[:_MAX_SHOWN]}, which is not spoken here"
        if self._secret:
            return "it did not accept the user name and password"
        return "give user name and password with Proxy(url, auth=...)"

    def _masked(self, text: bytes) -> bytes:
        return text.replace(self._secret, b"[secure]") if self._secret else text

    def _said(self) -> str:
        values = {name.lower(): value for name, value in self.fields}
        if not values.get(b"content-type", b"").lower().startswith(b"text/plain"):
            return ""  # a page for a browser tells little in one line
        said = _plain(self._masked(self.body))
        return said if len(said) <= _MAX_SHOWN else said[:_MAX_SHOWN] + "…"


def _plain(text: bytes) -> str:
    """Return text of a stranger's as one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace")).split())


class Tunnel(Passage):
    """Asks a proxy for a tunnel to `authority`, such as b"example.org:443", with the given header fields.

    `challenged` is called with the fields of a 407, and returns the fields to ask with once more, or None. Raises
    ValueError where fields cannot be sent over HTTP/1.1.
    """

    __slots__ = (
        "_asked_twice",
        "_authority",
        "_begun",
        "_challenged",
        "_h11",
        "_informational",
        "_secret",
        "again",
        "refusal",
    )

    def __init__(
        self, authority: bytes, fields: Fields, challenged: Callable[[Fields], Fields | None] | None = None
    ) -> None:
        super().__init__()
        #: The answer of a proxy that opened no tunnel.
        self.refusal: Refusal | None = None
        #: True after a failure that need not be one: on another connection, the proxy may be told what it asked for.
        self.again = False
        self._asked_twice = False
        self._authority = authority
        self._challenged = challenged
        self._h11 = h11.Connection(h11.CLIENT, max_incomplete_event_size=MAX_HEAD_SIZE)
        self._ask(fields)

    def _ask(self, fields: Fields) -> None:
        self._begun = b""
        self._informational = 0
        named = {name.lower(): value for name, value in fields}
        names = named.keys()
        self._secret = named.get(b"proxy-authorization", b"").rpartition(b" ")[2]
        if b"host" not in names:
            fields = [(b"Host", self._authority), *fields]
        if names & _FRAMING:
            # A proxy that does not look at it would take it, and so what it announces, for the tunnel's.
            raise ValueError(
                "The proxy's headers tell of a body (Content-Length, Transfer-Encoding), and CONNECT has none "
                "(RFC 9110 section 9.3.6)"
            )
        try:
            request = h11.Request(method=b"CONNECT", target=self._authority, headers=fields)
        except h11.LocalProtocolError as exc:
            why = of_request(exc, fields)
            raise ValueError(f"The proxy's headers cannot be sent over HTTP/1.1: {why}") from None
        self.outgoing += (self._h11.send(request) or b"") + (self._h11.send(h11.EndOfMessage()) or b"")

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
            self._refuse(self.refusal)
        else:
            # After a 407 it may have had that in mind all the time, without saying so.
            self.again = self._asked_twice and not self._begun
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
                assert self.refusal is not None
                self._refuse(self.refusal, self._keeps)
            else:
                return  # more bytes are needed

    @property
    def _keeps(self) -> bool:
        """Whether the connection will carry another request, now that the answer is whole."""
        return self._h11.their_state is h11.DONE and not self._h11.trailing_data[0]

    def _refuse(self, refusal: Refusal, kept: bool = False) -> None:
        """Take the refusal for the last word, or answer it."""
        fields = None
        if refusal.status == 407 and self._challenged is not None:
            fields = self._challenged(refusal.fields)
        if fields is not None and kept:
            self.refusal = None
            self._asked_twice = True
            self._h11.start_next_cycle()
            try:
                self._ask(fields)
            except ValueError as exc:
                self.fail(str(exc))
            return
        self.again = fields is not None
        self.fail(str(refusal))

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
            self.refusal = Refusal(head, self._secret)

    def _take_body(self, data: bytes) -> None:
        assert self.refusal is not None
        self.refusal.body = (self.refusal.body + data)[:MAX_REFUSAL]
        if len(self.refusal.body) == MAX_REFUSAL:
            self._refuse(self.refusal)
