"""Transfers at the speed of `send` and `recv_into`; `python -m benchmarks.bulk_server` prints its port.

`GET /download/SIZE` sends the pattern, `POST /upload/SIZE` wants one multipart file of the pattern and says
`ACCEPTED`, `POST /echo` sends back what it got. One thread per connection, no more of HTTP than our clients
need: bodies have a Content-Length. It ends when its standard input does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading

from .bodies import ACCEPTED, PERIOD, PatternCheck, WrongBody, pattern


class Connection:
    """One connection and the bytes that were read beyond what was asked for."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.ahead, self.buffer = sock, b"", memoryview(bytearray(1 << 20))

    def serve(self) -> None:
        """Answer requests until the client closes."""
        with self.sock, contextlib.suppress(ConnectionError):
            while head := self.read_to(b"\r\n\r\n", limit=65_536):
                method, path = head.split(b" ", 2)[:2]
                length = int(_field(head, b"content-length") or 0)
                self.answer(method.decode(), path.decode(), length)

    def answer(self, method: str, path: str, length: int) -> None:
        _, place, *size = path.split("/")
        if (method, place) == ("GET", "download"):
            self.send_pattern(int(size[0]))
        elif (method, place) == ("POST", "upload"):
            self.send_body(self.verdict(length, int(size[0])))
        elif (method, place) == ("POST", "echo"):
            self.send_body(self.read(length))
        else:
            self.sock.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def send_body(self, body: bytes) -> None:
        self.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%b" % (len(body), body))

    def send_pattern(self, size: int) -> None:
        self.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        period = memoryview(pattern())[:PERIOD]
        for _ in range(size // PERIOD):
            self.sock.sendall(period)
        self.sock.sendall(period[: size % PERIOD])

    def verdict(self, length: int, size: int) -> bytes:
        """Read an upload and say whether its file is the pattern."""
        if length < size:
            self.read(length)
            return b"upload: %d bytes are too few for a file of %d" % (length, size)
        part_head = self.read_to(b"\r\n\r\n", limit=length)
        file = PatternCheck(size)
        try:
            self.receive(size, file)
            file.finish()
        except WrongBody as exc:
            return f"upload: {exc}".encode()
        closing = self.read(length - len(part_head) - size)
        boundary = part_head.split(b"\r\n")[0]
        return ACCEPTED if closing.strip() == boundary + b"--" else b"upload: ends with " + closing[:80]

    def receive(self, size: int, check: PatternCheck) -> None:
        """Read `size` bytes into the shared buffer and compare them."""
        early, self.ahead = self.ahead[:size], self.ahead[size:]
        check.take(early)
        while check.received < size:
            count = self.sock.recv_into(self.buffer[: size - check.received])
            if not count:
                return
            check.take(self.buffer[:count])

    def read_to(self, mark: bytes, limit: int) -> bytes:
        """Return the bytes up to and with `mark`; nothing at the end of the stream."""
        while (end := self.ahead.find(mark)) < 0 and len(self.ahead) < limit:
            if not (data := self.sock.recv(65_536)):
                return b""
            self.ahead += data
        taken, self.ahead = self.ahead[: end + len(mark)], self.ahead[end + len(mark) :]
        return taken

    def read(self, length: int) -> bytes:
        while len(self.ahead) < length and (data := self.sock.recv(65_536)):
            self.ahead += data
        taken, self.ahead = self.ahead[:length], self.ahead[length:]
        return taken


def _field(head: bytes, name: bytes) -> bytes | None:
    for line in head.split(b"\r\n")[1:]:
        key, _, value = line.partition(b":")
        if key.lower() == name:
            return value.strip()
    return None


def _leave_with_parent() -> None:
    sys.stdin.read()
    os._exit(0)


def main() -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the bench's to handle
    listener = socket.create_server(("127.0.0.1", 0), backlog=1024)
    threading.Thread(target=_leave_with_parent, daemon=True).start()
    print(listener.getsockname()[1], flush=True)
    while True:
        sock, _ = listener.accept()
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        threading.Thread(target=Connection(sock).serve, daemon=True).start()


if __name__ == "__main__":
    main()
