"""One request and its response as an ASGI app sees them: `receive()` and `send()` (ASGI 3.0, "HTTP").

    caller's body ──▶ Upload ──▶ receive() ──▶ ┌─────┐
                                               │ app │  runs in a task of its own
    reader ◀── piece ◀── send() ◀───────────── └─────┘

One piece waits in each direction, and no more: `send()` waits while there is one that nobody has taken, and so does
the task that reads the caller's body. Who runs the app, and why so, is said in `asgi.py`.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any, TypeAlias

from httpure_core.content.streams import ByteStream, as_bytes
from httpure_core.effects import Operation, Pull
from httpure_core.errors import RemoteProtocolError
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.operations.budget import place

from .._driving import AsyncDriver
from ..backends import AsyncBackend
from .asgi_tasks import Bell, Task, pause, start

__all__ = ["ASGIApp", "Exchange", "Message", "Receive", "Send"]

Message: TypeAlias = MutableMapping[str, Any]
Receive: TypeAlias = Callable[[], Awaitable[Message]]
Send: TypeAlias = Callable[[Message], Awaitable[None]]
ASGIApp: TypeAlias = Callable[[MutableMapping[str, Any], Receive, Send], Awaitable[None]]

#: Seconds for an app to end by itself when its client has gone. One that was never told cannot know of it.
MOMENT = 0.1
#: Seconds for an app that has sent its whole response, was told by `http.disconnect`, or cancelled, and cleans up.
GRACE = 2.0


class Exchange:
    """What an app and the reader of its response share."""

    def __init__(
        self,
        app: ASGIApp,
        scope: MutableMapping[str, Any],
        request: Request,
        backend: AsyncBackend,
        on_end: Callable[[Exchange], None],
    ) -> None:
        self.request = request
        self.bell = Bell(backend)
        #: 0 until the response has begun.
        self.status = 0
        self.headers = Headers()
        #: Of the body, what waits to be read.
        self.piece = b""
        #: Bytes of the body so far.
        self.length = 0
        #: True once the app has sent all of its response.
        self.complete = False
        #: What the reader has to be told instead of more: the caller's own error, or that the app broke the rules.
        self.failure: BaseException | None = None
        #: True once nobody waits for the response any more.
        self.gone = False
        #: False where the reader has been told of all that the app raised, or does not want to be.
        self.unheard = True
        self._told = False
        self._asking = 0  # how many tasks of the app wait for a message
        self._app = app
        self._scope = scope
        self._backend = backend
        self._on_end = on_end
        self._upload = Upload(request, backend, self._upload_ended, self.bell)
        self._bodyless = request.method == "HEAD"

    def start(self) -> None:
        """Start the app."""
        name = f"ASGI app, {place(self.request)}"
        self.task = start(self._backend, self._run, name, self._app_ended)

    async def pause(self) -> None:
        """Let others run."""
        await pause(self._backend)

    # The app's side.

    async def _run(self) -> None:
        await self._app(self._scope, self.receive, self.send)

    async def receive(self) -> Message:
        """Return the next message to the app: more of the request's body, or in the end `http.disconnect`.

        May be cancelled without losing any of the body.
        """
        self._asking += 1
        try:
            while not (self.gone or self.complete):
                message = self._upload.take()
                if message is not None:
                    return message
                await self.bell.wait()
        finally:
            self._asking -= 1
        self._told = True
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        """Take a message from the app. Does nothing when the client has gone. Raises RemoteProtocolError."""
        if self.gone:
            await self.pause()  # an app that sends on and on must not keep others from running
            return
        kind = message.get("type") if isinstance(message, MutableMapping) else None
        if kind == "http.response.start":
            self._begin(message)
        elif kind == "http.response.body":
            await self._more(message)
        else:
            raise self._refusal(f"sent a message of type {kind!r:.80}, which is none of a response")

    def _begin(self, message: Message) -> None:
        if self.status:
            raise self._refusal("sent 'http.response.start' twice")
        status = message.get("status")
        if not isinstance(status, int) or not 100 <= status <= 999:
            raise self._refusal(f"sent the status {status!r:.80}, which is no number of three digits")
        try:
            self.headers = Headers([(name, value) for name, value in message.get("headers") or ()])
        except (TypeError, ValueError) as exc:
            raise self._refusal(f"sent headers that are none: {exc}") from None
        self.status = int(status)
        self.bell.ring()

    async def _more(self, message: Message) -> None:
        if not self.status:
            raise self._refusal("sent 'http.response.body' before 'http.response.start'")
        if self.complete:
            raise self._refusal("sent 'http.response.body' after the end of its response")
        try:
            piece = as_bytes(message.get("body", b""))
        except TypeError:
            kind = type(message["body"]).__name__
            raise self._refusal(f"sent a body of type {kind} instead of bytes") from None
        if piece and not self._bodyless:
            await self._offer(piece)
        elif message.get("more_body", False):
            await self.pause()
        if not message.get("more_body", False):
            self.complete = True
            self.bell.ring()

    async def _offer(self, piece: bytes) -> None:
        while self.piece and not self.gone:
            await self.bell.wait()
        if not self.gone:
            self.piece = piece
            self.length += len(piece)
            self.bell.ring()

    def _refusal(self, what: str) -> RemoteProtocolError:
        """Return the error for an app that breaks the rules. The reader gets it too, whatever the app does with it."""
        error = RemoteProtocolError(
            f"The ASGI app {what}, in answer to {place(self.request)}", request=self.request
        )
        self.failure = self.failure or error
        self.bell.ring()
        return error

    # The reader's side.

    @property
    def waits_for_the_caller(self) -> bool:
        """True while the app asks for more of the request, and the caller's own iterator is at work."""
        return self._asking > 0 and self._upload.pulling

    def take(self) -> bytes:
        """Return the piece of the body that waits, and make room for the next."""
        piece, self.piece = self.piece, b""
        if piece:
            self.bell.ring()
        return piece

    def leave(self) -> None:
        """Tell the app that nobody waits for its response any more. It may go on, and is not waited for."""
        self.gone = True
        if self.task.done:
            self._report()
        self._upload.stop()
        self.bell.ring()

    async def end(self, politely: bool) -> None:
        """Leave, and wait for the app to end, but not for ever: then it is cancelled; if not `politely`, at once.

        Waits also where the caller is being cancelled, for GRACE seconds at most.
        """
        self.leave()
        tasks = [task for task in (self.task, self._upload.task) if task is not None and not task.done]
        try:
            if politely and tasks:
                await self._let_finish()
        except GeneratorExit:
            tasks = []  # nobody goes on with this, so nobody can wait for them
            self.abandon()
            raise
        finally:
            for task in tasks:
                if not task.done:
                    task.cancel()
            for task in tasks:
                if not task.done:
                    await task.wait(GRACE, shielded=True)

    def abandon(self) -> None:
        """Leave, and cancel the app; from whatever thread, without waiting."""
        self.gone = True
        self.task.cancel_soon()
        if self._upload.task is not None:
            self._upload.task.cancel_soon()

    async def _let_finish(self) -> None:
        await self.task.wait(MOMENT)
        if (self._told or self.complete) and not self.task.done:
            await self.task.wait(GRACE)
        if self._upload.task is not None:
            await self._upload.task.wait(MOMENT)  # to close the caller's iterator

    def _app_ended(self) -> None:
        if self.gone:
            self._report()
        self._upload.stop()
        self.bell.ring()
        self._on_end(self)

    def _report(self) -> None:
        """Log what the app raised, where nobody is there any more to whom it could be raised."""
        error = self.task.error
        if error is not None and self.unheard and self.failure is None:
            self.unheard = False
            import logging  # here, as `import httpure` must not

            logging.getLogger("httpure.asgi").error(
                "The ASGI app raised %s after its client had gone, in answer to %s",
                type(error).__name__,
                place(self.request),
                exc_info=error,
            )

    def _upload_ended(self) -> None:
        task = self._upload.task
        if task is not None and task.error is not None and self.failure is None:
            # It is the caller's own error: it goes to the caller, and to the app this is a client that went away.
            self.failure = task.error
            self.gone = True
        self.bell.ring()


