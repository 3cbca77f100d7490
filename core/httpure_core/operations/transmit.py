"""One request through the pool: a slot, a connection, an exchange."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from ..contracts import Clock, Connection
from ..effects import Operation, Park
from ..errors import UnsupportedProtocol
from ..models.headers import Headers
from ..models.request import masked
from ..models.response import Response
from ..pool import Pool, Ticket
from .body import IncomingBody
from .budget import Budget, place
from .dial import Dialler
from .exchange import exchange
from .report import DEBUG, Logs, Report, silent

if TYPE_CHECKING:
    from ..models.request import Request

__all__ = ["Transmitter"]


class Transmitter:
    """What the ready HTTP transports share: a pool, a way to connect, a clock.

    `wrap` makes a byte stream, of the face's colour, of an incoming body; `network_stream` makes of that what its user
    finds in the response's extensions. `logs` gives the logs by name.
    """

    __slots__ = ("_log", "_log2", "_logs", "_network_stream", "_wrap", "clock", "dialler", "pool")

    def __init__(
        self,
        pool: Pool,
        dialler: Dialler,
        clock: Clock,
        wrap: Callable[[IncomingBody], Any],
        network_stream: Callable[[Any], Any] = lambda body: None,
        logs: Logs = silent,
    ) -> None:
        self.pool = pool
        self.dialler = dialler
        self.clock = clock
        self._wrap = wrap
        self._network_stream = network_stream
        self._logs = logs
        # Who is asked about each request; the other logs are for what happens to few of them.
        self._log = logs("http11")
        self._log2 = logs("http2") if dialler.http2 else None

    def transmit(self, request: Request, ends: float | None = None) -> Operation[Response]:
        """Send the request and return its response, whose body is still to be read.

        `ends` is the moment when a total timeout, which began earlier, is over. Raises TransportError.
        """
        url = request.url
        if url.scheme not in ("http", "https") or not url.host:
            raise _unsupported(request)
        if self.dialler.proxy is not None:
            self.dialler.check(request)
        started = self.clock()
        budget = Budget(request, self.clock, ends)
        trace = request.extensions.get("trace")
        if trace is not None or self._log.enabled(DEBUG) or (self._log2 and self._log2.enabled(DEBUG)):
            budget.report = Report(trace, self._logs)
        route = (url.origin, request.extensions.get("sni_hostname"))
        ticket = Ticket(route)
        try:
            self.pool.admit(ticket, started)
            if not ticket.signal.ready:
                yield from self._wait(ticket, budget)
            connection = ticket.connection
            if connection is not None and (connection.link.is_stale() or not connection.reusable):
                self.pool.redial(ticket)
                connection = None
            if connection is None:
                connection = yield from self._dial(ticket, budget)
            stream = yield from exchange(connection, budget)
        except BaseException:
            self.pool.release(ticket, self.clock())
            raise
        parts = (stream, connection.link, self.pool, ticket, budget, started)
        report = budget.report
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

    def _wait(self, ticket: Ticket, budget: Budget) -> Operation[Ticket]:
        report = self._report(budget, "pool")
        waiting = _wait(ticket, budget)
        if report is None:
            return (yield from waiting)
        return (yield from report.around("pool", "wait", {"request": budget.request}, waiting))

    def _report(self, budget: Budget, *names: str) -> Report | None:
        """Look again whether somebody listens: those who want to know of the less common events only."""
        if budget.report is None and any(self._logs(name).enabled(DEBUG) for name in names):
            budget.report = Report(None, self._logs)
        return budget.report

    def _dial(self, ticket: Ticket, budget: Budget) -> Operation[Connection]:
        if ticket.refused:
            raise RuntimeError(f"The client was closed while the request waited, {place(budget.request)}")
        self._report(budget, "connection", "proxy", "socks", "http2")
        connection = yield from self.dialler.dial(budget)
        if not self.pool.dialled(ticket, connection):
            connection.link.close()
            raise RuntimeError(f"The client was closed while it connected, {place(budget.request)}")
        return connection


def _reported(*parts: Any) -> IncomingBody:
    from .reported import ReportedBody

    return ReportedBody(*parts)


def _wait(ticket: Ticket, budget: Budget) -> Operation[Ticket]:
    try:
        yield Park(ticket.signal, budget.seconds("pool"))
    except TimeoutError:
        # A grant may have come together with the timeout: then there is nothing to complain of.
        if not ticket.signal.ready:
            raise budget.spent("pool") from None
    return ticket


def _unsupported(request: Request) -> UnsupportedProtocol:
    url = request.url
    if not url.scheme:
        what = "The URL has no scheme: it must begin with 'http://' or 'https://'"
    elif url.scheme not in ("http", "https"):
        what = f"The URL's scheme is {url.scheme!r}, and only 'http' and 'https' are supported"
    else:
        what = f"The URL has no host: {masked(url.copy_with(query=None))!r}"
    return UnsupportedProtocol(what, request=request)
