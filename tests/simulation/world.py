"""One world from one seed: servers, a network, clients, their tasks, and what is to be said against them in the end."""

from __future__ import annotations

import contextlib
from collections import Counter
from random import Random
from typing import Any

import httpure
from httpure.simulated import Cancelled, Conditions, Simulation
from tests.peers import Peer

from .checks import check_closed, check_end, check_step
from .customs import PROXY_PASSWORD, PROXY_SECRET, PROXY_USER, Customs
from .http1 import Http1Server
from .http2 import Http2Server
from .ledger import Ledger
from .manners import Manners
from .party import PROXY, Party, proxy_of
from .traffic import Traffic
from .way import Secured, Socks, Tunnel

__all__ = ["Failure", "World"]

#: No world takes longer, in virtual seconds.
LONGEST = 50_000.0
#: Nor more steps.
MOST_STEPS = 200_000


class Failure(AssertionError):
    """What went wrong in a world."""


class World:
    """Everything is drawn from the seed; `run()` raises Failure."""

    def __init__(self, seed: int) -> None:
        self.seed = seed
        draw = Random(seed)  # apart, so that a change of the code leaves the world as it is
        self.kind = draw.choice(("perfect", "gentle", "gentle", "rough", "rough", "rough"))
        self.whole_network = self.delivers_at_once = True
        self.simulation = Simulation(seed, self._conditions(draw))
        self.random = self.simulation.random
        self.ledger = Ledger()
        self.ledger.rough = self.kind == "rough"
        self.manners = Manners(draw, self.kind)
        self.customs = Customs(self, draw.choice((1, 3, 1000, 1000)))
        self.version = draw.choice(("1", "2", "alpn", "alpn", "mixed"))
        self.origins = [f"s{number}.test" for number in range(1, draw.randint(1, 3) + 1)]
        self.way = draw.choice((None, None, None, None, "proxy", "detours", "socks"))
        self.detours = self.way == "detours"
        secret = draw.random() < 0.5
        self.proxy_secret = PROXY_SECRET if secret else None
        self.proxy = (
            proxy_of("socks5", 1080, secret) if self.way == "socks" else proxy_of("http", 3128, secret)
        )
        self.tasks = draw.choice((1, 3, 6, 12, 25))
        self.patient = draw.random() < 0.6 or self.kind != "rough"
        self.cancels = 0.0 if draw.random() < 0.5 else draw.choice((0.002, 0.02, 0.1))
        self.proto = {name: draw.choice(("h2", "h2", "http/1.1")) for name in self.origins}
        self.fickle = draw.random() < 0.2  # servers speak now this version, now that
        self.outages = self.kind == "rough" and draw.random() < 0.2
        parties = draw.choice((1, 1, 1, 2, 3))
        self.parties = [Party(self, number, draw) for number in range(1, parties + 1)]
        self.answered: set[str] = set()
        #: Errors of requests, by class.
        self.errors: Counter[str] = Counter()
        self.steps = 0
        self._failed = self._ended = False
        self._running: list[Any] = []
        self._victims: list[Any] = []
        #: What happened up to the first failure.
        self.story: list[str] = []
        #: Connections that ended while nobody used them, and why they carry nothing more.
        self.over: dict[Any, Any] = {}
        self._seen = 0
        self._live: list[Any] = []
        self._listen(draw)

    @property
    def begun(self) -> int:
        return sum(party.begun for party in self.parties)

    @property
    def done(self) -> int:
        return sum(party.done for party in self.parties)

    # How the world is made.

    def _conditions(self, draw: Random) -> Conditions:
        delay: Any = draw.choice((0.0, 0.0, (0.0, 0.01), (0.0, 0.2)))
        more: dict[str, float] = {}
        if self.kind == "rough" and draw.random() < 0.4:
            more = {draw.choice(("cut", "reset", "stall")): draw.choice((0.05, 0.3)), "within": 20_000}
            self.whole_network = False
        refuse = 0.1 if self.kind == "rough" and draw.random() < 0.3 else 0.0
        window = draw.choice((128 * 1024, 128 * 1024, 8000))
        split = draw.choice((0.0, 0.3))
        self.delivers_at_once = not split and not more
        return Conditions(delay=delay, split=split, window=window, refuse=refuse, **more)  # type: ignore[arg-type]

    def _listen(self, draw: Random) -> None:
        network = self.simulation.network
        for number, name in enumerate(self.origins):
            if draw.random() < 0.3:
                addresses = [f"10.1.{number}.1", f"10.1.{number}.2", f"2001:db8::{number}"]
                network.add_host(name, *draw.sample(addresses, 3))
                for address in network.hosts[name]:
                    if draw.random() < 0.3 and address != network.hosts[name][-1]:
                        network.black_holes[address] = None
            network.listen(name, 80, lambda name=name: self._behind(name, 80))
            network.listen(name, 443, lambda name=name: self._behind(name, 443))
        network.listen(PROXY, 3128, lambda: Tunnel(self, self._behind, lambda: Http1Server(self)))
        pair = (PROXY_USER, PROXY_PASSWORD) if self.proxy_secret else None
        network.listen(PROXY, 1080, lambda: Socks(self, self._behind, pair))

    def _behind(self, host: str, port: int) -> Peer:
        site = ("https" if port == 443 else "http", host)
        if port == 443:
            return self._secured(site)
        return Http2Server(self, site) if self.version == "2" else Http1Server(self, site)

    def _secured(self, site: tuple[str, str]) -> Peer:
        name = site[1]

        def speaks(offered: list[str]) -> str:
            if self.fickle:
                return self.random.choice(offered)
            return self.proto[name] if self.proto[name] in offered else offered[-1]

        return Secured(
            self, speaks, lambda protocol: (Http2Server if protocol == "h2" else Http1Server)(self, site)
        )

    # What servers and tasks ask of it.

    def bad_way(self) -> str:
        """Draw what goes wrong in the handshakes on the way."""
        if self.manners.kind != "rough" or self.random.random() > 0.05:
            return ""
        return self.random.choice(("refuse", "close", "stall"))

    def origin(self) -> tuple[str, str]:
        """Draw a server, as (scheme, host)."""
        random = self.random
        secure = self.version == "alpn" or (self.version == "mixed" and random.random() < 0.5)
        return ("https" if secure else "http", random.choice(self.origins))

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

    # The run.

    def run(self) -> None:
        self.simulation.watch(self._after_step)
        try:
            self.simulation.run(self._main)
        except Exception as exc:
            raise Failure(
                f"seed {self.seed} ({self.kind}): {type(exc).__name__}: {exc}\n"
                f"    replay: python -m tests.simulation --seed {self.seed}"
            ) from exc

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
        self.steps += 1
        assert self.steps < MOST_STEPS, "it takes for ever, with no time going by"
        assert self.simulation.clock() < LONGEST, (
            f"it takes for ever: {[(t.name, t.wait and t.wait.why) for t in self._running if not t.done]}"
        )
        assert not self.ledger.wrong, "; ".join(self.ledger.wrong)
        check_step(self)
        for party in self.parties:
            if party.closes_after == self.steps and not (party.closing or self._ended):
                self._close_early(party)
        if self.cancels and self.random.random() < self.cancels:
            self._cancel()

    def _cancel(self) -> None:
        victims = [task for task in self._victims if not task.done]
        # What goes wrong most easily: something was granted, and who is to have it has not got to know yet.
        woken = [task for task in victims if task.wait is not None and task.wait.over]
        if victims:
            self.manners.tally["cancelled"] += 1
            self.random.choice(woken or victims).cancel()

    def _close_early(self, party: Party) -> None:
        self.manners.tally["closed early"] += 1
        self.spawn(party.close_early(), f"{party.name} closes", victim=True)

    async def _main(self) -> None:
        for number in range(self.tasks):
            party = self.parties[number % len(self.parties)]
            self.spawn(Traffic(self, party, f"t{number}").run(), f"t{number}", victim=True)
        for party in self.parties:
            if party.closes_at is not None:
                self._close_early(party)
        if self.outages:
            self.spawn(self._outages(), "outages")
        for task in self._running:  # which grows meanwhile
            with contextlib.suppress(Cancelled):
                await task.join()
        await self._epilogue()

    async def _outages(self) -> None:
        """Servers go, and names are forgotten; and both come back."""
        network, random = self.simulation.network, self.random
        for _ in range(3):
            await self.simulation.sleep(random.uniform(0, 2))
            self.manners.tally["outages"] += 1
            hosts, listeners = dict(network.hosts), dict(network._listeners)
            name = random.choice(self.origins)
            if random.random() < 0.5:
                del network.hosts[name]
            else:
                for port in (80, 443):
                    network.close_listener(name, port)
            await self.simulation.sleep(random.uniform(0, 3))
            network.hosts.update(hosts)
            network._listeners.update(listeners)

    async def _epilogue(self) -> None:
        """Now that all is over, and nothing goes wrong any more."""
        self._ended = True
        self.manners.improve()
        self.simulation.network.conditions = Conditions()
        self.cancels = 0.0
        await self.simulation.sleep(5.0)
        there = [party for party in self.parties if not party.closing]
        for party in there:
            check_end(self, party)
        for party in there:
            for origin in self.origins:
                await self._final(party, f"{party.name}-{origin[:2]}", origin)
        await self.simulation.sleep(1.0)
        for party in there:
            check_end(self, party)
            self._check_servers(party)
        for party in self.parties:
            await party.close()  # once more, where that was broken off
        for party in self.parties:
            check_closed(party)
        assert not self.live_links(), "after closing, a connection is open"
        assert self.simulation.network.attempts == 0, "an attempt to connect was left"
        await self.simulation.sleep(1.0)
        left = [task.name for task in self.simulation._scheduler.tasks if task.name != "main"]
        assert not left, f"in the end, tasks are left: {left}"

    async def _final(self, party: Party, name: str, host: str) -> None:
        scheme = "https" if self.version == "alpn" else "http"
        for goes_left in reversed(range(5)):
            order = party.order(f"{name}-final{5 - goes_left}")
            order.origin = (scheme, host)
            try:
                response = await party.client.get(order.url, timeout=3.0)
                assert response.status_code == 200, response
                assert response.headers["x-name"] == order.name, response
                return
            except httpure.LimitExceeded as exc:
                assert exc.limit in party.small, exc
                return
            except httpure.TransportError:
                # Connections that were stalled before may be there still; each is met but once.
                if self.kind != "rough" or not goes_left:
                    raise

    def _check_servers(self, party: Party) -> None:
        for pool in party.pools:
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
