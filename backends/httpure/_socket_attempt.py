"""A socket that is being connected: what is the same for every way of waiting."""

from __future__ import annotations

import contextlib
import errno
import os
import socket

from httpure_core.effects import Begin, Dial

from ._socket_addresses import open_socket, socket_address

__all__ = ["SocketAttempt"]

#: What says that a connection has begun. EWOULDBLOCK does so on Windows only: for a Unix socket it is a failure.
_IN_PROGRESS = errno.EWOULDBLOCK if os.name == "nt" else errno.EINPROGRESS


class SocketAttempt:
    """A non-blocking socket on its way to an address. See `contracts.Attempt`.

    When the socket can be written to, or has failed, call `settle`, which finds out what has become of it.
    Raises OSError where it fails at once.
    """

    __slots__ = ("connected", "error", "sock")

    def __init__(self, effect: Begin | Dial) -> None:
        self.connected = False
        self.error: OSError | None = None
        self.sock = sock = open_socket(effect.address, effect.local_address, effect.socket_options)
        try:
            number = sock.connect_ex(socket_address(effect.address))
            if number not in (0, _IN_PROGRESS):
                raise OSError(number, os.strerror(number))
        except BaseException:
            sock.close()
            raise
        self.connected = number == 0

    @property
    def under_way(self) -> bool:
        """True as long as it has neither connected nor failed."""
        return not self.connected and self.error is None

    def settle(self) -> None:
        """Ask the socket what has become of it."""
        if not self.under_way:
            return
        try:
            number = self.sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR)
        except OSError as exc:
            number = exc.errno or errno.EBADF
        if number:
            self.error = OSError(number, os.strerror(number))
            self.close()
        else:
            self.connected = True

    def finish(self) -> socket.socket:
        """Return the connected socket. Raises OSError if it is none."""
        self.settle()
        if self.error is not None:
            # A new one: what is raised knows this frame, and the frame this attempt, which would all keep each other.
            raise OSError(*self.error.args)
        return self.sock

    def close(self) -> None:
        """Close the socket."""
        with contextlib.suppress(OSError):
            self.sock.close()
