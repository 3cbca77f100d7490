"""The whole client without a socket, in virtual time: a slow server, a rough network, no waiting.

python examples/simulated.py [SEED]

The same seed gives the same run, down to where the network cuts the bytes into pieces.
"""

from __future__ import annotations

import sys
from typing import Any

import httpure
from httpure.simulated import Channel, Conditions, Simulation

HOUR = 3600.0


class Sleepy:
    """A server that answers each request after an hour."""

    def connected(self, channel: Channel) -> None:
        """Keep the way to the client."""
        self.channel = channel
        self.received = b""

    def receive_data(self, data: bytes) -> None:
        """Wait for the end of the request's head."""
        self.received += data
        if self.received.endswith(b"\r\n\r\n"):
            self.received = b""
            answer = b"HTTP/1.1 200 OK\r\nContent-Length: 7\r\n\r\nmorning"
            self.channel.call_later(HOUR, lambda: self.channel.send(answer))

    def receive_eof(self) -> None:
        """Hang up when the client does."""
        self.channel.close()


async def visit(simulation: Simulation) -> Any:
    """Ask once with patience, and once without."""
    async with httpure.AsyncClient(backend=simulation.backend) as client:
        response = await client.get("http://sleepy.test/", timeout=None)
        print(f"at {simulation.clock():8.2f} s: {response.status_code} {response.text}")
        try:
            await client.get("http://sleepy.test/", timeout=60)
        except httpure.ReadTimeout as exc:
            print(f"at {simulation.clock():8.2f} s: {exc}")
        return response.elapsed


if __name__ == "__main__":
    rough = Conditions(delay=(0.01, 0.2), split=0.5)
    world = Simulation(seed=int(sys.argv[1]) if len(sys.argv) > 1 else 7, network=rough)
    world.network.listen("sleepy.test", 80, Sleepy)
    print("elapsed:", world.run(visit, world))
    print(f"{len(world.log)} things happened; the last but one: {world.log[-2]}")
