"""What is asked, and what may come of it; the same for all clients."""

from __future__ import annotations

from collections import Counter
from random import Random

import httpure
from tests.stress.jobs import BlockingFace, Face

from .server import content

__all__ = ["GOOD", "Job", "Tally", "do"]

#: Those that are to be answered, whatever happens, and how often of all.
GOOD = {
    "get": 30,
    "post": 6,
    "unavailable": 5,
    "chunked": 8,
    "gzip": 5,
    "drip": 4,
    "slow": 4,
    "fickle": 5,
    "last": 3,
    "surplus": 4,
}
#: Those that cannot be: the error is to be one of the documented ones.
BAD = {
    "stall": 2,
    "stall_body": 2,
    "reset": 3,
    "reset_body": 3,
    "truncate": 4,
    "close": 3,
    "garbage": 2,
    "bad_gzip": 2,
}
_KINDS = [kind for kinds in (GOOD, BAD) for kind, share in kinds.items() for _ in range(share)]
_STATUS = {"unavailable": 503}
#: Of a hundred jobs, so many are cancelled at some moment, or get a limit of time that may be too short.
_HURRIED = 12
#: The shortest and the longest that a hurried one gets, and what a stalling one waits, in seconds.
_HURRY = 0.0002, 0.05
_PATIENCE = 0.1


class Job:
    """One request: what, where, how it is read, and when it is given up."""

    def __init__(self, number: int, seed: int, servers: int) -> None:
        random = Random(seed * 1_000_003 + number)
        self.kind = random.choice(_KINDS)
        self.server = random.randrange(servers)
        self.size = random.choice((0, 1, 300, 300, 3_000, 40_000)) or (self.kind == "bad_gzip") * 300
        self.token = f"{seed}-{number}"
        self.way = random.choice(("whole", "whole", "whole", "pieces", "left"))
        hurried = random.randrange(100) < _HURRIED
        self.limit = _HURRY[0] * (_HURRY[1] / _HURRY[0]) ** random.random() if hurried else None


class Tally:
    """What came of the jobs. `wrong` tells of what should not have been."""

    def __init__(self) -> None:
        self.done: Counter[str] = Counter()
        self.errors: Counter[str] = Counter()
        self.wrong: list[str] = []

    @property
    def total(self) -> int:
        return self.done.total()


async def do(job: Job, face: Face | BlockingFace, urls: list[str], tally: Tally) -> None:
    """Do a job, and look at what comes of it: the answer that belongs to it, or an error that may be."""
    url = f"{urls[job.server]}/{job.kind}/{job.size}/{job.token}"
    limits = {"read": _PATIENCE} if job.kind.startswith("stall") else {}
    cancelled = False
    try:
        if job.limit is None:
            right = await _ask(job, face, url, httpure.Timeout(60, **limits))
        elif isinstance(face, Face):
            results: list[str] = []

            async def hurried() -> None:
                results.append(await _ask(job, face, url, httpure.Timeout(60, **limits)))

            cancelled = not await face.limited(hurried, job.limit)
            right = "" if cancelled else results[0]
        else:
            right = await _ask(job, face, url, httpure.Timeout(60, total=job.limit))
    except httpure.RequestError as exc:
        tally.errors[f"{job.kind} {type(exc).__name__}"] += 1
        right = _may_be(job, exc)
    except Exception as exc:
        right = f"an error that is not documented: {exc!r}"
    tally.done["cancelled" if cancelled else job.kind] += 1
    if right:
        tally.wrong.append(f"{url} {job.way} {job.limit}: {right}"[:300])


async def _ask(job: Job, face: Face | BlockingFace, url: str, timeout: httpure.Timeout) -> str:
    """Ask, and return what is wrong with the answer."""
    expected = content(job.token, job.size)
    method = "POST" if job.kind == "post" else "GET"
    options = {"content": expected} if job.kind == "post" else {}
    if job.way == "whole":
        response = await face.request(method, url, timeout=timeout, **options)
        data = response.content
    else:
        async with face.stream(method, url, timeout=timeout, **options) as response:
            pieces = []
            async for piece in face.pieces(response):
                pieces.append(piece)
                if job.way == "left":
                    known = job.kind in GOOD and job.kind != "gzip"
                    return "another's body" if known and not expected.startswith(piece) else ""
            data = b"".join(pieces)
            if job.kind == "gzip":
                return "" if response.headers["Content-Encoding"] == "gzip" else "not coded"
            if job.kind == "bad_gzip":
                return ""  # raw pieces are what came
    if job.kind in BAD:
        return f"there is an answer, {response.status_code} with {len(data)} bytes"
    if response.status_code != _STATUS.get(job.kind, 200):
        return f"another status: {response.status_code}"
    return "" if data == expected else f"another body: {data[:60]!r}"


def _may_be(job: Job, exc: httpure.RequestError) -> str:
    """Return what is wrong with an error."""
    if job.kind in BAD or (job.limit is not None and isinstance(exc, httpure.TimeoutException)):
        return ""
    # A server may end an HTTP/2 connection while others use it, and an idle one while a request is on its way; that is
    # sent again if it may be, and if there is time.
    lost = isinstance(exc, httpure.ReadError | httpure.WriteError | httpure.RemoteProtocolError)
    if lost and (job.server == 2 or job.kind == "post" or job.limit is not None):
        return ""
    return f"{type(exc).__name__}: {exc}"
