"""What a request of a world is meant to be, and what its servers ask of it, beyond an answer."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from itertools import pairwise
from random import Random
from typing import Any

import httpure

__all__ = ["TOKEN", "Order", "TokenAuth"]

TOKEN = "Bearer t-"
#: What a server that is busy asks for.
_WAITS = (None, None, "0", "1", "3", "3", "5000", "soon", "date")


class TokenAuth(httpure.Auth):
    """Sends a token to who asks for it."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def async_auth_flow(self, request: Any) -> AsyncGenerator[Any, Any]:
        response = yield request
        if response.status_code == 401:
            request.headers["Authorization"] = self._token
            yield request


class Order:
    """One request of a user: `origin` is where it goes, as (scheme, host), `to` where its redirects lead."""

    def __init__(self, name: str, party: Any, method: str = "GET", size: int = 10) -> None:
        self.name = name
        self.party = party
        self.method = method
        self.size = size
        self.content: Any = None
        self.origin = self.to = ("http", "")
        self.hops = 0
        self.redirect_status = 302
        #: Whether the last redirect leads to where it all began.
        self.back = False
        #: "basic", "digest", "token" (when asked for it), "header" (of the user's); "" for none.
        self.auth = ""
        #: Whether it has a field that is for its own origin.
        self.keyed = False
        self.idempotency_key = False
        self.policy: httpure.Retry | None = party.policy
        #: How often the server is too busy for it, and what it says then.
        self.busy = 0
        self.busy_status = 503
        self.wait: str | None = None
        #: Fields of the answer besides those that are always there, and whether one of them is long.
        self.fields = 0
        self.fat = False
        self.coded = False
        self.trailers = False
        # What servers have done.
        self.stales = 0
        self.thieves = 0
        self.misdirected = 0

    def draw(self, world: Any, random: Random) -> None:
        """Draw what is not plain about it."""
        self.origin, self.to = world.origin(), world.origin()
        if random.random() < 0.15:
            self.hops = random.randint(1, 2)
            self.redirect_status = random.choice((302, 303, 307))
            self.back = random.random() < 0.3
        if random.random() < world.manners.guarded:
            self.auth = random.choice(
                ("basic", "digest", "digest", "header", *(() if self.hops else ("token",)))
            )
        self.keyed = random.random() < 0.2
        if random.random() < world.manners.busy:
            self.busy = random.randint(1, 3)
            self.busy_status = random.choice((503, 429))
            self.wait = random.choice(_WAITS)
        if random.random() < 0.05:
            self.policy = httpure.Retry(1, backoff=0.1)
        self.idempotency_key = self.policy is not None and random.random() < 0.2
        self.fields = 30 if random.random() < 0.05 else 0
        self.fat = random.random() < 0.05
        self.coded = random.random() < 0.08
        self.trailers = random.random() < 0.05

    @property
    def url(self) -> str:
        query = f"size={self.size}&hops={self.hops}"
        return f"{self.origin[0]}://{self.origin[1]}/{self.name}?{query}"

    def location(self, hops: int) -> str:
        """Return where a redirect leads to, with so many more to come."""
        scheme, host = self.origin if self.back and not hops else self.to
        return f"{scheme}://{host}/{self.name}?size={self.size}&hops={hops}"

    def trusts(self, origin: tuple[str, str]) -> bool:
        """Whether what is secret to its own origin may be told to this one."""
        return origin == self.origin or (self.origin[0] == "http" and origin == ("https", self.origin[1]))

    def met_strangers(self, hops: int) -> bool:
        """Whether it has been with others, when so many redirects are to come."""
        met = hops < self.hops and not self.trusts(self.to)
        return met and not (self.hops == 1 and self.back)

    @property
    def downgrades(self) -> bool:
        """Whether its redirects lead from https to http."""
        if not self.hops:
            return False
        path = [self.origin, *[self.to] * self.hops]
        if self.back:
            path[-1] = self.origin
        return any(a[0] == "https" and b[0] == "http" for a, b in pairwise(path))

    @property
    def replayable(self) -> bool:
        """Whether its body can be sent again."""
        return self.content is None or isinstance(self.content, bytes)

    @property
    def asks_again(self) -> bool:
        """Whether somebody may ask for its body once more."""
        return bool(self.hops or self.auth or self.busy or self.misdirected)

    def secret(self, origin: tuple[str, str]) -> str:
        return f"{origin[0]}.{origin[1]}"
