"""Bugs, planted on purpose: do the checks of the worlds catch them?

    python -m tests.simulation.planted                   all of them: after how many seeds, and by what
    python -m tests.simulation.planted "a reset"         those whose names hold that

Each one is a plausible slip in pool, HTTP/1.1, HTTP/2, retries or redirects, put in the place of the right code for as
long as it takes to be caught.
"""

from __future__ import annotations

import argparse
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from httpure.simulated.link import Link
from httpure_core import pool as pools
from httpure_core import redirects, retries
from httpure_core.auth import proof
from httpure_core.http1.connection import CloseReason, Http1Connection
from httpure_core.http2 import connection as http2
from httpure_core.http2.responses import Responses
from httpure_core.http2.table import StreamTable, fail
from httpure_core.models.cookie_store import CookieStore
from httpure_core.operations import follow, resending, transmit
from httpure_core.operations.retrying import Retrying
from httpure_core.places import Places

from .world import Failure, World

__all__ = ["PLANTED", "caught", "planted"]

#: A seed that catches it is among so many.
MOST_SEEDS = 2000
#: Seconds for one world; without a bug, they take 0.03 s on average, and one at most.
LONGEST = 20.0

Put = Callable[[Any, str, Any], None]
PLANTED: dict[str, Callable[[Put], None]] = {}


def plant(name: str) -> Callable[[Callable[[Put], None]], Callable[[Put], None]]:
    def keep(function: Callable[[Put], None]) -> Callable[[Put], None]:
        PLANTED[name] = function
        return function

    return keep


@contextmanager
def planted(name: str) -> Iterator[None]:
    """Have the bug of this name for a while."""
    before: list[tuple[Any, str, Any]] = []

    def put(where: Any, attribute: str, what: Any) -> None:
        before.append((where, attribute, where.__dict__[attribute]))
        setattr(where, attribute, what)

    PLANTED[name](put)
    try:
        yield
    finally:
        for where, attribute, what in reversed(before):
            setattr(where, attribute, what)


class Endless(BaseException):
    """A world does not come to its next step."""


@contextmanager
def limited() -> Iterator[None]:
    """Raise Endless after some seconds, where the system can do that."""
    if not hasattr(signal, "setitimer"):
        yield
        return

    def end(number: int, frame: Any) -> None:
        raise Endless

    before = signal.signal(signal.SIGALRM, end)
    signal.setitimer(signal.ITIMER_REAL, LONGEST, LONGEST)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def caught(name: str, first: int = 1, count: int = MOST_SEEDS) -> tuple[int, str] | None:
    """Return how many seeds it takes until a bug is caught, and by what; None where it is not."""
    with planted(name):
        for seed in range(first, first + count):
            try:
                with limited():
                    World(seed).run()
            except Failure as failure:
                return seed - first + 1, str(failure).splitlines()[0].partition(": ")[2]
            except Endless:
                return seed - first + 1, f"a world has not ended in {LONGEST:g} s"
    return None


def nothing(*arguments: Any) -> None:
    pass


# The pool.


@plant("pool: who waits is not woken by what is given back")
def _(put: Put) -> None:
    right = pools.Pool._take_back

    def take_back(self: Any, what: Any, now: Any) -> None:
        self._serve = nothing
        try:
            right(self, what, now)
        finally:
            del self._serve

    put(pools.Pool, "_take_back", take_back)


@plant("pool: a connection is given back twice")
def _(put: Put) -> None:
    right = Places.give_back

    def give_back(self: Any, slot: Any, ticket: Any, now: float) -> None:
        right(self, slot, ticket, now)
        if slot.users:
            slot.users -= 1

    put(Places, "give_back", give_back)


@plant("pool: who was cancelled while it waited stays in line")
def _(put: Put) -> None:
    right = pools.Pool._take_back

    def take_back(self: Any, what: Any, now: Any) -> None:
        waits = now is not None and what.lane is not None and what in what.lane.waiting
        if not waits:
            right(self, what, now)

    put(pools.Pool, "_take_back", take_back)


