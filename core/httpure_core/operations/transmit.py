"""One request through the pool: a place, a connection, an exchange; and all over again where that is safe."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..contracts import Clock, Connection, Stream
from ..effects import Operation, Park, Sleep
from ..errors import TransportError, UnsupportedProtocol
from ..lanes import Share
from ..models.headers import Headers
from ..models.request import masked
from ..models.response import Response
from ..pool import Pool, Ticket
from .body import IncomingBody
from .budget import Budget, place
from .dial import Dialler
from .exchange import exchange
from .report import DEBUG, Logs, Report, silent
from .sending import give_up
from .upload import without_expectation

if TYPE_CHECKING:
    from ..models.request import Request
    from .resending import Resending

__all__ = ["Transmitter"]

#: Seconds between two exchanges of one request, if nothing slow is in between.
_MOMENT = 0.01
_OTHERS_DIAL = " because another request, whose connection this one was to share, took too long to connect"


class Transmitter:
    """What the ready HTTP transports share: a pool, a way to connect, a clock.

    `wrap` makes a byte stream, of the face's colour, of an incoming body; `network_stream` makes of that what its user
    finds in the response's extensions. `logs` gives the logs by name. `resend`: whether requests that may be repeated
    are sent again where a connection that was used before turns out to be lost; see `resending.py`.
    """

    __slots__ = (
        "_log", "_log2", "_logs", "_network_stream", "_wrap", "clock", "dialler", "pool", "resend"
    )  # fmt: skip

    def __init__(
        self,
        pool: Pool,
        dialler: Dialler,
        clock: Clock,
        wrap: Callable[[IncomingBody], Any],
        network_stream: Callable[[Any], Any] = lambda body: None,
        logs: Logs = silent,
        *,
        resend: bool = True,
    ) -> None:
        self.pool = pool
        self.dialler = dialler
        self.clock = clock
        self.resend = resend
        self._wrap = wrap
        self._network_stream = network_stream
        self._logs = logs
        # Who is asked about each request; the other logs are for what happens to few of them.
        self._log = logs("http11")
        self._log2 = logs("http2") if dialler.http2 else None

    def transmit(
        self, request: Request, ends: float | None = None, started: float | None = None
    ) -> Operation[Response]:
        """Send the request and return its response, whose body is still to be read.

        `ends` is the moment when a total timeout, which began earlier, is over, and `started` when this exchange began,
        if that was earlier. Raises TransportError.
        """
        now = self.clock()
        if started is None:
            started = now
        budget = self._budget(request, ends)
        url, dialler = request.url, self.dialler
        proxied = dialler.proxy is not None
        route = dialler.route(request) if proxied else (url.origin, request.extensions.get("sni_hostname"))
        # What is dialled may turn out to speak HTTP/2, and can be shared then.
        shares = dialler.http2 and (url.scheme == "https" or "http/1.1" not in dialler.alpn)
        resending: Resending | None = None
        while True:
            ticket = Ticket(route, shares, 0 if resending is None else resending.newer_than)
            try:
                self.pool.admit(ticket, now if resending is None else self.clock())
                connection = ticket.connection
                if connection is None or connection.link.is_stale() or not connection.reusable:
                    connection = yield from self._connect(ticket, budget)
                if proxied:
                    dialler.face(connection, request)
                through: Any = Share(connection, ticket) if connection.multiplexed else connection
                stream = yield from exchange(through, budget)
                if stream.status != 421 or not self._misdirected(ticket, budget):
                    break
                give_up(stream, connection.link)
                self.pool.release(ticket, self.clock())
                resending = self._elsewhere(budget, resending)
                continue
            except TransportError as exc:
                self.pool.release(ticket, self.clock())
                exc.request_sent = _may_have_been_seen(exc, ticket, budget, resending)
                resending = self._resending(exc, ticket, budget, resending)
                if resending is None:
                    raise
                failure = exc
            except BaseException:
                self.pool.release(ticket, self.clock())
                raise
            telling = self._tell(budget, failure)
            del failure  # which knows this frame by its traceback
            yield from telling
        if stream.status == 417 and (unexpecting := without_expectation(budget)) is not None:
            give_up(stream, connection.link)
            self.pool.release(ticket, self.clock())
            return (yield from self._transmit_instead(unexpecting, budget, started))
        parts = (stream, connection.link, self.pool, ticket, budget, started)
        try:
            return self._response(stream, parts, budget)
        except BaseException:  # an interrupt, before anybody owned the ticket
            give_up(stream, connection.link)
            self.pool.release(ticket, self.clock())
            raise

    def _budget(self, request: Request, ends: float | None) -> Budget:
        """Return the limits of a request that can be sent, and who listens. Raises TransportError if it cannot be."""
        if request.url.scheme not in ("http", "https") or not request.url.host:
            raise _unsupported(request)
        if self.dialler.proxy is not None:
            try:
                self.dialler.check(request)
            except TransportError as exc:
                exc.request_sent = False
                raise
        budget = Budget(request, self.clock, ends)
        trace = request.extensions.get("trace")
        if trace is not None or self._log.enabled(DEBUG) or (self._log2 and self._log2.enabled(DEBUG)):
            budget.report = Report(trace, self._logs)
        return budget

    def _transmit_instead(self, request: Request, budget: Budget, started: float) -> Operation[Response]:
        """Transmit what takes the place of the budget's request, whose response it is then."""
        try:
            response = yield from self.transmit(request, budget.ends, started)
        except TransportError as exc:
            exc.request_sent = True  # it was, if in vain
            raise
        response.request = budget.request
        return response

    def _response(self, stream: Stream, parts: tuple[Any, ...], budget: Budget) -> Response:
        report, request = budget.report, budget.request
        body = self._wrap(IncomingBody(*parts) if report is None else _reported(*parts, report))
        extensions = {
            "http_version": stream.http_version,
            "network_stream": self._network_stream(body),
        }
        if stream.stream_id is None:
            extensions["reason_phrase"] = stream.reason
        else:
            extensions["stream_id"] = stream.stream_id
        return Response.assemble(stream.status, Headers.from_wire(stream.fields), body, request, extensions)

    def drain(self, grace: float, refuse: bool) -> Operation[bool]:
        """Wait until all requests are done, for `grace` seconds at most. Returns True if they are.

        Requests that come meanwhile are refused, or, with `refuse=False`, carried.
        """
        ends = self.clock() + grace
        quiet = self.pool.drain(refuse)
        while not quiet.ready:
            try:
                yield Park(quiet, None if grace == float("inf") else max(0.0, ends - self.clock()))
            except TimeoutError:
                break
            if not refuse:
                # Who follows a redirect has no connection for a moment.
                yield Sleep(_MOMENT)
                quiet = self.pool.drain(refuse)
        return quiet.ready

    def _connect(self, ticket: Ticket, budget: Budget) -> Operation[Connection]:
        """Wait for a connection, or for leave to dial one, until the ticket has one that can be used."""
        waited = False
        while True:
            if not ticket.decided:
                waited = True
                yield from self._wait(ticket, budget)
            if ticket.refused:
                raise self._refusal(waited, budget)
            connection = ticket.connection
            if connection is None:
                return (yield from self._dial(ticket, budget))
            stale = connection.link.is_stale()
            if not stale and connection.reusable:
                return connection
            self.pool.redial(ticket, self.clock(), stale)

    def _refusal(self, waited: bool, budget: Budget) -> RuntimeError:
        if not self.pool.closed:
            what = "The client is about to close, and takes no new requests"
        elif waited:
            what = "The client was closed while the request waited"
        else:
            what = "The client is closed: make a new one to send more requests"
        return RuntimeError(f"{what}, {place(budget.request)}")

    def _wait(self, ticket: Ticket, budget: Budget) -> Operation[Ticket]:
        report = self._report(budget, "pool")
        waiting = _wait(ticket, budget)
        if report is None:
            return waiting  # and no generator around it: thousands may wait
        return report.around("pool", "wait", {"request": budget.request}, waiting)

    def _resending(
        self, exc: TransportError, ticket: Ticket, budget: Budget, resending: Resending | None
    ) -> Resending | None:
        """Return with what the request is sent again; None if it is not."""
        if not (exc.unprocessed or exc.unanswered) or self.pool.closed or _is_anothers(exc, budget):
            return None
        if resending is None:
            from .resending import Resending

            resending = Resending(budget, self.resend)
        return resending if resending.may(exc, ticket) else None

    def _misdirected(self, ticket: Ticket, budget: Budget) -> bool:
        """Whether a request that was answered 421 is sent once more, on a connection of its own.

        The server has not acted on it, whatever its method (RFC 9110 section 15.5.20). Where the connection was new,
        another one would be told the same.
        """
        from .resending import may_resend

        return ticket.reused and not self.pool.closed and may_resend(budget.request)

    def _elsewhere(self, budget: Budget, resending: Resending | None) -> Resending:
        from .resending import NO_OTHER, Resending

        resending = resending or Resending(budget, self.resend)
        resending.newer_than = NO_OTHER
        budget.sent = False
        return resending

    def _tell(self, budget: Budget, failure: BaseException) -> Operation[bool]:
        report = self._report(budget, "connection")
        if report is None:
            return (yield from _nothing())
        info = {"request": budget.request, "exception": failure}
        return (yield from report.tell("connection", "resend", info))

    def _report(self, budget: Budget, *names: str) -> Report | None:
        """Look again whether somebody listens: those who want to know of the less common events only."""
        if budget.report is None:
            for name in names:
                if self._logs(name).enabled(DEBUG):
                    budget.report = Report(None, self._logs)
        return budget.report

    def _dial(self, ticket: Ticket, budget: Budget) -> Operation[Connection]:
        self.pool.sweep()
        self._report(budget, "connection", "proxy", "socks", "http2")
        try:
            connection = yield from self.dialler.dial(budget)
        except Exception:
            ticket.failed = True
            raise
        if not self.pool.dialled(ticket, connection, self.clock()):
            connection.link.close()
            raise RuntimeError(f"The client was closed while it connected, {place(budget.request)}")
        return connection


