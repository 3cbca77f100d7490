"""Sending a request again, unseen by the user: when that is safe, and how often.

    unprocessed     the server has not looked at it (RFC 9113 sections 6.8 and 8.7), or it never left: any method
    unanswered      a connection that was used before is lost, and no byte of an answer came: most likely the server had
                    closed it meanwhile. Only methods that may be repeated (RFC 9110 section 9.2.2): on a connection
                    that was made since; and, if that is lost as well, on one of its own

Never after a timeout or a cancellation, and never where the body cannot be sent again.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..content.streams import ByteStream
from ..errors import TransportError

if TYPE_CHECKING:
    from ..models.request import Request
    from ..pool import Ticket
    from .budget import Budget

__all__ = ["MOST_GOES", "Resending", "may_resend"]

#: How often an unprocessed request is sent at most.
MOST_GOES = 5
#: No connection is as new as this: one is made.
NO_OTHER = 1 << 62
#: Methods that mean the same if they arrive twice.
IDEMPOTENT = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))


def may_resend(request: Request) -> bool:
    """Return True if the request's body can be sent once more: it can be repeated, or nothing was taken of it yet."""
    stream: Any = request.stream
    stream = getattr(stream, "source", stream)  # of an async driver
    return type(stream) is ByteStream or bool(
        getattr(stream, "replayable", False) or not getattr(stream, "begun", True)
    )


class Resending:
    """What has been tried for one request."""

    __slots__ = ("_after_loss", "_budget", "_goes", "newer_than")

    def __init__(self, budget: Budget, after_loss: bool) -> None:
        self._budget = budget
        self._after_loss = after_loss
        self._goes = 1
        #: Only connections that were made after so many will do. 0 where any will.
        self.newer_than = 0

    def may(self, exc: TransportError, ticket: Ticket) -> bool:
        """Whether to send it again, after this error, on the connection that the ticket had."""
        budget, request = self._budget, self._budget.request
        if exc.unprocessed:
            self._goes += 1
            # Where no stream was opened, nothing was taken of the body, whatever it is. If the total timeout is over,
            # the next go says so, which tells the user more than this error.
            return self._goes <= MOST_GOES and (not ticket.opened or may_resend(request))
        if budget.ends is not None and budget.clock() >= budget.ends:
            return False
        if not (exc.unanswered and ticket.reused and self._after_loss and request.method in IDEMPOTENT):
            return False
        if self.newer_than == NO_OTHER or not may_resend(request):
            return False
        # One that was made since may have been used since, and be dying as well: then only an own one is left.
        self.newer_than = NO_OTHER if self.newer_than else ticket.seen
        return True
