"""What stands for `httpx._urlparse`: a URL taken apart, with its host in ASCII and everything escaped as it is sent."""

from __future__ import annotations

from typing import NamedTuple

from httpure_core.errors import InvalidURL
from httpure_core.models.reference import MAX_URL_LENGTH, override, parse

__all__ = ["MAX_URL_LENGTH", "InvalidURL", "ParseResult", "urlparse"]


class ParseResult(NamedTuple):
    """The parts of a URL; `query` and `fragment` are None where there is no `?` and no `#`."""

    scheme: str
    userinfo: str
    host: str
    port: int | None
    path: str
    query: str | None
    fragment: str | None

    @property
    def netloc(self) -> str:
        """Host and port, as in a Host header."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    @property
    def authority(self) -> str:
        """User information, host and port."""
        return f"{self.userinfo}@{self.netloc}" if self.userinfo else self.netloc

    def copy_with(self, **kwargs: str | None) -> ParseResult:
        """Return the URL with other parts. Raises InvalidURL."""
        return urlparse(str(self), **kwargs)

    def __str__(self) -> str:
        scheme = f"{self.scheme}:" if self.scheme else ""
        authority = f"//{self.authority}" if self.authority else ""
        query = "" if self.query is None else f"?{self.query}"
        fragment = "" if self.fragment is None else f"#{self.fragment}"
        return f"{scheme}{authority}{self.path}{query}{fragment}"


def urlparse(url: str = "", **kwargs: str | None) -> ParseResult:
    """Take a URL apart; `kwargs` are parts that take the place of its own. Raises InvalidURL."""
    return ParseResult(*(override(url, kwargs) if kwargs else parse(url)))
