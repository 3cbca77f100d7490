"""A request's body that is not read from anything: whoever sends the request goes on to send it, piece by piece."""

from __future__ import annotations

from collections import deque
from typing import Any

from ..errors import StreamConsumed
from .streams import as_bytes

__all__ = ["DuplexBody"]


class DuplexBody:
    """What the faces' `Duplex` and `AsyncDuplex` have in common: what was given, and where it goes.

    Appends to `kept` and reads of `outlet` are atomic. Who sends appends first and then looks for the outlet; who
    opens it sets it first and then sends what was kept: so nothing is left lying.
    """

    #: It is sent once, and cannot be sent again.
    replayable = False

    def __init__(self) -> None:
        #: What has not been queued yet; None is the end.
        self.kept: deque[bytes | None] = deque()
        #: The `DuplexUpload` that sends it, once the request is under way.
        self.outlet: Any = None
        self._ended = False

    @property
    def begun(self) -> bool:
        """True when a request has begun to send it."""
        return self.outlet is not None

    def take_up(self, outlet: Any) -> None:
        """The request is under way. Raises StreamConsumed where another one was before."""
        if self.outlet is not None:
            raise StreamConsumed(
                "This body was sent already, and what was sent is not kept: make a new one for each request, and for "
                "each time that one is sent."
            )
        self.outlet = outlet

    def put(self, data: object) -> None:
        """Take the next piece. Raises TypeError for what is no bytes, ValueError behind the end."""
        piece = as_bytes(data)
        if self._ended:
            raise ValueError("Nothing can be sent any more: end() was called.")
        if piece:
            self.kept.append(piece)

    def finish(self) -> None:
        """There are no more pieces."""
        if not self._ended:
            self._ended = True
            self.kept.append(None)
