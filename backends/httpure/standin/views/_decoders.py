"""What stands for `httpx._decoders`: content codings, and text in pieces.

In httpx a decoder returns bytes; those of httpure give them out piece by piece. Here they are joined.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from httpure_core.content.decode import Decoder, accept_encoding, decoder_for
from httpure_core.content.text import ByteChunker, LineDecoder, TextChunker, TextDecoder
from httpure_core.errors import DecodingError

__all__ = [
    "SUPPORTED_DECODERS",
    "BrotliDecoder",
    "ByteChunker",
    "ContentDecoder",
    "DecodingError",
    "DeflateDecoder",
    "GZipDecoder",
    "IdentityDecoder",
    "LineDecoder",
    "MultiDecoder",
    "TextChunker",
    "TextDecoder",
    "ZStandardDecoder",
]


class ContentDecoder:
    """Undoes a content coding: give it what comes to `decode`, and at the end call `flush`."""

    def decode(self, data: bytes) -> bytes:
        """Return what the data decodes to. Raises DecodingError."""
        raise NotImplementedError(f"{type(self).__name__} must implement decode().")

    def flush(self) -> bytes:
        """Return what is left. Raises DecodingError where the end is missing."""
        raise NotImplementedError(f"{type(self).__name__} must implement flush().")


class IdentityDecoder(ContentDecoder):
    """For what is not encoded."""

    def decode(self, data: bytes) -> bytes:
        """Return the data."""
        return data

    def flush(self) -> bytes:
        """Return nothing."""
        return b""


class _Named(ContentDecoder):
    """Undoes the coding that its class names."""

    coding: str

    def __init__(self) -> None:
        decoder = decoder_for([self.coding])
        if decoder is None:
            raise ImportError(f"No library is installed that can decode {self.coding!r}.")
        self._decoder: Decoder = decoder

    def decode(self, data: bytes) -> bytes:
        """Return what the data decodes to. Raises DecodingError."""
        return b"".join(self._decoder.decode(data))

    def flush(self) -> bytes:
        """Return what is left. Raises DecodingError where the end is missing."""
        return b"".join(self._decoder.flush())


class GZipDecoder(_Named):
    """For gzip."""

    coding = "gzip"


class DeflateDecoder(_Named):
    """For deflate."""

    coding = "deflate"


class BrotliDecoder(_Named):
    """For br. Raises ImportError where no library for it is installed."""

    coding = "br"


class ZStandardDecoder(_Named):
    """For zstd. Raises ImportError where no library for it is installed."""

    coding = "zstd"


class MultiDecoder(ContentDecoder):
    """For several codings, given in the order in which they were applied."""

    def __init__(self, children: Sequence[ContentDecoder]) -> None:
        self._children = list(reversed(children))

    def decode(self, data: bytes) -> bytes:
        """Return what the data decodes to. Raises DecodingError."""
        for child in self._children:
            data = child.decode(data)
        return data

    def flush(self) -> bytes:
        """Return what is left. Raises DecodingError where the end is missing."""
        data = b""
        for child in self._children:
            data = child.decode(data) + child.flush()
        return data


def _supported() -> dict[str, type[ContentDecoder]]:
    known: dict[str, type[ContentDecoder]] = {
        "gzip": GZipDecoder,
        "deflate": DeflateDecoder,
        "br": BrotliDecoder,
        "zstd": ZStandardDecoder,
    }
    installed = accept_encoding().split(", ")
    return {"identity": IdentityDecoder} | {name: known[name] for name in known if name in installed}


#: What can be decoded here. Nothing can be added: responses would not look here for it.
SUPPORTED_DECODERS: Final[Mapping[str, type[ContentDecoder]]] = MappingProxyType(_supported())
