"""What a server's connections ask of it: who is meant, what is answered, what is remembered."""

from __future__ import annotations

from random import Random
from typing import Protocol

from .answers import Answer
from .received import Received

__all__ = ["Site", "SitePeer"]


class SitePeer(Protocol):
    """One connection of a site."""

    @property
    def number(self) -> int:
        """Counted from 1."""
        ...

    @property
    def request(self) -> Received | None:
        """A request that is under way."""
        ...

    def drop(self, how: str, /) -> bool:
        """Close or reset the connection if it is idle; tell whether it was."""
        ...


class Site(Protocol):
    """A scripted server, as its connections see it."""

    @property
    def scheme(self) -> str:
        """Of the URLs of its requests."""
        ...

    @property
    def random(self) -> Random:
        """The world's."""
        ...

    @property
    def max_streams(self) -> int | None:
        """How many requests at a time an HTTP/2 connection carries; None for 100."""
        ...

    @property
    def peers(self) -> list[SitePeer]:
        """Its connections, in order."""
        ...

    def received(
        self, method: str, url: str, fields: list[tuple[str, str]], /, *, connection: int, http_version: str
    ) -> Received:
        """The head of a request has come: remember it."""
        ...

    def answers_early(self) -> bool:
        """Whether the next answer is one that does not wait for the end of its request."""
        ...

    def answer_for(self, request: Received, /) -> Answer:
        """Return what to answer. Raises AssertionError where nothing was scripted."""
        ...

    def problem(self, text: str, /) -> AssertionError:
        """Return the error that ends the test, and remember it."""
        ...
