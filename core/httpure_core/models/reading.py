"""The body of a response: how it is read, whole or piece by piece, blocking or not.

One loop for each colour (the asynchronous one is in `async_reading.py`); all else is shared. What the loops do to the
pieces, and how much of them a client takes, is in `stages.py`. Knows nothing of redirects or connections: the stream
that it reads does.

    unread ── iter_*() / read() ──▶ consumed ── end of the stream, an error, a cancellation ──▶ closed
    absorb(): the core has all raw bytes at once and goes from unread to closed in one step
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterator
from contextlib import closing, suppress
from typing import TYPE_CHECKING, TypeVar

from ..errors import DecodingError, RequestError, StreamClosed, StreamConsumed
from ..limits import DEFAULT_LIMITS
from .async_reading import AsyncReading, replay
from .contents import Contents
from .headers import MOST_WALKED
from .request import place

# What decodes bodies, or cuts them into pieces, is imported where that is asked for: most bodies are read as they
# are, and the modules take three milliseconds.

if TYPE_CHECKING:
    from ..content.decode import Decoder
    from ..content.streams import AsyncByteStream, SyncByteStream
    from ..limits import Limits
    from .headers import Headers
    from .request import Request
    from .stages import Stage

__all__ = ["Body"]

T = TypeVar("T")

#: Decoded bytes that are accepted of a body at which hardly anybody will look: a client may keep twenty of them.
MAX_SKIMMED = 1024 * 1024
#: Statuses whose responses have no body, whatever their Content-Length says (RFC 9110 section 6.4.1).
_BODILESS = (204, 304)
#: Digits of a Content-Length that is worth a look.
_MOST_DIGITS = 19


class Body(Contents):
    """What `Response` does with its body. Not made by itself: the attributes below come from `Response`."""

    status_code: int
    #: Where the raw bytes come from.
    stream: SyncByteStream | AsyncByteStream
    #: True when the body was read to its end, or given up.
    is_closed: bool = False
    #: True when reading has begun; it cannot begin again.
    is_stream_consumed: bool = False

    # Defaults stand on the class, so that a new response costs no time for what most never use.
    _request: Request | None = None
    #: Those of the client that received it.
    _limits: Limits = DEFAULT_LIMITS
    _num_bytes_downloaded: int = 0
    _elapsed_seconds: float | None = None
    #: When the request was sent, and by which clock, where the stream does not measure it.
    _clock: tuple[float, Callable[[], float]] | None = None

    @property
    def num_bytes_downloaded(self) -> int:
        """Bytes of the body received so far, before decoding."""
        return self._num_bytes_downloaded

    # Blocking

    def read(self) -> bytes:
        """Read the body to its end, and return it decoded.

        Raises BodyTooLarge beyond `max_body`, and where more than 16 MiB come of less than a hundredth of it, see
        `Limits`; DecodingError; what the stream raises; StreamConsumed and StreamClosed if it is too late; RuntimeError
        if the stream is asynchronous.
        """
        if self._content is None:
            self._content = b"".join(self._pull(self._whole(), "read"))
        return self._read_content()

    def iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Read the body as sent, not decoded, in pieces of `chunk_size` bytes or as they are.

        Of these bytes, too, there are at most `max_body`. Raises as `read()` does, save for DecodingError; ValueError
        for a `chunk_size` below 1.
        """
        return self._pull(_raw(chunk_size, self._limits), "iter_raw")

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Read the decoded body in pieces of `chunk_size` bytes, or as they come.

        Nothing is kept, so `content` is not there afterwards, and `max_expansion` does not count. Once the body has
        been read, this cuts up `content`. Raises as `read()` does; ValueError for a `chunk_size` below 1.
        """
        return self._iterate(self._bytes(chunk_size), "iter_bytes")

    def iter_text(self, chunk_size: int | None = None) -> Iterator[str]:
        """Read the body as text in `encoding`, in pieces of `chunk_size` characters, or as they come.

        Raises as `read()` does; ValueError for a `chunk_size` below 1.
        """
        return self._iterate(self._characters(chunk_size), "iter_text")

    def iter_lines(self) -> Iterator[str]:
        r"""Read the body as text line by line, without the line ends: \n, \r\n or \r, and no other character.

        >>> list(httpure.Response(200, text="one\r\ntwo\nthree").iter_lines())
        ['one', 'two', 'three']

        Only the line that has not ended is kept; `max_expansion` counts for that. Raises as `read()` does.
        """
        return self._iterate(self._lines(), "iter_lines")

    def close(self) -> None:
        """Give up what was not read, and free the connection. Reading to the end does it by itself.

        Raises RuntimeError if the stream is asynchronous: `aclose()` it.
        """
        if self.is_closed:
            return
        if not hasattr(self.stream, "__iter__"):
            raise _wrong_colour("close")
        self._end()
        try:
            self.stream.close()  # type: ignore[union-attr]
        except RequestError as error:
            self._attach(error)
            raise

    # Asynchronous

    async def aread(self) -> bytes:
        """As `read()`, for an asynchronous stream."""
        if self._content is None:
            self._content = b"".join([piece async for piece in AsyncReading(self, self._whole(), "aread")])
        return self._read_content()

    def aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """As `iter_raw()`, for an asynchronous stream."""
        return AsyncReading(self, _raw(chunk_size, self._limits), "aiter_raw")

    def aiter_bytes(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """As `iter_bytes()`, for an asynchronous stream."""
        return self._aiterate(self._bytes(chunk_size), "aiter_bytes")

    def aiter_text(self, chunk_size: int | None = None) -> AsyncIterator[str]:
        """As `iter_text()`, for an asynchronous stream."""
        return self._aiterate(self._characters(chunk_size), "aiter_text")

    def aiter_lines(self) -> AsyncIterator[str]:
        """As `iter_lines()`, for an asynchronous stream."""
        return self._aiterate(self._lines(), "aiter_lines")

    async def aclose(self) -> None:
        """As `close()`, for an asynchronous stream."""
        if self.is_closed:
            return
        if not hasattr(self.stream, "__aiter__"):
            raise _wrong_colour("aclose")
        self._end()
        try:
            await self.stream.aclose()  # type: ignore[union-attr]
        except RequestError as error:
            self._attach(error)
            raise

    # For the core

    def skim(self, size: int) -> None:
        """Read a body at which hardly anybody will look: if it has at most `size` raw bytes, else give it up.

        Raises what the stream raises.
        """
        pieces: list[bytes] = []
        with closing(self._pull(_raw(), "read")) as reading:
            for piece in reading:
                pieces.append(piece)
                if self._num_bytes_downloaded > size:
                    pieces = []
                    break
        self.close()
        self.absorb_little(b"".join(pieces))

    async def askim(self, size: int) -> None:
        """As `skim()`, for an asynchronous stream."""
        pieces: list[bytes] = []
        async for piece in AsyncReading(self, _raw(), "aread"):
            pieces.append(piece)
            if self._num_bytes_downloaded > size:
                pieces = []
                break
        await self.aclose()
        self.absorb_little(b"".join(pieces))

    def absorb_little(self, raw: bytes) -> None:
        """As `absorb()`, of a body at which hardly anybody will look: one that is large, or broken, counts as empty."""
        try:
            self.absorb(raw, MAX_SKIMMED)
        except DecodingError:
            self._content = b""

    def absorb(self, raw: bytes, most: int | None = None) -> None:
        """Take the whole raw body at once: decode it, and be read and closed. Runs once per request.

        Does not touch the stream. Raises DecodingError as `read()` does, or for more than `most` decoded bytes.
        """
        self._num_bytes_downloaded = len(raw)
        self.is_stream_consumed = self.is_closed = True
        limits = self._limits
        decoder = self._new_decoder(large=True) if raw and _is_encoded(self.headers) else None
        if decoder is None and limits.max_body is None:
            self._content = raw
            return
        from .stages import Raw, Whole

        stage = Raw(None, limits) if decoder is None else Whole(decoder, limits, most)
        try:
            if stage.most_raw is not None and most is None:
                # So that the message is the same however much came at once.
                self._check_length(stage.most_raw)
            self._content = b"".join([*stage.feed(raw), *stage.finish()])
        except RequestError as error:
            self._attach(error)
            raise

    def fits(self, length: int | None) -> bool:
        """True if a body of so many raw bytes, or of nobody knows how many, can be received before it is looked at.

        If not, its pieces are for `whole()`, and what becomes of them for `settle()`.
        """
        most = self._limits.max_body
        return most is None or (length is not None and length <= most)

    def whole(self) -> Stage[bytes]:
        """Return what weighs the pieces of a body as they come, where there is a `max_body`. Raises DecodingError."""
        stage = self._whole()
        self._check_length(stage.most_raw or 0)
        return stage

    def settle(self, stage: Stage[bytes], pieces: list[bytes], received: int) -> None:
        """As `absorb()`, of a body that was fed to `whole()`, which gave these pieces. Raises DecodingError."""
        self._num_bytes_downloaded = received
        self.is_stream_consumed = self.is_closed = True
        self._content = b"".join([*pieces, *stage.finish()])

    # Which stages a reading needs

    def _new_decoder(self, large: bool = False) -> Decoder | None:
        """Return what undoes the Content-Encoding, in large pieces perhaps; None if there is nothing to undo."""
        if not _is_encoded(self.headers):
            return None
        from ..content.decode import LARGE_PIECE, PIECE_SIZE, decoder_for

        try:
            codings = self.headers.get_list("content-encoding", split_commas=True)
            return decoder_for(codings, LARGE_PIECE if large else PIECE_SIZE, self._limits)
        except RequestError as error:
            self._attach(error)
            raise

    def _whole(self) -> Stage[bytes]:
        from .stages import Whole

        decoder = self._new_decoder(large=True)
        return _raw(None, self._limits) if decoder is None else Whole(decoder, self._limits)

    def _bytes(self, chunk_size: int | None) -> Stage[bytes]:
        if self._content is not None:
            return _raw(chunk_size)
        decoder = self._new_decoder()
        if decoder is None:
            return _raw(chunk_size, self._limits)
        from .stages import Bytes

        return Bytes(decoder, chunk_size, self._limits)

    def _characters(self, chunk_size: int | None) -> Stage[str]:
        from .stages import Text

        return Text(self._bytes(None), self.encoding or "utf-8", chunk_size)

    def _lines(self) -> Stage[str]:
        from .stages import Lines

        return Lines(self._characters(None), self._limits if _is_encoded(self.headers) else None)

    # What is known of the size

    def _read_content(self) -> bytes:
        """Return the content. It may have been there before anybody knew how much of it there may be."""
        content, most = self.content, self._limits.max_body
        if most is not None and len(content) > most:
            raise self._too_large(most)
        return content

    def _check_length(self, most: int) -> None:
        """See whether the body is said to have more raw bytes than somebody will take. Raises BodyTooLarge."""
        said = self.headers.get("content-length", "")
        if len(said) > _MOST_DIGITS or not (said.isascii() and said.isdigit()) or int(said) <= most:
            return
        method = "" if self._request is None else self._request.method
        if method not in ("HEAD", "CONNECT") and self.status_code not in _BODILESS:
            raise self._too_large(self._limits.max_body or 0, f", {int(said):,} as its Content-Length says")

    def _too_large(self, most: int, said: str = "") -> RequestError:
        from .stages import body_too_large

        error = body_too_large(most, said)
        self._attach(error)
        return error

    # The loops

    def _iterate(self, stage: Stage[T], called: str) -> Iterator[T]:
        return self._pull(stage, called) if self._content is None else replay(stage, self._read_content())

    def _aiterate(self, stage: Stage[T], called: str) -> AsyncIterator[T]:
        reading = AsyncReading(self, stage, called)
        return reading if self._content is None else reading.replay(self._read_content())

    def _pull(self, stage: Stage[T], called: str) -> Generator[T, None, None]:
        self._begin("__iter__", called)
        try:
            if stage.most_raw is not None:
                self._check_length(stage.most_raw)
            for raw in self.stream:  # type: ignore[union-attr]
                self._num_bytes_downloaded += len(raw)
                yield from stage.feed(raw)
            self.close()  # before the rest is handed out: the connection is free from here on
            yield from stage.finish()
        except GeneratorExit:
            raise  # whoever iterates has left, and the response stays open
        except BaseException as error:
            self._attach(error)
            with suppress(Exception):
                self.close()
            raise

    def _begin(self, colour: str, called: str) -> None:
        """Mark the stream as being read. Raises where it was read or closed, or has the other colour."""
        if self.is_stream_consumed:
            raise StreamConsumed
        if self.is_closed:
            raise StreamClosed
        if not hasattr(self.stream, colour):
            raise _wrong_colour(called)
        self.is_stream_consumed = True
        self._num_bytes_downloaded = 0

    def _end(self) -> None:
        self.is_closed = True
        if self._clock is not None:
            started, clock = self._clock
            self._elapsed_seconds = clock() - started
            self._clock = None

    def _attach(self, error: BaseException) -> None:
        """Tell an error of ours which request it is about. What decodes knows it not, and so cannot say it either."""
        request = self._request
        if isinstance(error, RequestError) and error._request is None and request is not None:
            error._request = request
            if isinstance(error, DecodingError):
                what, semicolon, remedy = str(error).partition("; ")
                error.args = (f"{what}, {place(request)}{semicolon}{remedy}",)
                error.request_sent = True


def _is_encoded(headers: Headers) -> bool:
    # Of few fields without a frame more: this runs once per request.
    index, fields = headers._index, headers._raw
    if index is not None or len(fields) > MOST_WALKED:
        return "content-encoding" in headers
    for name, _ in fields:  # noqa: SIM110 - any() would take a frame for each field
        if len(name) == 16 and name.lower() == b"content-encoding":
            return True
    return False


def _raw(chunk_size: int | None = None, limits: Limits = DEFAULT_LIMITS) -> Stage[bytes]:
    from .stages import Raw

    return Raw(chunk_size, limits)


def _wrong_colour(called: str) -> RuntimeError:
    if called.startswith("a"):
        colour, instead = "blocking", f"response.{called[1:]}()"
    else:
        colour, instead = "asynchronous", f"response.a{called}()"
    return RuntimeError(f"{called}() cannot use the {colour} stream of this response: use {instead}.")
