"""The simulated backend: a whole client without a socket, in virtual time, and each run repeats exactly.

    simulation = Simulation(seed=7, network=Conditions(split=0.5, delay=(0, 0.02), reset=0.1))
    simulation.network.listen("server.test", 80, MyServer)

    async def visit() -> int:
        async with AsyncClient(backend=simulation.backend) as client:
            return (await client.get("http://server.test/")).status_code

    simulation.run(visit)

Whatever may happen is drawn from the seed: which of the ready tasks runs next, where the network splits
what is sent, how long it takes, and when it breaks. `simulation.log` tells what did happen; the same seed
gives the same log.

Read in this order: `scheduler.py` (tasks, time, waiting), `conditions.py` (what the network may do),
`pipe.py` (one direction of a connection), `channel.py` (a server's end), `link.py` (a client's end),
`network.py` (names, listeners, dialling), `backend.py` (the effects), `simulation.py` (all of it together).
"""

from __future__ import annotations

from .backend import Backend
from .channel import Channel, Peer
from .conditions import Conditions
from .network import Network
from .scheduler import Cancelled, Deadlock, Task
from .simulation import Simulation

__all__ = [
    "Backend",
    "Cancelled",
    "Channel",
    "Conditions",
    "Deadlock",
    "Network",
    "Peer",
    "Simulation",
    "Task",
]
