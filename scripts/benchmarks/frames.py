"""Counts the Python frames that run: a measure of work that is the same on every machine and in every run."""

from __future__ import annotations

import sys
from pathlib import Path
from types import FrameType
from typing import Any

#: The bench's own frames are not the client's.
HERE = str(Path(__file__).parent)


class FrameCount:
    """Counts calls, and resumptions of coroutines, in the thread that enters the block."""

    def __init__(self) -> None:
        self.frames = 0

    def __enter__(self) -> FrameCount:
        sys.setprofile(self._seen)
        return self

    def __exit__(self, *_: object) -> None:
        sys.setprofile(None)

    def _seen(self, frame: FrameType, event: str, _: Any) -> None:
        if event == "call" and not frame.f_code.co_filename.startswith(HERE):
            self.frames += 1
