"""Requests that a proxy forwards: they say who we are when it asks for it."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any

from ..effects import Operation
from ..errors import ReadError, RemoteProtocolError
from ..models.response import Response
from ..proxy.credentials import Introduction
from .budget import Budget
from .closing import or_close
from .reading import MAX_DRAINED
from .resending import may_resend
from .transmit import Transmitter

if TYPE_CHECKING:
    from ..models.request import Request

__all__ = ["ForwardingTransmitter"]


class ForwardingTransmitter(Transmitter):
    """For transports with an HTTP proxy: a 407 to a forwarded request is answered, if there is something to say.

    That is no exchange with the origin, so nobody else hears of it: no redirect, hook or cookie. A body that can be
    read only once is not sent again, and the 407 is the response then.
    """

    __slots__ = ()

    def transmit(
        self, request: Request, ends: float | None = None, started: float | None = None
    ) -> Operation[Response]:
        """As that of `Transmitter`."""
        credentials = self.dialler.credentials
        if (
            credentials is None
            or not self.dialler.forwards(request)
            or "Proxy-Authorization" in request.headers
        ):
            return (yield from super().transmit(request, ends, started))
        started = self.clock() if started is None else started
        ends = Budget(request, self.clock, ends).ends  # one total for all goes
        introduction = Introduction(credentials)
        while True:
            response = yield from super().transmit(request, ends, started)
            if response.status_code != 407 or not may_resend(request):
                return response
            if not introduction.heard(response.headers.raw):
                return response
            draining = _drain(response)
            yield from or_close(response, draining)


def _drain(response: Response) -> Operation[Response]:
    body: Any = response.stream
    with contextlib.suppress(ReadError, RemoteProtocolError):  # the next one goes over another connection
        yield from body.incoming.drain(MAX_DRAINED)
    return response
