"""A world: servers, a network, a clock, and what runs the code under test. See `World`."""

from __future__ import annotations

import contextlib
import inspect
import threading
from collections.abc import Callable, Collection, Coroutine, Sequence
from random import Random
from types import TracebackType
from typing import Any, Literal, Never, TypeVar, TypeVarTuple, overload

from httpure_core.models.url import URL

from .. import _detection
from ..simulated.conditions import Conditions
from ..simulated.scheduler import Scheduler, Task
from ..simulated.simulation import EPOCH, repeatable
from .faces import AsyncFace, BlockingFace
from .handshake import front
from .leftovers import pools_in_use, unread_answers, unsettled
from .network import ScriptedNetwork
from .proxy import ScriptedProxy
from .server import Server

__all__ = ["World", "world"]

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

_PORTS = {"http": 80, "https": 443}
_ALLOWED = frozenset({"answers", "connections", "tasks"})
_LAST_LINES = 12


def world(
    seed: int = 0,
    *,
    network: Conditions | None = None,
    allow: Collection[Literal["answers", "connections", "tasks"]] = (),
    patch_time: bool = False,
    takes_over: bool = True,
) -> World:
    """Return a `World`, to be used in `with`.

    - `seed`: what all chance is drawn from.
    - `network`: what the network does to all connections; the default is a perfect one without any delay.
    - `allow`: what may be left over at the end, see `World.check`.
    - `patch_time`: True to have `time.sleep`, `time.monotonic`, `time.perf_counter` and `time.time` be those of the
      world, in this thread, for code that sleeps by itself. Only code that calls them as `time.sleep(...)` notices.
    - `takes_over`: False to leave clients that are given no backend on the real network.
    """
    return World(seed, network=network, allow=allow, patch_time=patch_time, takes_over=takes_over)


#: The worlds that are entered.
_inside: list[World] = []


