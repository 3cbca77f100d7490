"""One world from one seed: servers, a network, a client, its tasks, and what is to be said against them in the end."""

from __future__ import annotations

import contextlib
from random import Random
from typing import Any

import httpure
from httpure.simulated import Cancelled, Conditions, Simulation
from tests.peers import Peer

from .checks import check_end, check_step, pools_of
from .http1 import Http1Server
from .http2 import Http2Server
from .ledger import Ledger
from .manners import Manners
from .traffic import Traffic, repeatable
from .way import FakeTLS, Secured, Tunnel

__all__ = ["Failure", "World"]

#: No world takes longer, in virtual seconds.
LONGEST = 50_000.0
#: Nor more steps.
MOST_STEPS = 200_000
_PROXY = "proxy.test"


class Failure(AssertionError):
    """What went wrong in a world."""


class World:
    """Everything is drawn from the seed; `run()` raises Failure."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        draw = Random(seed)  # apart, so that a change of the code leaves the world as it is
        self.kind = draw.choice(("perfect", "gentle", "gentle", "rough", "rough", "rough"))
        self.whole_network = True
        self.simulation = Simulation(seed, self._conditions(draw))
        self.random = self.simulation.random
        self.ledger = Ledger()
        self.manners = Manners(draw, self.kind)
        self.version = draw.choice(("1", "2", "alpn", "alpn", "mixed"))
        self.origins = [f"s{number}.test" for number in range(1, draw.randint(1, 3) + 1)]
        self.way = draw.choice((None, None, None, "proxy", "detours"))
        self.detours = self.way == "detours"
        self.proxy_url = f"http://{_PROXY}:3128"
        self.tasks = draw.choice((3, 6, 12, 25))
        self.patient = draw.random() < 0.6 or self.kind != "rough"
        self.cancels = 0.0 if draw.random() < 0.5 else draw.choice((0.002, 0.02))
        self.closes_at = draw.uniform(0.1, 5) if draw.random() < 0.15 else None
        self.grace = draw.choice((None, 1.0, 1000.0))
        self.ledger.resends = draw.random() < 0.85 or self.kind != "rough"
        self.limits = self._limits(draw)
        self.proto = {name: draw.choice(("h2", "h2", "http/1.1")) for name in self.origins}
        self.fickle = draw.random() < 0.2  # servers speak now this version, now that
        self.client = self._client(draw)
        self.begun = self.done = 0
        self.answered: set[str] = set()
        self.closing = self._failed = False
        self.errors: list[str] = []
        self._running: list[Any] = []
        self._victims: list[Any] = []
        #: What happened up to the first failure.
        self.story: list[str] = []
        self._seen = self._steps = 0
        self._live: list[Any] = []
        self._listen(draw)

    # How the world is made.

    def _conditions(self, draw: Random) -> Conditions:
        delay: Any = draw.choice((0.0, 0.0, (0.0, 0.01), (0.0, 0.2)))
        more: dict[str, float] = {}
        if self.kind == "rough" and draw.random() < 0.4:
            more = {draw.choice(("cut", "reset", "stall")): draw.choice((0.05, 0.3)), "within": 20_000}
            self.whole_network = False
        refuse = 0.1 if self.kind == "rough" and draw.random() < 0.3 else 0.0
        window = draw.choice((128 * 1024, 128 * 1024, 8000))
        return Conditions(delay=delay, split=draw.choice((0.0, 0.3)), window=window, refuse=refuse, **more)  # type: ignore[arg-type]

    def _limits(self, draw: Random) -> httpure.Limits:
        return httpure.Limits(
            max_connections=draw.choice((1, 1, 2, 3, None)),
            max_keepalive_connections=draw.choice((0, 1, 2, None)),
            keepalive_expiry=draw.choice((0.0, 0.5, 2.0, None)),
            max_connections_per_origin=draw.choice((1, 2, None)),
            max_connection_age=draw.choice((None, None, 1.0)),
            max_requests_per_connection=draw.choice((None, None, 1, 3)),
        )

    def _client(self, draw: Random) -> httpure.AsyncClient:
        patience = 300.0 if self.patient else draw.choice((1.0, 10.0))
        timeout = httpure.Timeout(patience, pool=None if draw.random() < 0.5 else patience)
        if not self.patient and draw.random() < 0.3:
            timeout = httpure.Timeout(patience, total=draw.choice((2.0, 20.0)))
        versions: dict[str, Any] = {"http1": self.version != "2", "http2": self.version != "1"}
        settings: dict[str, Any] = {**versions, "limits": self.limits, "backend": self.simulation.backend}
        if self.detours:
            self.ledger.resends = True
            client = httpure.AsyncClient(**settings, timeout=timeout, trust_env=False)
        else:
            transport = httpure.AsyncHTTPTransport(
                **settings,
                trust_env=False,
                retries=draw.choice((0, 0, 2)),
                resend=self.ledger.resends,
                proxy=self.proxy_url if self.way == "proxy" else None,
                http2_ping_interval=draw.choice((None, None, 1.0)) if self.kind == "rough" else None,
            )
            client = httpure.AsyncClient(transport=transport, timeout=timeout, trust_env=False)
        # One for all transports.
        client._transport._transmitter.dialler.tls._config = FakeTLS()  # type: ignore[attr-defined]
        return client

    def _listen(self, draw: Random) -> None:
        network = self.simulation.network
        for number, name in enumerate(self.origins):
            if draw.random() < 0.3:
                addresses = [f"10.1.{number}.1", f"10.1.{number}.2", f"2001:db8::{number}"]
                network.add_host(name, *draw.sample(addresses, 3))
                for address in network.hosts[name]:
                    if draw.random() < 0.3 and address != network.hosts[name][-1]:
                        network.black_holes[address] = None
            plain = Http2Server if self.version == "2" else Http1Server
            network.listen(name, 80, lambda make=plain: make(self))
            network.listen(name, 443, lambda name=name: self._secured(name))
        network.listen(_PROXY, 3128, lambda: Tunnel(self, self._behind, lambda: Http1Server(self)))

    def _behind(self, host: str, port: int) -> Peer:
        if port == 443:
            return self._secured(host)
        return Http2Server(self) if self.version == "2" else Http1Server(self)

    def _secured(self, name: str) -> Peer:
        def speaks(offered: list[str]) -> str:
            if self.fickle:
                return self.random.choice(offered)
            return self.proto[name] if self.proto[name] in offered else offered[-1]

        return Secured(
            self, speaks, lambda protocol: (Http2Server if protocol == "h2" else Http1Server)(self)
        )

    # What servers and tasks ask of it.

    def bad_way(self) -> str:
        """Draw what goes wrong in the handshakes on the way."""
        if self.manners.kind != "rough" or self.random.random() > 0.05:
            return ""
        return self.random.choice(("refuse", "close", "stall"))

    def url(self, name: str, size: int, hops: int) -> str:
        random = self.random
        where, there = (self._origin(random) for _ in range(2))
        query = f"size={size}&hops={hops}"
        if hops:
            query += f"&to={there}*{random.choice((302, 303, 307))}"
        return f"{where}/{name}?{query}"

    def _origin(self, random: Random) -> str:
        secure = self.version == "alpn" or (self.version == "mixed" and random.random() < 0.5)
        return f"http{'s' if secure else ''}://{random.choice(self.origins)}"

    def spawn(self, coroutine: Any, name: str, victim: bool = False) -> Any:
        """Start a task; a `victim` may be cancelled at any moment."""
        task = self.simulation.spawn(coroutine, name)
        task.joined = True
        self._running.append(task)
        if victim:
            self._victims.append(task)
        return task

    def live_links(self) -> list[Any]:
        made = self.simulation.network.connections
        self._live += [link for link, _ in made[self._seen :]]
        self._live = [link for link in self._live if not link._closed]
        self._seen = len(made)
        return self._live

    def judge(self, exc: Exception, name: str, method: str, content: Any, redirected: bool = False) -> None:
        """A request ended with an exception: was that right?"""
        text = f"{method} {name}: {type(exc).__name__}: {exc}"
        self.errors.append(text)
        self.simulation._scheduler.record(text)
        if isinstance(exc, RuntimeError) and "closed" in str(exc) and self.closing:
            return
        if isinstance(exc, httpure.StreamConsumed) or "cannot be sent again" in str(exc):
            if isinstance(content, bytes) or content is None or not redirected:
                self.ledger.wrong.append(f"{text} (of what nobody has asked to be sent again)")
            return
        if not isinstance(exc, httpure.TransportError) or not str(exc):
            self.ledger.wrong.append(f"no sensible error: {text!r}")
        if (
            isinstance(exc, httpure.LocalProtocolError)
            and not self.ledger.was_mean
            and self.manners.kind != "rough"
        ):
            self.ledger.wrong.append(f"it was not our fault: {text}")
        if self.closing:
            return
        if self.kind == "perfect" or (self.kind == "gentle" and repeatable(method, content)):
            self.ledger.wrong.append(f"this should have gone well: {text}")

    # The run.

    def run(self) -> None:
        self.simulation.watch(self._after_step)
        try:
            self.simulation.run(self._main)
        except Exception as exc:
            raise Failure(f"seed {self.seed}: {type(exc).__name__}: {exc}") from exc

    def _after_step(self) -> None:
        if self._failed:
            return
        try:
            self._check_step()
        except AssertionError:
            self._failed = True
            self.story = list(self.simulation.log)
            raise

    def _check_step(self) -> None:
        self._steps += 1
        assert self._steps < MOST_STEPS, "it takes for ever, with no time going by"
        assert self.simulation.clock() < LONGEST, (
            f"it takes for ever: {[(t.name, t.wait and t.wait.why) for t in self._running if not t.done]}"
        )
        assert not self.ledger.wrong, "; ".join(self.ledger.wrong)
        check_step(self)
        if self.cancels and self.random.random() < self.cancels:
            victims = [task for task in self._victims if not task.done]
            # What goes wrong most easily: something was granted, and who is to have it has not got to know yet.
            woken = [task for task in victims if task.wait is not None and task.wait.over]
            if victims:
                self.random.choice(woken or victims).cancel()

    async def _main(self) -> None:
        for number in range(self.tasks):
            self.spawn(Traffic(self, f"t{number}").run(), f"t{number}", victim=True)
        if self.closes_at is not None:
            await self.simulation.sleep(self.closes_at)
            await self._close()
        for task in self._running:  # which grows meanwhile
            with contextlib.suppress(Cancelled):
                await task.join()
        if not self.closing:
            await self._epilogue()
        self._check_closed()

    async def _epilogue(self) -> None:
        """Now that all is over, and nothing goes wrong any more."""
        self.manners.improve()
        self.simulation.network.conditions = Conditions()
        self.cancels = 0.0
        await self.simulation.sleep(5.0)
        check_end(self)
        for number, origin in enumerate(self.origins):
            await self._final(f"final{number}", origin)
        await self.simulation.sleep(1.0)
        check_end(self)
        self._check_servers()
        await self._close()

    async def _final(self, name: str, origin: str) -> None:
        scheme = "https" if self.version == "alpn" else "http"
        for goes_left in reversed(range(5)):
            try:
                response = await self.client.get(
                    f"{scheme}://{origin}/{name}{5 - goes_left}?size=10&hops=0", timeout=3.0
                )
                assert response.status_code == 200, response
                return
            except httpure.TransportError:
                # Connections that were stalled before may be there still; each is met but once.
                if self.kind != "rough" or not goes_left:
                    raise

    def _check_servers(self) -> None:
        for pool in pools_of(self.client):
            for slot in pool._places.slots:
                for peer in self.ledger.peers:
                    link = slot.connection.link
                    if (
                        peer.version == 2
                        and peer.channel._outgoing.receiver is link
                        and not link._outgoing._stalled
                    ):
                        assert not peer.open_streams, (
                            f"in the end, a server has {peer.open_streams} streams open"
                        )

    async def _close(self) -> None:
        self.closing = True
        began = self.simulation.clock()
        busy = self.begun > self.done
        await self.client.aclose(grace=self.grace)
        took = self.simulation.clock() - began
        assert took <= (self.grace or 0) + 0.02, f"closing took {took:g} s"
        assert busy or took < 0.1, f"closing took {took:g} s, and nobody was busy"

    def _check_closed(self) -> None:
        for pool in pools_of(self.client):
            assert pool.statistics == (0, 0, 0), f"after closing: {pool.statistics}"
            assert pool.statistics.requests == 0, f"after closing, {pool.statistics.requests} requests"
            assert not pool._places.lanes, "after closing, a route is remembered"
        assert not self.live_links(), "after closing, a connection is open"
        assert self.simulation.network.attempts == 0, "an attempt to connect was left"
