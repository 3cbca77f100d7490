"""What the tasks of a world do with its client: one random request after the other."""

from __future__ import annotations

import traceback
import zlib
from collections.abc import AsyncIterator
from typing import Any

import httpure
from httpure.simulated import Cancelled

from .ledger import IDEMPOTENT, payload

__all__ = ["Traffic"]

_SIZES = (0, 1, 100, 100, 100, 5000, 5000, 5000, 70_000, 300_000)


class Traffic:
    """The requests of one task. `world` has the client, and all chance."""

    def __init__(self, world: Any, name: str) -> None:
        self._world = world
        self._random = world.random
        self._name = name
        self._count = 0

    async def run(self) -> None:
        world, random = self._world, self._random
        for _ in range(random.randint(1, 3)):
            if random.random() < 0.5:
                await world.simulation.sleep(random.choice((0.0, random.uniform(0, 4))))
            self._count += 1
            world.begun += 1
            await self._request(f"{self._name}-{self._count}")
            world.done += 1

    async def _request(self, name: str) -> None:
        world, random = self._world, self._random
        method = random.choice(("GET", "GET", "GET", "HEAD", "PUT", "POST", "POST", "DELETE"))
        content, sent = self._body(method)
        url = world.url(name, random.choice(_SIZES), 0 if random.random() < 0.85 else random.randint(1, 2))
        headers = {"Expect": "100-continue"} if content is not None and random.random() < 0.15 else {}
        extensions: dict[str, Any] = {}
        if random.random() < 0.1:
            extensions["trace"] = _trace
        more: dict[str, Any] = {"content": content, "headers": headers, "extensions": extensions}
        if world.detours and random.random() < 0.3:
            more["proxy"] = random.choice((None, world.proxy_url))
        if not world.patient and random.random() < 0.2:
            more["timeout"] = httpure.Timeout(
                random.choice((0.01, 0.3, 3.0)), total=random.choice((None, 1.0))
            )
        try:
            await self._carry_out(method, url, name, sent, more)
        except Cancelled as exc:
            # A response that was dropped is dropped: the error, which the task keeps, must not know it.
            traceback.clear_frames(exc.__traceback__)
            raise
        except Exception as exc:
            world.judge(exc, name, method, content, "hops=0" not in url)

    async def _carry_out(self, method: str, url: str, name: str, sent: bytes | None, more: Any) -> None:
        world, random = self._world, self._random
        client, how = world.client, random.random()
        if isinstance(more["content"], httpure.AsyncDuplex):
            await self._duplex(method, url, name, sent, more)
        elif how < 0.5:
            total = more.get("timeout", client.timeout).total
            began = world.simulation.clock()
            try:
                response = await client.request(method, url, follow_redirects=True, **more)
            finally:
                took = world.simulation.clock() - began
                # A body's own pauses, of 0.2 s at most, are not cut short.
                if total is not None and took > total + 0.201:
                    world.ledger.wrong.append(f"{name} took {took:g} s of {total:g}")
            self._check(response, name, response.content, sent, True)
        elif how < 0.9:
            async with client.stream(method, url, follow_redirects=random.random() < 0.8, **more) as response:
                await self._read(response, name, sent, whole=random.random() < 0.6)
        else:
            proxy = {"proxy": more.pop("proxy")} if "proxy" in more else {}
            request = client.build_request(method, url, **more)
            response = await client.send(request, stream=True, follow_redirects=True, **proxy)
            if random.random() < 0.5:
                await self._read(response, name, sent, whole=False)
            # Dropped without being closed.

    async def _read(self, response: Any, name: str, sent: bytes | None, whole: bool) -> None:
        world, random = self._world, self._random
        got = b""
        stop = None if whole else random.choice((1, 1000, 50_000))
        async for piece in response.aiter_raw():
            got += piece
            if stop is not None and len(got) >= stop:
                whole = False
                break
            if random.random() < 0.1:
                await world.simulation.sleep(random.uniform(0, 1))
        else:
            whole = True
        self._check(response, name, got, sent, whole)

    async def _duplex(self, method: str, url: str, name: str, sent: bytes | None, more: Any) -> None:
        duplex, random = more["content"], self._random
        assert sent is not None

        async def send() -> None:
            try:
                for start in range(0, len(sent), 4000):
                    await duplex.send(sent[start : start + 4000])
                await duplex.end()
            except httpure.TransportError:
                pass  # which the other one meets, too, or does not care about
            except RuntimeError as exc:
                self._world.judge(exc, name, method, duplex)

        sender = self._world.spawn(send(), f"{name} sends")
        try:
            async with self._world.client.stream(method, url, **more) as response:
                await self._read(response, name, None if random.random() < 0.1 else sent, whole=True)
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

    def _check(self, response: Any, name: str, got: bytes, sent: bytes | None, whole: bool) -> None:
        """The response must be the one to this request, byte for byte."""
        wrong = self._world.ledger.wrong
        if response.headers.get("x-name") != name:
            wrong.append(f"{name} got the answer to {response.headers.get('x-name')}: {response}")
            return
        size = int(response.url.params["size"])
        expected = b"" if response.request.method == "HEAD" else payload(name, size)
        if whole and got != expected:
            wrong.append(f"{name} got {len(got)} bytes instead of {len(expected)}")
        elif not expected.startswith(got):
            wrong.append(f"{name} got bytes that are not its own")
        said = response.headers.get("x-got")
        carried = sent is not None and response.request.method in (
            "PUT",
            "POST",
        )  # and not lost by a redirect
        if carried and said not in (None, f"{len(sent or b'')} {zlib.crc32(sent or b'')}"):
            wrong.append(f"{name} sent {len(sent or b'')} bytes, and the server got {said}")
        if response.status_code == 200:
            self._world.answered.add(name)


async def _trace(name: str, info: Any) -> None:
    pass


def repeatable(method: str, content: Any) -> bool:
    """Whether a client may send it again."""
    return method in IDEMPOTENT and (content is None or isinstance(content, bytes))
