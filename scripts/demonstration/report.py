"""Times the jobs, catches what goes wrong, and shows a table in the end."""

from __future__ import annotations

import time
from types import TracebackType

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TransferSpeedColumn
from rich.table import Table

__all__ = ["Job", "Report"]


class Job:
    """A context manager around one job: its time, or its error, becomes a cell of the report.

    Set `figure` inside where the time alone says too little; `detail` is shown beside the table only.
    """

    def __init__(self, report: Report, backend: str, name: str) -> None:
        self.figure = self.detail = ""
        self.amount = 0
        self.unit = ""
        self._place = (name, backend)
        self._report = report

    def counts(self, amount: float, unit: str = "") -> None:
        """Say how much was done, so that the report can tell how much that is a second."""
        self.amount, self.unit = amount, unit

    def __enter__(self) -> Job:
        self._begun = time.perf_counter()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> bool:
        seconds = time.perf_counter() - self._begun
        if error is None:
            self._report.succeed(self._place, self._cell(seconds), self.detail)
        elif isinstance(error, Exception):
            self._report.fail(self._place, _first_of(error))
        return isinstance(error, Exception)

    def _cell(self, seconds: float) -> str:
        took = f"{seconds:.2f} s" if seconds >= 1 else f"{seconds * 1000:.0f} ms"
        rate = f"{self.amount / seconds:,.0f}{self.unit}/s" if self.amount else ""
        return ", ".join(part for part in (took, rate, self.figure) if part)


class Report:
    """Collects the cells; `failures` is how many jobs went wrong."""

    def __init__(self) -> None:
        self.console = Console()
        self.failures = 0
        self._cells: dict[str, dict[str, str]] = {}

    def job(self, backend: str, name: str) -> Job:
        return Job(self, backend, name)

    def progress(self) -> Progress:
        """Return progress bars for downloads and uploads."""
        return Progress(
            TextColumn("{task.description:>24}"),
            BarColumn(),
            TextColumn("{task.percentage:>3.0f}%"),
            DownloadColumn(),
            TransferSpeedColumn(),
            console=self.console,
        )

    def succeed(self, place: tuple[str, str], cell: str, detail: str) -> None:
        self._keep(place, f"[green]{cell}[/]")
        more = f" ({detail})" if detail else ""
        self.console.print(f"{place[1]:>10}  {place[0]}: {cell}{more}", highlight=False)

    def fail(self, place: tuple[str, str], error: BaseException) -> None:
        self.failures += 1
        self._keep(place, "[bold red]FAILED[/]")
        words = f"{type(error).__name__}: {error}"
        self.console.print(f"{place[1]:>10}  {place[0]}: FAILED, {words}", style="bold red", markup=False)

    def table(self, title: str, backends: list[str]) -> Table:
        table = Table(title=title, title_justify="left", title_style="bold")
        table.add_column("job")
        for backend in backends:
            table.add_column(backend, justify="right")
        for name, cells in self._cells.items():
            table.add_row(name, *(cells.get(backend, "-") for backend in backends))
        return table

    def _keep(self, place: tuple[str, str], cell: str) -> None:
        self._cells.setdefault(place[0], {})[place[1]] = cell


def _first_of(error: BaseException) -> BaseException:
    """Return the first of the errors that a group of tasks ended with, or the error itself."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    return error
