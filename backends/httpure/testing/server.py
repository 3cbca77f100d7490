"""A scripted server, as a test sees it: what it is to answer, and what it was asked."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Sequence
from random import Random
from typing import TYPE_CHECKING, Protocol, TypeAlias

from httpure_core.models.response import Response
from httpure_core.models.url import URL

from .answers import Answer, Fault, Fields, Split
from .http1 import Http1Peer
from .http2 import Http2Peer
from .received import Received
from .site import SitePeer

if TYPE_CHECKING:
    from ..simulated.channel import Peer

__all__ = ["Answers", "Handler", "Server", "Stage"]

#: What answers: a final `Answer`, a `Response`, a fault, or bytes to send as they are.
Answers: TypeAlias = Response | Answer | Fault | bytes
#: A function that answers a request.
Handler: TypeAlias = Callable[[Received], Answers]


class Stage(Protocol):
    """The world, as its servers see it."""

    @property
    def random(self) -> Random:
        """The source of all chance."""
        ...

    @property
    def now(self) -> float:
        """Seconds since the world began."""
        ...

    def tell(self, text: str, /) -> None:
        """Write a line into the log."""
        ...

    def problem(self, text: str, /) -> AssertionError:
        """Return the error that ends the test, and remember it."""
        ...


class Server:
    """A scripted server. Made by `World.serve`.

    >>> from httpure import testing
    >>> with testing.world() as world:
    ...     server = world.serve("https://api.test")
    ...     server.answer(503, headers={"Retry-After": "1"})
    ...     server.answer(200, json={"ok": True})
    ...     [httpure.get("https://api.test/").status_code for _ in range(2)]
    [503, 200]

    What `answer` was told comes in that order, each once; after that, what `otherwise` was told comes for all
    others. A request without an answer ends the test with an AssertionError.
    """

    def __init__(self, stage: Stage, url: str, http2: bool, max_streams: int | None) -> None:
        self._stage = stage
        self.url = URL(url)
        #: What it speaks, the best first. Without TLS, the client decides, if HTTP/2 is there.
        self.protocols = ["h2", "http/1.1"] if http2 else ["http/1.1"]
        self.max_streams = max_streams
        #: What it was asked, in order.
        self.requests: list[Received] = []
        #: Its connections, in order, also those that are closed.
        self.peers: list[SitePeer] = []
        self._script: deque[Answer | Handler] = deque()
        self._otherwise: Answer | Handler | None = None
        #: What is to happen to the next connections, in order.
        self._gates: deque[tuple[str, float]] = deque()
        self._tls_refusals: deque[str] = deque()

    def __repr__(self) -> str:
        return f"<Server {self.url}>"

    @property
    def scheme(self) -> str:
        """ "http" or "https"."""
        return self.url.scheme

    @property
    def random(self) -> Random:
        """The world's source of chance."""
        return self._stage.random

    @property
    def connections(self) -> int:
        """How many connections were made to it so far, handshake included."""
        return len(self.peers)

    # What to answer.

    def answer(
        self,
        what: int | Answers | Handler = 200,
        *,
        times: int = 1,
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
        """Answer the next request that has no answer yet; with `times`, so many of them.

        `what` is a status code, a `Response`, a fault such as `testing.reset()`, bytes that are sent as they are
        (HTTP/1.1 only), or a function of the request that returns one of these or an `Answer`. The others are those
        of `Answer`, and go with a status code. Raises ValueError and TypeError for what is no answer.
        """
        if not isinstance(what, int):
            self._script.extend([_checked(what)] * times)
            return
        answer = Answer(
            what,
            headers=headers,
            content=content,
            text=text,
            html=html,
            json=json,
            chunked=chunked,
            trailers=trailers,
            informational=informational,
            delay=delay,
            pause=pause,
            split=split,
            fault=fault,
            early=early,
            close=close,
            hang_up=hang_up,
        )
        self._script.extend([answer] * times)

    def otherwise(self, what: int | Answers | Handler) -> None:
        """Answer so whenever the script is over; a status code, or as for `answer`."""
        self._otherwise = Answer(what) if isinstance(what, int) else _checked(what)

    # What to do with connections.

    def refuse(self, times: int = 1) -> None:
        """Refuse the next connections."""
        self._gates.extend([("refuse", 0.0)] * times)

    def ignore(self, times: int = 1) -> None:
        """Let who connects next wait for ever."""
        self._gates.extend([("ignore", 0.0)] * times)

    def slow_connect(self, seconds: float, times: int = 1) -> None:
        """Let the next connections take so long."""
        self._gates.extend([("slow", seconds)] * times)

    def refuse_tls(
        self, why: str = "handshake failure", *, certificate: bool = False, times: int = 1
    ) -> None:
        """Let the next handshakes of TLS fail: by an alert, or, with `certificate`, as nobody trusts the server's."""
        if self.scheme != "https":
            raise ValueError(f"{self.url} has no TLS that could fail: serve an https URL.")
        self._tls_refusals.extend([f"{'untrusted' if certificate else 'alert'} {why}"] * times)

    def drop_idle(self, how: str = "close") -> int:
        """Close all idle connections now, without a word, or "reset" them. Returns how many there were."""
        if how not in ("close", "reset"):
            raise ValueError(f'Idle connections are dropped by "close" or "reset", not by {how!r}.')
        return sum([peer.drop(how) for peer in self.peers])

    # What is left.

    @property
    def unread(self) -> int:
        """How many answers, and words on connections, nobody has come for."""
        return len(self._script) + len(self._gates) + len(self._tls_refusals)

    def left_over(self) -> str | None:
        """Tell what nobody has come for; None if there is nothing."""
        parts = []
        if self._script:
            parts.append(
                f"{_count(len(self._script), 'answer')} after {_count(len(self.requests), 'request')}"
            )
        if self._gates:
            parts.append(f"{_count(len(self._gates), 'word')} on the next connections")
        if self._tls_refusals:
            parts.append(f"{_count(len(self._tls_refusals), 'failed handshake')}")
        return f"{self.url} has left: {', '.join(parts)}." if parts else None

    # What its connections and the network ask. See `site.Site`.

    def received(
        self, method: str, url: str, fields: list[tuple[str, str]], /, *, connection: int, http_version: str
    ) -> Received:
        """Remember a request."""
        request = Received(
            method, url, fields, connection=connection, http_version=http_version, at=self._stage.now
        )
        self.requests.append(request)
        self._stage.tell(f"{self.url} is asked: {method} {url}, connection {connection}, {http_version}")
        return request

    def answers_early(self) -> bool:
        """Whether the next answer does not wait for the end of its request."""
        upcoming = self._script[0] if self._script else self._otherwise
        return isinstance(upcoming, Answer) and upcoming.early

    def answer_for(self, request: Received, /) -> Answer:
        """Return what to answer."""
        upcoming = self._script.popleft() if self._script else self._otherwise
        if upcoming is None:
            raise self.problem(
                f"it has no answer for {request.method} {request.url}, its request number {len(self.requests)}: "
                "say more by answer(), or by otherwise()"
            )
        answer = upcoming if isinstance(upcoming, Answer) else Answer.of(upcoming(request))
        fault = "" if answer.fault is None else f", with {answer.fault!r}"
        self._stage.tell(f"{self.url} answers {'bytes' if answer.raw is not None else answer.status}{fault}")
        return answer

    def problem(self, text: str, /) -> AssertionError:
        """Return the error that ends the test."""
        return self._stage.problem(f"The server {self.url}: {text}.")

    def peer(self, protocol: str) -> Peer:
        """Return what speaks a protocol on a new connection."""
        number = len(self.peers) + 1
        return Http2Peer(self, number) if protocol == "h2" else Http1Peer(self, number)

    def tls_refusal(self) -> str | None:
        """Return how the next handshake fails; None if it does not."""
        return self._tls_refusals.popleft() if self._tls_refusals else None

    def gate(self, kind: str) -> float | None:
        """If the next connection is to meet this, return its seconds, once."""
        if self._gates and self._gates[0][0] == kind:
            return self._gates.popleft()[1]
        return None


def _checked(what: Answers | Handler) -> Answer | Handler:
    if isinstance(what, Response | Answer | Fault | bytes) or not callable(what):
        return Answer.of(what)
    return what


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"
