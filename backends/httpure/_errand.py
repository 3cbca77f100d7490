"""What cannot be interrupted, such as a name look-up, done in a thread that nobody has to wait for.

The thread is a daemon: where it hangs, neither the one who asked nor the end of the program hangs with it. It goes on
by itself, and what it finds is thrown away, or taken by others who have asked for the same meanwhile.
"""

from __future__ import annotations

import os
import socket
from _thread import start_new_thread
from collections.abc import Callable
from typing import Any, Generic, TypeVar

from httpure_core.signals import Signal

__all__ = ["Errand", "LookUp", "look_up"]

T = TypeVar("T")


class Errand(Generic[T]):
    """A function that is called in a thread of its own, once `go` says so. Wait for `join()`, then ask for `result`."""

    __slots__ = ("_done", "_error", "_function", "_result", "_waiting")

    def __init__(self, function: Callable[[], T]) -> None:
        self._function = function
        self._result: T | None = None
        self._error: BaseException | None = None
        self._done = False
        self._waiting: list[Signal] = []

    def go(self, name: str) -> None:
        """Start the thread. Where the system has none left, or the interpreter is about to end, do it right here."""
        import threading  # here, as look-ups need none of it

        try:
            threading.Thread(target=self.run, name=name, daemon=True).start()
        except RuntimeError:
            self.run()

    def join(self) -> Signal:
        """Return a signal that is set when all is done. May be called at any time, from any thread."""
        signal = Signal()
        self._waiting.append(signal)
        if self._done:
            signal.set()
        return signal

    def run(self) -> None:
        """Call the function, and tell those who wait."""
        try:
            self._result = self._function()
        except BaseException as exc:
            self._error = exc
        self._done = True  # from now on who joins looks at it; and whoever has joined before is in the list
        for signal in self._waiting:
            signal.set()

    def result(self) -> T:
        """Return what the function returned, or raise what it raised, which can be had once."""
        error, self._error = self._error, None
        try:
            if error is not None:
                raise error
            return self._result  # type: ignore[return-value]
        finally:
            del error  # which knows this frame


#: Those under way, by process, host and port.
_under_way: dict[tuple[int, bytes, int], LookUp] = {}


class LookUp(Errand["list[tuple[Any, ...]] | Exception"]):
    """The look-up of a host name, for all who ask at the same time: where the system hangs, so does one thread."""

    __slots__ = ("_key",)

    def __init__(self, key: tuple[int, bytes, int]) -> None:
        super().__init__(self._ask)
        self._key = key

    def begin(self) -> None:
        """As `go`, in a bare thread: it runs nothing of the user's, who could want to know its name, or its locals.

        A `threading.Thread` takes 100 µs to make, start and clear away, and the wall time of two switches more: most of
        what a look-up costs that is answered by the machine itself. A bare one takes 40.
        """
        try:
            start_new_thread(self.run, ())
        except RuntimeError:
            self.run()

    def run(self) -> None:
        """Ask the system, and tell those who wait."""
        # By the thread itself, so that no interrupt leaves one here that will never run.
        _under_way[self._key] = self
        super().run()

    def found(self) -> list[tuple[Any, ...]]:
        """Return what `getaddrinfo` found. Raises OSError."""
        found = self.result()
        if isinstance(found, Exception):
            raise type(found)(*found.args)  # each its own: an exception is no thing to share
        return found

    def _ask(self) -> list[tuple[Any, ...]] | Exception:
        _, host, port = self._key
        try:
            return socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except Exception as exc:
            return exc.with_traceback(None)
        finally:
            _under_way.pop(self._key, None)


def look_up(host: bytes, port: int) -> LookUp:
    """Return the look-up of a host name, which is under way."""
    key = (os.getpid(), host, port)
    under_way = _under_way.get(key)
    if under_way is None:
        under_way = LookUp(key)
        under_way.begin()
    return under_way
