"""Transfers at the speed of `send` and `recv_into`; `python -m benchmarks.bulk_server` prints its port.

| | |
|---|---|
| `GET /download/SIZE` | the pattern |
| `GET /chunked/SIZE` | the same in chunks |
| `GET /json/SIZE`, `GET /gzip/SIZE` | a document, as it is and compressed |
| `POST /send/SIZE` | wants the pattern and says `ACCEPTED` |
| `POST /upload/SIZE` | wants a multipart body with one file of the pattern, and says the same |
| `POST /echo` | what it got |

It must not be what limits a transfer. So what it sends is made once and sent a MB at a time (`sendfile` was slower on
loopback), and of what it gets it looks at 4 KiB of each MB and has the kernel throw the rest away (5 to 10 ms of CPU
for 100 MB). One thread per connection, no more of HTTP than our clients need: requests have a Content-Length. It ends
when its standard input does.
"""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import sys
import threading

from .bodies import (
    ACCEPTED,
    PERIOD,
    PatternCheck,
    WrongBody,
    chunked,
    document_of,
    gzipped,
    pattern,
)

#: What makes `recv` throw away what it would return; elsewhere the flag means something else.
DISCARD = socket.MSG_TRUNC if sys.platform == "linux" else 0
MB = 1 << 20
LOOK = 4096

JSON = b"Content-Type: application/json\r\n"
#: Place -> what makes its body, in the coding in which it travels, and the fields that say so.
DOCUMENTS = {
    "json": (document_of, JSON),
    "gzip": (gzipped, JSON + b"Content-Encoding: gzip\r\n"),
}


class Connection:
    """One connection and the bytes that were read beyond what was asked for."""

    def __init__(self, sock: socket.socket) -> None:
        self.sock, self.ahead, self.buffer = sock, b"", memoryview(bytearray(MB))

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
        elif (method, place) == ("GET", "chunked"):
            self.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n", chunked(int(size[0])))
        elif method == "GET" and place in DOCUMENTS:
            make, fields = DOCUMENTS[place]
            self.send_body(make(int(size[0])), fields)
        elif (method, place) == ("POST", "send"):
            self.send_body(self.verdict_on_file(int(size[0])))
        elif (method, place) == ("POST", "upload"):
            self.send_body(self.verdict_on_form(length, int(size[0])))
        elif (method, place) == ("POST", "echo"):
            self.send_body(self.read(length))
        else:
            self.sock.sendall(b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n")

    def send_body(self, body: bytes, fields: bytes = b"") -> None:
        self.send(b"HTTP/1.1 200 OK\r\n%bContent-Length: %d\r\n\r\n" % (fields, len(body)), body)

    def send(self, head: bytes, body: bytes) -> None:
        """Send both in one piece if they are small, else the body without a copy of all of it."""
        self.sock.sendall(head + body[:LOOK])
        rest = memoryview(body)[LOOK:]
        while rest:
            self.sock.sendall(rest[:MB])
            rest = rest[MB:]

    def send_pattern(self, size: int) -> None:
        self.sock.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % size)
        period = memoryview(pattern())[:PERIOD]
        for _ in range(size // PERIOD):
            self.sock.sendall(period)
        self.sock.sendall(period[: size % PERIOD])

    def verdict_on_file(self, size: int) -> bytes:
        """Read an upload and say whether it is the pattern."""
        file = PatternCheck(size)
        try:
            self.receive(size, file)
            file.finish()
        except WrongBody as exc:
            return f"send: {exc}".encode()
        return ACCEPTED

    def verdict_on_form(self, length: int, size: int) -> bytes:
        """Read an upload and say whether its file is the pattern."""
        if length < size:
            self.read(length)
            return b"upload: %d bytes are too few for a file of %d" % (length, size)
        part_head = self.read_to(b"\r\n\r\n", limit=length)
        if (verdict := self.verdict_on_file(size)) != ACCEPTED:
            return verdict
        closing = self.read(length - len(part_head) - size)
        boundary = part_head.split(b"\r\n")[0]
        return ACCEPTED if closing.strip() == boundary + b"--" else b"upload: ends with " + closing[:80]

    def receive(self, size: int, check: PatternCheck) -> None:
        """Take `size` bytes: look at some of them, throw away the others."""
        early, self.ahead = self.ahead[:size], self.ahead[size:]
        check.take(early)
        looks = True
        while check.received < size:
            most = min(LOOK if looks and DISCARD else MB, size - check.received)
            count = self.sock.recv_into(self.buffer, most, 0 if looks else DISCARD)
            if not count:
                return
            if looks:
                check.take(self.buffer[:count])
            else:
                check.skip(count)
            looks = not (looks and DISCARD)

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
