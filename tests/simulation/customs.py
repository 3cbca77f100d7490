"""What servers want to see before they answer, what they answer, and what they must never see."""

from __future__ import annotations

import gzip
import hashlib
import re
from base64 import b64encode
from email.utils import formatdate
from functools import lru_cache
from itertools import count
from typing import Any

from httpure.simulated.simulation import EPOCH

from .ledger import Asked, payload
from .orders import TOKEN

__all__ = ["PROXY_SECRET", "Customs", "Reply"]

#: Who we are to proxies.
PROXY_USER, PROXY_PASSWORD = "me", "proxy-secret"
PROXY_SECRET = "Basic " + b64encode(f"{PROXY_USER}:{PROXY_PASSWORD}".encode()).decode()


class Reply:
    """What is answered. `acts`: whether the server has done what it was asked for."""

    def __init__(self, status: int, fields: list[tuple[str, str]], body: bytes, acts: bool = True) -> None:
        self.status, self.fields, self.body, self.acts = status, fields, body, acts


class Customs:
    """Of all servers of a world."""

    def __init__(self, world: Any, uses: int) -> None:
        self._world = world
        #: How often a nonce may be used.
        self._uses = uses
        self._numbers = count(1)
        #: By nonce and count, what they were used for.
        self._nonces: dict[str, dict[str, str]] = {}

    # What must never be seen.

    def look(self, asked: Asked) -> None:
        """A server has the head of a request: does it say anything that is not for that server?"""
        order, fields = asked.order, asked.fields
        trusted = order.trusts(asked.origin) and not order.met_strangers(asked.hops)
        where = f"{asked.method} {asked.key} at {'://'.join(asked.origin)}"
        for name in ("authorization", "x-api-key", "x-tenant"):
            if name in fields and not trusted:
                self._complain(f"{where}: a stranger was told {name}: {fields[name]}")
        if order.keyed and asked.hops == order.hops and fields.get("x-tenant") != order.secret(order.origin):
            self._complain(f"{where}: x-tenant is {fields.get('x-tenant')}")
        if "proxy-authorization" in fields and not asked.by_proxy:
            self._complain(f"{where}: the origin was told how to use the proxy")
        for pair in fields.get("cookie", "").split("; "):
            name, _, value = pair.partition("=")
            if pair and value != f"{order.party.name}.{asked.origin[1]}":
                self._complain(f"{where}: it was told the cookie {pair}")
            if name == "s" and asked.origin[0] != "https":
                self._complain(f"{where}: a Secure cookie went over http")
        if fields.get("host") != asked.origin[1]:
            self._complain(f"{where}: it was meant for {fields.get('host')}")
        if asked.origin[0] == "http" and order.downgrades and not order.party.allow_downgrade:
            first = asked.hops == order.hops or (order.origin[0] == "http" and asked.hops > 0)
            if not first:
                self._complain(f"{where}: a redirect led from https to http")

    def _complain(self, text: str) -> None:
        self._world.ledger.wrong.append(text)

    # Answers.

    def reply(self, asked: Asked) -> Reply:
        """Return the right answer to a request."""
        order = asked.order
        fields = [("x-name", asked.name), ("x-hops", str(asked.hops))]
        refusal = self._refusal(asked)
        if refusal is not None:
            status, more = refusal
            # Who is told so may send the same once more, whatever it is.
            asked.disowned = status in (401, 407, 421)
            if status == 401:
                # So would those have been that came before, and had no answer: nobody acts on what has no credentials.
                for earlier in self._world.ledger.met[asked.key]:
                    same = earlier.fields.get("authorization") == asked.fields.get("authorization")
                    earlier.disowned = earlier.disowned or same
            return Reply(status, [*fields, *more, ("x-size", "20")], payload(asked.name, 20), acts=False)
        fields += self._cookies(asked)
        fields += [(f"x-more-{number}", "x") for number in range(order.fields)]
        if order.fat:
            fields.append(("x-fat", "f" * 3000))
        if asked.hops:
            fields.append(("location", order.location(asked.hops - 1)))
            return Reply(order.redirect_status, fields, payload(asked.name, asked.size))
        if order.coded:
            fields.append(("content-encoding", "gzip"))
            return Reply(200, fields, _gzipped(asked.name, asked.size))
        return Reply(200, fields, payload(asked.name, asked.size))

    def _refusal(self, asked: Asked) -> tuple[int, list[tuple[str, str]]] | None:
        order, world = asked.order, self._world
        if asked.by_proxy and world.proxy_secret and asked.fields.get("proxy-authorization") != PROXY_SECRET:
            self._complain(f"{asked.key}: the proxy was not told who we are")
            return 407, [("proxy-authenticate", "Basic realm=p")]
        if asked.misdirected:
            order.misdirected += 1
            return 421, []
        if order.auth:
            challenge = self._challenge(asked)
            if challenge is not None:
                return 401, [("www-authenticate", challenge)]
        if asked.hops == order.hops and world.ledger.busy.get(asked.key, 0) < order.busy:
            world.ledger.busy[asked.key] = world.ledger.busy.get(asked.key, 0) + 1
            return order.busy_status, self._wait(asked)
        return None

    def _wait(self, asked: Asked) -> list[tuple[str, str]]:
        order, now = asked.order, self._world.simulation.clock()
        if order.wait is None:
            return []
        if order.wait == "date":
            return [("retry-after", formatdate(EPOCH + now + 2, usegmt=True))]
        policy = order.policy
        if order.wait.isdigit() and policy is not None and policy.respect_retry_after:
            self._world.ledger.not_before[asked.key] = now + int(order.wait)
        return [("retry-after", order.wait)]

    def _cookies(self, asked: Asked) -> list[tuple[str, str]]:
        random, manners = self._world.random, self._world.manners
        if random.random() >= manners.cookies:
            return []
        value = f"{asked.order.party.name}.{asked.origin[1]}"
        if asked.origin[0] == "https" and random.random() < 0.5:
            return [("set-cookie", f"s={value}; Secure; Path=/")]
        return [("set-cookie", f"c={value}; Path=/")]

    # Who is there?

    def _challenge(self, asked: Asked) -> str | None:
        order = asked.order
        given = asked.fields.get("authorization")
        if not order.trusts(asked.origin) or order.met_strangers(asked.hops):
            if order.auth == "digest" and self._world.random.random() < 0.3:
                order.thieves += 1
                return self._ask()
            return None
        if asked.hops != order.hops:
            return None
        if order.auth == "digest":
            return self._check_digest(asked, given)
        if given == self.right(order):
            return None
        if order.auth != "token":
            self._complain(f"{asked.key}: it said {given}, and not {self.right(order)}")
        return "Bearer"

    @staticmethod
    def right(order: Any) -> str:
        """Return the Authorization that servers want to see."""
        if order.auth == "basic":
            return "Basic " + b64encode(f"u-{order.origin[1]}:pw".encode()).decode()
        return f"{TOKEN if order.auth == 'token' else 'Bearer h-'}{order.name}"

    def _ask(self, stale: bool = False) -> str:
        nonce = f"n{next(self._numbers)}"
        self._nonces[nonce] = {}
        return f'Digest realm="r", qop="auth", algorithm=SHA-256, nonce="{nonce}"' + ", stale=true" * stale

    def _check_digest(self, asked: Asked, given: str | None) -> str | None:
        if given is None:
            return self._ask()
        said = {name: text.strip('"') for name, text in re.findall(r'(\w+)=("[^"]*"|[^ ,]+)', given)}
        nonce, number = said["nonce"], said["nc"]
        used = self._nonces[nonce]
        secret = _hash(f"u-{asked.origin[1]}", "r", "pw")
        right = _hash(secret, nonce, number, said["cnonce"], "auth", _hash(asked.method, asked.path))
        if said["response"] != right:
            self._complain(f"{asked.key}: its proof is wrong: {given}")
        # Who has had no answer may send the same again.
        if used.setdefault(number, asked.key) != asked.key:
            self._complain(f"{asked.key}: its count is that of {used[number]}: {given}")
        if len(used) > self._uses:
            asked.order.stales += 1
            return self._ask(stale=True)
        return None


def _hash(*texts: str) -> str:
    return hashlib.sha256(":".join(texts).encode()).hexdigest()


@lru_cache(maxsize=64)
def _gzipped(name: str, size: int) -> bytes:
    return gzip.compress(payload(name, size), 1, mtime=0)
