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
from ..retries import IDEMPOTENT

if TYPE_CHECKING:
    from ..models.request import Request
    from ..pool import Ticket
    from .budget import Budget

__all__ = ["MOST_GOES", "Resending", "may_resend"]

#: How often an unprocessed request is sent at most.
MOST_GOES = 5
#: How often a connection that is shared may turn out not to take a request, none of which was sent.
MOST_REFUSALS = 100
#: No connection is as new as this: one is made.
NO_OTHER = 1 << 62


def may_resend(request: Request) -> bool:
    """Return True if the request's body can be sent once more: it can be repeated, or nothing was taken of it yet."""
    stream: Any = request.stream
    stream = getattr(stream, "source", stream)  # of an async driver
    return type(stream) is ByteStream or bool(
        getattr(stream, "replayable", False) or not getattr(stream, "begun", True)
    )


class Resending:
    """What has been tried for one request."""

    __slots__ = ("_after_loss", "_budget", "_goes", "_refusals", "newer_than", "sent")

    def __init__(self, budget: Budget, after_loss: bool) -> None:
        self._budget = budget
        self._after_loss = after_loss
        self._goes = 1
        self._refusals = 0
        #: Only connections that were made after so many will do. 0 where any will.
        self.newer_than = 0
        #: Whether a server may have seen any of it, in one of the goes that are over.
        self.sent = False

    def may(self, exc: TransportError, ticket: Ticket) -> bool:
        """Whether to send it again, after this error, on the connection that the ticket had."""
        if not self._may(exc, ticket):
            return False
        self.sent = self.sent or exc.request_sent is not False
        self._budget.sent = False  # in the go that follows
        return True

    def _may(self, exc: TransportError, ticket: Ticket) -> bool:
        budget, request = self._budget, self._budget.request
        if exc.unprocessed:
            if ticket.opened or not ticket.reused:
                self._goes += 1
            else:  # others who share the connection made it refuse, in the moment between being granted it and using it
                self._refusals += 1
                if self._refusals > MOST_REFUSALS:
                    return False
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
