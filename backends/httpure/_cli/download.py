"""A receiver that saves the body, and shows how far it got."""

from __future__ import annotations

from httpure_core.models.response import Response

from .display import Receiver
from .progress import Bar
from .saving import Target

__all__ = ["Download"]


class Download:
    """Gives what is a success to the target, and all else, which explains an error, to `otherwise`."""

    def __init__(self, target: Target, otherwise: Receiver, bar: Bar) -> None:
        self._target = target
        self._otherwise = otherwise
        self._bar = bar
        self._taking = False

    def begin(self, response: Response) -> None:
        """Decide who takes the body. Raises StartAgain and OSError."""
        self._taking = self._target.begin(response)
        if not self._taking:
            self._otherwise.begin(response)
        elif not self._target.complete:
            self._response = response
            self._bar.start(self._target.name, self._target.offset, self._total(response))

    def feed(self, data: bytes) -> None:
        """Give the piece on. Raises OSError."""
        if not self._taking:
            self._otherwise.feed(data)
        elif not self._target.complete:
            self._target.feed(data)
            self._bar.update(self._target.offset + self._response.num_bytes_downloaded)

    def finish(self) -> None:
        """All is there. Raises Incomplete and OSError."""
        if self._taking:
            self._target.finish()
        else:
            self._otherwise.finish()

    def close(self) -> None:
        """End the bar, and let go of the file. To be called in any case."""
        self._bar.stop()
        self._target.close()

    def _total(self, response: Response) -> int | None:
        length = response.headers.get("content-length", "")
        return self._target.offset + int(length) if length.isdecimal() else None
