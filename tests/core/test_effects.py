"""The vocabulary between core and driver: what each effect holds, and how little."""

from __future__ import annotations

import ast
import inspect
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import pytest

from httpure_core import effects
from httpure_core.effects import (
    Address,
    Advance,
    Begin,
    Call,
    Close,
    Consult,
    Dial,
    Effect,
    Flush,
    Lend,
    Offload,
    Park,
    Pull,
    Race,
    Read,
    Receive,
    Resolve,
    Sleep,
    Transmit,
)
from httpure_core.signals import Signal

LINK: Any = object()
MACHINE: Any = object()
SIGNAL = Signal()
ADDRESS = Address("192.0.2.1", 80)

EFFECTS: list[tuple[Effect, dict[str, object]]] = [
    (Resolve("example.org", 80, 2.5), {"host": "example.org", "port": 80, "timeout": 2.5, "addresses": []}),
    (
        Dial(ADDRESS, MACHINE, None),
        {
            "address": ADDRESS,
            "machine": MACHINE,
            "timeout": None,
            "local_address": None,
            "socket_options": (),
            "attempt": None,
            "link": None,
        },
    ),
    (
        Dial(ADDRESS, MACHINE, 1.0, "192.0.2.9", ((1, 2, 3),)),
        {
            "address": ADDRESS,
            "machine": MACHINE,
            "timeout": 1.0,
            "local_address": "192.0.2.9",
            "socket_options": ((1, 2, 3),),
            "attempt": None,
            "link": None,
        },
    ),
    (
        Consult(print, "example.org", 80, 2.5),
        {"resolver": print, "host": "example.org", "port": 80, "timeout": 2.5, "answer": None},
    ),
    (
        Begin(ADDRESS, "192.0.2.9", ((1, 2, 3),)),
        {"address": ADDRESS, "local_address": "192.0.2.9", "socket_options": ((1, 2, 3),), "attempt": None},
    ),
    (Race([], 0.25), {"attempts": [], "timeout": 0.25}),
    (Flush(LINK, SIGNAL, 1.0), {"link": LINK, "signal": SIGNAL, "timeout": 1.0, "flushed": True}),
    (Receive(LINK, SIGNAL, 1.0), {"link": LINK, "signal": SIGNAL, "timeout": 1.0}),
    (Park(SIGNAL, None), {"signal": SIGNAL, "timeout": None}),
    (Sleep(0.5), {"seconds": 0.5}),
    (Offload(print), {"function": print, "abandon": False}),
    (Offload(print, abandon=True), {"function": print, "abandon": True}),
    (
        Pull([b"x"]),
        {"source": [b"x"], "finished": False, "timeout": None, "iterator": None, "piece": None},
    ),
    (Transmit("transport", "request"), {"transport": "transport", "request": "request", "response": None}),
    (Read("message"), {"message": "message", "most": None}),
    (Read("message", 9), {"message": "message", "most": 9}),
    (Close("message"), {"message": "message"}),
    (Call(print, "one", "two"), {"hook": print, "arguments": ("one", "two")}),
    (Lend(), {"driver": None}),
    (
        Advance("auth", "request"),
        {"auth": "auth", "request": "request", "response": None, "finished": False, "flow": None},
    ),
]


@pytest.mark.parametrize(("effect", "fields"), EFFECTS, ids=lambda value: type(value).__name__)
def test_an_effect_holds_what_a_driver_needs_and_no_more(effect: Effect, fields: dict[str, object]) -> None:
    assert set(type(effect).__slots__) == set(fields)
    assert {name: getattr(effect, name) for name in fields} == fields
    assert not hasattr(effect, "__dict__")


def test_all_effects_are_listed_above() -> None:
    kinds = {
        value for value in vars(effects).values() if inspect.isclass(value) and issubclass(value, Effect)
    }
    assert {type(effect) for effect, _ in EFFECTS} == kinds - {Effect}
    assert {kind.__name__ for kind in kinds} < set(effects.__all__)


