"""Bytes -> text -> lines and chunks, as they arrive.

Each of these takes what came (`decode`) and gives what is complete; `flush` gives the rest at the end. All
run in time linear in their input, however it is cut.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import AnyStr, Generic

from .media_type import parameter

__all__ = [
    "ByteChunker",
    "LineDecoder",
    "TextChunker",
    "TextDecoder",
    "charset_from_content_type",
    "guess_json_utf",
    "is_known_encoding",
]

_ENCODING_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:+-]{0,39}")
# Python codecs that are no charsets: they fail, or warn, on bytes that a server may send. And UTF-7, which browsers do
# not know either: it hides markup from those who look for it, and takes quadratic time where it comes in pieces.
_NO_CHARSETS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape", "utf-7"})


def charset_from_content_type(content_type: str) -> str | None:
    """Return the charset parameter of a Content-Type in lower case, known or not; None if there is none."""
    charset = parameter(content_type, "charset")
    return charset.strip("'").lower() or None if charset else None


@lru_cache(maxsize=256)
def is_known_encoding(encoding: str) -> bool:
    """Tell whether Python can decode bytes from this charset into text, whatever the bytes."""
    # The length is limited because Python remembers every name it was ever asked for.
    if not _ENCODING_NAME.fullmatch(encoding):
        return False
    try:
        codec = codecs.lookup(encoding)
    except LookupError:
        return False
    # Nothing public tells charsets from base64, zlib and the like.
    return bool(getattr(codec, "_is_text_encoding", True)) and codec.name not in _NO_CHARSETS


def guess_json_utf(data: bytes) -> str | None:
    """Name the UTF encoding of a JSON text by its byte order mark or first four bytes (RFC 4627 section 3).

    Returns a Python codec name, or None where the bytes fit no such encoding.
    """
    start = data[:4]
    if start.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return "utf-32"
    if start.startswith(codecs.BOM_UTF8):
        return "utf-8-sig"
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    # JSON starts with ASCII, so where the zeros are tells the width and order of the code units.
    zeros = "".join("0" if byte == 0 else "x" for byte in start)
    if "0" not in zeros:
        return "utf-8"
    return {
        "0x": "utf-16-be",
        "x0": "utf-16-le",
        "0x0x": "utf-16-be",
        "x0x0": "utf-16-le",
        "0xxx": "utf-16-be",
        "x0xx": "utf-16-le",
        "0xx0": "utf-16-be",
        "x00x": "utf-16-le",
        "000x": "utf-32-be",
        "x000": "utf-32-le",
    }.get(zeros)


class TextDecoder:
    """Bytes of one charset to text. A character cut in two waits for its rest; broken bytes become U+FFFD.

    `encoding` is a name that `is_known_encoding` accepts; LookupError for others. UTF-16 and UTF-32 without a
    byte order mark are read as little endian, as browsers do.
    """

    __slots__ = ("_decoder", "_encoding")

    def __init__(self, encoding: str = "utf-8") -> None:
        self._encoding = encoding
        self._decoder = codecs.getincrementaldecoder(encoding)(errors="replace")

    def decode(self, data: bytes) -> str:
        """Return the text that `data` completes, perhaps none."""
        return self._decode(data, False)

    def flush(self) -> str:
        """Return what is left at the end: U+FFFD for a character that was cut off."""
        return self._decode(b"", True)

    def _decode(self, data: bytes, final: bool) -> str:
        try:
            return self._decoder.decode(data, final)
        except UnicodeError:
            name = codecs.lookup(self._encoding).name
            if name not in ("utf-16", "utf-32"):
                self._decoder.reset()  # an escape sequence of ISO 2022 that does not end
                return "\ufffd"
            # The byte order mark is missing, so nothing was decoded yet.
            data = self._decoder.getstate()[0] + data
            self._decoder = codecs.getincrementaldecoder(name + "-le")(errors="replace")
            return self._decoder.decode(data, final)


class LineDecoder:
    """Text to lines without their ends. A line ends with LF, CR or CRLF and nothing else.

    (`str.splitlines()` also cuts at U+2028, form feed and others, which may stand within a line of JSON.)
    """

    __slots__ = ("_after_cr", "_parts", "held")

    def __init__(self) -> None:
        self._parts: list[str] = []  # of the line that has not ended; joined once
        self.held = 0  #: characters of it
        self._after_cr = False  # an LF now would belong to the line end already seen

    def decode(self, text: str) -> list[str]:
        """Return the lines that end within `text`."""
        if self._after_cr and text:
            self._after_cr = False
            text = text.removeprefix("\n")
        if "\r" in text:
            self._after_cr = text[-1] == "\r"
            text = text.replace("\r\n", "\n").replace("\r", "\n")
        lines = text.split("\n")
        rest = lines.pop()
        if lines and self._parts:
            lines[0] = "".join(self._parts) + lines[0]
            self._parts.clear()
        if lines:
            self.held = 0
        if rest:
            self._parts.append(rest)
            self.held += len(rest)
        return lines

    def flush(self) -> list[str]:
        """Return the last line if it has no line end; no line at all if it is empty."""
        lines = ["".join(self._parts)] if self._parts else []
        self._parts.clear()
        self.held = 0
        self._after_cr = False
        return lines


class _Chunker(Generic[AnyStr]):
    __slots__ = ("_held", "_parts", "_size")
    _empty: AnyStr

    def __init__(self, chunk_size: int | None = None) -> None:
        if chunk_size is not None and not isinstance(chunk_size, int):
            raise TypeError(f"chunk_size is a whole number or None, not {type(chunk_size).__name__}.")
        if chunk_size is not None and chunk_size < 1:
            raise ValueError(f"chunk_size must be at least 1, not {chunk_size}.")
        self._size = chunk_size
        self._parts: list[AnyStr] = []
        self._held = 0

    def decode(self, content: AnyStr) -> list[AnyStr]:
        """Return the chunks that `content` completes."""
        size = self._size
        if size is None:
            return [content] if content else []
        self._parts.append(content)
        self._held += len(content)
        if self._held < size:
            return []
        whole = self._joined()
        cut = self._held - self._held % size
        self._parts = [whole[cut:]]
        self._held -= cut
        return [whole[start : start + size] for start in range(0, cut, size)]

    def flush(self) -> list[AnyStr]:
        """Return the last, shorter chunk, if there is one."""
        rest = self._joined()
        self._parts.clear()
        self._held = 0
        return [rest] if rest else []

    def _joined(self) -> AnyStr:
        return self._empty.join(self._parts)  # pyright: ignore[reportArgumentType] - joins in its own kind


class ByteChunker(_Chunker[bytes]):
    """Cuts bytes into chunks of `chunk_size`; None leaves them as they come.

    Raises ValueError for a size below 1.
    """

    __slots__ = ()
    _empty = b""


class TextChunker(_Chunker[str]):
    """Cuts text into chunks of `chunk_size` characters; None leaves it as it comes.

    Raises ValueError for a size below 1.
    """

    __slots__ = ()
    _empty = ""
