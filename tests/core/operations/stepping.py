"""Operations stepped by hand: a link whose peer is a list of bytes, and a world in memory that performs effects.

No loop, no socket, and a clock that stands still. `drive` performs some effects and stops before the next one;
`WAYS` are the ways to leave an operation there.
"""

from __future__ import annotations

import itertools
import threading
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from typing import Any, TypeVar

import pytest

from httpure_core.content.streams import SyncByteStream
from httpure_core.contracts import Machine
from httpure_core.effects import (
    Address,
    Advance,
    Begin,
    Call,
    Close,
    Consult,
    Dial,
    Effect,
    Flush,
    Lend,
    Offload,
    Operation,
    Park,
    Pull,
    Race,
    Read,
    Receive,
    Resolve,
    Sleep,
    Transmit,
)
from httpure_core.layers import Layer
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.body import IncomingBody
from httpure_core.operations.budget import Budget
from httpure_core.operations.dial import Dialler
from httpure_core.operations.transmit import Transmitter
from httpure_core.pool import Pool
from httpure_core.signals import Signal

T = TypeVar("T")

#: What a peer does: bytes that it sends, the end of its sending, or the loss of the connection.
Act = bytes | OSError
EOF = b""
ANSWER: list[Act] = [b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\n", b"he", b"llo"]
EMPTY: list[Act] = [b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"]


class Cancelled(BaseException):
    """As an event loop cancels a task: no Exception."""


class Stuck(Exception):
    """An operation waits for what will never happen."""


class Clock:
    """Seconds that pass only when told to."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class Wire:
    """A link. The peer answers each request head with the next of `answers`, and a TLS hello with a certificate."""

    def __init__(
        self, machine: Machine, answers: deque[list[Act]], certificate: Act = b"certificate."
    ) -> None:
        self.machine = machine
        self.mutex = threading.Lock()
        self.sent = b""
        #: What the peer has still to do.
        self.incoming: deque[Act] = deque()
        self.closed = False
        self.stale = False
        self.nudges = 0
        self._answers = answers
        self._certificate = certificate
        self.requests = 0

    def send(self) -> None:
        """Take what the machine has to send to the peer, who answers."""
        with self.mutex:
            data = self.machine.data_to_send()
        if data == b"hello.":
            self.incoming.append(self._certificate)
        self.sent += data
        while self.requests < self.sent.count(b" HTTP/1.1\r\nHost: "):
            self.requests += 1
            self.incoming += self._answers.popleft() if self._answers else ANSWER

    def tell(self, act: Act) -> None:
        """Let the machine know what the peer did."""
        with self.mutex:
            if isinstance(act, OSError):
                self.machine.receive_eof(act)
            elif act:
                self.machine.receive_data(act)
            else:
                self.machine.receive_eof()

    def receive(self, signal: Signal) -> None:
        """Let the peer act until the signal is set."""
        while not signal.ready:
            if self.closed or not self.incoming:
                raise Stuck("Receive")
            self.tell(self.incoming.popleft())

    def nudge(self) -> None:
        self.nudges += 1

    def is_stale(self) -> bool:
        return self.stale

    def close(self) -> None:
        self.closed = True


class Runner:
    """An attempt to connect to one of several addresses."""

    def __init__(self) -> None:
        self.connected = False
        self.error: OSError | None = None
        self.closed = False

    def close(self) -> None:
        self.closed = True


class FakeTLS(Layer):
    """TLS of two flights: it says "hello.", hears "certificate.", says "finished.", and then passes all through."""

    def __init__(self, name: str, alpn: list[str], chosen: str | None) -> None:
        super().__init__()
        self.name, self.alpn, self.chosen = name, alpn, chosen
        self.protocol: str | None = None
        self._out = b"hello."

    def receive_data(self, data: bytes) -> None:
        if self.established:
            self.inner.receive_data(data)
            return
        if data == b"certificate.":
            self.protocol, self._out = self.chosen, b"finished."
            self.succeed()
        else:
            self.fail("its certificate is not trusted")

    def receive_eof(self, error: OSError | None = None) -> None:
        if self.established:
            self.inner.receive_eof(error)
        else:
            self.fail("the server closed the connection during the handshake")

    def data_to_send(self) -> bytes:
        data, self._out = self._out, b""
        return data + self.inner.data_to_send() if self.established else data


class FakeTLSConfig:
    def __init__(self) -> None:
        self.prepared = False
        self.machines: list[FakeTLS] = []
        #: What servers choose by ALPN.
        self.chosen: str | None = "http/1.1"

    def prepare(self) -> None:
        self.prepared = True

    def machine(self, server_hostname: str, alpn: list[str]) -> FakeTLS:
        assert self.prepared, "loading certificates takes milliseconds: a driver has to do it"
        self.machines.append(FakeTLS(server_hostname, alpn, self.chosen))
        return self.machines[-1]


class Wrapped(SyncByteStream):
    """The stream of a response, as a face makes it."""

    def __init__(self, incoming: IncomingBody) -> None:
        self.incoming = incoming


class World:
    """Performs effects in memory. `answers` are for the first exchanges; the others get `ANSWER`.

    Every host has one address, unless `addresses` says otherwise. Those of `tests/core/operations/test_opening.py` are
    more: there attempts take their time.
    """

    def __init__(
        self,
        *answers: Sequence[Act],
        max_connections: int | None = 1,
        max_idle: int | None = None,
        addresses: Sequence[Address] = (Address("192.0.2.1", 80),),
    ) -> None:
        self.clock = Clock()
        self.answers = deque([list(answer) for answer in answers])
        self.addresses = addresses
        self.certificate: Act = b"certificate."
        self.wires: list[Wire] = []
        #: The attempts to connect that have not become links.
        self.runners: list[Runner] = []
        self.performed: list[Effect] = []
        self.tls = FakeTLSConfig()
        self.dialler = Dialler(self.tls)
        self.pool = Pool(threading.Lock(), max_connections, max_idle)
        self.transmitter = Transmitter(self.pool, self.dialler, self.clock, Wrapped)

    def perform(self, effect: Any) -> None:
        self.performed.append(effect)
        getattr(self, type(effect).__name__.lower())(effect)

    def resolve(self, effect: Resolve) -> None:
        effect.addresses = list(self.addresses)

    def consult(self, effect: Consult) -> None:
        effect.answer = effect.resolver(effect.host, effect.port)

    def begin(self, effect: Begin) -> None:
        effect.attempt = Runner()
        self.runners.append(effect.attempt)

    def race(self, effect: Race) -> None:
        for attempt in effect.attempts:
            attempt.connected = True  # type: ignore[misc]

    def dial(self, effect: Dial) -> None:
        if effect.attempt is not None:
            self.runners.remove(effect.attempt)  # type: ignore[arg-type]
        effect.link = Wire(effect.machine, self.answers, self.certificate)
        self.wires.append(effect.link)

    def flush(self, effect: Flush) -> None:
        effect.link.send()  # type: ignore[attr-defined]

    def receive(self, effect: Receive) -> None:
        effect.link.receive(effect.signal)  # type: ignore[attr-defined]

    def park(self, effect: Park) -> None:
        if not effect.signal.ready:
            raise Stuck("Park")

    def offload(self, effect: Offload) -> None:
        effect.function()

    def pull(self, effect: Pull) -> None:
        if effect.finished:
            effect.close()
            return
        if effect.iterator is None:
            effect.iterator = iter(effect.source)
        effect.piece = next(effect.iterator, None)

    def transmit(self, effect: Transmit) -> None:
        effect.response = effect.transport.handle_request(effect.request)

    def read(self, effect: Read) -> None:
        if effect.most is None:
            effect.message.read()
        else:
            effect.message.skim(effect.most)

    def close(self, effect: Close) -> None:
        effect.message.close()

    def call(self, effect: Call) -> None:
        effect.hook(*effect.arguments)

    def lend(self, effect: Lend) -> None:
        effect.driver = self

    def sleep(self, effect: Sleep) -> None:
        self.clock.now += effect.seconds

    def advance(self, effect: Advance) -> None:
        if effect.finished:
            effect.close()
            return
        if effect.flow is None:
            effect.flow = effect.auth.sync_auth_flow(effect.request)
            effect.request = next(effect.flow, None)
        else:
            try:
                effect.request = effect.flow.send(effect.response)
            except StopIteration:
                effect.request = None

    # What the tests do with it.

    def budget(self, request: Request) -> Budget:
        return Budget(request, self.clock)

    def run(self, operation: Operation[T], effect: Effect | None = None) -> T:
        """Perform every effect, from the one at which it stands, and return the operation's result."""
        return run(operation, self.perform, effect)

    def get(self, url: str = "http://example.org/") -> Response:
        """Send a request and read its response to the end."""
        return self.run(whole(self, Request("GET", url)))

    def kinds(self) -> list[str]:
        """The names of the effects performed so far."""
        return [type(effect).__name__ for effect in self.performed]

    @property
    def wire(self) -> Wire:
        """The only connection so far."""
        (wire,) = self.wires
        return wire

    def check(self) -> None:
        """Nobody waits, every connection is idle and can be used again or is closed, and a next request is served."""
        statistics = self.pool.statistics
        alive = [wire for wire in self.wires if not wire.closed]
        assert statistics.waiting == 0
        assert statistics.connections == statistics.idle == len(alive)
        self.answers.clear()
        assert self.get().content == b"hello"
        assert self.pool.statistics == (1, 1, 0)


def whole(world: World, request: Request) -> Operation[Response]:
    """As `follow` does it: transmit, and read to the end."""
    response = yield from world.transmitter.transmit(request)
    body = response.stream.incoming  # type: ignore[union-attr]
    response.absorb((yield from body.read_all()))
    return response


def step(operation: Operation[Any], effect: Effect, perform: Callable[[Effect], None]) -> Effect:
    """Do what a driver does with one effect, and return the next one."""
    try:
        perform(effect)
    except BaseException as exc:
        return operation.throw(exc)
    return next(operation)


def run(operation: Operation[T], perform: Callable[[Effect], None], effect: Effect | None = None) -> T:
    """Step an operation to its end and return its result, or raise what it raised.

    `effect` is the one at which it stands, if it was begun already.
    """
    try:
        effect = effect or next(operation)
        while True:
            effect = step(operation, effect, perform)
    except StopIteration as stop:
        result: T = stop.value
        return result


def drive(operation: Operation[Any], perform: Callable[[Effect], None], steps: int) -> Effect | None:
    """Perform `steps` effects and return the next one, not performed; None if the operation ended before it."""
    try:
        effect = next(operation)
        for _ in range(steps):
            effect = step(operation, effect, perform)
    except StopIteration:
        return None
    return effect


def ended(operation: Generator[Any, None, T], exc: BaseException | None = None) -> T:
    """Resume an operation that has no more effects, and return its result."""
    with pytest.raises(StopIteration) as stop:
        next(operation) if exc is None else operation.throw(exc)
    result: T = stop.value.value
    return result


# The ways to leave an operation: each gets the world, the operation, and the effect at which it stands.


def _close(world: World, operation: Operation[Any], effect: Effect) -> None:
    operation.close()


def _drop(world: World, operation: Operation[Any], effect: Effect) -> None:
    """The caller forgets it, and so does everybody: its frame is finalised."""


def _throw(exc: type[Exception]) -> Callable[[World, Operation[Any], Effect], None]:
    def way(world: World, operation: Operation[Any], effect: Effect) -> None:
        try:
            operation.throw(exc("thrown in"))
        except Exception:
            pass
        else:
            assert issubclass(exc, OSError), "only what an effect may raise may be survived"
        operation.close()

    return way


def _cancel(exc: type[BaseException], again: bool = False) -> Callable[[World, Operation[Any], Effect], None]:
    """Cancel it; `again` at whatever it wants to have awaited then, as in a cancelled scope of trio."""

    def way(world: World, operation: Operation[Any], effect: Effect) -> None:
        with pytest.raises(exc):  # a cancellation comes out as it went in
            closing = operation.throw(exc("thrown in"))
            while True:
                assert is_closing(closing), "what is cancelled only lets go of what is the user's"
                closing = operation.throw(exc("again")) if again else step(operation, closing, world.perform)

    return way


def is_closing(effect: Effect) -> bool:
    """Whether the effect only lets go of something that is the user's."""
    return isinstance(effect, Close) or (isinstance(effect, Pull | Advance) and effect.finished)


def _interrupt_once_done(world: World, operation: Operation[Any], effect: Effect) -> None:
    """Ctrl-C, just when the driver has performed the effect and has not resumed the operation yet."""
    world.perform(effect)
    _cancel(KeyboardInterrupt)(world, operation, effect)


WAYS: dict[str, Callable[[World, Operation[Any], Effect], None]] = {
    "close": _close,
    "drop": _drop,
    "OSError": _throw(OSError),
    "TimeoutError": _throw(TimeoutError),
    "KeyboardInterrupt": _cancel(KeyboardInterrupt),
    "cancellation": _cancel(Cancelled),
    "cancelled scope": _cancel(Cancelled, again=True),
    "Ctrl-C once done": _interrupt_once_done,
}

each_way = pytest.mark.parametrize("way", WAYS)


def left_at_each_step(
    way: str, begin: Callable[[World], Operation[Any]], make: Callable[[], World] = World
) -> Iterator[World]:
    """Yield the world after the operation was left, in this way, at its first effect, its second, and so on."""
    for steps in itertools.count():
        world = make()
        operation = begin(world)
        effect = drive(operation, world.perform, steps)
        if effect is None:
            assert steps, "the operation had no effect at all"
            return
        WAYS[way](world, operation, effect)
        del operation, effect
        yield world
