"""A server of HTTP/1.1 with moods; also a proxy that forwards, as its answers are those of the origins."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tests.peers import Peer

from .ledger import Asked

__all__ = ["Http1Server"]

_BREAKS = {
    "half": "close",
    "half_reset": "reset",
    "half_end": "end",
    "silent": "close",
    "silent_reset": "reset",
}
#: What no client must take for the answer to its next request.
_SURPLUS = b"HTTP/1.1 200 Evil\r\nContent-Length: 4\r\nx-name: evil\r\nx-size: 4\r\n\r\nevil"


class Http1Server(Peer):
    """One connection. `world` has the ledger, the manners and all chance; `site` is as in `Asked`."""

    version = 1

    def __init__(self, world: Any, site: Any = None) -> None:
        self._world = world
        self._site = site
        self._buffer = b""
        self._asked: Asked | None = None
        self._left: int | None = 0  # bytes of body to come, None for chunks
        self._mood = ""
        self._answering = False
        self._answered = False
        self._over = False
        self._ordinal = 0
        self._says_close = False  # in the head of this answer, whose end it tells otherwise
        self._parting = False  # all was said, and the client knows that there is no more

    def connected(self, channel: Any) -> None:
        self.channel = channel
        self._world.ledger.peers.append(self)

    def receive_data(self, data: bytes) -> None:
        if self._parting and not self._over:
            self._world.ledger.wrong.append("a request came after Connection: close")
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
        self._asked = Asked(self._world, method, target, fields, self, self._ordinal, self._site)
        chunked = "transfer-encoding" in fields
        self._left = None if chunked else int(fields.get("content-length", "0"))
        self._answering = self._answered = False
        world = self._world
        self._mood = world.manners.fault(
            world.random,
            *_BREAKS,
            *("stall", "deaf", "drip", "surplus"),
            *(("early", "early_error") if self._left != 0 else ()),
            *(("misdirected",) if self._ordinal > 1 and not self._asked.order.misdirected else ()),
        )
        self._asked.misdirected = self._mood == "misdirected"
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
        if self._mood != "early_error" and asked.reply.acts:
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
        trailers = b""
        open_ended = not mood and world.whole_network and random.random() < manners.open_ended
        if open_ended and asked.method != "HEAD":
            last = True
        elif random.random() < 0.5:
            lines.append(f"Content-Length: {len(body)}")
        else:
            lines.append("Transfer-Encoding: chunked")
            trailers = b"X-Sum: 1\r\nX-Sum: 2\r\n" if asked.order.trailers else b""
            first = b"%x\r\n%b\r\n" % (len(body), body) if body else b""
            body = b"%b0\r\n%b\r\n" % (first, trailers)
        self._says_close = last and not open_ended and not mood
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
        if mood == "surplus" and not last and world.delivers_at_once and len(data) < 4000 and asked.whole:
            # Bytes that come later may be taken for an answer to what was sent meanwhile: these come at once.
            self.channel.send(data + _SURPLUS)
            self._hang_up("end")
            return
        pieces = _cut(data, random, 40 if mood == "drip" else manners.pieces)
        self._send(pieces, last or mood == "early_error")

    def _send(self, pieces: list[bytes], last: bool) -> None:
        if self._over:
            return
        if pieces:
            self.channel.send(pieces.pop(0))
        if pieces and self._mood == "drip":
            self.channel.call_later(self._world.random.uniform(0, 1), lambda: self._send(pieces, last))
            return
        if pieces:
            self._later(lambda: self._send(pieces, last))
            return
        self._answered = True
        if self._mood in _BREAKS:
            self._hang_up(_BREAKS[self._mood])
        elif last and self._says_close and self._asked is not None and self._asked.whole:
            self._parting = True
            self._later(lambda: self._over or self._hang_up("close"))
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
            how = manners.leaves_by
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
        elif how == "end":
            self.channel.end()  # and the client may go on
        else:
            self.channel.close()


def _cut(data: bytes, random: Any, most: int) -> list[bytes]:
    """Return the data in random pieces."""
    ends = sorted(random.randint(0, len(data)) for _ in range(random.randint(1, most) - 1))
    return [data[a:b] for a, b in zip([0, *ends], [*ends, len(data)], strict=True) if a < b]
