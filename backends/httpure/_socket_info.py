"""What a socket can tell of its connection, for the links that have one."""

from __future__ import annotations

import socket
from typing import Any

from ._socket_waiting import wait_for_read

__all__ = ["socket_info"]


def socket_info(sock: socket.socket, name: str) -> Any:
    """Return "client_addr", "server_addr", "socket" or "is_readable" of a socket; None for all else.

    Of a closed socket nothing is known, but that it is readable: to read from it would not have to wait.
    """
    try:
        if name == "client_addr":
            return sock.getsockname()
        if name == "server_addr":
            return sock.getpeername()
        if name == "is_readable":
            return wait_for_read(sock)(0)
    except (OSError, ValueError):
        return True if name == "is_readable" else None
    return sock if name == "socket" and sock.fileno() >= 0 else None
