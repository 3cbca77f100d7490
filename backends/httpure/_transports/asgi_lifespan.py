"""The life of an ASGI app around its requests: startup and shutdown (ASGI 3.0, "Lifespan")."""

from __future__ import annotations

from collections.abc import MutableMapping
from typing import Any, NoReturn

from httpure_core.errors import CloseError, ConnectError, RemoteProtocolError, TransportError

from ..backends import AsyncBackend
from .asgi_exchange import GRACE, MOMENT, ASGIApp, Message
from .asgi_tasks import Bell, start

__all__ = ["Lifespan"]


class Lifespan:
    """The one call of an app that lasts as long as the app does, in a task of its own."""

    def __init__(self, app: ASGIApp, backend: AsyncBackend, raising: bool) -> None:
        #: What the app has put there at its startup; each request gets a shallow copy.
        self.state: dict[str, Any] = {}
        self._app = app
        self._backend = backend
        self._raising = raising
        self._bell = Bell(backend)
        self._asked = ""  # the last message that the app got
        self._answered: set[str] = set()  # what the app has answered
        self._failure: str | None = None  # what the app said of its failure
        self._stopping = False

    async def start(self) -> None:
        """Start the app, and wait until it says that it has. Raises what the app raised, or ConnectError."""
        self._task = start(self._backend, self._run, "ASGI lifespan", self._bell.ring)
        try:
            while not self._over("startup"):
                await self._bell.wait()
            if self._failure is None and "startup" in self._answered:
                return
            await self._task.wait(MOMENT)  # it may raise what it has told of, too, and that says more
        except BaseException:
            await self._cancel()
            raise
        await self._cancel()
        self._fail(ConnectError, "start")

    async def stop(self) -> None:
        """Have the app shut down, and wait until it has ended. Raises what the app raised, or CloseError."""
        self._stopping = True
        self._bell.ring()
        try:
            while not self._over("shutdown"):
                await self._bell.wait()
            await self._task.wait(GRACE)
        finally:
            await self._cancel()
        if self._failure is not None or self._task.error is not None:
            self._fail(CloseError, "shut down")

    async def _run(self) -> None:
        scope: MutableMapping[str, Any] = {
            "type": "lifespan",
            "asgi": {"version": "3.0", "spec_version": "2.0"},
            "state": self.state,
        }
        await self._app(scope, self._receive, self._send)

    async def _receive(self) -> Message:
        if not self._asked:
            self._asked = "startup"
        else:
            while not self._stopping or self._asked == "shutdown":
                await self._bell.wait()
            self._asked = "shutdown"
        return {"type": f"lifespan.{self._asked}"}

    async def _send(self, message: Message) -> None:
        kind = message.get("type") if isinstance(message, MutableMapping) else None
        _, _, rest = str(kind).partition("lifespan.")
        asked, _, how = rest.partition(".")
        if asked not in ("startup", "shutdown") or how not in ("complete", "failed"):
            raise RemoteProtocolError(
                f"The ASGI app sent a message of type {kind!r:.80}, which is none of a lifespan"
            )
        if asked in self._answered or (asked == "shutdown" and not self._stopping):
            raise RemoteProtocolError(f"The ASGI app sent {kind!r} when it was not asked for it")
        if how == "failed":
            self._failure = str(message.get("message", ""))
        self._answered.add(asked)
        self._bell.ring()

    def _over(self, asked: str) -> bool:
        return asked in self._answered or self._task.done

    async def _cancel(self) -> None:
        if not self._task.done:
            self._task.cancel()
            await self._task.wait(GRACE, shielded=True)

    def _fail(self, kind: type[TransportError], what: str) -> NoReturn:
        error = self._task.error
        if error is not None and (self._raising or not isinstance(error, Exception)):
            raise error
        if self._failure is not None:
            why = f": {self._failure}" if self._failure else ", and did not say why"
        elif error is not None:
            why = f": it raised {type(error).__name__}"
        else:
            why = (
                ": it returned without 'lifespan.startup.complete'. If it has no lifespan, "
                "make the transport without lifespan=True"
            )
        raise kind(f"The ASGI app failed to {what}{why}") from error
