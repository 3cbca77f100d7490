"""A request as a scripted server got it."""

from __future__ import annotations

from httpure_core.content.streams import ByteStream
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.models.url import URL

__all__ = ["Received"]


class Received(Request):
    """A request as the server got it: an `httpure.Request`, with what the server knows besides.

    >>> from httpure import testing
    >>> with testing.world() as world:
    ...     server = world.serve("http://api.test")
    ...     server.otherwise(204)
    ...     httpure.post("http://api.test/pens", json={"color": "blue"})
    ...     request = server.requests[0]
    ...     request.method, request.url.path, request.json(), request.connection
    <Response [204 No Content]>
    ('POST', '/pens', {'color': 'blue'}, 1)
    """

    #: The connections of a server are counted from 1.
    connection: int
    #: "HTTP/1.1" or "HTTP/2".
    http_version: str
    #: When the head of the request was there, in seconds of the world.
    at: float
    #: True when all of the body was there.
    whole: bool

    def __init__(
        self,
        method: str,
        url: str,
        headers: list[tuple[str, str]],
        *,
        connection: int,
        http_version: str,
        at: float,
    ) -> None:
        # Not as one that is to be sent: what frames the body is here before the body.
        self.method, self.url, self.headers = method, URL(url), Headers(headers)
        self.extensions = {}
        self._content = b""
        self.stream = ByteStream(b"")
        self.connection, self.http_version, self.at = connection, http_version, at
        self.whole = False

    def complete(self, content: bytes) -> None:
        """Give it its body. For the server itself."""
        self._content = content
        self.stream = ByteStream(content)
        self.whole = True

    def json(self) -> object:
        """Return what the body says in JSON. Raises ValueError."""
        import json

        value: object = json.loads(self.content)
        return value

    @property
    def text(self) -> str:
        """The body as text, in UTF-8."""
        return self.content.decode()
