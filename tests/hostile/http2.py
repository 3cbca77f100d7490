"""A server of HTTP/2 that says whatever it is told to, by frames made by hand (RFC 9113 section 6).

    Frames([headers(1), data(1, b"sou"), data(1, b"nd", END_STREAM)])

Header blocks are literals without a table (RFC 7541 section 6.2.2), so that each is the same wherever it stands.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from tests.peers import Channel, Peer, Script
from tests.peers.script import Step

__all__ = [
    "ACK",
    "END",
    "END_HEADERS",
    "HELLO",
    "PADDED",
    "PRIORITY",
    "SOUND_HEAD",
    "Frames",
    "block",
    "continuation",
    "data",
    "frame",
    "goaway",
    "headers",
    "ping",
    "reset",
    "settings",
    "sound",
    "window_update",
]

ACK = 0x1
END = 0x1
END_HEADERS = 0x4
PADDED = 0x8
PRIORITY = 0x20

_PREFACE = len(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n")
Fields = Sequence[tuple[bytes, bytes]]
SOUND_HEAD: Fields = ((b":status", b"200"), (b"content-length", b"5"))


def frame(
    kind: int, flags: int = 0, stream: int = 0, payload: bytes = b"", length: int | None = None
) -> bytes:
    """Return a frame; `length`: what it says of itself, if that is another than the payload's."""
    size = len(payload) if length is None else length
    return size.to_bytes(3, "big") + bytes((kind, flags)) + stream.to_bytes(4, "big") + payload


def block(fields: Fields) -> bytes:
    """Return a header block."""
    return b"".join(b"\x00" + _text(name) + _text(value) for name, value in fields)


def _text(data: bytes) -> bytes:
    return number(len(data), 7) + data


def number(value: int, bits: int, first: int = 0) -> bytes:
    """Return an integer of HPACK (RFC 7541 section 5.1)."""
    most = (1 << bits) - 1
    if value < most:
        return bytes((first | value,))
    out = [first | most]
    value -= most
    while value >= 128:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes((*out, value))


def headers(stream: int, fields: Fields = SOUND_HEAD, flags: int = END_HEADERS) -> bytes:
    return frame(1, flags, stream, block(fields))


def data(stream: int, payload: bytes, flags: int = 0) -> bytes:
    return frame(0, flags, stream, payload)


def continuation(stream: int, payload: bytes, flags: int = 0) -> bytes:
    return frame(9, flags, stream, payload)


def reset(stream: int, code: int = 2) -> bytes:
    return frame(3, 0, stream, code.to_bytes(4, "big"))


def settings(values: Sequence[tuple[int, int]] = (), flags: int = 0) -> bytes:
    return frame(
        4, flags, 0, b"".join(key.to_bytes(2, "big") + value.to_bytes(4, "big") for key, value in values)
    )


def ping(flags: int = 0, payload: bytes = b"whoisit?") -> bytes:
    return frame(6, flags, 0, payload)


def goaway(last: int, code: int = 0, words: bytes = b"") -> bytes:
    return frame(7, 0, 0, last.to_bytes(4, "big") + code.to_bytes(4, "big") + words)


def window_update(stream: int, size: int) -> bytes:
    return frame(8, 0, stream, size.to_bytes(4, "big"))


def sound(stream: int) -> bytes:
    """Return a good answer."""
    return headers(stream) + data(stream, b"sound", END)


#: What a server begins with.
HELLO = settings()


class Frames(Peer):
    """Greets, follows a script when the first request has come in full, and gives good answers to all others.

    `scripts`, for requests that come together: the n-th when the n-th request has come.
    """

    def __init__(self, *scripts: Sequence[Step], hello: bytes = HELLO) -> None:
        self._scripts = list(scripts)
        self._hello = hello
        self._received = b""
        self._greeted = False
        #: Numbers of the streams that were opened, and of those that the client has reset.
        self.opened: list[int] = []
        self.resets: list[int] = []
        #: Frames by kind.
        self.count: dict[int, int] = {}

    def connected(self, channel: Channel) -> None:
        self.channel = channel
        if self._hello:
            channel.send(self._hello)

    def receive_data(self, data: bytes) -> None:
        self._received += data
        if not self._greeted:
            if len(self._received) < _PREFACE:
                return
            self._received = self._received[_PREFACE:]
            self._greeted = True
        while len(self._received) >= 9:
            length = int.from_bytes(self._received[:3], "big")
            if len(self._received) < 9 + length:
                return
            kind, flags = self._received[3], self._received[4]
            stream = int.from_bytes(self._received[5:9], "big")
            self._received = self._received[9 + length :]
            self._hear(kind, flags, stream)

    def _hear(self, kind: int, flags: int, stream: int) -> None:
        self.count[kind] = self.count.get(kind, 0) + 1
        if kind == 1:
            self.opened.append(stream)
        elif kind == 3:
            self.resets.append(stream)
        elif kind == 4 and not flags & ACK and self._hello:
            self.channel.send(settings(flags=ACK))
        if kind in (0, 1) and flags & END:
            self._answer(stream)

    def _answer(self, stream: int) -> None:
        if self._scripts:
            Script([self._scripts.pop(0)], at_once=True).connected(self.channel)
        else:
            self.channel.send(sound(stream))


def frames(*scripts: Sequence[Step], hello: bytes = HELLO) -> Callable[[], Frames]:
    """Return a factory of peers that follow the scripts."""
    return lambda: Frames(*scripts, hello=hello)
