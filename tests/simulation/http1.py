"""A server of HTTP/1.1 with moods; also a proxy that forwards, as its answers are those of the origins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.peers import Peer

from .ledger import Asked

__all__ = ["Http1Server"]

_BREAKS = {"half": "close", "half_reset": "reset", "silent": "close", "silent_reset": "reset"}


class Http1Server(Peer):
    """One connection. `world` has the ledger, the manners and all chance."""

    version = 1

    def __init__(self, world: Any) -> None:
        self._world = world
        self._buffer = b""
        self._asked: Asked | None = None
        self._left: int | None = 0  # bytes of body to come, None for chunks
        self._mood = ""
        self._answering = False
        self._answered = False
        self._over = False
        self._ordinal = 0

    def connected(self, channel: Any) -> None:
        self.channel = channel
        self._world.ledger.peers.append(self)

    def receive_data(self, data: bytes) -> None:
        if not self._over:
            self._buffer += data
            while self._step():
                pass

    def receive_eof(self) -> None:
        self._over = True
        self.channel.close()

    def _step(self) -> bool:
        if self._asked is None:
            return self._read_head()
        if not self._asked.whole:
            return self._read_body()
        if self._buffer and not self._answered and not self._over:
            self._world.ledger.wrong.append(f"another request came before {self._asked.key} was answered")
        return False

    def _read_head(self) -> bool:
        head, found, rest = self._buffer.partition(b"\r\n\r\n")
        if not found:
            return False
        self._buffer = rest
        line, *lines = head.decode("ascii").split("\r\n")
        method, target, _ = line.split(" ")
        fields = {name.lower(): value for name, _, value in (each.partition(": ") for each in lines)}
        self._ordinal += 1
        self._asked = Asked(method, target, self, self._ordinal)
        chunked = "transfer-encoding" in fields
        self._left = None if chunked else int(fields.get("content-length", "0"))
        self._answering = self._answered = False
        world = self._world
        self._mood = world.manners.fault(
            world.random, *_BREAKS, "stall", "deaf", *(("early", "early_error") if self._left != 0 else ())
        )
        if self._mood == "deaf":
            self.channel.pause()
            self._over = True
            return False
        if self._mood.startswith("early"):
            self._later(self._answer)
        elif fields.get("expect") and world.manners.heeds_expect:
            self.channel.send(b"HTTP/1.1 100 Continue\r\n\r\n")
        return True

    def _read_body(self) -> bool:
        asked = self._asked
        assert asked is not None
        if self._left is None:
            return self._read_chunk(asked)
        data, self._buffer = self._buffer[: self._left], self._buffer[self._left :]
        asked.take(data)
        self._left -= len(data)
        return self._end(asked) if not self._left else False

    def _read_chunk(self, asked: Asked) -> bool:
        line, found, rest = self._buffer.partition(b"\r\n")
        if not found or len(rest) < (size := int(line, 16)) + 2:
            return False
        assert rest[size : size + 2] == b"\r\n", "a chunk has no end"
        asked.take(rest[:size])
        self._buffer = rest[size + 2 :]
        return self._end(asked) if not size else True

    def _end(self, asked: Asked) -> bool:
        asked.whole = True
        if self._mood != "early_error":
            self._world.ledger.execute(asked)
        if self._answered:
            self._rest()
        elif not self._answering and not self._mood.startswith("early"):
            self._later(self._answer)
        return True

    # The answer.

    def _later(self, step: Callable[[], object]) -> None:
        manners, random = self._world.manners, self._world.random
        self._answering = True
        if manners.slow:
            self.channel.call_later(random.uniform(0, manners.slow), step)
        else:
            step()

    def _answer(self) -> None:
        if self._over or self._mood == "stall":
            return
        world, asked, mood = self._world, self._asked, self._mood
        manners, random = world.manners, world.random
        assert asked is not None
        status, fields, body = asked.head()
        lines = [f"{name}: {value}" for name, value in fields]
        if mood == "early_error":
            status = 413
        last = random.random() < manners.says_close or (mood == "early_error" and random.random() < 0.5)
        open_ended = not mood and world.whole_network and random.random() < manners.open_ended
        if open_ended and asked.method != "HEAD":
            last = True
        elif random.random() < 0.5:
            lines.append(f"Content-Length: {len(body)}")
        else:
            lines.append("Transfer-Encoding: chunked")
            body = b"%x\r\n%b\r\n0\r\n\r\n" % (len(body), body) if body else b"0\r\n\r\n"
        if last:
            lines.append("Connection: close")
        elif manners.keep_alive:
            lines.append(f"Keep-Alive: timeout={random.randint(1, 5)}, max={random.randint(0, 5)}")
        if asked.method == "HEAD":
            body = b""
        head = "\r\n".join((f"HTTP/1.1 {status} Any", *lines, "", "")).encode()
        data = head + body
        if random.random() < manners.informs:
            data = b"HTTP/1.1 103 Early Hints\r\nLink: <a>\r\n\r\n" + data
        if mood in _BREAKS:
            data = b"" if mood.startswith("silent") else data[: random.randrange(1, len(data))]
        pieces = _cut(data, random, manners.pieces)
        self._send(pieces, last or mood == "early_error")

    def _send(self, pieces: list[bytes], last: bool) -> None:
        if self._over:
            return
        if pieces:
            self.channel.send(pieces.pop(0))
        if pieces:
            self._later(lambda: self._send(pieces, last))
            return
        self._answered = True
        if self._mood in _BREAKS:
            self._hang_up(_BREAKS[self._mood])
        elif last:
            self._hang_up("close")
        elif self._asked is not None and self._asked.whole:
            self._rest()

    def _rest(self) -> None:
        """After an exchange."""
        manners, random = self._world.manners, self._world.random
        self._asked = None
        ordinal = self._ordinal
        if random.random() < manners.leaves:
            how = "reset" if manners.leaves_by_reset else "close"
            self.channel.call_later(
                random.choice((0.0, random.uniform(0, 3))), lambda: self._leave(ordinal, how)
            )

    def _leave(self, ordinal: int, how: str) -> None:
        if self._asked is None and self._ordinal == ordinal and not self._over:
            self._hang_up(how)

    def _hang_up(self, how: str) -> None:
        self._over = True
        if how == "reset":
            self.channel.reset()
        else:
            self.channel.close()


def _cut(data: bytes, random: Any, most: int) -> list[bytes]:
    """Return the data in random pieces."""
    ends = sorted(random.randint(0, len(data)) for _ in range(random.randint(1, most) - 1))
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True) if a < b]
