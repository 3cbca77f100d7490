"""Reading uploads as they stream in: every byte is counted and hashed, small contents are kept."""

from __future__ import annotations

import base64
import hashlib
import re
from typing import Any

__all__ = ["MultipartReader", "Tally"]

#: Longer contents are hashed but not kept.
KEPT = 1024 * 1024


class Tally:
    """What went by: its size, its hash, and its first megabyte."""

    def __init__(self) -> None:
        self.size = 0
        self.kept = bytearray()
        self._digest = hashlib.sha256()

    def feed(self, data: bytes) -> None:
        self.size += len(data)
        self._digest.update(data)
        if len(self.kept) < KEPT:
            self.kept += data[: KEPT - len(self.kept)]

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()

    @property
    def text(self) -> str:
        """The content as httpbin shows it: text, or a data URL; "" where it was too long to keep."""
        if self.size > KEPT:
            return ""
        try:
            return self.kept.decode("utf-8")
        except UnicodeDecodeError:
            return "data:application/octet-stream;base64," + base64.b64encode(self.kept).decode()


class Part:
    """One part of a multipart body (RFC 7578 section 4)."""

    def __init__(self, head: bytes) -> None:
        lines = [line.partition(":") for line in head.decode("utf-8").split("\r\n") if line]
        self.headers = {name.lower(): value.strip() for name, _, value in lines}
        disposition = self.headers.get("content-disposition", "")
        self.name = _parameter(disposition, "name") or ""
        self.filename = _parameter(disposition, "filename")
        self.content = Tally()

    def described(self) -> dict[str, Any]:
        return {
            "name": self.name,
            "filename": self.filename,
            "headers": self.headers,
            "size": self.content.size,
            "sha256": self.content.sha256,
            "content": self.content.text,
        }


class MultipartReader:
    """Feed it the body; it finds the parts (RFC 2046 section 5.1) and holds no more than it must.

    Strict on purpose: it is a judge of what clients send.
    """

    def __init__(self, boundary: str) -> None:
        self.parts: list[Part] = []
        self.ended = False
        self._delimiter = b"\r\n--" + boundary.encode("latin-1")
        self._buffer = b"\r\n"  # the first delimiter has no line before it
        self._inside = False

    def feed(self, data: bytes) -> None:
        self._buffer += data
        while not self.ended and self._step():
            pass

    def finish(self) -> None:
        """Raises ValueError where the closing delimiter did not come."""
        if not self.ended or self._buffer not in (b"", b"\r\n"):
            raise ValueError("the multipart body does not end with its closing delimiter")

    def _step(self) -> bool:
        """Take what can be taken from the buffer; return whether to go on."""
        place = self._buffer.find(self._delimiter)
        if place < 0:
            self._take_content(max(0, len(self._buffer) - len(self._delimiter)))
            return False
        after = place + len(self._delimiter)
        if self._buffer.startswith(b"--", after):
            self._take_content(place)
            self._buffer = self._buffer[len(self._delimiter) + 2 :]
            self.ended = True
            return False
        return self._open_part(place, after)

    def _open_part(self, place: int, after: int) -> bool:
        end_of_head = self._buffer.find(b"\r\n\r\n", after)
        if end_of_head < 0:
            return False
        if not self._buffer.startswith(b"\r\n", after):
            raise ValueError("a multipart delimiter is not followed by CRLF")
        head = self._buffer[after + 2 : end_of_head]
        self._take_content(place)
        self._buffer = self._buffer[end_of_head - place + 4 :]
        self.parts.append(Part(head))
        self._inside = True
        return True

    def _take_content(self, size: int) -> None:
        if not size:
            return
        if not self._inside:
            raise ValueError("there are bytes before the first multipart delimiter")
        self.parts[-1].content.feed(self._buffer[:size])
        self._buffer = self._buffer[size:]


def _parameter(field: str, name: str) -> str | None:
    """Return a parameter of Content-Disposition with the escapes that browsers use undone."""
    found = re.search(rf'(?:^|;)\s*{name}="([^"]*)"', field)
    if found is None:
        return None
    return found[1].replace("%22", '"').replace("%0D", "\r").replace("%0A", "\n")
