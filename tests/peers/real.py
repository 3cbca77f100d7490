"""Runs peers on real sockets of the loopback interface, all of them in one background thread."""

from __future__ import annotations

import heapq
import itertools
import selectors
import socket
import struct
import threading
import time
from collections import deque
from collections.abc import Callable
from types import TracebackType
from typing import Any

from .peer import Peer

__all__ = ["RealChannel", "RealNetwork"]


class RealNetwork:
    """Serves any number of ports until it is closed. `close()` raises what a peer raised."""

    def __init__(self) -> None:
        self._selector = selectors.DefaultSelector()
        self._events: list[tuple[float, int, Callable[[], object]]] = []
        self._numbers = itertools.count()
        self._channels: dict[RealChannel, None] = {}
        self._posted: deque[Callable[[], object]] = deque()  # by other threads
        self._listeners: list[socket.socket] = []
        self._errors: list[Exception] = []
        self._bell, bell = socket.socketpair()
        self._selector.register(bell, selectors.EVENT_READ, lambda _: None)
        self._woken = bell
        self._thread = threading.Thread(target=self._run, name="peers", daemon=True)
        self._thread.start()

    def listen(self, peer_factory: Callable[[], Peer], receive_buffer: int | None = None) -> int:
        """Serve a port, which is returned. `receive_buffer`: the size of the kernel's buffer, in bytes."""
        listener = socket.socket()
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if receive_buffer is not None:
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        listener.bind(("127.0.0.1", 0))
        listener.listen(512)
        self._serve(listener, peer_factory)
        return int(listener.getsockname()[1])

    def listen_unix(self, peer_factory: Callable[[], Peer], path: str) -> None:
        """Serve a Unix socket."""
        listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        listener.bind(path)
        listener.listen(512)
        self._serve(listener, peer_factory)

    def _serve(self, listener: socket.socket, peer_factory: Callable[[], Peer]) -> None:
        listener.setblocking(False)
        self._listeners.append(listener)
        self._post(
            lambda: self._selector.register(
                listener, selectors.EVENT_READ, lambda _: self._accept(listener, peer_factory)
            )
        )

    def close(self) -> None:
        """Close everything. Raises what a peer raised, if one did."""
        self._post(self._stop)
        self._thread.join(5)
        self._bell.close()
        self._woken.close()
        if self._errors:
            raise self._errors[0]

    def __enter__(self) -> RealNetwork:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        """Call it in so many seconds, in the peers' thread; from whatever thread."""
        event = (time.monotonic() + seconds, next(self._numbers), callback)
        if threading.current_thread() is self._thread:
            heapq.heappush(self._events, event)
        else:
            self._post(lambda: heapq.heappush(self._events, event))  # it may be asleep

    def watch(self, sock: socket.socket, events: int, callback: Callable[[int], object]) -> None:
        """Call `callback(events)` when these happen; 0 for no more."""
        known = sock in self._selector.get_map()
        if not events:
            if known:
                self._selector.unregister(sock)
        elif known:
            self._selector.modify(sock, events, callback)
        else:
            self._selector.register(sock, events, callback)

    def forget(self, channel: RealChannel) -> None:
        self._channels.pop(channel, None)

    def _post(self, callback: Callable[[], object]) -> None:
        self._posted.append(callback)
        self._bell.send(b"!")

    def _accept(self, listener: socket.socket, peer_factory: Callable[[], Peer]) -> None:
        try:
            sock, _ = listener.accept()
        except OSError:
            return
        sock.setblocking(False)
        if sock.family == socket.AF_INET:
            sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        peer = peer_factory()
        channel = RealChannel(self, sock, peer)
        self._channels[channel] = None
        channel.watch()
        peer.connected(channel)

    def _run(self) -> None:
        try:
            while True:
                timeout = None
                if self._events:
                    timeout = max(0.0, self._events[0][0] - time.monotonic())
                for key, events in self._selector.select(timeout):
                    if key.fileobj is self._woken:
                        self._woken.recv(4096)
                        while self._posted:
                            self._call(self._posted.popleft())
                    else:
                        self._call(lambda key=key, events=events: key.data(events))  # type: ignore[misc]
                while self._events and self._events[0][0] <= time.monotonic():
                    self._call(heapq.heappop(self._events)[2])
        except _Stop:
            pass

    def _call(self, callback: Callable[[], Any]) -> None:
        try:
            callback()
        except _Stop:
            raise
        except Exception as exc:
            self._errors.append(exc)

    def _stop(self) -> None:
        for channel in list(self._channels):
            channel.drop()
        for listener in self._listeners:
            listener.close()
        self._selector.close()
        raise _Stop


class _Stop(Exception):
    pass


class RealChannel:
    """See `peer.Channel`. Used in the network's thread only."""

    def __init__(self, network: RealNetwork, sock: socket.socket, peer: Peer) -> None:
        self._network = network
        self._sock = sock
        self._peer = peer
        self._unsent = bytearray()
        self._reading = True
        self._closing = False
        self._gone = False

    def send(self, data: bytes) -> None:
        if self._closing or self._gone:
            return
        self._unsent += data
        self._push()

    @property
    def unsent(self) -> int:
        return len(self._unsent)

    def close(self) -> None:
        if not self._closing and not self._gone:
            self._closing = True
            self._reading = True
            self._push()

    def reset(self) -> None:
        if not self._gone:
            self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.drop()

    def pause(self) -> None:
        self._reading = False
        self.watch()

    def resume(self) -> None:
        self._reading = True
        self.watch()

    def call_later(self, seconds: float, callback: Callable[[], object]) -> None:
        self._network.call_later(seconds, callback)

    def drop(self) -> None:
        """Close the socket."""
        if not self._gone:
            self._gone = True
            self._network.watch(self._sock, 0, self._happened)
            self._network.forget(self)
            self._sock.close()

    def watch(self) -> None:
        """Tell the network what this channel waits for."""
        if not self._gone:
            events = selectors.EVENT_READ * self._reading | selectors.EVENT_WRITE * bool(self._unsent)
            self._network.watch(self._sock, events, self._happened)

    def _happened(self, events: int) -> None:
        if events & selectors.EVENT_WRITE and not self._gone:
            self._push()
        if events & selectors.EVENT_READ and not self._gone:
            self._pull()

    def _push(self) -> None:
        try:
            while self._unsent:
                del self._unsent[: self._sock.send(self._unsent)]
        except BlockingIOError:
            pass
        except OSError:
            self._lose()
            return
        if self._closing and not self._unsent:
            try:
                self._sock.shutdown(socket.SHUT_WR)
            except OSError:
                self._lose()
                return
        self.watch()

    def _pull(self) -> None:
        try:
            data = self._sock.recv(256 * 1024)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
        elif not self._closing:
            self._peer.receive_data(data)

    def _lose(self) -> None:
        """The client is gone. Also where it has only hung up: no client of ours goes on listening then."""
        if not self._gone:
            self._unsent.clear()
            self.drop()
            self._peer.receive_eof()
