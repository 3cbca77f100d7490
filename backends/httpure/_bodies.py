"""An incoming body as a byte stream, in each colour: each piece is one small operation of the core."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator

from httpure_core.content.streams import AsyncByteStream, SyncByteStream
from httpure_core.operations.body import IncomingBody

from ._driving import AsyncDriver, BlockingDriver

__all__ = ["AsyncBody", "BlockingBody"]


class BlockingBody(SyncByteStream):
    """The stream of a response that a blocking transport received."""

    __slots__ = ("driver", "incoming")

    def __init__(self, incoming: IncomingBody, driver: BlockingDriver) -> None:
        self.incoming = incoming
        self.driver = driver

    def __iter__(self) -> Iterator[bytes]:
        while piece := self.driver.run(self.incoming.next_piece()):
            yield piece

    def close(self) -> None:
        """Give up what has not arrived, and free the connection."""
        if self.incoming.reported or self.incoming.sending is not None:
            self.driver.run(self.incoming.finish())
        else:
            self.incoming.close()


class AsyncBody(AsyncByteStream):
    """The stream of a response that an async transport received.

    Its own iterator, not a generator: there is nothing to finalise where one is left unfinished.
    """

    __slots__ = ("driver", "incoming")

    def __init__(self, incoming: IncomingBody, driver: AsyncDriver) -> None:
        self.incoming = incoming
        self.driver = driver

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        piece = await self.driver.run(self.incoming.next_piece())
        if not piece:
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Give up what has not arrived, and free the connection.

        Does not wait, unless a trace function does, or the source of a request's body that was not sent in full.
        """
        if self.incoming.reported or self.incoming.sending is not None:
            await self.driver.run(self.incoming.finish())
        else:
            self.incoming.close()