def test_flush_carries_no_bytes() -> None:
    """Unsent bytes live in the link (rule 4): whoever drops a flush drops no byte."""
    assert set(Flush.__slots__) == {"flushed", "link", "signal", "timeout"}


def test_every_limit_of_time_is_a_number_or_none() -> None:
    """Rule 2: no clock, no deadline object, nothing that depends on when the effect was made."""
    annotated = 0
    for node in ast.walk(ast.parse(Path(inspect.getsourcefile(effects) or "").read_text())):
        if isinstance(node, ast.arg) and node.arg in ("timeout", "seconds"):
            assert ast.unparse(node.annotation or node) in ("float", "float | None")
            annotated += 1
    assert annotated == 8


@pytest.mark.parametrize(
    ("address", "text"),
    [
        (Address("192.0.2.1", 80), "192.0.2.1:80"),
        (Address("2001:db8::1", 443, family="ipv6"), "[2001:db8::1]:443"),
        (Address("fe80::1", 443, family="ipv6", scope=2), "[fe80::1]:443"),
        (Address(family="unix", path="/run/server"), "/run/server"),
    ],
)
def test_an_address_reads_as_people_write_it(address: Address, text: str) -> None:
    assert str(address) == text
    assert repr(address) == f"<Address {text}>"
    assert (address.path is None) == (address.family != "unix")


def test_an_address_keeps_the_zone() -> None:
    assert (Address("fe80::1", 1, family="ipv6", scope=3).scope, ADDRESS.scope) == (3, 0)


def begun(generator: Any) -> Any:
    """An async generator that stands at its first `yield`."""
    with pytest.raises(StopIteration):
        anext(generator).send(None)
    return generator


class TestLettingGo:
    """`Pull.close` and `Advance.close` are plain calls, legal in every state, and close what needs no waiting for."""

    closed = 0

    def blocking(self) -> Iterator[Any]:
        try:
            yield b"piece"
        finally:
            self.closed += 1

    async def asynchronous(self) -> AsyncIterator[Any]:
        try:
            yield b"piece"
        finally:
            self.closed += 1

    def test_of_what_was_not_begun(self) -> None:
        Pull([b"piece"]).close()
        Advance("auth", "request").close()

    def test_of_generators(self) -> None:
        pull, advance = Pull([]), Advance("auth", "request")
        pull.iterator, advance.flow = self.blocking(), self.blocking()
        for generator in (pull.iterator, advance.flow):
            next(generator)
        for _ in range(2):
            pull.close()
            advance.close()
            assert self.closed == 2

    def test_of_iterators_that_cannot_be_closed(self) -> None:
        pull = Pull([b"piece"])
        pull.iterator = iter([b"piece"])
        pull.close()
        assert next(pull.iterator) == b"piece"

    def test_of_asynchronous_generators_is_not_tried(self) -> None:
        """They are never stepped by hand: whatever they wait for would not know who waits."""
        pull, advance = Pull([]), Advance("auth", "request")
        for effect, name in ((pull, "iterator"), (advance, "flow")):
            generator = begun(self.asynchronous())
            setattr(effect, name, generator)
            effect.close()
            assert self.closed == 0, "its driver does that, or its event loop"
            with pytest.raises(StopIteration):
                generator.aclose().send(None)
            assert self.closed == 1
            self.closed = 0

    def test_of_a_source_that_a_worker_thread_still_runs(self) -> None:
        """A cancelled task does not wait for the thread that reads a file for it; the cancellation must come out."""
        pull = Pull([])

        def source() -> Iterator[bytes]:
            pull.close()
            yield b"piece"

        pull.iterator = source()
        assert next(pull.iterator) == b"piece"

    def test_as_an_effect_is_the_same_effect_once_more(self) -> None:
        for effect in (Pull([]), Advance("auth", "request")):
            assert not effect.finished
            assert effect.ending() is effect
            assert effect.finished
