"""The bodies of responses, read whole: for the user, for an auth flow, or to have the connection back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..effects import Operation, Read
from ..errors import RequestError
from .closing import or_close

if TYPE_CHECKING:
    from ..models.response import Response
    from .body import IncomingBody

__all__ = ["MAX_DRAINED", "drain", "read_at_once", "read_whole"]

#: The body of a redirect or challenge, a proxy's too, is read up to this size; a longer one is not worth it.
MAX_DRAINED = 64 * 1024


def read_at_once(response: Response) -> bool:
    """As `read_whole`, of a body that is there, as small ones are: no need to wait. False where there may be."""
    body = getattr(response.stream, "incoming", None)
    raw = None if body is None or response.is_stream_consumed else body.arrived()
    if raw is None:
        return False
    response.absorb(raw)
    return True


def read_whole(response: Response) -> Operation[Response]:
    """Read a response to its end into `content`. On any error it is closed.

    Where it is not known to stay within its limits, each piece is weighed as it comes.
    """
    body = getattr(response.stream, "incoming", None)
    if body is None or response.is_stream_consumed:
        reading = _read(response)
        return (yield from or_close(response, reading))
    try:
        if response.fits(body.length):
            raw = yield from body.read_all()
            response.absorb(raw)
        else:
            yield from _weigh(response, body)
        return response
    except RequestError as exc:
        response._attach(exc)
        exc.request = response.request
        raise
    finally:
        body.close()


def drain(response: Response) -> Operation[Response]:
    """Read a response that the user will see only in `history`, if that is cheap."""
    body = getattr(response.stream, "incoming", None)
    if response.is_closed:
        return response
    if body is None:
        yield Read(response, MAX_DRAINED)
    else:
        response.absorb_little((yield from body.drain(MAX_DRAINED)))
    return response


def _weigh(response: Response, body: IncomingBody) -> Operation[Response]:
    stage = response.whole()
    pieces: list[bytes] = []
    received = 0
    while raw := (yield from body.next_piece()):
        received += len(raw)
        pieces.extend(stage.feed(raw))
    response.settle(stage, pieces, received)
    return response


def _read(response: Response) -> Operation[Response]:
    yield Read(response)
    return response
