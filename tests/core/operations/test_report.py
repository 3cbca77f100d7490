"""What happens to a request, told to a trace function and to logs; and nothing at all where nobody listens."""

from __future__ import annotations

import gc
import weakref
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from httpure_core.contracts import Log
from httpure_core.effects import Call, Effect, Operation, Sleep
from httpure_core.models.request import Request
from httpure_core.operations.report import DEBUG, INFO, Report, silent

from .stepping import Cancelled, ended, run

REQUEST = Request("GET", "http://user:pass@example.org/?token=t0p")


class Book:
    """Logs of all names, of which some are on."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.lines: list[str] = []

    def __call__(self, name: str) -> Log:
        return Page(self, name)


class Page:
    def __init__(self, book: Book, name: str) -> None:
        self.book, self.name = book, name
        self.enabled: Callable[[int], bool] = lambda level: level >= (DEBUG if name in book.names else INFO)

    def record(self, level: int, text: str, *arguments: object) -> None:
        assert level == DEBUG
        self.book.lines.append(f"{self.name}: {text % arguments}")


class Told:
    """A trace function that remembers, and raises where it is told to."""

    def __init__(self, raises: str = "") -> None:
        self.events: list[str] = []
        self.infos: list[dict[str, Any]] = []
        self.raises = raises

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        self.events.append(event)
        self.infos.append(info)
        if event == self.raises:
            raise KeyError("of the trace function")


def working(result: str = "done", error: BaseException | None = None) -> Operation[str]:
    yield Sleep(1.0)
    if error is not None:
        raise error
    return result


def perform(effect: Effect) -> None:
    if isinstance(effect, Call):
        effect.hook(*effect.arguments)


def test_a_silent_log_is_off() -> None:
    log = silent("anything")
    assert not log.enabled(50)
    log.record(50, "never %s", "read")


class TestEvents:
    def test_are_calls_by_the_driver(self) -> None:
        report = Report(print, silent)
        operation = report.tell("http11", "thing.started", {"a": 1})
        effect = next(operation)
        assert isinstance(effect, Call)
        assert (effect.hook, effect.arguments) == (print, ("http11.thing.started", {"a": 1}))
        assert ended(operation) is True

    def test_need_no_effect_where_only_logs_want_them(self) -> None:
        book = Book("http11")
        assert ended(Report(None, book).tell("http11", "thing.started", {"a": "b", "c": None})) is True
        assert book.lines == ["http11: thing.started a='b' c=None"]

    def test_go_to_the_log_of_their_name_if_it_is_on(self) -> None:
        book = Book("connection")
        report = Report(None, book)
        ended(report.tell("connection", "one", {}))
        ended(report.tell("http11", "two", {}))
        assert book.lines == ["connection: one"]

    def test_hold_no_secrets_in_logs_and_all_of_them_for_the_trace_function(self) -> None:
        book, told = Book("http11"), Told()
        run(Report(told, book).tell("http11", "thing.started", {"request": REQUEST}), perform)
        (line,) = book.lines
        assert (
            line
            == "http11: thing.started request=<Request('GET', 'http://user:[secure]@example.org/?token=[secure]')>"
        )
        assert told.infos == [{"request": REQUEST}]


class TestAround:
    def test_tells_beginning_and_end(self) -> None:
        book, told = Book("http11"), Told()
        around = Report(told, book).around("http11", "thing", {"a": 1}, working(), told=str.upper)
        assert run(around, perform) == "done"
        assert told.events == ["http11.thing.started", "http11.thing.complete"]
        assert told.infos == [{"a": 1}, {"return_value": "DONE"}]
        assert book.lines == ["http11: thing.started a=1", "http11: thing.complete return_value='DONE'"]

    def test_tells_of_a_result_only_what_it_is_told_to(self) -> None:
        book, told = Book("http11"), Told()
        run(Report(told, book).around("http11", "thing", {}, working()), perform)
        assert told.infos == [{}, {"return_value": None}]
        assert book.lines == ["http11: thing.started", "http11: thing.complete"]

    def test_tells_of_failure_and_fails(self) -> None:
        book, told = Book("http11"), Told()
        error = OSError("lost")
        with pytest.raises(OSError, match="lost") as caught:
            run(Report(told, book).around("http11", "thing", {}, working(error=error)), perform)
        assert caught.value is error
        assert told.events == ["http11.thing.started", "http11.thing.failed"]
        assert told.infos[1] == {"exception": error}
        assert book.lines[1] == "http11: thing.failed exception=OSError('lost')"

    def test_leaves_no_cycle_behind_a_failure(self) -> None:
        class Failure(Exception):
            pass

        def failing() -> Operation[str]:
            yield Sleep(1.0)
            raise Failure

        gc.collect()
        gc.disable()
        try:
            try:
                run(Report(None, silent).around("http11", "thing", {}, failing()), perform)
            except Failure as exc:
                gone = weakref.ref(exc)
            assert gone() is None
        finally:
            gc.enable()

    @pytest.mark.parametrize("stage", ["started", "complete", "failed"])
    def test_what_the_trace_function_raises_goes_to_the_user(self, stage: str) -> None:
        told = Told(raises=f"http11.thing.{stage}")
        undone: list[str] = []
        error = OSError("lost") if stage == "failed" else None
        around = Report(told, silent).around("http11", "thing", {}, working(error=error), undo=undone.append)
        with pytest.raises(KeyError, match="of the trace function"):
            run(around, perform)
        assert undone == (["done"] if stage == "complete" else [])

    def test_what_it_raises_at_the_end_needs_nothing_undone_where_there_is_nothing(self) -> None:
        around = Report(Told(raises="http11.thing.complete"), silent).around("http11", "thing", {}, working())
        with pytest.raises(KeyError):
            run(around, perform)


class TestCancellation:
    """Nothing can be waited for then."""

    def test_is_told_to_plain_functions(self) -> None:
        book, told = Book("http11"), Told()
        around = Report(told, book).around("http11", "thing", {}, working())
        perform(next(around))
        next(around)
        cancelled = Cancelled()
        with pytest.raises(Cancelled):
            around.throw(cancelled)
        assert told.events == ["http11.thing.started", "http11.thing.failed"]
        assert told.infos[1] == {"exception": cancelled}
        assert book.lines[1] == "http11: thing.failed exception=Cancelled(...)"

    def test_is_not_told_to_coroutine_functions(self) -> None:
        begun: list[str] = []

        async def trace(event: str, info: dict[str, Any]) -> None:
            begun.append(event)

        around = Report(trace, silent).around("http11", "thing", {}, working())
        next(around)
        next(around)
        with pytest.raises(Cancelled):
            around.throw(Cancelled())  # no warning of a coroutine that was never awaited, either
        assert begun == []

    def test_is_told_to_logs(self) -> None:
        book = Book("http11")
        Report(None, book).tell_now("http11", "thing.failed", {"exception": Cancelled()})
        assert book.lines == ["http11: thing.failed exception=Cancelled(...)"]

    def test_is_not_told_where_the_function_awaits_what_runs_already(self) -> None:
        class Task:
            closed = False

            def __await__(self) -> Iterator[None]:
                yield

        task = Task()
        Report(lambda event, info: task, silent).tell_now("http11", "thing.failed", {})

    def test_goes_on_whatever_the_trace_function_raises(self) -> None:
        told = Told(raises="http11.thing.failed")
        around = Report(told, silent).around("http11", "thing", {}, working())
        next(around)
        next(around)
        with pytest.raises(Cancelled):
            around.throw(Cancelled())
        assert told.events == ["http11.thing.failed"]

    def test_is_not_told_where_nobody_goes_on(self) -> None:
        told = Told()
        around = Report(told, silent).around("http11", "thing", {}, working())
        perform(next(around))
        next(around)
        around.close()
        assert told.events == ["http11.thing.started"]
