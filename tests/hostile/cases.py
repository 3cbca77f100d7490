"""What a case is, and what must hold after each, whatever it was.

    Case("a space before the colon", [b"HTTP/1.1 200 OK\r\nX : y\r\n\r\n"], Fails(httpure.RemoteProtocolError))

Afterwards, always:

- the error is of exactly that class; its message is not empty, names the place, and holds no secret
- nobody holds a place of the pool; the connection is idle if it may be used again (`kept`), and else it is closed
- the next request to the same server gets its own answer, on the same connection or on a new one
- a response that was given has no byte too many and none too few
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

import httpure
from tests.behaviour.world import AnyClient, World
from tests.peers import Peer, Script
from tests.peers.script import Step

__all__ = [
    "SECRET",
    "SOUND",
    "Case",
    "Fails",
    "Gives",
    "Outcome",
    "Turning",
    "check_message",
    "check_outcome",
    "each",
    "meet",
]

#: Stands in the query, in Authorization and in a cookie of each request; no message may repeat it.
SECRET = "hunter2"
#: What a server answers when it has done its worst.
SOUND = b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nsound"
#: Seconds. Nothing that is no test of timeouts may come near.
PATIENCE = 4.0


@dataclass(frozen=True)
class Fails:
    """The request must raise exactly `kind`. `words`: a regular expression, found in the message. `limit`: its name.

    `also`: other classes of which it may be, where the machine is so busy that a limit of time ends an earlier phase.
    """

    kind: type[Exception]
    words: str = ""
    limit: str = ""
    also: tuple[type[Exception], ...] = ()


@dataclass(frozen=True)
class Gives:
    """The request must return this response. `fields`: values of its fields that count; None where there is none."""

    body: bytes
    status: int = 200
    fields: tuple[tuple[str, str | None], ...] = ()


Outcome = Fails | Gives


@dataclass(frozen=True)
class Case:
    """What a server does when it gets its first request, and what must come of it."""

    name: str
    script: Sequence[Step]
    outcome: Outcome
    #: Whether the connection may carry the next request; None where that depends on how far the response had come.
    kept: bool | None = False
    method: str = "GET"
    #: Arguments of the request.
    request: dict[str, Any] = field(default_factory=dict)
    #: Arguments of the client.
    client: dict[str, Any] = field(default_factory=dict)
    #: Whether the server begins without waiting for a request.
    at_once: bool = False

    def __str__(self) -> str:
        return self.name


def each(*cases: Any) -> pytest.MarkDecorator:
    """Make one test per case; no two may have the same name."""
    names = [str(case) for case in cases]
    assert len(set(names)) == len(names), sorted(name for name in names if names.count(name) > 1)
    return pytest.mark.parametrize("case", cases, ids=names)


class Turning:
    """Makes the peers of one server: one that misbehaves by `first`, and behind it, sound ones by `then`."""

    def __init__(self, first: Callable[[], Peer], then: Callable[[], Peer] | None = None) -> None:
        self._first = first
        self._then = then or (lambda: Script([[SOUND]]))
        self.connections = 0

    def __call__(self) -> Peer:
        self.connections += 1
        return self._first() if self.connections == 1 else self._then()


async def meet(http: World, case: Case) -> None:
    """Play a case over HTTP/1.1 without TLS."""
    scripts = [case.script, [SOUND]]
    server = Turning(lambda: Script(scripts, at_once=case.at_once))
    url = http.serve(server)
    async with http.client(**{"timeout": PATIENCE, **case.client}) as client:
        await check_outcome(client, url, case)
        await settle(http)
        statistics = client.statistics
        assert statistics.connections == statistics.idle, statistics
        if isinstance(case.outcome, Fails) and case.kept is not None:
            assert statistics.connections == int(case.kept)
        response = await client.get(url + "/next")
        assert (response.status_code, response.content) == (200, b"sound")
        assert server.connections in ((1, 2) if case.kept is None else (1,) if case.kept else (2,))


async def settle(http: World) -> None:
    """Let what a server sends besides arrive, where waiting costs nothing."""
    if http.virtual:
        await http.sleep(0.05)


async def check_outcome(client: AnyClient, url: str, case: Any, place: str | None = None) -> Any:
    """Ask for `url`/place, with secrets, and see that what comes of it is what must. Returns the response or error."""
    outcome: Outcome = case.outcome
    keywords = dict(case.request)
    headers = {"Authorization": f"Bearer {SECRET}", "Cookie": f"id={SECRET}", **keywords.pop("headers", {})}
    asking = client.request(case.method, f"{url}/place?key={SECRET}", headers=headers, **keywords)
    if isinstance(outcome, Gives):
        response = await asking
        assert (response.status_code, response.content) == (outcome.status, outcome.body)
        for name, value in outcome.fields:
            assert response.headers.get(name) == value, name
        return response
    kinds = (outcome.kind, *outcome.also)
    with pytest.raises(kinds) as caught:
        await asking
    error = caught.value
    assert type(error) in kinds
    check_message(error, f"{case.method} {url}/place" if place is None else place)
    assert re.search(outcome.words, str(error)), str(error)
    if outcome.limit:
        assert error.limit == outcome.limit  # type: ignore[attr-defined]
    if isinstance(error, httpure.RequestError):
        assert error.request.url.host
    return error


def check_message(error: BaseException, place: str) -> None:
    """A message says where, tells no secret, has one line and is no novel."""
    text = str(error)
    assert place in text
    assert SECRET not in text
    assert SECRET not in repr(error)
    assert text.isprintable() or "\n" not in text.strip()
    assert len(text) < 600
