"""Forward proxies (RFC 9112 section 3.2.2): plain HTTP requests go to the proxy itself, which passes them on.

The target is then a whole URL, and what only the proxy may see is added here: a request never has it among its own
headers, and so cannot carry it to anybody else. The connection is one to the proxy, so requests to any origin use it,
one after the other.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..content.streams import ByteStream
from ..contracts import FieldBlock, Fields
from ..errors import LocalProtocolError
from ..http1.connection import Http1Connection
from ..http1.stream import Http1Stream
from ..limits import DEFAULT_LIMITS, Limits
from .credentials import Credentials

if TYPE_CHECKING:
    from ..models.request import Request

__all__ = ["ForwardConnection"]


class ForwardConnection(Http1Connection):
    """A connection to a proxy, for requests to whatever origin it is turned to.

    What the credentials say goes along with each request, save the fields that it has itself.
    """

    __slots__ = ("_credentials", "_origin", "_request")

    #: Whose stream is opened next.
    _request: Request

    def __init__(self, credentials: Credentials, fast: bool = True, limits: Limits = DEFAULT_LIMITS) -> None:
        super().__init__(fast, limits)
        self._credentials = credentials
        self._origin = b""

    def turn_to(self, request: Request) -> None:
        """Say whose stream will be opened next, and so where it goes (runs once per request)."""
        self._request = request
        self._origin = b"http://" + request.url.netloc

    def open_stream(
        self,
        method: bytes,
        target: bytes,
        fields: Fields,
        body: bytes | None,
        block: FieldBlock | None = None,
    ) -> Http1Stream:
        """Queue a request in the form that proxies take (runs once per request).

        Raises LocalProtocolError also where the proxy wants the body proved, and that is not in memory.
        """
        absolute = self._absolute(target)
        own = {name.lower() for name, _ in fields}
        ours = self._credentials.headers
        if b"proxy-authorization" not in own:
            ours = self._credentials.fields(method, absolute, self._whole)
        fields = [*fields, *(field for field in ours if field[0].lower() not in own)]
        return super().open_stream(method, absolute, fields, body)

    def _absolute(self, target: bytes) -> bytes:
        if target == b"*":
            return self._origin  # RFC 9112 section 3.2.4
        return self._origin + target if target.startswith(b"/") else target

    def _whole(self) -> bytes:
        stream = self._request.stream
        if type(stream) is ByteStream:
            return stream.content
        raise LocalProtocolError(
            "The proxy demands Digest with qop=auth-int, which hashes the whole body, and this body is a stream: give "
            "content as bytes"
        )