class World:
    """Servers, a network and a clock for the code under test. Made by `world()`, and used in `with`.

    >>> import asyncio
    >>> from httpure import testing
    >>> async def patient():
    ...     async with httpure.AsyncClient() as client:
    ...         await asyncio.sleep(3600)
    ...         return await client.get("https://api.test/", timeout=60)
    >>> with testing.world(seed=7) as world:
    ...     server = world.serve("https://api.test", http2=True)
    ...     server.answer(200, delay=30)
    ...     world.run(patient), world.now
    (<Response [200 OK]>, 3630.0)

    Within the block, clients that are made without a backend or a transport live in the world, those of
    `httpure.get()` as well: they reach its servers and nothing else. A blocking client may be used right in the block,
    by the thread that entered it; coroutines are run by `run`.

    At the end of the block nothing may be left over, see `check`. An error that leaves the block is given a note with
    the seed, and with what happened last.
    """

    def __init__(
        self,
        seed: int = 0,
        *,
        network: Conditions | None = None,
        allow: Collection[str] = (),
        patch_time: bool = False,
        takes_over: bool = True,
    ) -> None:
        unknown = sorted(set(allow) - _ALLOWED)
        if unknown:
            raise ValueError(f"allow= knows {', '.join(sorted(_ALLOWED))}, and not {', '.join(unknown)}.")
        self.seed = seed
        #: The source of all chance. Draw from it too what your own test leaves to chance.
        self.random = Random(seed)
        #: Its servers, in the order in which they were made.
        self.servers: list[Server] = []
        self._allow = frozenset(allow)
        self._patch_time, self._takes_over = patch_time, takes_over
        self._scheduler = Scheduler(self.random)
        self._network = ScriptedNetwork(self._scheduler, network or Conditions())
        #: For `AsyncClient(backend=...)`; not needed where the world takes over.
        self.backend = AsyncFace(self._scheduler, self._network)
        #: For `Client(backend=...)`.
        self.blocking_backend = BlockingFace(self._scheduler, self._network)
        self._places: dict[tuple[str, int], Server] = {}
        self._problems: list[AssertionError] = []
        self._tasks_left: list[str] = []
        self._stack = contextlib.ExitStack()
        self._thread = 0  # who has entered it

    def __repr__(self) -> str:
        return f"<World seed={self.seed} now={self.now:g}>"

    # What there is in it.

    def serve(
        self, url: str, *, http2: bool = False, addresses: Sequence[str] = (), max_streams: int | None = None
    ) -> Server:
        """Put a server there, and return it. `url` is an origin: "http://api.test" or "https://api.test:8443".

        With `http2`, it speaks HTTP/2, too: over TLS with clients that offer it, and otherwise with those that begin
        with it. `addresses`, in digits, are those of its host; one is made up otherwise. `max_streams` is how many
        requests an HTTP/2 connection carries at a time. Raises ValueError for what is no origin.
        """
        origin, port = _origin(url)
        server = Server(self, url, http2, max_streams)
        self._network.place(server, origin.host, port, tuple(addresses), lambda: front(server))
        self._places[origin.host, port] = server
        self.servers.append(server)
        return server

    def proxy(self, url: str, *, auth: tuple[str, str] | None = None) -> ScriptedProxy:
        """Put an HTTP proxy there, by which the servers of the world can be reached.

        With `auth`, (user name, password), it asks for that. Raises ValueError for what is no http origin.
        """
        origin, port = _origin(url)
        if origin.scheme != "http":
            raise ValueError(f"A scripted proxy has an http URL, and {url!r} is none.")
        proxy = ScriptedProxy(self, url, auth, lambda host, port: self._places.get((host, port)))
        self._network.listen(origin.host, port, proxy.peer)
        return proxy

    @property
    def network(self) -> Conditions:
        """What the network does; may be set at any time, and connections keep what they were made with."""
        return self._network.conditions

    @network.setter
    def network(self, conditions: Conditions) -> None:
        self._network.conditions = conditions

    def fail_lookup(self, host: str, times: int = 1) -> None:
        """Let the next look-ups of a name fail. Names that no server has fail in any case."""
        self._network.failing[host.lower()] = self._network.failing.get(host.lower(), 0) + times

    def slow_lookup(self, host: str, seconds: float, times: int = 1) -> None:
        """Let the next look-ups of a name take so many seconds."""
        self._network.slow.setdefault(host.lower(), []).extend([seconds] * times)

    # Time.

    @property
    def now(self) -> float:
        """The seconds since the world began."""
        return self._scheduler.now

    def wait(self, seconds: float) -> None:
        """Let so many seconds pass, outside of coroutines: in blocking code, and between two runs."""
        self.blocking_backend.wait(self._scheduler.pause(seconds, f"wait {seconds:g} s"))

    async def sleep(self, seconds: float) -> None:
        """Wait in a coroutine, on whatever it runs; `asyncio.sleep` and `trio.sleep` do the same."""
        coroutine = self._scheduler.pause(seconds, f"sleep {seconds:g} s")
        await (coroutine if self.backend.bridge is None else self.backend.bridge(coroutine))

    def call_later(self, seconds: float, function: Callable[[], object]) -> None:
        """Call a function after so many seconds, such as `server.drop_idle`."""
        self._scheduler.call_later(seconds, function, "a call of the test's")

    # The code under test.

    @overload
    def run(
        self,
        function: Callable[[*Ts], Coroutine[object, Never, T]],
        *args: *Ts,
        on: Literal["asyncio", "trio", "simulated"] = ...,
    ) -> T: ...

    @overload
    def run(self, function: Callable[[*Ts], T], *args: *Ts) -> T: ...

    def run(self, function: Callable[..., Any], *args: object, on: str = "asyncio") -> object:
        """Run `function(*args)` to its end, and return its result.

        A coroutine function runs on an event loop of asyncio, or of trio, whose time is the world's; or, with
        `on="simulated"`, on tasks that know no event loop, and that take turns in an order drawn from the seed: for
        code that awaits nothing but `AsyncClient`, `world.sleep` and `world.spawn`. Tasks that it leaves behind are
        cancelled, and reported by `check`. Any other function is just called.

        Raises what the function raised; AssertionError for what a server has no answer for; and `Deadlock` where all
        wait for what cannot happen any more.
        """
        if on not in ("asyncio", "trio", "simulated"):
            raise ValueError(f'on= is "asyncio", "trio" or "simulated", not {on!r}.')
        result = function(*args)
        if not inspect.iscoroutine(result):
            return result
        if on == "asyncio":
            from .asyncio_loop import run_in_asyncio

            return run_in_asyncio(self._scheduler, self.backend, result, self._tasks_left)
        if on == "trio":
            from .trio_run import run_in_trio

            return run_in_trio(self._scheduler, self.backend, result)
        from .own_tasks import run_in_tasks

        return run_in_tasks(self._scheduler, result, self._tasks_left)

    def spawn(self, coroutine: Coroutine[object, Never, T], name: str | None = None) -> Task[T]:
        """Start a task beside the one that runs, with `on="simulated"`: it has `cancel()` and `await task.join()`.

        asyncio and trio have their own ways.
        """
        whole: Any = coroutine
        if self._scheduler.current is None:
            whole.close()
            raise RuntimeError(
                'spawn() is for world.run(..., on="simulated"): use asyncio.create_task, or a nursery.'
            )
        return self._scheduler.spawn(whole, name)

    # What happened, and what is left.

    @property
    def log(self) -> list[str]:
        """What has happened, a line for each thing. The same seed and the same code give the same log."""
        return self._scheduler.log

    @property
    def connections(self) -> int:
        """How many connections are open now, idle ones included."""
        return sum(not link.is_stale() for link, _ in self._network.connections)

    def check(self) -> None:
        """Raise AssertionError for all that is left over. Called at the end of the block, if no error leaves it.

        - what a server could not answer, also where the code under test has caught the error
        - "answers": what was scripted, and nobody has come for
        - "connections": requests under way, which are responses that were neither read to their end nor closed; and
          attempts to connect. Open connections that are idle may be left.
        - "tasks": tasks that were still running when the function of `run` was done

        What has a name here may be allowed: `testing.world(allow=["answers"])`.
        """
        while self._scheduler.ready:
            self._scheduler.go_on()
        found = [str(problem) for problem in self._problems]
        if "answers" not in self._allow:
            found += unread_answers(self.servers)
        if "connections" not in self._allow:
            found += pools_in_use(self.backend, self.blocking_backend)
            found += unsettled(self._network)
        if "tasks" not in self._allow:
            found += [
                f"{name} was still running when what world.run() ran was done." for name in self._tasks_left
            ]
        if found:
            raise AssertionError(
                "\n  ".join([f"This is left over in the world of seed {self.seed}:", *found])
            )

    def tell(self, text: str) -> None:
        """Write a line into the log."""
        self._scheduler.record(text)

    def problem(self, text: str) -> AssertionError:
        """Return the error that ends the test, and remember it. For servers."""
        error = AssertionError(text)
        self._problems.append(error)
        return error

    def __enter__(self) -> World:
        if any(world._thread != threading.get_ident() for world in _inside):
            raise RuntimeError(
                "Another thread is in a scripted world, and each is for the whole program: new clients, dates and "
                "chance are its own. Enter one after the other."
            )
        self._thread = threading.get_ident()
        _inside.append(self)
        self._stack.callback(_inside.remove, self)
        self._stack.enter_context(repeatable(self._scheduler))
        if self._takes_over:
            self._stack.callback(setattr, _detection, "stand_in", _detection.stand_in)
            _detection.stand_in = self
        if self._patch_time:
            from .patched_time import patched_time

            self._stack.enter_context(patched_time(lambda: self.now, self.wait, EPOCH))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        with self._stack:
            if error is None:
                try:
                    self.check()
                except AssertionError as exc:
                    self._annotate(exc)
                    raise
            else:
                self._annotate(error)

    def _annotate(self, error: BaseException) -> None:
        lines = [f"In a scripted world: testing.world(seed={self.seed}) repeats it. What happened last:"]
        error.add_note("\n  ".join([*lines, *self.log[-_LAST_LINES:]]))


def _origin(url: str) -> tuple[URL, int]:
    origin = URL(url)
    if origin.scheme not in _PORTS or not origin.host or origin.raw_path != b"/":
        raise ValueError(f"{url!r} is no origin: give a scheme and a host, such as https://api.test.")
    return origin, origin.port or _PORTS[origin.scheme]
