"""A peer that asks, and does not listen."""

from __future__ import annotations

import pytest
from hyperframe.frame import DataFrame, PingFrame

from httpure_core.http2.hearing import ASKED_AFTER, MOST_UNHEARD

from .pair import HOST, Evil, Pair, greeted, sent_frames

PATIENCE = 500  # frames between two steps of a stream, so that it is no flood


def test_it_has_to_show_that_it_listens() -> None:
    """A body goes on all the time, so that no other rule is broken."""
    client, tell = greeted()
    stream = client.open_stream(b"GET", b"/", HOST, b"")
    tell(Evil().headers(1))
    asked = 1  # its settings
    while stream.failure is None:
        tell(*[Evil.ping()] * PATIENCE, Evil.data(1, b"x"))
        asked += PATIENCE
        assert asked < MOST_UNHEARD + 2 * PATIENCE
    assert asked > MOST_UNHEARD
    assert f"asked {MOST_UNHEARD} times (PING, SETTINGS) without reading an answer" in str(stream.failure)
    ours = [
        frame for frame in sent_frames(client) if isinstance(frame, PingFrame) and "ACK" not in frame.flags
    ]
    assert len(ours) == 1


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["settings", "a body", "a head"])
def test_settings_and_what_comes_for_nobody_count(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of streams that were given up, each frame draws a RST_STREAM, when we do not know them any more."""
    monkeypatch.setattr("httpure_core.http2.table._MOST_FORSAKEN", 0)
    evil = Evil()
    client, tell = greeted()
    given_up = client.open_stream(b"GET", b"/", HOST, b"")
    stream = client.open_stream(b"GET", b"/", HOST, b"")
    tell(evil.headers(3))
    given_up.discard()
    frame = {"settings": Evil.settings(), "a body": Evil.data(1), "a head": evil.headers(1)}[kind]
    for _ in range(MOST_UNHEARD // PATIENCE + 1):
        tell(*[frame] * PATIENCE, Evil.data(3, b"x"))
    assert "without reading an answer" in str(stream.failure)


@pytest.mark.slow
def test_who_listens_may_ask_for_ever() -> None:
    pair = Pair()
    stream = pair.get()
    pair.head(stream)
    for _ in range(2 * MOST_UNHEARD // PATIENCE):
        for _ in range(PATIENCE):
            pair.server.ping(b"whoisit?")
        pair.body(stream, b"x", ended=False)
    assert stream.failure is None


def test_it_cannot_be_pretended() -> None:
    client, tell = greeted()
    stream = client.open_stream(b"GET", b"/", HOST, b"")
    tell(Evil().headers(1))
    guess = PingFrame(0, opaque_data=b"there?..", flags=["ACK"])
    for _ in range(MOST_UNHEARD // PATIENCE + 1):
        tell(*[Evil.ping()] * PATIENCE, guess, DataFrame(1, b"x"))
    assert stream.failure is not None


def test_the_answer_to_another_ping_is_none() -> None:
    client, tell = greeted(*[Evil.ping()] * (ASKED_AFTER - 10))
    stream = client.open_stream(b"GET", b"/", HOST, b"")
    client.ping()
    tell(PingFrame(0, opaque_data=b"there?..", flags=["ACK"]))
    assert stream.failure is None and client.reusable
