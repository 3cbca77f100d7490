"""What happens to a request, told to those who listen: the user's extension "trace", and the face's logs.

Hardly ever does anybody listen, so most requests have no `Report`, and all they pay is to ask whether there is one.
The events are those that httpx's users know, such as `connection.connect_tcp.started` and
`http11.receive_response_headers.failed`: who acts, what is done, and how that went.

    connection       connect_tcp  connect_unix_socket  start_tls  retry
    http11, http2    send_request_headers  send_request_body  receive_response_headers  receive_response_body
                     response_closed
    proxy, socks     what is done with a proxy on the way, see `building.py`
    pool             wait, where all connections are taken

Logs get what `masking.py` leaves of it. The trace function gets it as it is.

A trace function is called by the driver (effect `Call`), so that it may wait in an async client. Cleanup never waits:
what happens there, after a cancellation or when a response is closed half-way, only plain functions and logs are told.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any, TypeAlias, TypeVar

from ..contracts import Log
from ..effects import Call, Operation

__all__ = ["DEBUG", "INFO", "Logs", "Report", "Trace", "silent"]

T = TypeVar("T")

DEBUG = 10
INFO = 20

#: Returns the log of a name, such as "http11".
Logs: TypeAlias = Callable[[str], Log]
#: Called with the name of an event and what is known of it; may return an awaitable.
Trace: TypeAlias = Callable[[str, dict[str, Any]], Any]


class _Silence:
    """The log of a face that has none."""

    __slots__ = ()

    def enabled(self, level: int) -> bool:
        """Nobody listens."""
        return False

    def record(self, level: int, text: str, *arguments: object) -> None:
        """Nobody listens."""


_SILENCE: Any = _Silence()


def silent(name: str) -> Log:
    """Return a log that nobody reads."""
    return _SILENCE  # type: ignore[no-any-return]


class Report:
    """Tells of one request."""

    __slots__ = ("_logs", "_trace")

    def __init__(self, trace: Trace | None, logs: Logs) -> None:
        self._trace = trace
        self._logs = logs

    def tell(self, who: str, event: str, info: dict[str, Any]) -> Operation[bool]:
        """Tell of an event, such as "http11" and "response_closed.started". Raises what the trace function raises."""
        self._log(who, event, info)
        if self._trace is not None:
            yield Call(self._trace, f"{who}.{event}", dict(info))  # its own: it may keep or change it
        return True

    def tell_now(self, who: str, event: str, info: dict[str, Any]) -> None:
        """As `tell`, where nothing can be waited for: coroutine functions are left out, errors are swallowed.

        For whoever passes through cleanup is on the way to something else: an error, a cancellation, a result.
        """
        with suppress(Exception):
            self._log(who, event, info)
            if self._trace is not None:
                waiting = self._trace(f"{who}.{event}", dict(info))
                if hasattr(waiting, "__await__") and hasattr(waiting, "close"):
                    waiting.close()  # a coroutine that has not begun

    def around(
        self,
        who: str,
        event: str,
        info: dict[str, Any],
        operation: Operation[T],
        *,
        told: Callable[[T], Any] | None = None,
        undo: Callable[[T], object] | None = None,
        unless: Callable[[T], bool] | None = None,
    ) -> Operation[T]:
        """Run an operation, and tell how it begins and how it ends: "started", then "complete" or "failed".

        See `until_end` for the other parameters.
        """
        yield from self.tell(who, f"{event}.started", info)
        return (yield from self.until_end(who, event, operation, told=told, undo=undo, unless=unless))

    def until_end(
        self,
        who: str,
        event: str,
        operation: Operation[T],
        *,
        told: Callable[[T], Any] | None = None,
        undo: Callable[[T], object] | None = None,
        unless: Callable[[T], bool] | None = None,
    ) -> Operation[T]:
        """Run an operation, and tell how it ends.

        `told` makes of its result what is told of it; by default nothing is. `undo` gives the result up, where the
        trace function raises instead of letting it through. Where `unless` is true of the result, this was not the end.
        """
        try:
            result = yield from operation
        except GeneratorExit:
            raise  # nobody goes on with this; and perhaps it is garbage collection, in the middle of anything
        except Exception as exc:
            error = exc
        except BaseException as exc:
            self.tell_now(who, f"{event}.failed", {"exception": exc})
            raise
        else:
            if unless is not None and unless(result):
                return result
            value = None if told is None else told(result)
            try:
                yield from self.tell(who, f"{event}.complete", {"return_value": value})
            except BaseException:
                if undo is not None:
                    undo(result)
                raise
            return result
        yield from self.tell(who, f"{event}.failed", {"exception": error})
        try:
            raise error
        finally:
            del error  # or this frame and the error's traceback would keep each other alive

    def _log(self, who: str, event: str, info: dict[str, Any]) -> None:
        log = self._logs(who)
        if log.enabled(DEBUG):
            from .masking import shown

            words = [
                f"{name}={shown(value)}" for name, value in info.items() if value is not None or len(info) > 1
            ]
            log.record(DEBUG, "%s", " ".join([event, *words]))