@plant("pool: who was granted a connection and is cancelled at once keeps it")
def _(put: Put) -> None:
    right = pools.Pool._take_back

    def take_back(self: Any, what: Any, now: Any) -> None:
        unseen = now is not None and what.connection is not None and what.ready and what.wake is None
        if unseen and what.number != pools.NEWEST and not what.opened and what.slot.granted:
            what.connection = None
            return
        right(self, what, now)

    put(pools.Pool, "_take_back", take_back)


@plant("pool: a dial that failed keeps its place")
def _(put: Put) -> None:
    right = Places.cancel

    def cancel(self: Any, lane: Any) -> None:
        if lane.first is None or not lane.first.failed:
            right(self, lane)

    put(Places, "cancel", cancel)


@plant("pool: a dial that was cancelled keeps its place")
def _(put: Put) -> None:
    right = pools.Pool._take_back

    def take_back(self: Any, what: Any, now: Any) -> None:
        if now is not None and what.may_dial and not what.failed:
            what.may_dial = False
            return
        right(self, what, now)

    put(pools.Pool, "_take_back", take_back)


@plant("pool: a connection that has ended is given out")
def _(put: Put) -> None:
    put(Link, "is_stale", lambda self: False)
    put(Http1Connection, "_end_idly", nothing)


@plant("pool: what is evicted is not closed")
def _(put: Put) -> None:
    right = Places.drop

    def drop(self: Any, slot: Any) -> None:
        right(self, slot)
        self.doomed.pop()

    put(Places, "drop", drop)


@plant("pool: one connection more than the limit")
def _(put: Put) -> None:
    right = pools.Pool.__init__

    def init(self: Any, mutex: Any, max_connections: int | None = None, *rest: Any, **more: Any) -> None:
        right(self, mutex, None if max_connections is None else max_connections + 1, *rest, **more)

    put(pools.Pool, "__init__", init)


@plant("pool: who waits for another one's dial is not told that it failed")
def _(put: Put) -> None:
    put(pools.Pool, "_dial_is_over", nothing)


# HTTP/2.


@plant("http2: more streams are opened than the server allows")
def _(put: Put) -> None:
    put(StreamTable, "available", lambda self, allowed: 100)


@plant("http2: a stream that the server resets stays open")
def _(put: Put) -> None:
    def receive_reset(self: Any, frame: Any) -> None:
        self._h2.receive_data(frame.raw)
        stream = self._table.streams.get(frame.stream_id)
        if stream is not None:
            fail(stream, http2.reset_by_peer(stream, int.from_bytes(frame.payload)))

    put(http2.Http2Connection, "_receive_reset", receive_reset)
    put(http2, "_RECEIVERS", {**http2._RECEIVERS, http2.Kind.RST_STREAM: receive_reset})


@plant("http2: a stream above the last one of GOAWAY counts as processed")
def _(put: Put) -> None:
    right = http2.going_away

    def going_away(goodbye: str) -> Any:
        failure = right(goodbye)
        failure.unprocessed = False
        return failure

    put(http2, "going_away", going_away)


@plant("http2: streams below the last one of GOAWAY are sent again, too")
def _(put: Put) -> None:
    right = http2.Http2Connection._receive_goaway

    def receive_goaway(self: Any, frame: Any) -> None:
        right(self, frame._replace(payload=bytes(4) + frame.payload[4:]))

    put(http2, "_RECEIVERS", {**http2._RECEIVERS, http2.Kind.GOAWAY: receive_goaway})


@plant("http2: after GOAWAY, further streams are opened")
def _(put: Put) -> None:
    right = http2.Http2Connection._receive_goaway

    def receive_goaway(self: Any, frame: Any) -> None:
        before = self._close_reason
        right(self, frame)
        self._close_reason = before

    put(http2, "_RECEIVERS", {**http2._RECEIVERS, http2.Kind.GOAWAY: receive_goaway})


@plant("http2: REFUSED_STREAM counts as processed")
def _(put: Put) -> None:
    right = http2.reset_by_peer

    def reset_by_peer(stream: Any, code: int) -> Any:
        failure = right(stream, code)
        failure.unprocessed = False
        return failure

    put(http2, "reset_by_peer", reset_by_peer)


@plant("http2: a WINDOW_UPDATE is forgotten for what was read")
def _(put: Put) -> None:
    def give_credit(self: Any, stream: Any) -> None:
        stream.credited, stream.padding, stream.flush_due = stream.taken, 0, False

    put(StreamTable, "_give_credit", give_credit)


