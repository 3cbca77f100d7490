"""Somebody reads a body, and somebody else closes it: at each moment, the reader is told and the pool is whole."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpure_core.errors import ReadError, StreamClosed
from httpure_core.operations.body import IncomingBody

from .test_body import HEAD, incoming

each_way = pytest.mark.parametrize("read", [IncomingBody.next_piece, IncomingBody.read_all])
WORDS = "The response was closed while its body was being read, GET http://example.org/"


@each_way
def test_who_waits_is_woken(read: Callable[[IncomingBody], Any]) -> None:
    world, body = incoming(HEAD)
    reading = read(body)
    receive = next(reading)
    assert not receive.signal.ready
    body.close()
    assert receive.signal.ready
    with pytest.raises(ReadError, match=WORDS) as caught:
        next(reading)
    assert caught.value.reason == "closed"
    assert world.pool.statistics == (0, 0, 0)


@each_way
def test_who_is_just_about_to_wait_sees_it(read: Callable[[IncomingBody], Any]) -> None:
    _, body = incoming(HEAD)
    reading = read(body)
    next(reading)
    body._waits = False  # as seen by who closes it, a moment before
    body.close()
    with pytest.raises(ReadError, match=WORDS):
        next(reading)


@each_way
def test_what_it_failed_of_before_stays(read: Callable[[IncomingBody], Any]) -> None:
    world, body = incoming(HEAD)
    reading = read(body)
    next(reading)
    world.wire.machine.receive_eof()
    with pytest.raises(Exception, match="before the response's body was whole: 0 of 5 bytes"):
        next(reading)
    body.close()
    with pytest.raises(Exception, match="before the response's body was whole: 0 of 5 bytes"):
        next(body.next_piece())


def test_who_comes_later_is_told_as_before() -> None:
    _, body = incoming(HEAD)
    body.close()
    with pytest.raises(StreamClosed):
        next(body.next_piece())


def test_another_error_than_of_the_transport_is_not_renamed() -> None:
    _, body = incoming(HEAD)
    reading = body.next_piece()
    next(reading)
    body.close()
    with pytest.raises(KeyboardInterrupt):
        reading.throw(KeyboardInterrupt())
