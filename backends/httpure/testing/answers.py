"""What a scripted server answers, and what goes wrong on the way: values, without any doing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from copy import copy
from typing import Any, TypeAlias

from httpure_core.models.headers import Headers
from httpure_core.models.response import Response

__all__ = [
    "Answer",
    "Fault",
    "Fields",
    "Split",
    "close",
    "drip",
    "goaway",
    "reset",
    "reset_stream",
    "stall",
]

#: Header fields: a dict, or pairs where a name comes more than once.
Fields: TypeAlias = Mapping[str, str] | Sequence[tuple[str, str]]
#: Where an answer is cut into pieces: the size of each, or the places in bytes from its beginning, or "random".
Split: TypeAlias = int | Sequence[int] | str

#: How much body a fault has to spoil where nothing was said of it.
_BODY = 1024


class Fault:
    """Something that goes wrong with an answer. Made by `reset`, `close`, `stall`, `drip`, `goaway`, `reset_stream`."""

    __slots__ = ("after", "code", "kind", "seconds", "size")

    def __init__(
        self, kind: str, after: int | None = 0, *, seconds: float | None = None, size: int = 0, code: int = 0
    ) -> None:
        if after is not None and after < 0:
            raise ValueError(f"after is {after}: it is a number of bytes, or None for the whole answer.")
        if seconds is not None and seconds < 0:
            raise ValueError(f"A number of seconds must not be negative, and this is {seconds}.")
        self.kind = kind
        #: Bytes of the answer on the wire that still arrive; None for all of them.
        self.after = after
        self.seconds = seconds
        self.size = size
        self.code = code

    def __repr__(self) -> str:
        return f"<Fault {self.kind} after {'all' if self.after is None else self.after} bytes>"


def reset(after: int | None = 0) -> Fault:
    """The connection is reset when so many bytes of the answer have arrived: 0 for none, None for all.

    >>> from httpure import testing
    >>> with testing.world() as world:
    ...     world.serve("http://api.test").answer(testing.reset(after=100))
    ...     httpure.get("http://api.test/")
    Traceback (most recent call last):
    ...
    httpure.ReadError: ...
    """
    return Fault("reset", after)


def close(after: int | None = 0) -> Fault:
    """The server sends nothing more, in an orderly way, after so many bytes of the answer; it still reads.

    So an answer that has a length is cut short, and one that lasts until the end of the connection is not.
    """
    return Fault("close", after)


def stall(after: int | None = 0, seconds: float | None = None) -> Fault:
    """Nothing more comes after so many bytes of the answer: not for so many seconds, or never.

    >>> from httpure import testing
    >>> with testing.world() as world:
    ...     world.serve("http://api.test").answer(200, text="slow", fault=testing.stall(after=10, seconds=3.0))
    ...     httpure.get("http://api.test/").text, world.now
    ('slow', 3.0)
    """
    return Fault("stall", after, seconds=seconds)


def drip(size: int = 1, every: float = 1.0) -> Fault:
    """The answer comes by a few bytes at a time, with some seconds between; in HTTP/2, its body in such frames.

    >>> from httpure import testing
    >>> with testing.world() as world:
    ...     world.serve("http://api.test").answer(200, text="drop by drop", fault=testing.drip(10, every=0.5))
    ...     httpure.get("http://api.test/").text, world.now > 2
    ('drop by drop', True)
    """
    if size < 1:
        raise ValueError(f"size is {size}: at least one byte has to come at a time.")
    return Fault("drip", seconds=every, size=size)


def goaway(code: int = 0) -> Fault:
    """HTTP/2: instead of an answer the server says that it goes, and has not looked at the request (RFC 9113, 6.8).

    What was asked before on the same connection is still answered; then the connection is closed.
    """
    return Fault("goaway", code=code)


def reset_stream(code: int = 2, after: int | None = 0) -> Fault:
    """HTTP/2: this request alone fails (RST_STREAM), after so many bytes of the answer's body.

    The code 7 is REFUSED_STREAM: the server has not looked at the request. 2, the default, is INTERNAL_ERROR.
    """
    return Fault("reset_stream", after, code=code)


class Answer:
    """One answer of a scripted server. `Server.answer` takes the same arguments.

    >>> from httpure import testing
    >>> def handler(request):
    ...     return testing.Answer(200, json={"path": request.url.path}, delay=2.0)
    >>> with testing.world() as world:
    ...     world.serve("http://api.test").otherwise(handler)
    ...     httpure.get("http://api.test/slow").json(), world.now
    ({'path': '/slow'}, 2.0)

    - `status`, `headers`, and one of `content`, `text`, `html` and `json`. `content` may be an iterable of
      pieces, each of which is a chunk (HTTP/1.1) or a frame (HTTP/2) of its own.
    - `chunked`: chunks instead of a length. `trailers`: fields behind the body, for which there must be chunks.
    - `informational`: what comes before, as status codes or (status code, fields): 103, or (103, {"Link": "</a>"}).
    - `delay`: seconds before the answer begins. `pause`: seconds between the pieces of `content`.
    - `split`: where the bytes on the wire are cut, so that they arrive in pieces: a size, a list of places, counted
      from the beginning of the answer, or "random", which is drawn from the seed.
    - `fault`: what goes wrong.
    - `early`: the answer begins when the head of the request is there, not when all of it is.
    - `close`: "Connection: close", and so it is. `hang_up`: seconds after which the server closes the idle connection
      without a word.
    """

    __slots__ = (
        *("chunked", "close", "delay", "early", "fault", "hang_up", "headers", "informational", "pause"),
        *("pieces", "raw", "split", "status", "trailers"),
    )

    def __init__(
        self,
        status: int = 200,
        *,
        headers: Fields | None = None,
        content: bytes | Iterable[bytes] | None = None,
        text: str | None = None,
        html: str | None = None,
        json: object = None,
        chunked: bool = False,
        trailers: Fields | None = None,
        informational: Sequence[int | tuple[int, Fields]] = (),
        delay: float = 0.0,
        pause: float = 0.0,
        split: Split | None = None,
        fault: Fault | None = None,
        early: bool = False,
        close: bool = False,
        hang_up: float | None = None,
    ) -> None:
        if not 200 <= status <= 599:
            raise ValueError(
                f"{status} is no final status code: give 200 to 599, and 1xx as informational=[...]."
            )
        in_pieces = content is not None and not isinstance(content, bytes)
        whole = content if isinstance(content, bytes) else None
        response = Response(status, headers=_pairs(headers), content=whole, text=text, html=html, json=json)
        self.status = status
        #: (name, value) pairs, without those that frame the body.
        self.headers = _unframed(response.headers)
        #: The body, in pieces.
        self.pieces: Iterable[bytes] = [_raw_body(response)]
        if in_pieces:
            assert content is not None and not isinstance(content, bytes)
            self.pieces = content
        self.trailers = _pairs(trailers)
        self.chunked = chunked or in_pieces or bool(self.trailers)
        self.informational = [
            (each, []) if isinstance(each, int) else (each[0], _pairs(each[1])) for each in informational
        ]
        self.delay, self.pause, self.split = delay, pause, split
        self.fault, self.early, self.close, self.hang_up = fault, early, close, hang_up
        #: Bytes to send as they are, whatever they mean.
        self.raw: bytes | None = None
        if split is not None and split != "random" and isinstance(split, str):
            raise ValueError(f'split is a size, a list of places or "random", not {split!r}.')

    @classmethod
    def of(cls, what: Response | Fault | bytes | Answer) -> Answer:
        """Return what a handler may return as an answer: a `Response`, a fault, or bytes that are sent as they are."""
        if isinstance(what, Answer):
            return what
        if isinstance(what, Fault):
            return cls(content=b"x" * ((what.after or 0) + _BODY), fault=what)
        if isinstance(what, bytes):
            answer = cls()
            answer.raw = what
            return answer
        if isinstance(what, Response):
            answer = cls(what.status_code)
            answer.headers = _unframed(what.headers)
            answer.pieces = [_raw_body(what)]
            answer.chunked = "chunked" in what.headers.get("transfer-encoding", "")
            answer.close = "close" in what.headers.get("connection", "")
            return answer
        raise TypeError(
            "A scripted server answers with a status code, a Response, an Answer, a fault, bytes, or a function "
            f"of the request that returns one of these, not with {type(what).__name__}."
        )

    def in_frames(self, size: int, every: float) -> Answer:
        """Return the same with its body in pieces of a size, and so many seconds between."""
        sliced = copy(self)
        body = b"".join(self.pieces)
        sliced.pieces = [body[at : at + size] for at in range(0, len(body), size)]
        sliced.pause, sliced.fault = every, None
        return sliced

    @property
    def length(self) -> int:
        """Bytes of the body, where it is not chunked."""
        return sum(map(len, self.pieces))


def _pairs(fields: Fields | None) -> list[tuple[str, str]]:
    return [] if fields is None else list(fields.items() if isinstance(fields, Mapping) else fields)


def _unframed(headers: Headers) -> list[tuple[str, str]]:
    framing = ("content-length", "transfer-encoding", "connection")
    return [pair for pair in headers.multi_items() if pair[0].lower() not in framing]


def _raw_body(response: Response) -> bytes:
    """Return the body as it was given, with its content coding."""
    stream: Any = response.stream
    return b"".join(stream)
