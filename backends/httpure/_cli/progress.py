"""The progress bar of a download: how much, how fast, how long still. Only on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn

__all__ = ["Bar"]

#: Characters of a file's name; the bar needs its place, too.
MAX_NAME = 24


class Bar:
    """A bar on a stream; nothing at all where that is no terminal."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._progress: Progress | None = None

    def start(self, name: str, done: int, total: int | None) -> None:
        """Show it. `total` is None where nobody knows: then it shows that something happens, and for how long."""
        if not self._stream.isatty():
            return
        from rich.console import Console
        from rich.markup import escape
        from rich.progress import Progress

        shown = name if len(name) <= MAX_NAME else name[: MAX_NAME - 1] + "…"
        self._progress = progress = Progress(*_columns(total), console=Console(file=self._stream))
        self._task = progress.add_task(escape(shown), total=total, completed=done)
        progress.start()

    def update(self, done: int) -> None:
        """So many bytes are there."""
        if self._progress is not None:
            self._progress.update(self._task, completed=done)

    def stop(self) -> None:
        """Leave it as it is."""
        if self._progress is not None:
            self._progress.stop()
            self._progress = None


def _columns(total: int | None) -> list[ProgressColumn]:
    from rich.progress import (
        BarColumn,
        DownloadColumn,
        TaskProgressColumn,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
        TransferSpeedColumn,
    )

    name, bar, speed = TextColumn("{task.description}"), BarColumn(bar_width=None), TransferSpeedColumn()
    if total is None:
        return [name, bar, DownloadColumn(), speed, TimeElapsedColumn()]
    return [name, bar, TaskProgressColumn(), DownloadColumn(), speed, TimeRemainingColumn()]
