"""What is asked of the server, what is right, and what may go wrong; the same for all clients."""

from __future__ import annotations

import inspect
import zlib
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import Random
from typing import Any

import httpure

from .peer import content

__all__ = ["BlockingFace", "Face", "Job", "Tally", "at_once", "do"]

#: What is asked, how often of a hundred, and the largest size of what is sent or comes back.
MIX = {
    "get": (40, 3_000),
    "large": (4, 400_000),
    "post": (12, 30_000),
    "upload": (7, 300_000),
    "drip": (7, 100_000),
    "left": (6, 300_000),
    "slow": (8, 3_000),
    "cancelled": (8, 3_000),
    "reset": (3, 10),
    "refused": (3, 1_000),
    "early": (2, 500_000),
}
_KINDS = [kind for kind, (share, _) in MIX.items() for _ in range(share)]
#: The shortest and the longest that a hurried request waits, in seconds: some are given up before they have begun, and
#: some never.
HURRY = 0.0005, 0.5


class Job:
    """One request. `limit` is the seconds after which it is given up, where its kind says so."""

    def __init__(self, number: int, seed: int = 0) -> None:
        random = Random(seed * 1_000_003 + number)
        self.kind = random.choice(_KINDS)
        self.size = random.randrange(MIX[self.kind][1])
        self.token = f"{seed}-{number}"
        self.limit = HURRY[0] * (HURRY[1] / HURRY[0]) ** random.random()


class Tally:
    """What came of the jobs. `wrong` tells of what should not have been."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.wrong: list[str] = []

    def check(self, right: bool, job: Job, what: object) -> None:
        self.done[job.kind] += 1
        if not right:
            self.wrong.append(f"{job.kind} {job.token} of {job.size} bytes: {what!r}"[:200])

    @property
    def total(self) -> int:
        return sum(self.done.values())


#: Calls with a limit of time; False where it was over.
Limiter = Callable[[Callable[[], Awaitable[None]], float], Awaitable[bool]]


class Face:
    """An async client, as far as jobs need it."""

    def __init__(self, client: httpure.AsyncClient, limited: Limiter) -> None:
        self.client = client
        self.limited = limited

    async def request(self, method: str, url: str, **options: Any) -> httpure.Response:
        return await self.client.request(method, url, **options)

    def stream(self, method: str, url: str) -> AbstractAsyncContextManager[httpure.Response]:
        return self.client.stream(method, url)

    def pieces(self, response: httpure.Response) -> AsyncIterator[bytes]:
        return response.aiter_raw()

    def body(self, pieces: list[bytes]) -> Any:
        async def generator() -> AsyncIterator[bytes]:
            for piece in pieces:
                yield piece

        return generator()


class BlockingFace:
    """A blocking client, in the same words: none of its coroutines ever waits, see `at_once`."""

    def __init__(self, client: httpure.Client) -> None:
        self.client = client

    async def limited(self, function: Callable[[], Awaitable[None]], seconds: float) -> bool:
        raise NotImplementedError("nothing cancels a thread")

    async def request(self, method: str, url: str, **options: Any) -> httpure.Response:
        return self.client.request(method, url, **options)

    @asynccontextmanager
    async def stream(self, method: str, url: str) -> AsyncIterator[httpure.Response]:
        with self.client.stream(method, url) as response:
            yield response

    async def pieces(self, response: httpure.Response) -> AsyncIterator[bytes]:
        for piece in response.iter_raw():
            yield piece

    def body(self, pieces: list[bytes]) -> Iterator[bytes]:
        return iter(pieces)


def at_once(coroutine: Any) -> None:
    """Run a coroutine that never waits."""
    assert inspect.iscoroutine(coroutine)
    try:
        coroutine.send(None)
    except StopIteration:
        return
    raise AssertionError("it waited")


async def do(job: Job, face: Face | BlockingFace, url: str, tally: Tally) -> None:
    """Do a job, and look at what comes of it: the right answer, or the error that it may have."""
    try:
        await _do(job, face, url, tally)
    except httpure.TransportError as exc:
        tally.errors[f"{job.kind}: {type(exc).__name__}"] += 1
        tally.check(_may_be(job, exc), job, exc)


def _may_be(job: Job, exc: httpure.TransportError) -> bool:
    if job.kind in ("slow", "cancelled"):
        return isinstance(exc, httpure.TimeoutException)
    return job.kind == "reset" and isinstance(exc, httpure.RemoteProtocolError)


async def _do(job: Job, face: Face | BlockingFace, url: str, tally: Tally) -> None:
    expected = content(job.token, job.size)
    what = {"large": "get", "left": "get", "cancelled": "slow"}.get(job.kind, job.kind)
    target = f"{url}/{what}/{job.size}/{job.token}"
    if job.kind in ("post", "upload", "early"):
        pieces = [expected[start : start + 20_000] for start in range(0, job.size, 20_000)]
        body: Any = expected if job.kind == "post" else face.body(pieces)
        response = await face.request("POST", target, content=body)
        if job.kind == "early":
            tally.check(response.content == content(job.token, 20), job, response)
            return
        said = f"{job.token} {job.size} {zlib.crc32(expected)}"
        tally.check(response.text == said, job, response.text)
    elif job.kind == "drip":
        async with face.stream("GET", target) as response:
            data = b"".join([piece async for piece in face.pieces(response)])
        tally.check(data == expected, job, response)
    elif job.kind == "left":
        async with face.stream("GET", target) as response:
            first = await anext(face.pieces(response), b"")
        tally.check(expected.startswith(first), job, response)
    elif job.kind == "cancelled" and isinstance(face, Face):

        async def hurried() -> None:
            response = await face.request("GET", target)
            tally.check(response.content == expected, job, response)

        if not await face.limited(hurried, job.limit):
            tally.errors["cancelled: cancelled"] += 1
            tally.check(True, job, None)
    elif job.kind in ("slow", "cancelled"):
        kind = "total" if job.kind == "cancelled" else "read"
        timeout = httpure.Timeout(20, **{kind: job.limit})
        response = await face.request("GET", target, timeout=timeout)
        tally.check(response.content == expected, job, response)
    else:
        response = await face.request("GET", target)
        tally.check(response.content == expected and job.kind != "reset", job, response)
