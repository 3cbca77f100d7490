"""HTTP by hand: no socket, no loop, no clock; only bytes in memory.

python examples/single_step.py

First the protocol machine alone: a request goes in and bytes come out, bytes go in and a response comes out. Then an
operation of the client: it says what it wants done, one effect after the other, and here each of them is done by hand.
"""

from __future__ import annotations

import threading

from httpure_core.contracts import Machine, Mutex
from httpure_core.effects import Dial, Flush, Receive
from httpure_core.http1.connection import Http1Connection
from httpure_core.models.request import Request
from httpure_core.operations.dial import Dialler
from httpure_core.operations.transmit import Transmitter
from httpure_core.pool import Pool


def machine() -> None:
    """Door 1: `Http1Connection`."""
    connection = Http1Connection()
    stream = connection.open_stream(b"GET", b"/hello", [(b"Host", b"example.org")], b"")
    print("to send:", connection.data_to_send())
    for piece in (b"HTTP/1.1 200 OK\r\nContent-Le", b"ngth: 5\r\n\r\nhe", b"llo"):
        connection.receive_data(piece)
        print(f"status {stream.status}, body {stream.take()!r}, ended {stream.ended}")
    print("a next request may follow:", connection.reusable)


class MemoryLink:
    """A link whose other end is you."""

    def __init__(self, machine: Machine) -> None:
        self.machine = machine
        self.mutex: Mutex = threading.Lock()

    def nudge(self) -> None:
        """Nothing to do."""

    def is_stale(self) -> bool:
        """Say that the connection still stands."""
        return False

    def close(self) -> None:
        """Say that it was closed."""
        print("closed")


def operation() -> None:
    """Door 2: `Transmitter.transmit`, one step at a time."""
    pool = Pool(threading.Lock(), max_connections=10, max_idle=1, expiry=5)
    dialler = Dialler(tls=None)  # type: ignore[arg-type]  # only http:// here
    transmitter = Transmitter(pool, dialler, clock=lambda: 0.0, wrap=lambda incoming: incoming)
    request = Request("GET", "http://192.0.2.1/hello", extensions={"timeout": {"connect": 5, "read": 10}})
    steps = transmitter.transmit(request)

    dial = next(steps)
    assert isinstance(dial, Dial)
    print(f"Dial {dial.address}, at most {dial.timeout} s")
    dial.link = link = MemoryLink(dial.machine)

    flush = next(steps)
    assert isinstance(flush, Flush)
    print("Flush", link.machine.data_to_send())

    receive = next(steps)
    assert isinstance(receive, Receive)
    print(f"Receive, at most {receive.timeout} s")
    link.machine.receive_data(b"HTTP/1.1 204 No Content\r\n\r\n")

    try:
        next(steps)
    except StopIteration as stop:
        print("the result:", stop.value)
    print(pool.statistics)


if __name__ == "__main__":
    machine()
    print()
    operation()
