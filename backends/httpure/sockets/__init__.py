"""httpure on blocking sockets and threads.

    >>> from httpure import sockets as http
    >>> http.get("https://example.org")
    <Response [200 OK]>

`Client` and the functions `get`, `post`, `stream`, … are the same as those of `httpure` itself.
"""

from __future__ import annotations

from .._api import delete, get, head, options, patch, post, put, request, stream
from .._client import Client
from .backend import Backend

__all__ = [
    "Backend",
    "Client",
    "delete",
    "get",
    "head",
    "options",
    "patch",
    "post",
    "put",
    "request",
    "stream",
]
