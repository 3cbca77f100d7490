"""`WSGITransport`: a WSGI app takes the place of the network (PEP 3333).

What the app is told is in `wsgi_environ.py`, what it answers in `wsgi_answer.py`.

The app is called in the caller's thread, and its result is iterated over as the response is read: nothing runs beside
the caller. So timeouts cannot be kept: nobody could interrupt the app.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any, TextIO, TypeAlias

from httpure_core.content.streams import ByteStream, SyncByteStream
from httpure_core.errors import UnsupportedProtocol
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.budget import place

from .base import BaseTransport
from .wsgi_answer import Answer
from .wsgi_environ import RequestBody, input_of, request_environ

__all__ = ["WSGIApp", "WSGITransport"]

#: As in PEP 3333; `start_response` is a callable with three arguments, the last of which can be left out.
WSGIApp: TypeAlias = Callable[[dict[str, Any], Any], Iterable[bytes]]


class WSGITransport(BaseTransport):
    """Sends requests to a WSGI app instead of to the network.

    >>> def app(environ, start_response):
    ...     start_response("200 OK", [("Content-Type", "text/plain")])
    ...     return [b"hello"]
    >>> with httpure.Client(transport=httpure.WSGITransport(app), base_url="http://app.test") as client:
    ...     client.get("/").text
    'hello'

    The response begins with the first piece of its body, and the rest is asked for as it is read. Closing the
    response calls the `close()` of what the app returned.

    - `app`: the WSGI application.
    - `raise_app_exceptions`: False for a response with status 500, as a server would give, where the app raises an
      exception before it responds. By default its exceptions come through to the caller, also one that it has
      answered itself and told to `start_response`.
    - `script_name`: where the app is mounted: SCRIPT_NAME. Paths that begin with it lose it.
    - `remote_addr`: the address that the app sees as its client's: REMOTE_ADDR.
    - `wsgi_errors`: the text file that the app writes its errors to; `sys.stderr` by default.

    Timeouts do not hold. Raises what the app raises; RemoteProtocolError for an app that breaks the rules.
    """

    __module__ = "httpure"

    def __init__(
        self,
        app: WSGIApp,
        raise_app_exceptions: bool = True,
        script_name: str = "",
        remote_addr: str = "127.0.0.1",
        wsgi_errors: TextIO | None = None,
    ) -> None:
        self.app = app
        self.raise_app_exceptions = raise_app_exceptions
        self.script_name = script_name
        self.remote_addr = remote_addr
        self.wsgi_errors = wsgi_errors

    def handle_request(self, request: Request) -> Response:
        """Call the app, and return its response when it begins. Raises what the app raises."""
        environ, body = self._environ(request)
        answer = Answer(request, body, self.raise_app_exceptions)
        try:
            answer.begin(self.app(environ, answer.start_response))
        except BaseException as exc:
            answer.give_up()
            if answer.should_raise(exc):
                raise
            return Response(500, stream=ByteStream(b""), request=request)
        stream: SyncByteStream = answer
        if request.method == "HEAD":
            answer.close()
            stream = ByteStream(b"")
        return Response(
            answer.status,
            headers=answer.headers,
            stream=stream,
            request=request,
            extensions={"http_version": b"HTTP/1.1", "reason_phrase": answer.reason},
        )

    def _environ(self, request: Request) -> tuple[dict[str, Any], RequestBody | None]:
        url = request.url
        if url.scheme not in ("http", "https") or not url.host:
            raise UnsupportedProtocol(
                "A WSGI app is asked for an absolute URL with http or https, such as 'http://app.test/': "
                f"give the client a base_url. This was {place(request)}",
                request=request,
            )
        file, body = input_of(request)
        environ = request_environ(request, self.script_name)
        environ |= {
            "REMOTE_ADDR": self.remote_addr,
            "wsgi.version": (1, 0),
            "wsgi.url_scheme": url.scheme,
            "wsgi.input": file,
            # It ends where the body does, also without a Content-Length. Apps that do not know would not read it.
            "wsgi.input_terminated": True,
            "wsgi.errors": sys.stderr if self.wsgi_errors is None else self.wsgi_errors,
            "wsgi.multithread": True,
            "wsgi.multiprocess": False,
            "wsgi.run_once": False,
        }
        return environ, body
