"""A bare trio socket."""

from __future__ import annotations

import trio


class Connection:
    """Sends a request and reads as many bytes as the response has."""

    def __init__(self, sock: trio.socket.SocketType, head: int, total: int) -> None:
        self.sock, self.head = sock, head
        self.view = memoryview(bytearray(total))

    async def exchange(self, request: bytes) -> bytes:
        sent = await self.sock.send(request)
        assert sent == len(request)
        got = await self.sock.recv_into(self.view)
        while got < len(self.view):
            if not (more := await self.sock.recv_into(self.view[got:])):
                raise ConnectionError("the server closed in mid-response")
            got += more
        return bytes(self.view[self.head :])

    def close(self) -> None:
        self.sock.close()


async def connected(address: tuple[str, int], head: int, total: int, context: None = None) -> Connection:
    sock = trio.socket.socket()
    sock.setsockopt(trio.socket.IPPROTO_TCP, trio.socket.TCP_NODELAY, 1)
    await sock.connect(address)
    return Connection(sock, head, total)