@plant("http2: a window that opens sends nothing")
def _(put: Put) -> None:
    put(StreamTable, "resume", nothing)


@plant("http2: DATA goes to another stream")
def _(put: Put) -> None:
    right = Responses.receive_body

    def receive_body(self: Any, frame: Any) -> None:
        others = [
            number
            for number, stream in self._table.streams.items()
            if number != frame.stream_id and stream.status and stream.length is None
        ]
        if others and not frame.flags and frame.payload:
            frame = frame._replace(stream_id=others[0])
        right(self, frame)

    put(Responses, "receive_body", receive_body)


@plant("http2: RST_STREAM is not sent for what was given up")
def _(put: Put) -> None:
    put(StreamTable, "reset", nothing)


@plant("http2: a lost connection ends the body of a response")
def _(put: Put) -> None:
    def end(self: Any, reason: Any, why: Any) -> None:
        self._close_reason = reason
        for stream in self._table.leave_all():
            if stream.status:
                stream.ended = True
                stream.signal.set()
            else:
                fail(stream, why(stream))
        self._tell()

    put(http2.Http2Connection, "_end", end)


# HTTP/1.1.


@plant("http1: a connection is used again though its body was not read")
def _(put: Put) -> None:
    def abandon(self: Any) -> None:
        self.stream = self.room = None
        self.reusable = self.close_reason is None

    put(Http1Connection, "abandon", abandon)


@plant("http1: bytes behind a response are kept for the next one")
def _(put: Put) -> None:
    kept: dict[int, bytes] = {}
    receive, finish, begin = (
        Http1Connection._receive_body,
        Http1Connection.finish,
        Http1Connection.open_stream,
    )

    def receive_body(self: Any, stream: Any, data: Any) -> None:
        if stream.length is not None:
            kept[id(self)] = bytes(data[stream.length - stream.received :])
        receive(self, stream, data)

    def finish_whole(self: Any, stream: Any, unsolicited: bool = False, why: Any = None) -> None:
        finish(self, stream, False, why)

    def open_stream(self: Any, *parts: Any) -> Any:
        stream = begin(self, *parts)
        if rest := kept.pop(id(self), b""):
            self.receive_data(rest)
        return stream

    put(Http1Connection, "_receive_body", receive_body)
    put(Http1Connection, "finish", finish_whole)
    put(Http1Connection, "open_stream", open_stream)


@plant("http1: a lost connection ends the body of a response")
def _(put: Put) -> None:
    right = Http1Connection.receive_eof

    def receive_eof(self: Any, error: Any = None) -> None:
        stream = self.stream
        if stream is None or not stream.status or stream.failure is not None:
            right(self, error)
            return
        self.finish(stream, False, CloseReason.PEER_CLOSED)
        stream.signal.set()

    put(Http1Connection, "receive_eof", receive_eof)


@plant("http1: a connection is used again in the middle of an upload")
def _(put: Put) -> None:
    right = Http1Connection.finish

    def finish(self: Any, *arguments: Any) -> None:
        self._upload = None
        right(self, *arguments)

    put(Http1Connection, "finish", finish)


@plant("http1: Connection: close is not heeded")
def _(put: Put) -> None:
    right = Http1Connection.finish

    def finish(self: Any, *arguments: Any) -> None:
        if self.close_reason is CloseReason.PEER_WILL_CLOSE:
            self.close_reason = None
        right(self, *arguments)

    put(Http1Connection, "finish", finish)


# Sending again.


@plant("retries: a POST that was sent is sent again")
def _(put: Put) -> None:
    put(retries.Retry, "repeats", lambda self, request: True)


@plant("retries: a POST is sent again after its connection was lost")
def _(put: Put) -> None:
    put(resending, "IDEMPOTENT", frozenset((*resending.IDEMPOTENT, "POST")))


@plant("retries: what was lost on a new connection is sent again, unasked")
def _(put: Put) -> None:
    right = resending.Resending._may

    def may(self: Any, exc: Any, ticket: Any) -> bool:
        ticket.reused = True
        return right(self, exc, ticket)

    put(resending.Resending, "_may", may)


