"""One HTTP/1.1 connection of a scripted server, on h11."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from functools import partial

import h11

from httpure_core.models.status import codes

from ..simulated.channel import Channel
from .answers import Answer
from .received import Received
from .replying import Pairs, Reply
from .site import Site
from .wire import Wire

__all__ = ["Http1Peer"]

_GREATEST_HEAD = 1 << 20


class Http1Peer:
    """Hears requests, one after the other, and has the site answer them. See `simulated.Peer`."""

    def __init__(self, site: Site, number: int) -> None:
        self.site = site
        self.number = number
        #: The request that is being received or answered.
        self.request: Received | None = None
        self.wire: Wire
        self._h11 = _server()
        self._body: list[bytes] = []
        self._answering = False
        self._answered = False
        self._ended: Callable[[], None] = _nothing
        self._reads = True

    @property
    def over(self) -> bool:
        """True when nothing can be sent any more."""
        return self.wire.over

    def connected(self, channel: Channel) -> None:
        """A client is here."""
        self.channel = channel
        self.wire = Wire(channel, self.site.random)
        self.site.peers.append(self)

    def receive_data(self, data: bytes) -> None:
        """Bytes came."""
        if self._reads:
            self._h11.receive_data(data)
            self._hear()

    def receive_eof(self) -> None:
        """The client is gone."""
        self._reads = False
        self.wire.close()

    def drop(self, how: str) -> bool:
        """Close or reset the connection if it is idle; tell whether it was."""
        if self.request is not None or self.over:
            return False
        self._reads = False
        self.wire.reset() if how == "reset" else self.wire.close()
        return True

    def _hear(self) -> None:
        while self._reads:
            try:
                event = self._h11.next_event()
            except h11.RemoteProtocolError as exc:
                self._reads = False
                raise self.site.problem(f"it was sent what is no HTTP/1.1: {exc}") from None
            if isinstance(event, h11.Request):
                self._begin(event)
            elif isinstance(event, h11.Data):
                self._body.append(bytes(event.data))
            elif isinstance(event, h11.EndOfMessage):
                self._end()
            else:
                return

    def _begin(self, head: h11.Request) -> None:
        if self.over:
            self._reads = False  # it has closed its half: what comes now is too late, and nobody looks at it
            return
        fields = [(name.decode("ascii"), value.decode("latin-1")) for name, value in head.headers.raw_items()]
        target = head.target.decode("ascii")
        if target.startswith("/") or target == "*":
            host = next((value for name, value in fields if name.lower() == "host"), "")
            target = f"{self.site.scheme}://{host}{'' if target == '*' else target}"
        self._body = []
        self._answering = self._answered = False
        self.request = self.site.received(
            head.method.decode("ascii"), target, fields, connection=self.number, http_version="HTTP/1.1"
        )
        if self.site.answers_early():
            self._answer()
        elif self._h11.they_are_waiting_for_100_continue:
            self._send(h11.InformationalResponse(status_code=100, headers=[]))

    def _end(self) -> None:
        assert self.request is not None
        self.request.complete(b"".join(self._body))
        if not self._answering:
            self._answer()
        self._rest()

    def _answer(self) -> None:
        assert self.request is not None
        self._answering = True
        answer = self.site.answer_for(self.request)
        if answer.fault is not None and answer.fault.kind in ("goaway", "reset_stream"):
            raise self.site.problem(
                f"it cannot answer with {answer.fault.kind}: that is HTTP/2, and this is HTTP/1.1"
            )
        Reply(answer, self, self.channel.call_later).start()

    # See `replying.Out`.

    def begin(self, answer: Answer) -> None:
        """The bytes of an answer begin."""
        self._ended = self.wire.begin(answer)

    def inform(self, status: int, fields: Pairs) -> None:
        """Send an informational response."""
        self._send(h11.InformationalResponse(status_code=status, headers=fields))

    def head(self, answer: Answer) -> None:
        """Send the head; or all of it, where the bytes were given."""
        if answer.raw is not None:
            self.wire.send(answer.raw)
            return
        fields = list(answer.headers)
        if answer.chunked:
            fields.append(("Transfer-Encoding", "chunked"))
        elif answer.status not in (204, 304):
            fields.append(("Content-Length", str(answer.length)))
        if answer.close:
            fields.append(("Connection", "close"))
        reason = codes.get_reason_phrase(answer.status).encode()
        self._send(h11.Response(status_code=answer.status, headers=fields, reason=reason))

    def data(self, data: bytes) -> None:
        """Send a piece of the body, where there is to be one."""
        assert self.request is not None
        if self.request.method != "HEAD" and self._h11.our_state is h11.SEND_BODY and not self._bodiless:
            self._send(h11.Data(data))

    @property
    def _bodiless(self) -> bool:
        return self._status in (204, 304)

    def end(self, answer: Answer) -> None:
        """The answer is whole: hang up, or wait for the next request."""
        if answer.raw is not None:
            self._h11, rest = _server(), self._h11.trailing_data[0]
            if rest:
                self._h11.receive_data(rest)
        else:
            self._send(h11.EndOfMessage(headers=answer.trailers))
        self._answered = True
        self._ended()
        if answer.raw is not None:
            self.request = None
            self._hear()
        elif self._h11.our_state is h11.MUST_CLOSE:
            self.wire.hang_up()
        else:
            self._rest()
        if answer.hang_up is not None:
            self.channel.call_later(answer.hang_up, partial(self.drop, "close"))

    def _rest(self) -> None:
        """Go on to the next request, if both have said all."""
        if self._answered and self._h11.our_state is h11.DONE and self._h11.their_state is h11.DONE:
            self.request = None
            self._h11.start_next_cycle()
            self._hear()

    def _send(self, event: h11.Event) -> None:
        if isinstance(event, h11.Response):
            self._status = event.status_code
        with contextlib.suppress(h11.LocalProtocolError) if self.over else contextlib.nullcontext():
            self.wire.send(self._h11.send(event) or b"")


def _server() -> h11.Connection:
    return h11.Connection(h11.SERVER, max_incomplete_event_size=_GREATEST_HEAD)


def _nothing() -> None:
    pass
