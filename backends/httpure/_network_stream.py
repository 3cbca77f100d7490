"""What stands in a response's extensions as "network_stream": what is below HTTP, in each colour.

Each is one small object that does nothing before it is asked, as one is made for every response.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ._bodies import AsyncBody, BlockingBody

if TYPE_CHECKING:
    import ssl

    from httpure_core.contracts import TLSMachine
    from httpure_core.operations.body import IncomingBody
    from httpure_core.operations.raw import RawConnection

__all__ = ["AsyncNetworkStream", "NetworkStream"]


class NetworkStream:
    """The connection that a response came over.

    What is known of it can be asked as long as it is open. Its bytes can be read and written if it has left HTTP:
    after 101 Switching Protocols, or 2xx to CONNECT, until the response is closed. Ask for the response with
    `client.stream(...)` or `client.send(request, stream=True)`, as it is closed at once otherwise. One may read and
    another write at the same time.
    """

    __slots__ = ("_body", "_raw")

    def __init__(self, body: BlockingBody) -> None:
        self._body = body
        self._raw: RawConnection | None = None

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """Return what has come, at most `max_bytes`; wait, `timeout` seconds at most, if that is nothing.

        b"" is the end. Raises ReadError, ReadTimeout; StreamError if the connection speaks HTTP.
        """
        self._raw = raw = self._raw or _raw(self._body.incoming)
        return self._body.driver.run(raw.receive_some(max_bytes, timeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """Send all of the buffer. The peer has to take something every `timeout` seconds.

        Raises WriteError, WriteTimeout; StreamError if the connection speaks HTTP.
        """
        self._raw = raw = self._raw or _raw(self._body.incoming)
        self._body.driver.run(raw.send_all(bytes(buffer), timeout))

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> NetworkStream:
        """Begin TLS with the peer, and return this stream, whose bytes go through it from then on.

        Raises ConnectError or ConnectTimeout, and closes the connection then; ValueError if the context wants to check
        the host name and there is none.
        """
        self._raw = raw = self._raw or _raw(self._body.incoming)
        tls, name = _tls(ssl_context, server_hostname)
        self._body.driver.run(raw.secure(tls, name, timeout))
        return self

    def close(self) -> None:
        """Close the response, and with it a connection that has left HTTP."""
        self._body.close()

    def get_extra_info(self, info: str) -> Any:
        """Return what is known of the connection; None where nothing is. `info` is one of

        - "client_addr", "server_addr": its two ends, as the `socket` module has them;
        - "ssl_object": the `ssl.SSLObject` that knows certificate, cipher and version; None without TLS;
        - "socket": the socket itself, to be looked at, and neither read nor written;
        - "is_readable": True if something has come, or the end.
        """
        return _extra_info(self._body.incoming, self._raw, info)


class AsyncNetworkStream:
    """As `NetworkStream`, in an async client: everything is to be awaited, save `get_extra_info`."""

    __slots__ = ("_body", "_raw")

    def __init__(self, body: AsyncBody) -> None:
        self._body = body
        self._raw: RawConnection | None = None

    async def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        """See `NetworkStream.read`."""
        self._raw = raw = self._raw or _raw(self._body.incoming)
        return await self._body.driver.run(raw.receive_some(max_bytes, timeout))

    async def write(self, buffer: bytes, timeout: float | None = None) -> None:
        """See `NetworkStream.write`."""
        self._raw = raw = self._raw or _raw(self._body.incoming)
        await self._body.driver.run(raw.send_all(bytes(buffer), timeout))

    async def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> AsyncNetworkStream:
        """See `NetworkStream.start_tls`."""
        self._raw = raw = self._raw or _raw(self._body.incoming)
        tls, name = _tls(ssl_context, server_hostname)
        await self._body.driver.run(raw.secure(tls, name, timeout))
        return self

    async def aclose(self) -> None:
        """See `NetworkStream.close`."""
        await self._body.aclose()

    def get_extra_info(self, info: str) -> Any:
        """See `NetworkStream.get_extra_info`."""
        return _extra_info(self._body.incoming, self._raw, info)


def _raw(incoming: IncomingBody) -> RawConnection:
    from httpure_core.operations.raw import RawConnection

    return RawConnection(incoming)


def _tls(context: ssl.SSLContext, server_hostname: str | None) -> tuple[TLSMachine, str]:
    from ._tls import TLSPipe

    if context.check_hostname and not server_hostname:
        # OpenSSL would check no name at all, and Python says so for sockets only.
        raise ValueError(
            "start_tls() needs a server_hostname: the context wants to check it, see SSLContext.check_hostname."
        )
    return TLSPipe(context, server_hostname), server_hostname or "the server"


def _extra_info(incoming: IncomingBody, raw: RawConnection | None, info: str) -> Any:
    from httpure_core.operations.information import extra_info

    if info == "is_readable" and raw is not None and raw.readable:
        return True
    return extra_info(incoming.link, info)
