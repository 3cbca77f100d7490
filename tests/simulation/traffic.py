"""What the tasks of a world do with its clients: one random request after the other."""

from __future__ import annotations

import traceback
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpure
from httpure.simulated import Cancelled

from .customs import Customs
from .judging import judge
from .ledger import payload
from .orders import TokenAuth

__all__ = ["Traffic"]

_SIZES = (0, 1, 100, 100, 100, 5000, 5000, 5000, 70_000, 300_000)
#: Of an answer: more than any stream of HTTP/2 may bring before some of it was read.
_LONG = 1_500_000


class Traffic:
    """The requests of one task of a party. `world` has all chance."""

    def __init__(self, world: Any, party: Any, name: str) -> None:
        self._world = world
        self._party = party
        self._random = world.random
        self._name = name
        self._count = 0

    async def run(self) -> None:
        world, party, random = self._world, self._party, self._random
        for _ in range(random.randint(1, 3)):
            if random.random() < 0.5:
                await world.simulation.sleep(random.choice((0.0, random.uniform(0, 4))))
            self._count += 1
            party.begun += 1
            await self._request(f"{self._name}-{self._count}")
            party.done += 1

    async def _request(self, name: str) -> None:
        world, party, random = self._world, self._party, self._random
        method = random.choice(("GET", "GET", "GET", "HEAD", "PUT", "POST", "POST", "DELETE"))
        order = party.order(name, method, random.choice(_SIZES) if random.random() < 0.99 else _LONG)
        order.content, sent = self._body(method)
        if isinstance(order.content, httpure.AsyncDuplex):
            order.origin = world.origin()
            order.policy = None
        else:
            order.draw(world, random)
        more: dict[str, Any] = {"content": order.content, "headers": self._headers(order), "extensions": {}}
        if order.policy is not party.policy:
            more["extensions"]["retries"] = order.policy
        if order.auth:
            more["auth"] = _auth(order)
        if random.random() < 0.1:
            more["extensions"]["trace"] = _trace
        if world.detours and random.random() < 0.3:
            more["proxy"] = random.choice((None, world.proxy))
        if not world.patient and random.random() < 0.2:
            more["timeout"] = httpure.Timeout(
                random.choice((0.01, 0.3, 3.0)), total=random.choice((None, 1.0))
            )
        try:
            await self._carry_out(order, sent, more)
        except Cancelled as exc:
            # A response that was dropped is dropped: the error, which the task keeps, must not know it.
            traceback.clear_frames(exc.__traceback__)
            raise
        except Exception as exc:
            judge(world, exc, order)

    def _headers(self, order: Any) -> dict[str, str]:
        headers = {}
        if order.content is not None and self._random.random() < 0.15:
            headers["Expect"] = "100-continue"
        if order.auth == "header":
            headers["Authorization"] = Customs.right(order)
        if order.keyed:
            headers["X-Tenant"] = headers["X-Api-Key"] = order.secret(order.origin)
        if order.idempotency_key:
            headers["Idempotency-Key"] = order.name
        return headers

    async def _carry_out(self, order: Any, sent: bytes | None, more: Any) -> None:
        world, random = self._world, self._random
        client, how = self._party.client, random.random()
        method, url = order.method, order.url
        if isinstance(order.content, httpure.AsyncDuplex):
            await self._duplex(order, sent, more)
        elif how < 0.5:
            total = more.get("timeout", client.timeout).total
            began = world.simulation.clock()
            try:
                response = await client.request(method, url, follow_redirects=True, **more)
            finally:
                took = world.simulation.clock() - began
                # A body's own pauses, of 0.2 s at most, are not cut short.
                if total is not None and took > total + (0.001 if order.replayable else 0.201):
                    world.ledger.wrong.append(f"{order.name} took {took:g} s of {total:g}")
            self._check(response, order, response.content, sent, True)
        elif how < 0.9:
            follows = random.random() < 0.8
            auth = {"auth": more.pop("auth")} if "auth" in more else {}
            async with client.stream(method, url, follow_redirects=follows, **auth, **more) as response:
                await self._read(response, order, sent, whole=random.random() < 0.6)
        else:
            by = {name: more.pop(name) for name in ("proxy", "auth") if name in more}
            request = client.build_request(method, url, **more)
            response = await client.send(request, stream=True, follow_redirects=True, **by)
            if random.random() < 0.5:
                await self._read(response, order, sent, whole=False)
            # Dropped without being closed.

    async def _read(self, response: Any, order: Any, sent: bytes | None, whole: bool) -> None:
        world, random = self._world, self._random
        got = b""
        stop = None if whole else random.choice((1, 1000, 50_000))
        async for piece in response.aiter_bytes() if order.coded else response.aiter_raw():
            got += piece
            if stop is not None and len(got) >= stop:
                whole = False
                break
            if random.random() < 0.1:
                await world.simulation.sleep(random.uniform(0, 1))
        else:
            whole = True
        self._check(response, order, got, sent, whole)

    async def _duplex(self, order: Any, sent: bytes | None, more: Any) -> None:
        duplex, random, name = order.content, self._random, order.name
        assert sent is not None

        async def send() -> None:
            try:
                for start in range(0, len(sent), 4000):
                    await duplex.send(sent[start : start + 4000])
                await duplex.end()
            except httpure.TransportError:
                pass  # which the other one meets, too, or does not care about
            except RuntimeError as exc:
                judge(self._world, exc, order)

        sender = self._world.spawn(send(), f"{name} sends")
        try:
            async with self._party.client.stream(order.method, order.url, **more) as response:
                await self._read(response, order, None if random.random() < 0.1 else sent, whole=True)
        finally:
            sender.cancel()

    def _body(self, method: str) -> tuple[Any, bytes | None]:
        random = self._random
        if method not in ("PUT", "POST"):
            return None, None
        data = random.randbytes(random.choice(_SIZES))
        how = random.random()
        if how < 0.6:
            return data, data
        if how < 0.9:
            return self._pieces(data), data
        return httpure.AsyncDuplex(), data

    async def _pieces(self, data: bytes) -> AsyncIterator[bytes]:
        step = self._random.choice((1000, 30_000, 200_000))
        for start in range(0, len(data), step):
            if self._random.random() < 0.2:
                await self._world.simulation.sleep(self._random.uniform(0, 0.2))
            yield data[start : start + step]

    def _check(self, response: Any, order: Any, got: bytes, sent: bytes | None, whole: bool) -> None:
        """The response must be the one to this request, byte for byte."""
        wrong, name, status = self._world.ledger.wrong, order.name, response.status_code
        if order.policy is self._party.policy:
            self._party.sent_again += response.retries
        headers = response.headers
        if headers.get("x-name") != name:
            wrong.append(f"{name} got the answer to {headers.get('x-name')}: {response}")
            return
        size = int(headers.get("x-size", order.size))
        expected = b"" if response.request.method == "HEAD" else payload(name, size)
        if whole and got != expected:
            wrong.append(f"{name} got {len(got)} bytes instead of {len(expected)}")
        elif not expected.startswith(got):
            wrong.append(f"{name} got bytes that are not its own")
        said = headers.get("x-got")
        carried = sent is not None and response.request.method in (
            "PUT",
            "POST",
        )  # and not lost by a redirect
        if carried and said not in (None, f"{len(sent or b'')} {zlib.crc32(sent or b'')}"):
            wrong.append(f"{name} sent {len(sent or b'')} bytes, and the server got {said}")
        self._check_limits(response, order, got)
        allowed = order.policy.total if order.policy is not None else 0
        if response.retries > allowed:
            wrong.append(f"{name} was sent again {response.retries} times, and {allowed} are allowed")
        # What is sent again because its body was lost has left its auth flow, which answers no further challenge.
        if status == 401 and not order.thieves and not response.retries and order.stales < 2:
            wrong.append(f"{name} was not let in: {response.history}")
        if status == 421 and order.replayable:
            wrong.append(f"{name} ended with {response}")
        if status == 200:
            self._world.answered.add(name)

    def _check_limits(self, response: Any, order: Any, got: bytes) -> None:
        """What exceeds a limit is no answer."""
        limits, fields = self._party.limits, response.headers.raw
        over = []
        if len(fields) > limits.max_fields:
            over.append("max_fields")
        if any(len(name) + len(value) > limits.max_field_size for name, value in fields):
            over.append("max_field_size")
        if limits.max_body is not None and len(got) > limits.max_body:
            over.append("max_body")
        if over:
            self._world.ledger.wrong.append(f"{order.name}: {response} is beyond {', '.join(over)}")


async def _trace(name: str, info: Any) -> None:
    pass


def _auth(order: Any) -> Any:
    if order.auth == "basic":
        return (f"u-{order.origin[1]}", "pw")
    if order.auth == "digest":
        return order.party.digest(order.origin[1])
    return TokenAuth(Customs.right(order)) if order.auth == "token" else None
