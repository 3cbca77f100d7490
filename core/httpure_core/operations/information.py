"""What can be known of a connection, whatever it is used for."""

from __future__ import annotations

from typing import Any

from ..contracts import Link, Machine

__all__ = ["Connected", "extra_info"]


def extra_info(link: Link, name: str) -> Any:
    """Return what is known of a connection; None where nothing is, or the backend does not tell.

    "ssl_object" is its innermost TLS: that with the server, and not with a proxy on the way. All other names are the
    link's to know, such as "client_addr", "server_addr", "socket" and "is_readable".
    """
    if name == "ssl_object":
        found = None
        machine: Machine | None = link.machine
        while machine is not None:
            found = getattr(machine, "ssl_object", found)
            machine = getattr(machine, "inner", None)
        return found
    ask = getattr(link, "extra_info", None)
    return None if ask is None else ask(name)


class Connected:
    """What a trace function is told of a new connection."""

    __slots__ = ("_link",)

    def __init__(self, link: Link) -> None:
        self._link = link

    def get_extra_info(self, info: str) -> Any:
        """See `extra_info`."""
        return extra_info(self._link, info)

    def __repr__(self) -> str:
        return (
            f"<connection from {self.get_extra_info('client_addr')} to {self.get_extra_info('server_addr')}>"
        )
