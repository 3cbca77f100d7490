"""What a WSGI app answers: what it tells `start_response`, and the body that it writes and returns (PEP 3333)."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any, TypeAlias

from httpure_core.content.streams import SyncByteStream
from httpure_core.errors import RemoteProtocolError, RequestError, StreamClosed
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.operations.budget import place

from .wsgi_environ import RequestBody

__all__ = ["Answer"]

ExcInfo: TypeAlias = (
    tuple[type[BaseException], BaseException, TracebackType | None] | tuple[None, None, None] | None
)

_END = object()
_STATUS = re.compile("[1-9][0-9]{2}(?: |$)", re.ASCII)


class Answer(SyncByteStream):
    """The response of an app, and the stream of its body.

    Status and headers stand when there is a first piece of the body, or its end: until then the app may replace them,
    if it tells what went wrong.
    """

    replayable = False

    def __init__(self, request: Request, request_body: RequestBody | None, raising: bool) -> None:
        #: 0 until the app has called `start_response`.
        self.status = 0
        self.reason = b""
        self.headers = Headers()
        self._request = request
        self._request_body = request_body
        self._raising = raising
        self._failure: RemoteProtocolError | None = None  # the app has broken the rules
        self._answered: BaseException | None = None  # what the app has answered itself, and told of
        self._result: Any = None
        self._pieces: Iterator[bytes] = iter(())
        self._ready: list[bytes] = []  # pieces that wait to be read
        self._begun = False
        self._closed = False
        self._ended = False

    # What the app calls.

    def start_response(
        self, status: str, response_headers: list[tuple[str, str]], exc_info: ExcInfo = None
    ) -> Callable[[bytes], None]:
        """Begin the response, or begin it anew after an error; return what PEP 3333 calls `write`."""
        try:
            error = exc_info[1] if exc_info else None
            if error is None and self.status:
                raise self._refusal("called start_response twice, the second time without exc_info")
            if error is not None and self._begun:
                raise error
            self._answered = error
        finally:
            exc_info = error = None  # their traceback holds this frame
        if not isinstance(status, str) or not _STATUS.match(status):
            raise self._refusal(f"gave the status {status!r:.80}, which is not like '200 OK'")
        self.headers = self._headers_of(response_headers)
        self.status = int(status[:3])
        self.reason = status[4:].encode("latin-1", "replace")
        return self._write

    def _headers_of(self, given: list[tuple[str, str]]) -> Headers:
        pairs = []
        try:
            for name, value in given:
                try:
                    pairs.append((name.encode("latin-1"), value.encode("latin-1")))
                except (AttributeError, UnicodeEncodeError):
                    raise ValueError(f"{name!r:.80} and its value must be str, of ISO-8859-1") from None
            return Headers(pairs)
        except (TypeError, ValueError) as exc:
            raise self._refusal(f"gave headers that are none: {exc}") from None

    def _write(self, data: bytes) -> None:
        if self._checked(data):
            self._begun = True
            self._ready.append(bytes(data))

    # What the transport and the reader call.

    def begin(self, result: Any) -> None:
        """Take what the app has returned, and go on to the beginning of its body. Raises what the app raises."""
        self._result = result
        if isinstance(result, (str, bytes)):
            raise self._refusal(f"returned {type(result).__name__} instead of an iterable of bytes")
        try:
            self._pieces = iter(result)
        except TypeError:
            raise self._refusal(f"returned {type(result).__name__}, which is no iterable of bytes") from None
        while not self._ready and self._advance():
            pass
        self._check()
        if not self.status:
            raise self._refusal("has not called start_response")
        self._begun = True
        error, self._answered = self._answered, None
        try:
            if error is not None and self._raising:
                raise error
        finally:
            del error  # its traceback will hold this frame

    def __iter__(self) -> Iterator[bytes]:
        if self._closed and not self._ended:
            raise StreamClosed
        while True:
            while self._ready:
                yield self._ready.pop(0)
            try:
                if not self._advance():
                    break
                self._check()
            except BaseException as exc:
                self.give_up()
                if self.should_raise(exc):
                    raise
                raise self._error("failed in the middle of its response") from exc
        self._ended = True
        self.close()

    def close(self) -> None:
        """Close what the app has returned. Raises what that raises."""
        if self._closed:
            return
        self._closed = True
        self._ready.clear()
        try:
            close = getattr(self._result, "close", None)
            if close is not None:
                close()
        except Exception:
            if self._raising:
                raise
        finally:
            if self._request_body is not None:
                self._request_body.give_up()

    def give_up(self) -> None:
        """Close after an error, which is the one to be raised; and if another was first, raise that."""
        with contextlib.suppress(Exception):
            self.close()
        self._check()

    def should_raise(self, error: BaseException) -> bool:
        """Tell whether the reader gets this error, or that of a server that has failed."""
        if isinstance(error, RequestError):
            error.request_sent = True  # whatever the app has failed to send
        return self._raising or error is self._failure or not isinstance(error, Exception)

    def _advance(self) -> bool:
        """Ask the app for the next piece; False if there is none."""
        piece: Any = next(self._pieces, _END)
        if piece is _END:
            return False
        if self._checked(piece):
            if not self.status:
                raise self._refusal("gave a body before it called start_response")
            self._ready.append(piece)
        return True

    def _checked(self, piece: bytes) -> bytes:
        if not isinstance(piece, bytes):
            raise self._refusal(f"gave a piece of its body of type {type(piece).__name__} instead of bytes")
        return piece

    def _check(self) -> None:
        """Raise what the caller has to know, even if the app made something else of it."""
        if self._request_body is not None and self._request_body.failure is not None:
            raise self._request_body.failure
        if self._failure is not None:
            raise self._failure

    def _refusal(self, what: str) -> RemoteProtocolError:
        error = self._error(what)
        self._failure = self._failure or error
        return error

    def _error(self, what: str) -> RemoteProtocolError:
        return RemoteProtocolError(
            f"The WSGI app {what}, in answer to {place(self._request)}", request=self._request
        )
