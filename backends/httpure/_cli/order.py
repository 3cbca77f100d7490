"""What was asked for on the command line, as arguments of a client."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, NamedTuple

import click

__all__ = ["Body", "Fields", "Order", "Pairs"]

Pairs = Sequence[tuple[str, str]]
Fields = list[tuple[str, str]]


class Order(NamedTuple):
    """One request, and the client to send it with."""

    #: Arguments of `Client` and `AsyncClient`.
    client: dict[str, Any]
    #: Arguments of `build_request`.
    request: dict[str, Any]
    auth: tuple[str, str] | None
    follow_redirects: bool
    #: None for the usual one.
    backend: Any

    def with_fields(self, fields: Iterable[tuple[str, str]]) -> Order:
        """Return an order that has these header fields, too, where the user has not given them."""
        given = self.request["headers"]
        names = {name.lower() for name, _ in given}
        added = [(name, value) for name, value in fields if name.lower() not in names]
        return self._replace(request={**self.request, "headers": [*given, *added]})


class Body(NamedTuple):
    """The options that make a body. `json` is JSON, as it is sent."""

    content: str | None
    input: BinaryIO | None
    data: Pairs
    files: Sequence[tuple[str, BinaryIO]]
    json: bytes | None

    @property
    def given(self) -> bool:
        """True if there is one, were it empty."""
        return any(self._said().values())

    def arguments(self, headers: Pairs) -> dict[str, Any]:
        """Return those of `build_request`, with the headers. Raises click.UsageError for two bodies."""
        said = [name for name, given in self._said().items() if given]
        if len(said) > 1 and said != ["--data", "--files"]:
            raise click.UsageError(f"Only one of {' and '.join(said)} can be the body.")
        arguments: dict[str, Any] = {"headers": list(headers)}
        if self.json is not None:
            arguments["content"] = self.json
            if not any(name.lower() == "content-type" for name, _ in headers):
                arguments["headers"].append(("Content-Type", "application/json"))
        elif self.content is not None:
            # What the shell gave us and no text could be made of goes out as it came in.
            arguments["content"] = self.content.encode("utf-8", "surrogateescape")
        elif self.input is not None:
            arguments["content"] = self.input
        if self.data:
            arguments["data"] = _grouped(self.data)
        if self.files:
            arguments["files"] = [(name, (_file_name(file), file)) for name, file in self.files]
        return arguments

    def _said(self) -> dict[str, bool]:
        return {
            "--content": self.content is not None,
            "--input": self.input is not None,
            "--data": bool(self.data),
            "--files": bool(self.files),
            "--json": self.json is not None,
        }


def _grouped(pairs: Pairs) -> dict[str, list[str]]:
    """Return every value of every name, in order."""
    values: dict[str, list[str]] = {}
    for name, value in pairs:
        values.setdefault(name, []).append(value)
    return values


def _file_name(file: BinaryIO) -> str:
    import os

    name = getattr(file, "name", "<stdin>")
    return "stdin" if name == "<stdin>" else os.path.basename(str(name))
