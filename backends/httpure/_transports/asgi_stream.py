"""The response of an ASGI app as its reader sees it: the head, then the body piece by piece as the app sends it."""

from __future__ import annotations

from collections.abc import AsyncIterator

from httpure_core.content.streams import AsyncByteStream
from httpure_core.errors import ReadError, RemoteProtocolError, RequestError, StreamClosed
from httpure_core.operations.budget import Budget, place

from .asgi_exchange import Exchange

__all__ = ["AppStream"]

#: A read timeout is waited for in so many parts. App and reader share their event loop: while the app blocks it, as
#: a debugger does, one part passes at most, and the app has the others to go on.
PARTS = 4


class AppStream(AsyncByteStream):
    """The body of an app's response.

    Its end is reached when the app has returned, and so has done what it does after its response. Reading raises what
    the app raised, where `raising`, and else RemoteProtocolError for a response that is not whole; ReadTimeout.
    """

    replayable = False

    def __init__(self, exchange: Exchange, budget: Budget, raising: bool) -> None:
        self._exchange = exchange
        self._budget = budget
        self._raising = exchange.unheard = raising
        self._over = False
        self._ended = False  # in order: the body was read to its end

    async def head(self) -> bool:
        """Wait until the response has begun; False if the app raised an exception instead, and not `raising`."""
        exchange = self._exchange
        try:
            while not exchange.status:
                if exchange.failure is not None:
                    raise exchange.failure
                self._check_open()
                if exchange.task.done:
                    self._raise_what_the_app_raised()
                    if exchange.task.error is not None:
                        await self._end()
                        return False
                    raise self._broken(
                        "returned without a response" if exchange.task.returned else "was cancelled"
                    )
                await self._wait()
        except GeneratorExit:
            self.close()  # nobody goes on with this, so nothing can be awaited
            raise
        except BaseException as exc:
            await self._end(politely=isinstance(exc, Exception))
            raise
        return True

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self

    async def __anext__(self) -> bytes:
        if self._over:
            if self._ended:
                raise StopAsyncIteration
            raise StreamClosed
        try:
            piece = await self._piece()
        except GeneratorExit:
            self.close()
            raise
        except BaseException as exc:
            # Nor is there anything to be polite about where the app has responded, and does not end.
            await self._end(politely=isinstance(exc, Exception) and not self._exchange.complete)
            raise
        if not piece:
            self._ended = True
            await self._end()
            raise StopAsyncIteration
        return piece

    async def aclose(self) -> None:
        """Give up what was not read: the app is told so, let finish, and cancelled if it does not."""
        await self._end()

    def close(self) -> None:
        """As `aclose()`, but at once, without waiting: the app is cancelled. May be called from whatever thread."""
        if not self._over:
            self._over = True
            self._exchange.abandon()

    def __del__(self) -> None:
        # A streamed response that was dropped without being closed must not keep its app running.
        self.close()

    async def _end(self, politely: bool = True) -> None:
        if not self._over:
            self._over = True
            await self._exchange.end(politely)

    async def _piece(self) -> bytes:
        exchange = self._exchange
        while not (piece := exchange.take()):
            if exchange.failure is not None:
                raise exchange.failure
            self._check_open()
            if exchange.task.done:
                self._raise_what_the_app_raised()
                if not exchange.complete:
                    raise self._broken("ended in the middle of its response") from exchange.task.error
                return b""
            await self._wait()
        if self._budget.ends is not None:
            self._budget.seconds("read")  # an app that never pauses must not outrun the total timeout
        return piece

    def _check_open(self) -> None:
        exchange = self._exchange
        if exchange.gone:
            raise ReadError(
                f"The client was closed before the response was read, {place(exchange.request)}",
                request=exchange.request,
            )

    def _raise_what_the_app_raised(self) -> None:
        error = self._exchange.task.error
        try:
            if error is not None and (self._raising or not isinstance(error, Exception)):
                self._exchange.unheard = False
                if isinstance(error, StopAsyncIteration):  # which would look like the end of the body
                    raise RuntimeError("The ASGI app raised StopAsyncIteration.") from error
                if isinstance(error, RequestError):
                    error.request_sent = True  # whatever the app has failed to send
                raise error
        finally:
            del error  # its traceback will hold this frame

    async def _wait(self) -> None:
        limit = self._budget.seconds("read")
        if limit is None:
            await self._exchange.bell.wait()
            return
        parts = PARTS
        while parts:
            try:
                await self._exchange.bell.wait(limit / PARTS)
                return
            except TimeoutError:
                self._budget.seconds("read")  # the total goes on, whoever is slow
                if not self._exchange.waits_for_the_caller:
                    parts -= 1
        raise self._budget.spent("read", self._so_far())

    def _so_far(self) -> str:
        exchange = self._exchange
        if not exchange.status:
            return ": the ASGI app has not begun its response"
        if not exchange.complete:
            return f": the ASGI app has sent {exchange.length} bytes of its response, and no end"
        return ": the ASGI app has sent all of its response, but has not returned"

    def _broken(self, what: str) -> RemoteProtocolError:
        request = self._exchange.request
        return RemoteProtocolError(f"The ASGI app {what}, in answer to {place(request)}", request=request)