class Upload:
    """The body of a request on its way to an app.

    One that is not in memory is read by a task of its own, for apps ask for messages from tasks that they cancel:
    that must not reach the caller's iterator. The task starts when the app first asks.
    """

    def __init__(
        self, request: Request, backend: AsyncBackend, on_end: Callable[[], None], bell: Bell
    ) -> None:
        self.task: Task | None = None
        self._source = request.stream
        self._piece: bytes | None = request.stream.content if type(request.stream) is ByteStream else None
        self._last = self._piece is not None  # there is nothing behind the piece
        self._given = False  # the app has all of it
        self._stopped = False
        #: True while the caller's iterator is asked for a piece.
        self.pulling = False
        self._backend = backend
        self._on_end = on_end
        self._bell = bell

    def take(self) -> Message | None:
        """Return the next message for the app, or None if there is none yet, or none any more."""
        if self._given:
            return None
        if self.task is None and self._piece is None:
            self.task = start(self._backend, self._run, "upload to an ASGI app", self._on_end)
        if self._piece is None and not self._last:
            return None
        body, self._piece = self._piece or b"", None
        self._given = self._last
        if self.task is not None:
            self._bell.ring()
        return {"type": "http.request", "body": body, "more_body": not self._last}

    def stop(self) -> None:
        """Read no further. The caller's iterator is closed in order, unless it is at work."""
        self._stopped = True
        if self.pulling and self.task is not None:
            self.task.cancel()
        self._bell.ring()

    async def _run(self) -> None:
        driver = AsyncDriver(self._backend)
        pull = Pull(self._source)
        try:
            while not self._stopped:
                self.pulling = True
                await driver.run(_performed(pull))
                self.pulling = False
                if pull.piece is None:
                    self._last = True
                    return
                if pull.piece:
                    self._piece = as_bytes(pull.piece)
                    self._bell.ring()
                while self._piece is not None and not self._stopped:
                    await self._bell.wait()
        finally:
            pull.finished = True
            await driver.run(_performed(pull))


def _performed(pull: Pull) -> Operation[Pull]:
    yield pull
    return pull
