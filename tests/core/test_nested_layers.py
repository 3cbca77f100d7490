"""`layers.py`: what comes too early for a machine waits for it, however it is cut."""

from __future__ import annotations

import pytest

from httpure_core.contracts import READ_AHEAD, innermost
from httpure_core.layers import Early, Layer, Passage, UnannouncedEnd, in_words


class Inside:
    """A machine that notes what it gets."""

    def __init__(self) -> None:
        self.got = b""
        self.ends: list[OSError | None] = []
        self.says = b""
        self.wants_data = True

    def receive_data(self, data: bytes) -> None:
        assert data
        self.got += data

    def receive_eof(self, error: OSError | None = None) -> None:
        self.ends.append(error)

    def data_to_send(self) -> bytes:
        says, self.says = self.says, b""
        return says


class Knock(Passage):
    """Says "knock", and wants to hear one byte: "!" for welcome."""

    def __init__(self) -> None:
        super().__init__()
        self.outgoing = b"knock"

    def hear(self, data: bytes) -> None:
        if data[:1] != b"!":
            self.fail("it did not open")
            return
        self.succeed()
        if data[1:]:
            self.inner.receive_data(data[1:])


def test_the_handshake_comes_first() -> None:
    layer = Knock()
    assert layer.data_to_send() == b"knock"
    assert layer.data_to_send() == b""
    assert not layer.established
    layer.receive_data(b"!")
    assert layer.established
    assert layer.signal.ready
    assert layer.failure is None


def test_what_comes_early_waits() -> None:
    layer = Knock()
    layer.receive_data(b"!early")
    layer.receive_data(b" birds")
    assert layer.data_to_send() == b"knock"
    layer.attach(inside := Inside())
    assert inside.got == b"early birds"
    assert inside.ends == []
    layer.receive_data(b" sing")
    assert inside.got == b"early birds sing"


@pytest.mark.parametrize("error", [None, ConnectionResetError()])
def test_an_end_waits_too(error: OSError | None) -> None:
    layer = Knock()
    layer.receive_data(b"!bye")
    layer.receive_eof(error)
    layer.receive_eof(None)  # the first one tells
    layer.attach(inside := Inside())
    assert (inside.got, inside.ends) == (b"bye", [error])


def test_afterwards_everything_passes() -> None:
    layer = Knock()
    layer.receive_data(b"!")
    layer.attach(inside := Inside())
    assert (inside.got, inside.ends) == (b"", [])
    inside.says = b"hello"
    assert layer.data_to_send() == b"knockhello"
    layer.receive_eof()
    assert inside.ends == [None]
    inside.wants_data = False
    assert not layer.wants_data


def test_layers_nest() -> None:
    outer, inner = Knock(), Knock()
    outer.receive_data(b"!!hello")
    outer.attach(inner)
    assert inner.established
    inner.attach(inside := Inside())
    assert inside.got == b"hello"
    inside.says = b"hi"
    assert outer.data_to_send() == b"knockknockhi"


def test_too_much_too_early_stops_the_link() -> None:
    layer = Knock()
    layer.receive_data(b"!" + b"x" * (READ_AHEAD - 1))
    assert layer.wants_data
    layer.receive_data(b"x")
    assert not layer.wants_data
    layer.attach(Inside())
    assert layer.wants_data


def test_a_failure_is_final() -> None:
    layer = Knock()
    layer.receive_data(b"?")
    assert (layer.failure, layer.established, layer.signal.ready) == ("it did not open", False, True)
    layer.receive_data(b"!")
    layer.receive_eof()
    layer.fail("something else", ValueError())
    assert (layer.failure, layer.cause, layer.established) == ("it did not open", None, False)


def test_a_cause_is_kept_without_the_way_that_it_came() -> None:
    layer = Knock()
    try:
        raise ValueError
    except ValueError as exc:
        cause = exc
        layer.fail("it did not open", exc)
    assert layer.cause is cause and cause.__traceback__ is None


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (None, "it closed the connection without an answer"),
        (
            ConnectionResetError(104, "Connection reset by peer"),
            "the connection was lost: Connection reset by peer",
        ),
        (UnannouncedEnd(), "it closed the connection without an answer"),
    ],
)
def test_an_end_during_the_handshake(error: OSError | None, words: str) -> None:
    layer = Knock()
    layer.receive_eof(error)
    assert (layer.failure, layer.signal.ready) == (words, True)


def test_who_does_not_listen_says_so() -> None:
    with pytest.raises(NotImplementedError, match=r"Passage must implement hear\(\)"):
        Passage().receive_data(b"?")


def test_nobody_is_inside_at_first() -> None:
    layer = Layer()
    assert isinstance(layer.inner, Early)
    assert layer.inner.data_to_send() == b""


@pytest.mark.parametrize(
    ("error", "words"),
    [(OSError(5, "broke"), "broke"), (OSError("words"), "words"), (ConnectionError(), "ConnectionError")],
)
def test_errors_have_words(error: OSError, words: str) -> None:
    assert in_words(error) == words


def test_the_innermost_machine_is_found_through_all_layers() -> None:
    inside = Inside()
    assert innermost(inside) is inside
    outer, inner = Knock(), Knock()
    for layer, machine in (outer, inner), (inner, inside):
        layer.receive_data(b"!")
        layer.attach(machine)
    assert innermost(outer) is inside
