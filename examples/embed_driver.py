"""A driver of one's own: the client's operations, performed with plain blocking sockets, and without `httpure`.

python examples/embed_driver.py [URL]

The core decides everything: pool, redirects, cookies, parsing, timeouts. The driver performs one effect after the
other and knows nothing of HTTP. This one serves a single thread and http:// only.
"""

from __future__ import annotations

import mimetypes
import os
import select
import socket
import sys
import threading
import time
from collections.abc import Callable
from typing import Any, TypeVar

from httpure_core import ambient
from httpure_core.config.options import DEFAULT_LIMITS, Timeout
from httpure_core.contracts import Log, Machine, Mutex
from httpure_core.effects import Address, Dial, Effect, Flush, Operation, Park, Pull, Read, Receive, Resolve
from httpure_core.models.cookies import Cookies
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL
from httpure_core.operations.body import IncomingBody
from httpure_core.operations.dial import Dialler
from httpure_core.operations.follow import follow
from httpure_core.operations.report import silent
from httpure_core.operations.transmit import Transmitter
from httpure_core.pool import Pool
from httpure_core.retries import RetryTypes

T = TypeVar("T")


class Link:
    """A socket that one thread uses."""

    def __init__(self, sock: socket.socket, machine: Machine) -> None:
        self.sock = sock
        self.machine = machine
        self.mutex: Mutex = threading.Lock()

    def nudge(self) -> None:
        """Nothing to do: this link reads only when asked to."""

    def is_stale(self) -> bool:
        """Whatever there is to read between two exchanges, bytes or an end, speaks against a next one."""
        return bool(select.select([self.sock], [], [], 0)[0])

    def close(self) -> None:
        """Close the socket."""
        self.sock.close()


def run(operation: Operation[T]) -> T:
    """Step an operation to its end, performing each effect. Errors are thrown in where it stands."""
    try:
        effect = next(operation)
        while True:
            try:
                perform(effect)
            except BaseException as exc:
                effect = operation.throw(exc)
            else:
                effect = next(operation)
    except StopIteration as stop:
        result: T = stop.value
        return result
    finally:
        operation.close()


def perform(effect: Effect) -> None:
    """Do what an effect asks for."""
    print("   ", type(effect).__name__, getattr(effect, "host", "") or getattr(effect, "address", ""))
    if isinstance(effect, Resolve):
        found = socket.getaddrinfo(effect.host, effect.port, socket.AF_INET, socket.SOCK_STREAM)
        # One is enough here: where there are several, the core tries them at the same time, by `Begin` and `Race`.
        effect.addresses = [Address(sockaddr[0], effect.port) for *_, sockaddr in found[:1]]  # type: ignore[arg-type]
    elif isinstance(effect, Dial):
        where = (effect.address.host, effect.address.port)
        effect.link = Link(socket.create_connection(where, effect.timeout), effect.machine)
    elif isinstance(effect, Flush):
        sock = limited(effect)
        sock.sendall(effect.link.machine.data_to_send())
    elif isinstance(effect, Receive):
        sock, machine = limited(effect), effect.link.machine
        while not effect.signal.ready:
            try:
                data = sock.recv(65536)
            except TimeoutError:
                raise
            except OSError as exc:
                machine.receive_eof(exc)
            else:
                machine.receive_data(data) if data else machine.receive_eof()
    elif isinstance(effect, Park):
        raise TimeoutError  # a single thread: nobody else could give a connection back meanwhile
    elif isinstance(effect, Pull):
        effect.iterator = effect.iterator or iter(effect.source)
        effect.piece = None if effect.finished else next(effect.iterator, None)
    elif isinstance(effect, Read):
        effect.message.read()
    else:  # Offload for TLS, Call for event hooks, Advance for auth, Transmit for transports: nobody here has any
        raise NotImplementedError(type(effect).__name__)


def limited(effect: Flush | Receive) -> socket.socket:
    """Return the socket with the time limit of the effect; a limit of 0 would mean "do not wait at all"."""
    sock: socket.socket = effect.link.sock  # type: ignore[attr-defined]
    sock.settimeout(None if effect.timeout is None else max(0.001, effect.timeout))
    return sock


class Body:
    """What the core finds the rest of a response in. A face would make it iterable."""

    def __init__(self, incoming: IncomingBody) -> None:
        self.incoming = incoming


class Session:
    """What `follow` asks of a client."""

    clock = staticmethod(time.monotonic)
    max_redirects = 20
    max_auth_rounds = 20
    limits = DEFAULT_LIMITS
    allow_downgrade = False
    retries: RetryTypes = None
    default_encoding: str | Callable[[bytes], str] = "utf-8"
    sensitive_headers: tuple[str, ...] = ()
    request_log: Log = silent("")

    def __init__(self) -> None:
        self.mutex: Mutex = threading.Lock()
        self.store = Cookies()
        self.hooks: dict[str, list[Any]] = {"request": [], "response": []}
        self.pool = Pool(threading.Lock(), max_connections=10, max_idle=10, expiry=5)
        self.transmitter = Transmitter(self.pool, Dialler(tls=None), self.clock, Body)  # type: ignore[arg-type]

    def transport_for(self, url: URL) -> Any:
        """Return what has the transmitter for the URL."""
        return self

    def transport_through(self, proxy: Any, url: URL) -> Any:
        """As `transport_for`, for a request with a proxy of its own: nobody here has any."""
        raise NotImplementedError

    def get(self, url: str) -> Response:
        """Get a URL, and follow its redirects."""
        request = Request("GET", url, extensions={"timeout": Timeout(5).as_dict()})
        return run(follow(self, request, auth=None, follow_redirects=True, read=True))


if __name__ == "__main__":
    ambient.install(
        random_bytes=os.urandom, wall_time=time.time, guess_type=lambda name: mimetypes.guess_type(name)[0]
    )
    session = Session()
    for _ in range(2):
        response = session.get(sys.argv[1] if len(sys.argv) > 1 else "http://example.org/")
        print([past.status_code for past in response.history], response, len(response.content), "bytes")
    session.pool.close()
