"""One answer on its way: when its parts come. What they look like on the wire is the business of `Out`."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Protocol

from .answers import Answer

__all__ = ["Out", "Reply"]

Pairs = list[tuple[str, str]]


class Out(Protocol):
    """Writes the parts of one answer, in the words of one version of HTTP. None of its methods waits."""

    @property
    def over(self) -> bool:
        """True when nobody hears any more."""
        ...

    def begin(self, answer: Answer, /) -> None:
        """The answer begins."""
        ...

    def inform(self, status: int, fields: Pairs, /) -> None:
        """Write an informational response."""
        ...

    def head(self, answer: Answer, /) -> None:
        """Write the head."""
        ...

    def data(self, data: bytes, /) -> None:
        """Write a piece of the body."""
        ...

    def end(self, answer: Answer, /) -> None:
        """The answer is whole."""
        ...


class Reply:
    """Carries one answer out. `later(seconds, function)` is the clock."""

    def __init__(
        self, answer: Answer, out: Out, later: Callable[[float, Callable[[], object]], object]
    ) -> None:
        self._answer = answer
        self._out = out
        self._later = later
        self._pieces: Iterator[bytes] = iter(())

    def start(self) -> None:
        """Begin, at once or when the delay is over."""
        if self._answer.delay:
            self._later(self._answer.delay, self._begin)
        else:
            self._begin()

    def _begin(self) -> None:
        answer, out = self._answer, self._out
        if out.over:
            return
        out.begin(answer)
        for status, fields in answer.informational:
            out.inform(status, fields)
        out.head(answer)
        self._pieces = iter(answer.pieces)
        self._go_on()

    def _go_on(self) -> None:
        answer, out = self._answer, self._out
        for piece in self._pieces:
            if out.over:
                return
            if piece:
                out.data(piece)
            if answer.pause:
                self._later(answer.pause, self._go_on)
                return
        if not out.over:
            out.end(answer)
