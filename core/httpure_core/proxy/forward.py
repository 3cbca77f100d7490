"""Forward proxies (RFC 9112 section 3.2.2): plain HTTP requests go to the proxy itself, which passes them on.

The target is then a whole URL, and what only the proxy may see is added here: a request never has it among its own
headers, and so cannot carry it to anybody else.
"""

from __future__ import annotations

from ..contracts import Fields
from ..http1.connection import Http1Connection
from ..http1.stream import Http1Stream

__all__ = ["ForwardConnection"]


class ForwardConnection(Http1Connection):
    """A connection to a proxy for requests to one origin, such as b"http://example.org:81".

    `proxy_fields` go along with each request, save those that it has itself.
    """

    __slots__ = ("_origin", "_proxy_fields")

    def __init__(self, origin: bytes, proxy_fields: Fields) -> None:
        super().__init__()
        self._origin = origin
        self._proxy_fields = [(name, value, name.lower()) for name, value in proxy_fields]

    def open_stream(self, method: bytes, target: bytes, fields: Fields, body: bytes | None) -> Http1Stream:
        """Queue a request in the form that proxies take (runs once per request)."""
        if self._proxy_fields:
            own = {name.lower() for name, _ in fields}
            fields = [
                *fields,
                *((name, value) for name, value, lower in self._proxy_fields if lower not in own),
            ]
        return super().open_stream(method, self._absolute(target), fields, body)

    def _absolute(self, target: bytes) -> bytes:
        if target == b"*":
            return self._origin  # RFC 9112 section 3.2.4
        return self._origin + target if target.startswith(b"/") else target
