"""httpure on asyncio.

    >>> from httpure import asyncio as http
    >>> asyncio.run(http.get("https://example.org"))
    <Response [200 OK]>

The names are those of `httpure.sockets`; the functions are coroutine functions, and `stream` and `Client` are
asynchronous context managers.
"""

from __future__ import annotations

from .._async_api import AsyncAPI
from .._async_client import AsyncClient
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


class Client(AsyncClient):
    """An `httpure.AsyncClient` whose backend is asyncio, without a look at what is running."""

    _default_backend = Backend


_api = AsyncAPI(Client)
request = _api.request
get = _api.get
options = _api.options
head = _api.head
post = _api.post
put = _api.put
patch = _api.patch
delete = _api.delete
stream = _api.stream
