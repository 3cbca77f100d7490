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
from ..errors import HeadTooLarge
from ..http1.gate import Gate, new_peer
from ..http1.lines import Malformed, NoHttp
from ..http1.measures import Measures
from ..http1.reasons import of_request, of_response
from ..layers import Passage
from ..limits import DEFAULT_LIMITS, KIB, Limits
from ..models.headers import Headers
from ..models.request import Request
from ..models.response import Response

__all__ = ["MAX_HEAD_SIZE", "MAX_REFUSAL", "Refusal", "Tunnel"]

#: Bytes of an answer's head, whatever more the limits allow.
MAX_HEAD_SIZE = 64 * KIB
#: Bytes of a refusal's body that are kept.
MAX_REFUSAL = 16 * 1024
#: Characters of it that are told in an error.
_MAX_SHOWN = 200
#: Schemes of authentication that we know.
_SPOKEN = frozenset(("basic", "digest"))
_FRAMING = frozenset((b"content-length", b"transfer-encoding"))
_UNTIMELY = "it sent bytes through the tunnel before we had begun to use it"


class _Untimely(ConnectionAbortedError):
    """What came through the tunnel cannot be the origin's, which has not heard of us yet."""

    def __init__(self) -> None:
        super().__init__(None, f"{_UNTIMELY}: they are the proxy's, and not the server's")


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
        extensions = {"http_version": self.version, "reason_phrase": self._masked(self.reason)}
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
        for secret in _forms_of(self._secret):
            text = text.replace(secret, b"[secure]")
        return text

    def _said(self) -> str:
        values = {name.lower(): value for name, value in self.fields}
        if not values.get(b"content-type", b"").lower().startswith(b"text/plain"):
            return ""  # a page for a browser tells little in one line
        said = _plain(self._masked(self.body))
        return said if len(said) <= _MAX_SHOWN else said[:_MAX_SHOWN] + "…"


def _forms_of(secret: bytes) -> list[bytes]:
    """Return what a proxy could repeat of a credential: the credential, and the password in it, if it is Basic."""
    from base64 import b64decode

    try:
        password = b64decode(secret, validate=True).partition(b":")[2]
    except ValueError:
        password = b""
    # What is shorter stands in many words, and would be told by what is left of them.
    return [form for form in (secret, password) if len(form) > 3]


def _plain(text: bytes) -> str:
    """Return text of a stranger's as one line."""
    return " ".join("".join(c if c.isprintable() else " " for c in text.decode("utf-8", "replace")).split())


class Tunnel(Passage):
    """Asks a proxy for a tunnel to `authority`, such as b"example.org:443", with the given header fields.

    `challenged` is called with the fields of a 407, and returns the fields to ask with once more, or None. `limits` are
    those of an answer's head. With `client_first`, it is for us to begin with what goes through the tunnel: bytes that
    come before are the proxy's, and a fault. Raises ValueError where fields cannot be sent over HTTP/1.1.
    """

    __slots__ = (
        "_asked_twice",
        "_authority",
        "_begun",
        "_challenged",
        "_client_first",
        "_gate",
        "_h11",
        "_informational",
        "_measures",
        "_secret",
        "again",
        "refusal",
    )

    def __init__(
        self,
        authority: bytes,
        fields: Fields,
        challenged: Callable[[Fields], Fields | None] | None = None,
        limits: Limits = DEFAULT_LIMITS,
        client_first: bool = False,
    ) -> None:
        super().__init__()
        #: The answer of a proxy that opened no tunnel.
        self.refusal: Refusal | None = None
        #: True after a failure that need not be one: on another connection, the proxy may be told what it asked for.
        self.again = False
        self._asked_twice = False
        self._authority = authority
        self._challenged = challenged
        self._client_first = client_first
        self._measures = Measures(limits, MAX_HEAD_SIZE)
        self._h11 = new_peer(self._measures)
        self._gate = Gate(self._h11, self._measures)
        self._ask(fields)

    def _ask(self, fields: Fields) -> None:
        self._begun = False
        self._informational = 0
        self._gate.begin(b"CONNECT")
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

    def receive_data(self, data: bytes) -> None:
        """Listen, or pass the bytes on."""
        if self._client_first and self.established and self.inner is self._early:
            self._early.receive_eof(_Untimely())
        else:
            super().receive_data(data)

    def hear(self, data: bytes) -> None:
        """Take bytes of the proxy's answer."""
        self._begun = True
        try:
            self._advance(data)
        except HeadTooLarge as exc:
            text = str(exc)
            self.fail(str(self.refusal or f"its answer is too large: {text[0].lower()}{text[1:]}"))
        except NoHttp:
            self.fail("its answer is not HTTP/1.1")
        except (h11.RemoteProtocolError, Malformed) as exc:
            why = of_response(exc) if isinstance(exc, h11.RemoteProtocolError) else str(exc)
            self.fail(str(self.refusal or f"its answer is not valid HTTP/1.1: {why}"))

    def lose(self, error: OSError | None) -> None:
        """The proxy hung up: that may be the end of a refusal."""
        if self.refusal is not None:
            self._refuse(self.refusal)
        else:
            # After a 407 it may have had that in mind all the time, without saying so.
            self.again = self._asked_twice and not self._begun
            super().lose(error)

    def _advance(self, data: bytes) -> None:
        for event in self._gate.receive(data):
            if isinstance(event, h11.InformationalResponse | h11.Response):
                self._take_head(event)
            elif isinstance(event, h11.Data):
                self._take_body(bytes(event.data))
            else:
                assert self.refusal is not None
                self._refuse(self.refusal, self._keeps)
                return
            if self.established or self.failure is not None:
                return

    @property
    def _keeps(self) -> bool:
        """Whether the connection will carry another request, now that the answer is whole."""
        return self._h11.their_state is h11.DONE and not self._gate.unread

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
            if self._informational > self._measures.limits.max_informational:
                raise self._measures.too_many_informational(self._informational)
            if head.status_code == 101:
                raise Malformed("101 Switching Protocols, which nobody asked for")
        elif 200 <= head.status_code < 300:
            behind = self._gate.unread
            if behind and self._client_first:
                raise Malformed(_UNTIMELY)
            self.succeed()
            if behind:
                self.inner.receive_data(behind)
        else:
            self.refusal = Refusal(head, self._secret)

    def _take_body(self, data: bytes) -> None:
        assert self.refusal is not None
        self.refusal.body = (self.refusal.body + data)[:MAX_REFUSAL]
        if len(self.refusal.body) == MAX_REFUSAL:
            self._refuse(self.refusal)