@plant("retries: request_sent is False though it was sent")
def _(put: Put) -> None:
    put(transmit, "_may_have_been_seen", lambda exc, ticket, budget, resending: not ticket.reused)


@plant("retries: request_sent forgets the goes before")
def _(put: Put) -> None:
    right = Retrying.pause_after

    def pause_after(self: Any, *arguments: Any, **more: Any) -> Any:
        pause = right(self, *arguments, **more)
        self._seen = None
        return pause

    put(Retrying, "pause_after", pause_after)


@plant("retries: Retry-After is not heeded")
def _(put: Put) -> None:
    put(retries, "wait_asked_for", nothing)


@plant("retries: the budget is never used up")
def _(put: Put) -> None:
    put(retries.RetryBudget, "take", lambda self: True)


@plant("retries: a pause is longer than the total timeout")
def _(put: Put) -> None:
    put(Retrying, "_hindrance", lambda self, request, pause: "")


@plant("retries: the total timeout begins anew with each exchange")
def _(put: Put) -> None:
    put(follow, "_end_of_all", nothing)


@plant("retries: one go too many")
def _(put: Put) -> None:
    right = retries.Retry.decide

    def decide(self: Any, outcome: Any) -> Any:
        outcome.number -= 1
        return right(self, outcome)

    put(retries.Retry, "decide", decide)
    put(Retrying, "pause_after", _one_more(Retrying.pause_after))


def _one_more(right: Any) -> Any:
    def pause_after(self: Any, *arguments: Any, **more: Any) -> Any:
        self._policy.total += 1
        try:
            return right(self, *arguments, **more)
        finally:
            self._policy.total -= 1

    return pause_after


# Credentials.


@plant("redirects: another origin is told Authorization")
def _(put: Put) -> None:
    put(redirects, "_is_trusted", lambda here, there: True)


@plant("redirects: another port of the same host is trusted")
def _(put: Put) -> None:
    put(redirects, "_is_trusted", lambda here, there: here.host == there.host)


@plant("redirects: another origin is told what the user calls sensitive")
def _(put: Put) -> None:
    right = redirects._headers
    put(redirects, "_headers", lambda request, url, drops, sensitive: right(request, url, drops, ()))
    put(redirects, "is_sensitive", lambda lower: lower in redirects.SENSITIVE_FIELDS)


@plant("redirects: from https to http")
def _(put: Put) -> None:
    right = redirects.redirect

    def redirect(request: Any, response: Any, *, sensitive: Any = (), allow_downgrade: bool = False) -> Any:
        return right(request, response, sensitive=sensitive, allow_downgrade=True)

    put(follow, "redirect", redirect)


@plant("cookies: another host is told them")
def _(put: Put) -> None:
    right = CookieStore.header_for

    def header_for(self: Any, scheme: str, host: str, *rest: Any, **more: Any) -> Any:
        return right(self, scheme, "s1.test", *rest, **more)

    put(CookieStore, "header_for", header_for)


@plant("auth: a count of Digest is used twice")
def _(put: Put) -> None:
    right = proof.Session.answer
    calls = [0]

    def answer(self: Any, *arguments: Any) -> Any:
        calls[0] += 1
        if calls[0] % 2:
            self.counter = proof.count(1)
        return right(self, *arguments)

    put(proof.Session, "answer", answer)


def main() -> int:
    parser = argparse.ArgumentParser(prog="tests.simulation.planted")
    parser.add_argument("part", nargs="?", default="", help="only those whose names hold this")
    parser.add_argument("--seeds", type=int, default=MOST_SEEDS)
    arguments = parser.parse_args()
    missed = 0
    for name in PLANTED:
        if arguments.part not in name:
            continue
        began = time.perf_counter()
        found = caught(name, count=arguments.seeds)
        seconds = time.perf_counter() - began
        if found is None:
            missed += 1
            print(f"{name}: NOT CAUGHT in {arguments.seeds} seeds, {seconds:.1f} s", flush=True)
        else:
            print(f"{name}: after {found[0]} seeds, {seconds:.1f} s: {found[1][:150]}", flush=True)
    return 1 if missed else 0


if __name__ == "__main__":
    raise SystemExit(main())
