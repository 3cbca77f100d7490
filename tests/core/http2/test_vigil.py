"""A peer that says nothing while requests wait for it is asked, and given up (RFC 9113 section 6.7)."""

from __future__ import annotations

import pytest

from httpure_core.contracts import Vigil
from httpure_core.errors import ReadError
from httpure_core.http2.connection import CloseReason, Http2Connection

from .pair import HOST, Evil, Pair, sent_frames

PING = 6


@pytest.fixture
def pair() -> Pair:
    return Pair(client=Http2Connection(ping_interval=10))


def vigil_of(pair: Pair) -> Vigil:
    stream = pair.client.open_stream(b"GET", b"/", HOST, b"")
    assert stream.vigil is not None
    pair.client.data_to_send()
    return stream.vigil


def kinds(pair: Pair) -> list[int | None]:
    return [frame.type for frame in sent_frames(pair.client)]


def test_by_default_nobody_looks() -> None:
    assert Pair().get().vigil is None


def test_a_silent_peer_is_asked_and_then_given_up(pair: Pair) -> None:
    stream, other = pair.get(), pair.get()
    vigil = stream.vigil
    assert vigil is not None and other.vigil is vigil
    noted: list[bool] = []
    pair.client.changed = lambda: noted.append(pair.client.reusable)
    assert vigil.look(100.0) == (10, False)
    assert vigil.look(104.0) == (6, False) and kinds(pair) == []
    assert vigil.look(110.0) == (10, True) and kinds(pair) == [PING]
    assert vigil.look(119.0) == (1, False) and kinds(pair) == []
    assert stream.failure is None and not stream.signal.ready
    vigil.look(120.0)
    for each in (stream, other):
        assert type(each.failure) is ReadError and each.signal.ready and each.unanswered
        assert str(each.failure) == "The connection was lost: the peer did not answer a PING within 10 s"
    assert pair.client.close_reason is CloseReason.FAILED and noted == [False]
    vigil.look(140.0)
    assert noted == [False] and kinds(pair) == []


def test_an_answer_begins_it_anew(pair: Pair) -> None:
    stream = pair.get()
    vigil = vigil_of(pair)
    vigil.look(0.0)
    assert vigil.look(10.0) == (10, True)
    pair.pump()
    assert vigil.look(19.0) == (10, False)
    assert vigil.look(29.0) == (10, True)
    pair.tell(Evil.ping())
    assert vigil.look(39.0) == (10, False)
    assert stream.failure is None


def test_whatever_comes_is_a_sign_of_life(pair: Pair) -> None:
    stream = pair.get()
    vigil = vigil_of(pair)
    vigil.look(0.0)
    pair.head(stream)
    assert vigil.look(9.0) == (10, False)


def test_a_time_when_nobody_waited_is_no_silence(pair: Pair) -> None:
    first = pair.get()
    vigil = first.vigil
    assert vigil is not None
    vigil.look(0.0)
    pair.answer(first)
    vigil.look(1.0)
    pair.get()
    assert vigil.look(1000.0) == (10, False)
    pair.get()
    assert vigil.look(1009.0) == (1, False), "a second request does not begin it anew"


def test_a_ping_of_ours_is_under_way_already(pair: Pair) -> None:
    """Another request was given up, so the peer was asked."""
    vigil = vigil_of(pair)
    pair.client.open_stream(b"GET", b"/", HOST, b"").discard()
    vigil.look(0.0)
    assert kinds(pair) == [1, 3, PING]
    assert vigil.look(10.0) == (10, True) and kinds(pair) == []
    vigil.look(20.0)
    assert pair.client.close_reason is CloseReason.FAILED
