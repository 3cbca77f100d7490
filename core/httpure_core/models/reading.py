"""The body of a response: how it is read, whole or piece by piece, blocking or not.

One loop for each colour (blocking, asynchronous); all else is shared. What the loops do to the pieces is in
`stages.py`. Knows nothing of statuses, redirects or connections: the stream that it reads does.

    unread ── iter_*() / read() ──▶ consumed ── end of the stream, an error, a cancellation ──▶ closed
    absorb(): the core has all raw bytes at once and goes from unread to closed in one step
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Generator, Iterable, Iterator
from contextlib import closing, suppress
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeVar

from ..errors import DecodingError, RequestError, ResponseNotRead, StreamClosed, StreamConsumed
from .headers import MOST_WALKED

# What decodes bodies, or cuts them into pieces, is imported where that is asked for: most bodies are read as they
# are, and the modules take three milliseconds.

if TYPE_CHECKING:
    from ..content.decode import Decoder
    from ..content.streams import AsyncByteStream, SyncByteStream
    from .headers import Headers
    from .request import Request
    from .stages import Stage

__all__ = ["Body"]

T = TypeVar("T")

#: Decoded bytes that are accepted of a body at which hardly anybody will look: a client may keep twenty of them.
MAX_SKIMMED = 1024 * 1024
#: Longer values of Content-Type are read anew each time.
MAX_REMEMBERED = 128


class Body:
    """What `Response` does with its body. Not made by itself: the attributes below come from `Response`."""

    headers: Headers
    #: Where the raw bytes come from.
    stream: SyncByteStream | AsyncByteStream
    #: A name, or a function of the content, for text whose charset the server does not say.
    default_encoding: str | Callable[[bytes], str]
    #: True when the body was read to its end, or given up.
    is_closed: bool = False
    #: True when reading has begun; it cannot begin again.
    is_stream_consumed: bool = False

    # Defaults stand on the class, so that a new response costs no time for what most never use.
    _request: Request | None = None
    _content: bytes | None = None
    _text: str | None = None
    _encoding: str | None = None
    _num_bytes_downloaded: int = 0
    _elapsed_seconds: float | None = None
    #: When the request was sent, and by which clock, where the stream does not measure it.
    _clock: tuple[float, Callable[[], float]] | None = None

    # The content, once it is there

    @property
    def content(self) -> bytes:
        """The decoded body. Raises ResponseNotRead before `read()`, `aread()`."""
        if self._content is None:
            raise ResponseNotRead
        return self._content

    @property
    def text(self) -> str:
        """The body as text in `encoding`; what that cannot decode becomes U+FFFD. Raises ResponseNotRead."""
        if self._text is None:
            self._text = self.content.decode(self.encoding or "utf-8", "replace")
        return self._text

    def json(self, **kwargs: Any) -> Any:
        """Return the body parsed as JSON; UTF-8, -16 and -32 are told apart by its first bytes.

        >>> httpure.Response(200, text='{"price": 1.10}').json(parse_float=str)
        {'price': '1.10'}

        Keyword arguments go to `json.loads`. Raises ValueError (as a rule json.JSONDecodeError) where it is
        no JSON or is nested too deeply, and ResponseNotRead.
        """
        import json  # here, as many programs never need it

        try:
            return json.loads(self.content, **kwargs)
        except RecursionError:
            pass
        raise ValueError("The JSON of the response is nested too deeply to be read.")

    @property
    def encoding(self) -> str | None:
        """The name of the charset of the text.

        That which was set here, else the server's (`charset_encoding`) if Python knows it, else
        `default_encoding`. Setting it after `text` was looked at raises ValueError.
        """
        if self._encoding is not None:
            return self._encoding
        encoding, known = self._charset()
        if not known:
            if isinstance(self.default_encoding, str):
                encoding = self.default_encoding
            elif self._content is None:
                return "utf-8"  # asked too early to detect anything: ask again when the content is there
            else:
                encoding = self.default_encoding(self._content)
        self._encoding = encoding or "utf-8"
        return self._encoding

    @encoding.setter
    def encoding(self, value: str | None) -> None:
        if self._text is not None:
            raise ValueError("The text was already decoded: set .encoding before .text is used.")
        self._encoding = value

    @property
    def charset_encoding(self) -> str | None:
        """The charset that Content-Type names, known or not; None if it names none."""
        return self._charset()[0]

    def _charset(self) -> tuple[str | None, bool]:
        """Return the charset that Content-Type names, and whether Python knows it."""
        content_type = self.headers.get("content-type")
        if content_type is None:
            return None, False
        if len(content_type) > MAX_REMEMBERED:
            return _charset_of.__wrapped__(content_type)
        return _charset_of(content_type)

    @property
    def num_bytes_downloaded(self) -> int:
        """Bytes of the body received so far, before decoding."""
        return self._num_bytes_downloaded

    # Blocking

    def read(self) -> bytes:
        """Read the body to its end, and return it decoded.

        Raises DecodingError, also where more than 16 MiB come of less than a hundredth of it; what the
        stream raises; StreamConsumed and StreamClosed if it is too late; RuntimeError if the stream is
        asynchronous.
        """
        if self._content is None:
            self._content = b"".join(self._pull(self._whole(), "read"))
        return self._content

    def iter_raw(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Read the body as sent, not decoded, in pieces of `chunk_size` bytes or as they are.

        Raises as `read()` does, save for DecodingError; ValueError for a `chunk_size` below 1.
        """
        return self._pull(_raw(chunk_size), "iter_raw")

    def iter_bytes(self, chunk_size: int | None = None) -> Iterator[bytes]:
        """Read the decoded body in pieces of `chunk_size` bytes, or as they come.

        Nothing is kept, so `content` is not there afterwards. Once the body has been read, this cuts up `content`.
        Raises as `read()` does; ValueError for a `chunk_size` below 1.
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

        Raises as `read()` does.
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
        return self._content

    def aiter_raw(self, chunk_size: int | None = None) -> AsyncIterator[bytes]:
        """As `iter_raw()`, for an asynchronous stream."""
        return AsyncReading(self, _raw(chunk_size), "aiter_raw")

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
        decoder = self._new_decoder(large=True) if raw and _is_encoded(self.headers) else None
        if decoder is None:
            self._content = raw
            return
        from .stages import Whole

        stage = Whole(decoder, most)
        try:
            self._content = b"".join([*stage.feed(raw), *stage.finish()])
        except RequestError as error:
            self._attach(error)
            raise

    # Which stages a reading needs

    def _new_decoder(self, large: bool = False) -> Decoder | None:
        """Return what undoes the Content-Encoding, in large pieces perhaps; None if there is nothing to undo."""
        if not _is_encoded(self.headers):
            return None
        from ..content.decode import LARGE_PIECE, PIECE_SIZE, decoder_for

        try:
            codings = self.headers.get_list("content-encoding", split_commas=True)
            return decoder_for(codings, LARGE_PIECE if large else PIECE_SIZE)
        except RequestError as error:
            self._attach(error)
            raise

    def _whole(self) -> Stage[bytes]:
        from .stages import Whole

        decoder = self._new_decoder(large=True)
        return _raw() if decoder is None else Whole(decoder)

    def _bytes(self, chunk_size: int | None) -> Stage[bytes]:
        decoder = self._new_decoder() if self._content is None else None
        if decoder is None:
            return _raw(chunk_size)
        from .stages import Bytes

        return Bytes(decoder, chunk_size)

    def _characters(self, chunk_size: int | None) -> Stage[str]:
        from .stages import Text

        return Text(self._bytes(None), self.encoding or "utf-8", chunk_size)

    def _lines(self) -> Stage[str]:
        from .stages import Lines

        return Lines(self._characters(None))

    # The loops

    def _iterate(self, stage: Stage[T], called: str) -> Iterator[T]:
        return self._pull(stage, called) if self._content is None else _replay(stage, self._content)

    def _aiterate(self, stage: Stage[T], called: str) -> AsyncIterator[T]:
        reading = AsyncReading(self, stage, called)
        return reading if self._content is None else reading.replay(self._content)

    def _pull(self, stage: Stage[T], called: str) -> Generator[T, None, None]:
        self._begin("__iter__", called)
        try:
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
        """Tell an error of ours which request it is about."""
        if isinstance(error, RequestError) and error._request is None:
            error._request = self._request


@lru_cache(maxsize=256)
def _charset_of(content_type: str) -> tuple[str | None, bool]:
    # Servers send few different ones; to read one takes ten times as long as to remember it.
    from ..content.text import charset_from_content_type, is_known_encoding

    charset = charset_from_content_type(content_type)
    return charset, charset is not None and is_known_encoding(charset)


def _is_encoded(headers: Headers) -> bool:
    # Of few fields without a frame more: this runs once per request.
    index, fields = headers._index, headers._raw
    if index is not None or len(fields) > MOST_WALKED:
        return "content-encoding" in headers
    for name, _ in fields:  # noqa: SIM110 - any() would take a frame for each field
        if len(name) == 16 and name.lower() == b"content-encoding":
            return True
    return False


class AsyncReading(AsyncIterator[T]):
    """One asynchronous reading of a body. No generator, so that nothing is left to finalise by who breaks off."""

    __slots__ = ("_body", "_called", "_over", "_raw", "_ready", "_stage")

    def __init__(self, body: Body, stage: Stage[T], called: str) -> None:
        self._body = body
        self._stage = stage
        self._called = called
        self._raw: AsyncIterator[bytes] | None = None
        self._over = False  # nothing more will come from the stream
        self._ready: Iterator[T] = iter(())

    def replay(self, content: bytes) -> AsyncReading[T]:
        """Read the content instead of the stream."""
        self._over = True
        self._ready = _replay(self._stage, content)
        return self

    async def __anext__(self) -> T:
        try:
            while True:
                for piece in self._ready:
                    return piece
                if self._over:
                    break
                self._ready = iter(await self._more())
        except GeneratorExit:
            raise  # nobody goes on with this, so nothing can be awaited
        except BaseException as error:
            self._over = True
            self._ready = iter(())
            self._body._attach(error)
            if self._raw is not None:
                with suppress(Exception):
                    await self._body.aclose()
            raise
        raise StopAsyncIteration

    async def aclose(self) -> None:
        """End the reading. The response stays open, as it does after a `break`."""
        self._over = True
        self._ready = iter(())

    async def _more(self) -> Iterable[T]:
        body = self._body
        if self._raw is None:
            body._begin("__aiter__", self._called)
            self._raw = aiter(body.stream)  # type: ignore[arg-type]
        raw = await anext(self._raw, None)
        if raw is None:
            self._over = True
            await body.aclose()  # before the rest is handed out: the connection is free from here on
            return self._stage.finish()
        body._num_bytes_downloaded += len(raw)
        return self._stage.feed(raw)


def _raw(chunk_size: int | None = None) -> Stage[bytes]:
    from .stages import Raw

    return Raw(chunk_size)


def _replay(stage: Stage[T], content: bytes) -> Iterator[T]:
    yield from stage.feed(content)
    yield from stage.finish()


def _wrong_colour(called: str) -> RuntimeError:
    if called.startswith("a"):
        colour, instead = "blocking", f"response.{called[1:]}()"
    else:
        colour, instead = "asynchronous", f"response.a{called}()"
    return RuntimeError(f"{called}() cannot use the {colour} stream of this response: use {instead}.")
