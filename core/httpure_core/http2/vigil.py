"""Whether the peer is still there: a PING, where nothing has come for long (RFC 9113 section 6.7).

There is no clock here and no timer: those who wait look now and then, and say what time it is.
"""

from __future__ import annotations

from typing import Protocol

__all__ = ["Vigil", "Watched"]


class Watched(Protocol):
    """What is asked of the connection that is watched."""

    @property
    def arrivals(self) -> int:
        """How often bytes have come."""
        ...

    def ping(self) -> None:
        """Ask the peer for a sign of life."""
        ...

    def end_silence(self, seconds: float, /) -> None:
        """The peer has not answered for so long: the connection is over."""
        ...


class Vigil:
    """Watches one connection: after `interval` seconds of silence a PING goes out, after as many more it is over."""

    __slots__ = ("_arrivals", "_asked", "_connection", "_interval", "_since")

    def __init__(self, connection: Watched, interval: float) -> None:
        self._connection = connection
        self._interval = interval
        self._arrivals = 0
        self._since: float | None = None  # when the silence began, or was noticed
        self._asked = False  # whether it is the one behind a PING

    def begin(self) -> None:
        """Somebody waits again, after a time when nobody did: that was no silence."""
        self._since = None

    def look(self, now: float) -> tuple[float, bool]:
        """Return in how many seconds to look again, and whether there is something to send now.

        Call with the link's mutex held.
        """
        connection = self._connection
        if self._since is None or connection.arrivals != self._arrivals:
            self._arrivals, self._since, self._asked = connection.arrivals, now, False
        left = self._since + self._interval - now
        if left > 0:
            return left, False
        if self._asked:
            connection.end_silence(self._interval)
        else:
            connection.ping()
            self._since, self._asked = now, True
        return self._interval, True
