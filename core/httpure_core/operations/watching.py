"""Waiting for a peer that may be gone: a PING asks it now and then, and its silence ends the connection."""

from __future__ import annotations

from ..contracts import Link, Stream, Vigil
from ..effects import Operation, Receive
from .budget import Budget

__all__ = ["watch"]


def watch(vigil: Vigil, stream: Stream, link: Link, budget: Budget, phase: str) -> Operation[Stream]:
    """Wait until the stream's signal is set, as `Receive` does. Raises the phase's TimeoutException."""
    limit = budget.seconds(phase)
    began = budget.clock()
    while True:
        now = budget.clock()
        with link.mutex:
            pause, asked = vigil.look(now)
        if asked:
            link.nudge()
        if limit is not None:
            pause = min(pause, limit - (now - began))
            if pause <= 0:
                raise budget.spent(phase)
        try:
            yield Receive(link, stream.signal, pause)
        except TimeoutError:
            continue
        return stream
