"""One call of the command: where things are shown, what is done again, and how it ends."""

from __future__ import annotations

import os
import sys
from typing import NamedTuple

from httpure_core.errors import CookieConflict, HTTPError, InvalidURL, StreamError
from httpure_core.models.response import Response

from .display import Display, Raw, Receiver
from .download import Download
from .exchange import carry_out
from .options import INTERRUPTED
from .order import Order
from .partial import Busy
from .printing import Printer
from .progress import Bar
from .saving import FileTarget, Incomplete, StartAgain, StreamTarget, Target, is_plain
from .verbose import Narrator, response_head

__all__ = ["Call", "Wishes"]

#: The exit code where nobody reads what we write; as a shell reports a program that was ended by SIGPIPE.
NOBODY_READS = 141


class Wishes(NamedTuple):
    """What is to become of the response."""

    body_only: bool
    #: A path, or "-" for standard output.
    download: str | None
    resume: bool
    verbose: bool


class Call:
    """Does it all, once."""

    def __init__(self, order: Order, wishes: Wishes, resumable: bool) -> None:
        self._order = order
        self._wishes = wishes
        self._resumable = resumable
        self._out = Printer(sys.stdout)
        self._err = Printer(sys.stderr)
        #: Where heads and the like go: not to where the bytes of a body are wanted.
        self._about = self._err if wishes.body_only or wishes.download == "-" else self._out
        self._target: Target | None = None

    def run(self) -> int:
        """Do it all, and return the exit code."""
        try:
            return self._perform()
        except KeyboardInterrupt:
            self._hint()
            return INTERRUPTED
        except BrokenPipeError:
            _silence()
            return NOBODY_READS
        except (HTTPError, InvalidURL, StreamError, CookieConflict, Incomplete) as error:
            return self._failed(type(error).__name__, str(error))
        except Busy as error:
            self._err.failure("Error", str(error))  # what is there is not for us to continue
            return 1
        except OSError as error:
            return self._failed("Error", _in_words(error))

    def _perform(self) -> int:
        trace = Narrator(self._about) if self._wishes.verbose else None
        while True:
            receiver, order = self._receiver(), self._order
            if self._target is not None:
                order = order.with_fields(self._target.fields())
            try:
                response = carry_out(order, receiver, self._see_head, trace)
            except StartAgain:
                continue
            finally:
                if isinstance(receiver, Download):
                    receiver.close()
            complete = self._target is not None and self._target.complete
            return 0 if response.is_success or complete else 1

    def _receiver(self) -> Receiver:
        wishes = self._wishes
        if wishes.download is None:
            # Whatever FORCE_COLOR says of colours: what another program reads are the bytes.
            raw = wishes.body_only and not sys.stdout.isatty()
            return Raw(sys.stdout.buffer) if raw else Display(self._out)
        if self._target is None:
            self._target = self._new_target(wishes.download)
        return Download(self._target, Display(self._about), Bar(sys.stderr))

    def _new_target(self, path: str) -> Target:
        if is_plain(path):
            return FileTarget(path, self._resumable, self._wishes.resume, self._err.line)
        return StreamTarget(path, lambda: sys.stdout.buffer if path == "-" else open(path, "wb"))

    def _see_head(self, response: Response) -> None:
        if self._wishes.verbose or not self._wishes.body_only:
            self._about.head(response_head(response))

    def _failed(self, kind: str, message: str) -> int:
        self._err.failure(kind, message)
        self._hint()
        return 1

    def _hint(self) -> None:
        hint = self._target.hint() if self._target is not None else ""
        if hint:
            self._err.line(hint)


def _in_words(error: OSError) -> str:
    """Return what the system says, and of which file, without the number."""
    what = error.strerror or str(error) or type(error).__name__
    return what if error.filename is None else f"{what}: {error.filename}"


def _silence() -> None:
    """Let the interpreter's last flush of standard output and error go nowhere, instead of failing."""
    import contextlib

    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with contextlib.suppress(OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
