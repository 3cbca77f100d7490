"""One go at connecting: its limit, the words for what goes wrong, and the handshake of any layer."""

from __future__ import annotations

import contextlib
from typing import Any, TypeVar

from ..contracts import Layer, Link
from ..effects import Flush, Operation, Receive
from ..errors import CertificateError, ConnectError, TLSError, TransportError
from ..layers import in_words, reason_of
from .budget import Budget, place

__all__ = ["Connecting", "Handshake"]

T = TypeVar("T")


class Connecting:
    """The moment when the connect timeout is over, and the words for what goes wrong before."""

    __slots__ = ("_ends", "budget")

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        limit = budget.seconds("connect")
        self._ends = None if limit is None else budget.clock() + limit

    def seconds(self) -> float | None:
        """Return what is left of the limit; None for no limit."""
        if self._ends is None:
            return None
        return max(0.0, self._ends - self.budget.clock())

    def excuse(self, seconds: float) -> None:
        """Let so many seconds not count, as they were none of the network's. The total timeout knows no excuse."""
        if self._ends is not None:
            self._ends += seconds
            if self.budget.ends is not None:
                self._ends = min(self._ends, self.budget.ends)

    def spent(self, detail: str) -> TransportError:
        """Return the ConnectTimeout, telling what took so long."""
        return self.budget.spent("connect", detail)

    def failed(
        self,
        what: str,
        why: str,
        kind: type[TransportError] = ConnectError,
        reason: str | None = None,
        advice: str = "",
    ) -> TransportError:
        """Return the error, telling what failed and why, and what the user can do."""
        request = self.budget.request
        remedy = f"; {advice}" if advice else ""
        error = kind(f"{what} ({why}), {place(request)}{remedy}", request=request)
        error.reason = reason
        return error

    def aloud(
        self,
        who: str,
        event: str,
        info: dict[str, Any],
        operation: Operation[T],
        **then: Any,
    ) -> Operation[T]:
        """Run a step, and tell of it if somebody listens. `then` is as for `Report.around`."""
        report = self.budget.report
        if report is None:
            return (yield from operation)
        info["timeout"] = self.seconds()
        return (yield from report.around(who, event, info, operation, **then))


class Handshake:
    """The handshake of a layer with whoever is to be found there, and the words of its errors."""

    __slots__ = ("connecting", "kind", "layer", "link", "slow", "what")

    def __init__(
        self,
        connecting: Connecting,
        link: Link,
        layer: Layer,
        what: str,
        slow: str,
        kind: type[TransportError] = ConnectError,
    ) -> None:
        self.connecting = connecting
        self.link = link
        self.layer = layer
        self.what = what  #: "Could not ..."
        self.slow = slow  #: "the ... took too long"
        self.kind = kind

    def shake(self) -> Operation[Layer]:
        """Return the layer when it is established and has said all it had to. Raises `kind`, or ConnectTimeout."""
        layer, link, connecting = self.layer, self.link, self.connecting
        signal = layer.signal
        try:
            while True:
                signal.ready = False
                flush = Flush(link, signal, connecting.seconds())
                with contextlib.suppress(ConnectionError):  # what the peer said before it hung up tells more
                    yield flush
                if layer.established and flush.flushed:
                    return layer
                if layer.failure is not None:
                    # In no variable of this frame, which the error knows: together they would wait for the collector.
                    raise self._failed(layer.failure, layer.reason, layer.advice) from layer.cause
                if flush.flushed:
                    yield Receive(link, signal, connecting.seconds())
        except TimeoutError:
            raise connecting.spent(f" because {self.slow}") from None
        except OSError as exc:
            raise self._failed(in_words(exc), reason_of(exc)) from exc

    def _failed(self, why: str, reason: str | None, advice: str = "") -> TransportError:
        kind = self.kind
        if kind is TLSError and reason == "certificate":
            kind = CertificateError
        return self.connecting.failed(self.what, why, kind, reason, advice)
