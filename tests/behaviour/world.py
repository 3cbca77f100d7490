"""What a behaviour test sees of the backend it runs on.

async def test_get(http):
    url = http.serve(Site(lambda call: Answer(200, b"hello")))
    async with http.client() as client:
        assert (await client.get(url)).content == b"hello"
"""

from __future__ import annotations

import inspect
import socket
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterable, Iterator
from contextlib import aclosing, asynccontextmanager
from types import TracebackType
from typing import Any, TypeVar

import httpure
from tests.peers import Peer, RealNetwork, with_tls
from tests.peers.tls import authority

__all__ = ["AnyClient", "RealWorld", "World", "needs"]

PeerFactory = Callable[[], Peer]
T = TypeVar("T")


class World:
    """A backend, and a network for its clients and servers. One is made for each test."""

    #: How the backend is called in the names of tests.
    name: str
    #: True if each call blocks; then tests' coroutines never suspend.
    blocking = False
    #: True if a coroutine can be cancelled.
    cancels = True
    #: True if time is virtual: to wait for hours costs nothing.
    virtual = False

    def run(self, test: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Run a test to its end."""
        raise NotImplementedError

    def close(self) -> None:
        """Close the network. Raises what a server raised."""

    def clock(self) -> float:
        """Return monotonic seconds."""
        raise NotImplementedError

    async def sleep(self, seconds: float) -> None:
        """Wait."""
        raise NotImplementedError

    async def gather(self, *coroutines: Coroutine[Any, Any, Any]) -> list[Any]:
        """Run coroutines at the same time and return their results, or the exceptions that they raised."""
        raise NotImplementedError

    async def give_up(self, coroutine: Coroutine[Any, Any, Any], seconds: float) -> bool:
        """Cancel the coroutine after some seconds; True if it was not done by then. Not for blocking worlds."""
        raise NotImplementedError

    def serve(self, peer_factory: PeerFactory, tls: bool = False) -> str:
        """Start a server, and return the beginning of its URLs: no path, no trailing slash."""
        port = self.listen(with_tls(peer_factory) if tls else peer_factory)
        return f"{'https' if tls else 'http'}://127.0.0.1:{port}"

    def listen(self, peer_factory: PeerFactory) -> int:
        """Start a server on the loopback address and return its port."""
        raise NotImplementedError

    def free_port(self) -> int:
        """Return a port on which nobody listens."""
        raise NotImplementedError

    def client(self, **kwargs: Any) -> AnyClient:
        """Make a client of the backend; keywords are those of `httpure.Client`. Use it in `async with`."""
        if kwargs.get("verify") == "test":
            kwargs["verify"] = authority().trusting
        return AnyClient(self._make_client(**kwargs), self.blocking)

    def transport(self, **kwargs: Any) -> Any:
        """Make an HTTP transport of the backend; keywords are those of `httpure.HTTPTransport`."""
        own = self.client().itself._transport
        return type(own)(backend=own.backend, **kwargs)

    def _make_client(self, **kwargs: Any) -> Any:
        raise NotImplementedError

    def body(self, pieces: Iterable[bytes], pause: float = 0.0) -> Any:
        """Return a generator of request content, of the backend's colour, waiting `pause` seconds before each."""
        if not self.blocking:
            return self._async_body(pieces, pause)
        return self._blocking_body(pieces, pause)

    async def pieces(self, response: Any, how: str = "iter_bytes", *args: Any) -> AsyncIterator[Any]:
        """Iterate over a streamed response by one of its methods, such as "iter_lines"."""
        if self.blocking:
            for piece in getattr(response, how)(*args):
                yield piece
        else:
            async with aclosing(getattr(response, "a" + how)(*args)) as iterator:
                async for piece in iterator:
                    yield piece

    async def read(self, response: Any) -> bytes:
        """Read a streamed response to its end."""
        return response.read() if self.blocking else await response.aread()  # type: ignore[no-any-return]

    async def close_response(self, response: Any) -> None:
        """Close a streamed response."""
        if self.blocking:
            response.close()
        else:
            await response.aclose()

    async def _async_body(self, pieces: Iterable[bytes], pause: float) -> AsyncIterator[bytes]:
        for piece in pieces:
            if pause:
                await self.sleep(pause)
            yield piece

    def _blocking_body(self, pieces: Iterable[bytes], pause: float) -> Iterator[bytes]:
        for piece in pieces:
            if pause:
                time.sleep(pause)
            yield piece


def needs(*facts: str) -> Callable[[T], T]:
    """Mark a test that only some worlds can run: those where all of these are true, such as "virtual"."""

    def mark(test: T) -> T:
        test.needs = facts  # type: ignore[attr-defined]
        return test

    return mark


class AnyClient:
    """A client of either colour. Every method is to be awaited, save `stream`, which is entered."""

    def __init__(self, client: Any, blocking: bool) -> None:
        #: The client itself, for what has no colour.
        self.itself = client
        self._blocking = blocking

    def __getattr__(self, name: str) -> Callable[..., Awaitable[Any]]:
        method = getattr(self.itself, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = method(*args, **kwargs)
            return await result if inspect.isawaitable(result) else result

        return call

    async def close(self, **kwargs: Any) -> None:
        """Close the client."""
        if self._blocking:
            self.itself.close(**kwargs)
        else:
            await self.itself.aclose(**kwargs)

    @property
    def statistics(self) -> Any:
        """The figures of the pool."""
        return self.itself._transport.statistics

    @asynccontextmanager
    async def stream(self, *args: Any, **kwargs: Any) -> AsyncIterator[Any]:
        """As `httpure.Client.stream`."""
        manager = self.itself.stream(*args, **kwargs)
        if self._blocking:
            with manager as response:
                yield response
        else:
            async with manager as response:
                yield response

    async def __aenter__(self) -> AnyClient:
        if self._blocking:
            self.itself.__enter__()
        else:
            await self.itself.__aenter__()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._blocking:
            self.itself.__exit__(kind, error, trace)
        else:
            await self.itself.__aexit__(kind, error, trace)


class RealWorld(World):
    """A world of real sockets."""

    def __init__(self) -> None:
        self._network = RealNetwork()

    def close(self) -> None:
        self._network.close()

    def clock(self) -> float:
        return time.monotonic()

    def listen(self, peer_factory: PeerFactory) -> int:
        return self._network.listen(peer_factory)

    def free_port(self) -> int:
        with socket.socket() as sock:
            sock.bind(("127.0.0.1", 0))
            return int(sock.getsockname()[1])

    def _make_client(self, **kwargs: Any) -> Any:
        return httpure.Client(**kwargs) if self.blocking else httpure.AsyncClient(**kwargs)
