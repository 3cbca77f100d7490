"""An incoming body while somebody listens: see `report.py` for who that is, and `body.py` for what it is."""

from __future__ import annotations

from typing import Any

from ..contracts import Link, Stream
from ..effects import Operation
from ..pool import Pool, Ticket
from .body import IncomingBody
from .budget import Budget
from .report import Report

__all__ = ["ReportedBody"]


class ReportedBody(IncomingBody):
    """Tells how the body is received, and that the response is closed then, or was closed before."""

    __slots__ = ("_begun", "_closed", "_info", "_quiet", "_received", "_report", "_who")

    reported = True

    def __init__(
        self,
        stream: Stream,
        link: Link,
        pool: Pool,
        ticket: Ticket,
        budget: Budget,
        started: float,
        report: Report,
    ) -> None:
        self._report = report
        self._who = "http11" if stream.stream_id is None else "http2"
        self._info: dict[str, Any] = {"request": budget.request}
        if stream.stream_id is not None:
            self._info["stream_id"] = stream.stream_id
        self._begun = False  # it was told that the body is being received
        self._received = False  # ... and how that ended
        self._closed = False  # it was told that the response is closed
        self._quiet = False  # somebody else will tell that
        super().__init__(stream, link, pool, ticket, budget, started)

    def next_piece(self) -> Operation[bytes]:
        """As `IncomingBody.next_piece`. Raises also what the trace function raises."""
        try:
            if self._received:
                return (yield from super().next_piece())
            if not self._begun:
                self._begun = True
                yield from self._tell("receive_response_body.started", self._info)
            data = yield from self._receive()
            if isinstance(data, Exception):
                yield from self._tell("receive_response_body.failed", {"exception": data})
                yield from self.finish()
                try:
                    raise data
                finally:
                    del data  # or this frame and the error's traceback would keep each other alive
            if not data:
                self._received = True
                yield from self._tell("receive_response_body.complete", {"return_value": None})
                if self.raw is None:
                    yield from self.finish()
            return data
        except BaseException:
            self._quiet = True
            self.close()
            raise

    def arrived(self) -> None:
        """There is more to be done for it than to take it."""

    def read_all(self) -> Operation[bytes]:
        """As `IncomingBody.read_all`."""
        pieces = []
        while data := (yield from self.next_piece()):
            pieces.append(data)
        return b"".join(pieces)

    def finish(self) -> Operation[bool]:
        """As `close()`, where there is time to tell it to functions that must be awaited."""
        self._quiet = True
        self.close()
        if not self._closed:
            self._closed = True
            yield from self._tell("response_closed.started", self._closing_info)
            yield from self._tell("response_closed.complete", {"return_value": None})
        return True

    def close(self) -> None:
        """As `IncomingBody.close`. Coroutine functions are not told: nothing can be waited for."""
        super().close()
        if not self._closed and not self._quiet:
            self._closed = True
            self._report.tell_now(self._who, "response_closed.started", self._closing_info)
            self._report.tell_now(self._who, "response_closed.complete", {"return_value": None})

    def _receive(self) -> Operation[bytes | Exception]:
        """Return the next piece, or the error: what is told of it may have to be waited for."""
        self._quiet = True
        try:
            return (yield from super().next_piece())
        except GeneratorExit:
            raise  # nobody goes on with this; and perhaps it is garbage collection, in the middle of anything
        except Exception as exc:
            self._received = True
            return exc
        except BaseException as exc:
            self._received = True
            self._report.tell_now(self._who, "receive_response_body.failed", {"exception": exc})
            self._quiet = False
            self.close()
            raise
        finally:
            self._quiet = False

    @property
    def _closing_info(self) -> dict[str, Any]:
        return {} if self._who == "http11" else self._info  # as httpx's users have it

    def _tell(self, event: str, info: dict[str, Any]) -> Operation[bool]:
        return (yield from self._report.tell(self._who, event, info))

    def __del__(self) -> None:
        self._quiet = True  # garbage collection is no time to call anybody
        self.close()
