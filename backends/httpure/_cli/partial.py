"""The file of a download that is not finished: `FILE.part`, and beside it what is needed to continue it.

`FILE` itself appears, or changes, in one step when the download is whole.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections.abc import Callable
from typing import Any, BinaryIO

from .ranges import Known

__all__ = ["Busy", "Partial"]

#: On systems that know no such flag, links are followed.
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_BINARY", 0)


class Busy(OSError):
    """Another process writes the same file."""


class Partial:
    """The unfinished file of a path. Close it when done, in whatever state it is."""

    def __init__(self, path: str) -> None:
        #: The file that it will be. A link is kept: what it leads to is replaced.
        self.goal = os.path.realpath(path)
        self.path = self.goal + ".part"
        self._note = self.goal + ".part.json"
        self._file: BinaryIO | None = None

    @property
    def exists(self) -> bool:
        """True if there is something of an earlier run, or of this one."""
        return self.size > 0

    @property
    def size(self) -> int:
        """Bytes in the file; while it is open some may be missing."""
        try:
            return os.stat(self.path).st_size
        except OSError:
            return 0

    def known(self) -> Known | None:
        """Return what is there, if it can be continued."""
        try:
            with open(self._note, encoding="utf-8") as file:
                said = json.load(file)
            validator, length = said["validator"], said["length"]
        except (OSError, ValueError, LookupError, TypeError):
            return None
        fits = isinstance(validator, str) and (length is None or type(length) is int)
        return Known(self.size, validator, length) if fits and self.exists else None

    def begin(self, validator: str | None, length: int | None) -> None:
        """Start an empty file. Raises OSError, and Busy if another process writes it."""
        self._file = self._opened()
        self._file.truncate(0)
        self._forget()
        if validator is not None:
            descriptor = os.open(self._note, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _NO_LINKS, 0o666)
            with open(descriptor, "w", encoding="utf-8") as file:
                json.dump({"validator": validator, "length": length}, file)

    def proceed(self, size: int) -> None:
        """Go on behind the first `size` bytes. Raises OSError, and Busy if another process writes, or wrote, it."""
        self._file = self._opened()
        if self._file.seek(0, os.SEEK_END) != size:
            raise Busy(f"{self.path} has changed in the meantime: does another process write it?")

    def write(self, data: bytes) -> None:
        """Append a piece."""
        assert self._file is not None
        self._file.write(data)

    def flush(self) -> None:
        """Have all bytes in the file. Raises OSError."""
        if self._file is not None:
            self._file.flush()

    def finish(self) -> None:
        """Put the file in its place. Raises OSError."""
        if self._file is not None:
            self._file.close()
            self._file = None
        with contextlib.suppress(OSError):
            os.chmod(self.path, os.stat(self.goal).st_mode & 0o7777)
        os.replace(self.path, self.goal)
        self._forget()

    def close(self) -> None:
        """Leave the file as it is; one that is empty goes."""
        if self._file is None:
            return
        with contextlib.suppress(OSError):  # a full disk was told of when it was met
            self._file.close()
        self._file = None
        if not self.exists:
            with contextlib.suppress(OSError):
                os.unlink(self.path)
            self._forget()

    def _forget(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._note)

    def _opened(self) -> BinaryIO:
        """Open the file, as it is, for us alone."""
        if self._file is not None:
            return self._file
        while True:
            descriptor = os.open(self.path, os.O_RDWR | os.O_CREAT | _NO_LINKS, 0o666)
            file = open(descriptor, "r+b")  # noqa: SIM115 - closed by `close` or `finish`
            try:
                _lock(descriptor, self.path)
                if os.path.samestat(os.fstat(descriptor), os.stat(self.path)):
                    return file
            except FileNotFoundError:
                pass  # it was finished between our opening and our locking it
            except BaseException:
                file.close()
                raise
            file.close()


def _lock(descriptor: int, path: str) -> None:
    lock: Callable[[int, int], Any]
    try:
        from fcntl import LOCK_EX, LOCK_NB
        from fcntl import flock as lock
    except ImportError:  # Windows: an open file cannot be replaced there anyway
        return
    try:
        lock(descriptor, LOCK_EX | LOCK_NB)
    except BlockingIOError:
        raise Busy(f"{path} is being written by another process.") from None
