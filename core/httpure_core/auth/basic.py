"""Basic authentication (RFC 7617), and the credentials that a URL carries."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from ..content.utf8 import utf8
from .flow import Auth

if TYPE_CHECKING:
    from ..models.request import Request
    from ..models.response import Response
    from ..models.url import URL

__all__ = ["BasicAuth", "basic_credentials", "userinfo_auth"]


class BasicAuth(Auth):
    """Send a user name and a password with every request (RFC 7617). Text is encoded as UTF-8.

    A client makes one of any pair that it gets as `auth=`. Raises TypeError where a part is neither str nor bytes.

    >>> httpure.get("https://httpbin.org/basic-auth/ada/secret", auth=httpure.BasicAuth("ada", "secret"))
    <Response [200 OK]>
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self._auth_header = basic_credentials(username, password)

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield the request with its Authorization header."""
        request.headers["Authorization"] = self._auth_header
        yield request


def basic_credentials(username: str | bytes, password: str | bytes) -> str:
    """Return the Authorization field value. Raises TypeError where a part is neither str nor bytes."""
    from base64 import b64encode  # here, as most requests carry no password

    return "Basic " + b64encode(as_bytes(username) + b":" + as_bytes(password)).decode("ascii")


def userinfo_auth(url: URL) -> BasicAuth | None:
    """Return the `user:password@` of the URL as an auth scheme, or None where it has none."""
    if not url.userinfo:
        return None
    username, password = url.username, url.password
    return BasicAuth(username, password) if username or password else None


def as_bytes(text: str | bytes) -> bytes:
    """Encode text as UTF-8. Raises TypeError for what is neither str nor bytes, and ValueError; shows neither."""
    if isinstance(text, str):
        return utf8(text, "A user name or password")
    if isinstance(text, bytes):
        return text
    raise TypeError(f"A user name and a password must be str or bytes, not {type(text).__name__}.")
