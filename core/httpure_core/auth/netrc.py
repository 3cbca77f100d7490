"""The netrc format, as text, and the auth scheme that looks credentials up in it.

    machine example.org login ada password "two words"
    default login anonymous password guest

Reading the file is the face's task: its `NetRCAuth(file)` gives the text to `parse_netrc` and the result to
this one.
"""

from __future__ import annotations

from collections.abc import Generator, Iterator
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from .basic import basic_credentials
from .flow import Auth

if TYPE_CHECKING:
    from ..models.request import Request
    from ..models.response import Response

__all__ = ["NetRC", "NetRCAuth", "NetRCEntry", "NotNetRC", "parse_netrc"]

_FIELDS = {"login": "login", "user": "login", "password": "password", "account": "account"}


class NotNetRC(ValueError):
    """A text is no netrc file: `why`, and in which `line`, counted from 1."""

    def __init__(self, line: int, why: str) -> None:
        super().__init__(line, why)
        self.line = line
        self.why = why

    def __str__(self) -> str:
        return f"netrc line {self.line}: {self.why}."


class NetRCEntry(NamedTuple):
    """What a netrc file says of one machine; `machine` is None for the default entry."""

    machine: str | None
    login: str = ""
    password: str = ""
    account: str = ""

    def __repr__(self) -> str:
        return f"NetRCEntry(machine={self.machine!r}, login={self.login!r}, password='[secure]')"


class NetRC:
    """The credentials of a netrc file, by host."""

    def __init__(self, entries: list[NetRCEntry]) -> None:
        self._machines: dict[str, list[NetRCEntry]] = {}
        self._defaults = []
        for entry in entries:
            if entry.machine is None:
                self._defaults.append(entry)
            else:
                self._machines.setdefault(entry.machine.lower(), []).append(entry)

    def lookup(self, host: str, login: str | None = None) -> NetRCEntry | None:
        """Return the first entry for exactly this host, else the default entry, else None.

        With `login`, only an entry of that user, or one that names no user, will do: a password is never
        sent under another user's name.
        """
        entries = self._machines.get(host.lower(), self._defaults)
        for entry in entries:
            if not login or entry.login in ("", login):
                return entry._replace(login=login) if login else entry
        return None

    @property
    def secret(self) -> bool:
        """True if there is a password in it of anybody but `anonymous`, whose password is no secret."""
        entries = chain(self._defaults, *self._machines.values())
        return any(entry.password and entry.login != "anonymous" for entry in entries)

    def __repr__(self) -> str:
        return f"<NetRC of {len(self._machines)} machines>"


class NetRCAuth(Auth):
    """Basic authentication with the netrc entry of the request's host; requests to other hosts go without."""

    def __init__(self, netrc: NetRC) -> None:
        self._netrc = netrc

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield the request, with an Authorization header where the file has a password for its host."""
        url = request.url
        entry = self._netrc.lookup(url.host, url.username if url.userinfo else None)
        if entry is not None and entry.password:
            request.headers["Authorization"] = basic_credentials(entry.login, entry.password)
        yield request


def parse_netrc(text: str) -> NetRC:
    """Read the text of a netrc file.

    Words are parted by white space; a word in double quotes may hold some, and a backslash makes the next
    character an ordinary one. `#` before a machine begins a comment, and macros (`macdef`) are skipped.
    Raises NotNetRC, which tells the line, and never the word, where the text is none of that.
    """
    words = _Words(text)
    entries: list[NetRCEntry] = []
    fields: dict[str, str] | None = None  # of the entry that is being read
    machine: str | None = None
    for word in words:
        if word.startswith("#"):
            words.skip_line()
        elif word == "macdef":
            words.skip_macro()
        elif word in ("machine", "default"):
            if fields is not None:
                entries.append(NetRCEntry(machine, **fields))
            machine = words.argument(word) if word == "machine" else None
            fields = {}
        elif word in _FIELDS and fields is not None:
            fields[_FIELDS[word]] = words.argument(word)
        else:
            raise NotNetRC(words.line, "expected machine, default, login, password or account")
    if fields is not None:
        entries.append(NetRCEntry(machine, **fields))
    return NetRC(entries)


class _Words(Iterator[str]):
    """The words of a netrc text, one by one; linear, since the position only moves forward."""

    def __init__(self, text: str) -> None:
        self._text = text.removeprefix("\ufeff").replace("\r\n", "\n")
        self._position = 0

    @property
    def line(self) -> int:
        return self._text.count("\n", 0, self._position) + 1

    def __next__(self) -> str:
        text, position = self._text, self._position
        while position < len(text) and text[position].isspace():
            position += 1
        self._position = position
        if position == len(text):
            raise StopIteration
        return self._quoted() if text[position] == '"' else self._plain()

    def argument(self, of: str) -> str:
        """Return the next word, which belongs to the word `of`."""
        word = next(self, None)
        if word is None:
            raise NotNetRC(self.line, f"nothing follows {of}")
        return word

    def skip_line(self) -> None:
        self._position = self._end_of("\n", self._position)

    def skip_macro(self) -> None:
        # A macro ends with an empty line; its name stands on the line of its macdef.
        self._position = self._end_of("\n\n", self._position)

    def _plain(self) -> str:
        pieces, text, start = [], self._text, self._position
        position = start
        while position < len(text) and not text[position].isspace():
            if text[position] == "\\" and position + 1 < len(text):
                pieces.append(text[start:position])
                start = position + 1
                position += 1
            position += 1
        self._position = position
        return "".join((*pieces, text[start:position]))

    def _quoted(self) -> str:
        pieces, text = [], self._text
        start = position = self._position + 1
        while position < len(text) and text[position] != '"':
            if text[position] == "\\":
                pieces.append(text[start:position])
                start = position + 1
                position += 1
            position += 1
        if position >= len(text):
            raise NotNetRC(self.line, "a double quote is never closed")
        self._position = position + 1
        return "".join((*pieces, text[start:position]))

    def _end_of(self, mark: str, start: int) -> int:
        found = self._text.find(mark, start)
        return len(self._text) if found == -1 else found