def _reported(*parts: Any) -> IncomingBody:
    from .reported import ReportedBody

    return ReportedBody(*parts)


def _wait(ticket: Ticket, budget: Budget) -> Operation[Ticket]:
    while True:
        # Clear the signal, look at the state, then wait: in that order, or a wake-up is lost.
        ticket.ready = False
        if ticket.decided:
            return ticket
        awaits_dial = ticket.awaits_dial
        try:
            yield Park(ticket, budget.seconds("connect" if awaits_dial else "pool"))
        except TimeoutError:
            # A grant may have come together with the timeout: then there is nothing to complain of.
            if ticket.ready or ticket.decided:
                continue
            if awaits_dial:
                raise budget.spent("connect", _OTHERS_DIAL) from None
            raise budget.spent("pool") from None


def _may_have_been_seen(
    exc: TransportError, ticket: Ticket, budget: Budget, resending: Resending | None
) -> bool:
    """Whether a server may have seen any of the request, in the go that failed or in one before."""
    if resending is not None and resending.sent:
        return True
    return (budget.sent or ticket.opened) and not (exc.unprocessed and not _is_anothers(exc, budget))


def _is_anothers(exc: TransportError, budget: Budget) -> bool:
    """Whether an error is of another request: of one that the body's source has made, say."""
    return exc._request is not None and exc._request is not budget.request


def _nothing() -> Operation[bool]:
    yield from ()
    return True


def _unsupported(request: Request) -> UnsupportedProtocol:
    url = request.url
    if not url.scheme:
        what = "The URL has no scheme: it must begin with 'http://' or 'https://'"
    elif url.scheme not in ("http", "https"):
        what = f"The URL's scheme is {url.scheme!r}, and only 'http' and 'https' are supported"
    else:
        what = f"The URL has no host: {masked(url.copy_with(query=None))!r}"
    return UnsupportedProtocol(what, request=request)
