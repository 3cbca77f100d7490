"""Where a download goes: into a file that is replaced when all is there, or into a stream, as it comes.

A `Target` decides what a response is to it, and takes bytes. It shows nothing and knows no client.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import BinaryIO, Protocol

from httpure_core.models.response import Response

from .partial import Partial
from .ranges import Known, Meaning, content_range, meaning_of, rest_of, strong_validator

__all__ = ["FileTarget", "Incomplete", "StartAgain", "StreamTarget", "Target", "is_plain"]


def is_plain(path: str) -> bool:
    """Tell whether a file can be put there in one step: devices and pipes are written to."""
    return path != "-" and (os.path.isfile(path) or not os.path.exists(path))


class StartAgain(Exception):
    """What the server sent does not continue what we have: ask anew, for all of it."""


class Incomplete(Exception):
    """The server sent less than all, and called it complete."""


class Target(Protocol):
    """Takes a body. `close` is called at the end in any case."""

    #: What people know it by.
    name: str
    #: Bytes that were there before; of use after `begin`.
    offset: int
    #: True when the whole of it was there already.
    complete: bool

    def fields(self) -> list[tuple[str, str]]:
        """The header fields that the request needs."""
        ...

    def begin(self, response: Response) -> bool:
        """Take the response, or return False if its body is none to be saved. Raises StartAgain and OSError."""
        ...

    def feed(self, data: bytes) -> None:
        """Take a piece of the body. Raises OSError."""
        ...

    def finish(self) -> None:
        """All is there. Raises Incomplete and OSError."""
        ...

    def close(self) -> None:
        """Let go of the file."""
        ...

    def hint(self) -> str:
        """What to tell someone whose download failed; "" if there is nothing to tell."""
        ...


class StreamTarget:
    """A stream, or a file that is none to be replaced, such as a device or a named pipe."""

    offset = 0
    complete = False

    def __init__(self, name: str, opened: Callable[[], BinaryIO]) -> None:
        self.name = name
        self._open = opened
        self._stream: BinaryIO | None = None

    def fields(self) -> list[tuple[str, str]]:
        """None are needed."""
        return []

    def begin(self, response: Response) -> bool:
        """Take all that is a success."""
        if not response.is_success:
            return False
        self._stream = self._open()
        return True

    def feed(self, data: bytes) -> None:
        """Write a piece, now."""
        assert self._stream is not None
        self._stream.write(data)
        self._stream.flush()

    def finish(self) -> None:
        """Nothing is to be done."""

    def close(self) -> None:
        """Close the stream, if it is not the process's own."""
        if self._stream is not None and self.name != "-":
            self._stream.close()

    def hint(self) -> str:
        """What was written cannot be taken back."""
        return ""


class FileTarget:
    """A file, by way of `FILE.part`. With `resume`, what an earlier run left there is continued.

    `resumable`: whether the request is one whose answer can be asked for in ranges. `note` tells people something.
    """

    def __init__(self, path: str, resumable: bool, resume: bool, note: Callable[[str], None]) -> None:
        self.name = os.path.basename(path)
        self.offset = 0
        self.complete = False
        self._partial = Partial(path)
        self._resumable = resumable
        self._resume = resume
        self._note = note
        self._told = False
        self._known: Known | None = None
        self._end: int | None = None

    def fields(self) -> list[tuple[str, str]]:
        """Ask for the bytes themselves, and where we can for the rest of them only."""
        # Ranges count encoded bytes, and what we write are decoded ones: only where both are the same can a file be
        # continued, and is the length known for the progress bar.
        fields = [("Accept-Encoding", "identity")]
        self._known = None
        if not self._resume:
            return fields
        self._known = self._partial.known()
        if self._known is not None:
            fields += rest_of(self._known)
        return fields

    def begin(self, response: Response) -> bool:
        """Open the file for what the response has."""
        meaning = meaning_of(response, self._known)
        if meaning is Meaning.ERROR:
            return False
        if meaning is Meaning.MISFIT:
            self._resume = False
            self._say("What the server has does not continue the unfinished file. Starting anew.")
            raise StartAgain
        if meaning is Meaning.COMPLETE:
            self.complete = True
        elif meaning is Meaning.REST:
            self._append(response)
        else:
            self._write_anew(response)
        return True

    def _append(self, response: Response) -> None:
        assert self._known is not None
        told = content_range(response.headers)
        assert told is not None
        self._end = told.length
        self.offset = self._known.size
        self._partial.proceed(self.offset)

    def _write_anew(self, response: Response) -> None:
        if self._known is not None:
            self._say("The server sends the whole file again: it has changed, or cannot be continued.")
        elif self._resume and self._partial.exists:
            self._say(f"{self._partial.path} cannot be continued safely. Starting anew.")
        elif self._partial.known() is not None:
            self._say(f"{self._partial.path} is written anew; --resume would have continued it.")
        whole = self._resumable and response.status_code == 200 and "content-encoding" not in response.headers
        length = response.headers.get("content-length", "")
        self._partial.begin(
            strong_validator(response.headers) if whole else None,
            int(length) if whole and length.isdecimal() else None,
        )

    def _say(self, text: str) -> None:
        """Tell why, once: what follows from it needs no words."""
        if not self._told:
            self._told = True
            self._note(text)

    def feed(self, data: bytes) -> None:
        """Append a piece."""
        self._partial.write(data)

    def finish(self) -> None:
        """Put the file in its place."""
        self._partial.flush()
        if self._end is not None and self._partial.size != self._end:
            raise Incomplete(
                f"The server sent only a part: {self._partial.size} of {self._end} bytes are there."
            )
        self._partial.finish()

    def close(self) -> None:
        """Leave what is there for another run."""
        self._partial.close()

    def hint(self) -> str:
        """Say what is there, and how to go on."""
        if not self._partial.exists:
            return ""
        known = self._partial.known()
        if known is None:
            return f"{self._partial.size} bytes are in {self._partial.path}; they cannot be continued safely."
        of = f" of {known.length}" if known.length is not None else ""
        return (
            f"{self._partial.size}{of} bytes are in {self._partial.path}. "
            "Run the same command with --resume to go on from there."
        )
