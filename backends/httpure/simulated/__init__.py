r"""The simulated backend: a whole client without a socket, in virtual time, and each run repeats exactly.

    >>> from httpure.simulated import Conditions, Simulation
    >>> class Server:
    ...     def connected(self, channel):
    ...         self.channel = channel
    ...     def receive_data(self, data):
    ...         self.channel.send(b"HTTP/1.1 204 No Content\r\n\r\n")
    ...     def receive_eof(self):
    ...         self.channel.close()
    >>> simulation = Simulation(seed=7, network=Conditions(piece=10, delay=(0.1, 0.2)))
    >>> simulation.network.listen("server.test", 80, Server)
    >>> async def visit():
    ...     async with httpure.AsyncClient(backend=simulation.backend) as client:
    ...         return await client.get("http://server.test/")
    >>> simulation.run(visit), simulation.clock() > 0.3
    (<Response [204 No Content]>, True)

Whatever may happen is drawn from the seed: which of the ready tasks runs next, where the network splits
what is sent, how long it takes, and when it breaks. `simulation.log` tells what did happen; the same seed
gives the same log.

Read in this order: `scheduler.py` (tasks, time, waiting), `conditions.py` (what the network may do),
`pipe.py` (one direction of a connection), `channel.py` (a server's end), `link.py` (a client's end),
`network.py` (names, listeners, dialling), `attempt.py` (dialling several addresses), `backend.py` (the effects),
`simulation.py` (all of it together).
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
