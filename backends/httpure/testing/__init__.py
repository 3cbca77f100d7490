r"""A test kit: your own client code, a scripted network, and a clock that costs nothing.

    >>> from httpure import testing
    >>> def fetch_twice():
    ...     with httpure.Client(base_url="https://api.test") as client:
    ...         try:
    ...             return client.get("/report").json()
    ...         except httpure.ReadError:
    ...             return client.get("/report").json()
    >>> with testing.world(seed=7) as world:
    ...     server = world.serve("https://api.test")
    ...     server.answer(testing.reset(after=100))
    ...     server.answer(200, json={"ok": True}, delay=1.5)
    ...     fetch_twice(), world.now
    ({'ok': True}, 1.5)

No socket is opened and nobody waits: what takes an hour in the world takes no time in the test. All of the client is
there, from redirects and the pool down to the bytes of HTTP/1.1 and HTTP/2, which a real server's machines (h11 and h2)
have written. What is left to chance is drawn from the seed, so that a run repeats itself.

It is imported by itself, not by `import httpure`. docs/testing.md tells it from the beginning.
Read in this order: `world.py` (all of it together), `server.py` (what a test says), `answers.py` (what is answered,
and what goes wrong), `wire.py` (how bytes go out), `http1.py` and `http2.py` (who writes them), `handshake.py` (in the
place of TLS), `proxy.py`, `network.py`, `faces.py` (for clients of both colours), `asyncio_loop.py` and `trio_run.py`
(event loops in virtual time), `leftovers.py` (what is checked at the end).
"""

from __future__ import annotations

from ..simulated.conditions import Conditions
from ..simulated.scheduler import Deadlock
from .answers import Answer, Fault, close, drip, goaway, reset, reset_stream, stall
from .forbidding import NetworkForbidden, no_network
from .proxy import ScriptedProxy
from .received import Received
from .seeding import seeds
from .server import Server
from .world import World, world

__all__ = [
    "Answer",
    "Conditions",
    "Deadlock",
    "Fault",
    "NetworkForbidden",
    "Received",
    "ScriptedProxy",
    "Server",
    "World",
    "close",
    "drip",
    "goaway",
    "no_network",
    "reset",
    "reset_stream",
    "seeds",
    "stall",
    "world",
]
