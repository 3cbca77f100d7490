"""Bodies that are sent by hand while the exchange goes on, in each colour. How: see `operations/duplex.py`."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from httpure_core.content.duplex import DuplexBody
from httpure_core.content.streams import AsyncByteStream, SyncByteStream

__all__ = ["AsyncDuplex", "Duplex"]

_NOT_READ = (
    "A {} is nothing to be read: it is sent by hand, over {}. Give its bytes to other transports by an iterator, or as "
    "bytes."
)


class Duplex(DuplexBody, SyncByteStream):
    """A request's body whose pieces are sent by hand, while the response is read: what is sent may answer what came.

    >>> with httpure.Client() as client:
    ...     duplex = httpure.Duplex()
    ...     duplex.send(b"hello")
    ...     with client.stream("POST", "https://httpbin.org/echo", content=duplex) as response:
    ...         duplex.send(b" world")
    ...         duplex.end()
    ...         response.read()
    b'hello world'

    For one request, sent once. Another thread may send while this one waits for the response, or reads it.
    """

    def send(self, data: bytes) -> None:
        """Send a piece. Until the request's head has gone out it is kept; from then on, this waits until it has gone.

        As with a socket, who sends much and reads nothing may wait for a server that does the same. Raises WriteError
        where the response has ended, was closed, or is no good one; WriteTimeout; LocalProtocolError for more bytes
        than Content-Length says; TypeError for what is no bytes; ValueError after `end()`.
        """
        self.put(data)
        self._go()

    def end(self) -> None:
        """Say that there are no more pieces. Does nothing the second time, or if nobody wants more of them."""
        self.finish()
        self._go()

    def _go(self) -> None:
        outlet = self.outlet
        if outlet is not None:
            outlet.driver.run(outlet.go())

    def __iter__(self) -> Iterator[bytes]:
        raise RuntimeError(_NOT_READ.format("Duplex", "the HTTP transports of blocking clients"))


class AsyncDuplex(DuplexBody, AsyncByteStream):
    """As `Duplex`, for async clients. Another task may send while this one waits for the response, or reads it.

    >>> async def main():
    ...     duplex = httpure.AsyncDuplex()
    ...     await duplex.send(b"hello")
    ...     async with httpure.AsyncClient() as client:
    ...         async with client.stream("POST", "https://httpbin.org/echo", content=duplex) as response:
    ...             await duplex.end()
    ...             return await response.aread()
    >>> asyncio.run(main())
    b'hello'
    """

    async def send(self, data: bytes) -> None:
        """See `Duplex.send`. If this is cancelled, the piece may have gone or not; those behind it keep their order."""
        self.put(data)
        await self._go()

    async def end(self) -> None:
        """See `Duplex.end`."""
        self.finish()
        await self._go()

    async def _go(self) -> None:
        outlet = self.outlet
        if outlet is not None:
            await outlet.driver.run(outlet.go())

    def __aiter__(self) -> AsyncIterator[bytes]:
        raise RuntimeError(_NOT_READ.format("AsyncDuplex", "the HTTP transports of async clients"))
