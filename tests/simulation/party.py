"""One client of a world, what it is allowed, and who uses it."""

from __future__ import annotations

from random import Random
from typing import Any

import httpure

from .customs import PROXY_PASSWORD, PROXY_USER
from .orders import Order
from .way import FakeTLS

__all__ = ["PROXY", "Party"]

PROXY = "proxy.test"
#: Limits that are drawn small, and how small.
_SMALL: dict[str, int] = {
    "max_fields": 20,
    "max_field_size": 1000,
    "max_head_size": 2000,
    "max_informational": 0,
    "max_trailers": 1,
    "max_trailers_size": 10,
    "max_body": 50_000,
}


class Party:
    """Draws a client. Its requests, in the world, are those of the tasks that belong to it."""

    def __init__(self, world: Any, number: int, draw: Random) -> None:
        self.world = world
        self.name = f"p{number}"
        rough = world.kind == "rough"
        self.resends = draw.random() < 0.85 or not rough
        #: Limits that a good answer may exceed.
        self.small = {name for name in _SMALL if draw.random() < 0.5} if draw.random() < 0.15 else set()
        self.limits = self._limits(draw)
        self.policy = self._policy(draw)
        self.allow_downgrade = draw.random() < 0.5
        self.max_redirects = draw.choice((20, 20, 1))
        self.timeout = self._timeout(draw)
        self.digests: dict[str, httpure.DigestAuth] = {}
        #: When it is closed before its time: after so many seconds, or steps of the world.
        self.closes_at = draw.uniform(0.1, 5) if draw.random() < 0.1 else None
        self.closes_after = draw.randrange(1500) if draw.random() < 0.1 else None
        self.grace = draw.choice((None, 0.0, 1.0, 1000.0))
        self.closing = False
        self.begun = self.done = 0
        #: How often its requests were sent again because its policy says so, as far as that was told.
        self.sent_again = 0
        self.client = self._client(draw)

    # How it is made.

    def _limits(self, draw: Random) -> httpure.Limits:
        return httpure.Limits(
            max_connections=draw.choice((1, 1, 2, 3, None)),
            max_keepalive_connections=draw.choice((0, 1, 2, None)),
            keepalive_expiry=draw.choice((0.0, 0.5, 2.0, None)),
            max_connections_per_origin=draw.choice((1, 2, None)),
            max_connection_age=draw.choice((None, None, 1.0)),
            max_requests_per_connection=draw.choice((None, None, 1, 3)),
            **{name: _SMALL[name] for name in sorted(self.small)},  # type: ignore[arg-type]
        )

    def _policy(self, draw: Random) -> httpure.Retry | None:
        if draw.random() < 0.65:
            return None
        budget = httpure.RetryBudget(draw.choice((0.0, 0.2)), draw.choice((0, 2, 10)))
        return httpure.Retry(
            draw.choice((1, 2, 4)),
            methods=None if draw.random() < 0.1 else ("GET", "HEAD", "PUT", "DELETE"),
            backoff=draw.choice((0.0, 0.1, 1.0)),
            max_wait=draw.choice((2.0, 60.0, None)) if self.world.kind == "rough" else 60.0,
            respect_retry_after=draw.random() < 0.8,
            budget=budget if draw.random() < 0.3 else None,
        )

    def _timeout(self, draw: Random) -> httpure.Timeout:
        patience = 300.0 if self.world.patient else draw.choice((1.0, 10.0))
        pool = None if draw.random() < 0.5 else patience
        if self.world.patient or draw.random() < 0.5:
            return httpure.Timeout(patience, pool=pool)
        if draw.random() < 0.5:
            return httpure.Timeout(patience, pool=pool, total=draw.choice((2.0, 20.0)))
        return httpure.Timeout(patience, pool=pool, min_rate=100.0, rate_window=2.0)

    def _client(self, draw: Random) -> httpure.AsyncClient:
        world = self.world
        versions: dict[str, Any] = {"http1": world.version != "2", "http2": world.version != "1"}
        connecting: dict[str, Any] = {
            **versions,
            "limits": self.limits,
            "backend": world.simulation.backend,
            "trust_env": False,
        }
        settings: dict[str, Any] = {
            "timeout": self.timeout,
            "retries": self.policy,
            "max_redirects": self.max_redirects,
            "allow_downgrade": self.allow_downgrade,
            "sensitive_headers": ["X-Tenant"],
            "trust_env": False,
        }
        if world.detours:
            self.resends = True
            client = httpure.AsyncClient(**{**connecting, **settings})
        else:
            transport = httpure.AsyncHTTPTransport(
                **connecting,
                retries=draw.choice((0, 0, 2)),
                resend=self.resends,
                proxy=world.proxy if world.way in ("proxy", "socks") else None,
                http2_ping_interval=draw.choice((None, None, 1.0)) if world.kind == "rough" else None,
            )
            client = httpure.AsyncClient(transport=transport, limits=self.limits, **settings)
        # One for all transports.
        client._transport._transmitter.dialler.tls._config = FakeTLS()  # type: ignore[attr-defined]
        return client

    # What becomes of it.

    @property
    def pools(self) -> list[Any]:
        return [transport._transmitter.pool for transport in self.client._transports()]  # type: ignore[attr-defined]

    def digest(self, host: str) -> httpure.DigestAuth:
        """Return what proves the user of a host, the same for all requests."""
        if host not in self.digests:
            self.digests[host] = httpure.DigestAuth(f"u-{host}", "pw")
        return self.digests[host]

    def order(self, name: str, method: str = "GET", size: int = 10) -> Order:
        """Return a plain order, of which the servers know."""
        order = self.world.ledger.orders[name] = Order(name, self, method, size)
        return order

    async def close(self) -> None:
        """Close the client, for the first time or once more."""
        again, self.closing = self.closing, True
        clock = self.world.simulation.clock
        began = clock()
        busy = self.begun > self.done
        await self.client.aclose(grace=self.grace)
        took = clock() - began
        assert took <= (self.grace or 0) + 0.02, f"closing took {took:g} s"
        assert busy or again or took < 0.1, f"closing took {took:g} s, and nobody was busy"

    async def close_early(self) -> None:
        """Close it at its moment."""
        if self.closes_at is not None:
            await self.world.simulation.sleep(self.closes_at)
        await self.close()

    def check_budget(self) -> None:
        """No more was sent again than the budget allows."""
        budget = None if self.policy is None else self.policy.budget
        if budget is not None:
            most = budget.minimum + budget.ratio * self.begun
            assert self.sent_again <= most, f"{self.sent_again} requests were sent again, of {most:g}"


def proxy_of(scheme: str, port: int, secret: bool) -> httpure.Proxy:
    """Return the proxy, as clients have it."""
    return httpure.Proxy(f"{scheme}://{PROXY}:{port}", auth=(PROXY_USER, PROXY_PASSWORD) if secret else None)
