"""From an origin to a connection: name look-up, TCP or a Unix socket, TLS, HTTP.

One limit, `connect`, covers it all.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, cast

from ..contracts import TLS, Connection, Link, Machine, TLSMachine
from ..effects import Address, Dial, Flush, Offload, Operation, Receive, Resolve
from ..errors import ConnectError
from .budget import Budget, place

__all__ = ["Dialler"]

_IPV4 = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}")


class Dialler:
    """How a transport connects: its TLS configuration, Unix socket, local address and socket options."""

    __slots__ = ("local_address", "socket_options", "tls", "uds")

    def __init__(
        self,
        tls: TLS,
        uds: str | None = None,
        local_address: str | None = None,
        socket_options: tuple[tuple[Any, ...], ...] = (),
    ) -> None:
        self.tls = tls
        self.uds = uds
        self.local_address = local_address
        self.socket_options = socket_options

    def dial(self, budget: Budget) -> Operation[Connection]:
        """Connect to the origin of the budget's request. Raises ConnectError or ConnectTimeout."""
        from ..http1.connection import Http1Connection  # here, as h11 is a third of the time to import us

        connecting = Connecting(budget)
        connection = Http1Connection()
        if budget.request.url.scheme == "https":
            connection.link = yield from self._open_secure(connecting, connection)
        else:
            connection.link = yield from self._open(connecting, connection)
        return connection

    def _open_secure(self, connecting: Connecting, inner: Machine) -> Operation[Link]:
        if not self.tls.prepared:
            try:
                yield Offload(self.tls.prepare)
            except OSError as exc:
                raise connecting.failed("could not load the certificates for TLS", _in_words(exc)) from exc
        name = connecting.budget.request.extensions.get("sni_hostname") or connecting.host
        machine = self.tls.machine(name, ["http/1.1"])
        machine.inner = inner
        link = yield from self._open(connecting, machine)
        try:
            yield from _shake_hands(connecting, link, machine, name)
        except BaseException:
            link.close()
            raise
        return link

    def _open(self, connecting: Connecting, machine: Machine) -> Operation[Link]:
        addresses = yield from self._resolve(connecting)
        failures: list[str] = []
        for index, address in enumerate(addresses):
            timeout = connecting.seconds(share=len(addresses) - index)
            dial = Dial(address, machine, timeout, self.local_address, self.socket_options)
            try:
                yield dial
            except TimeoutError:
                failures.append(f"{address}: timed out")
                if len(failures) == len(addresses):
                    raise connecting.spent(f" ({'; '.join(failures)})") from None
            except OSError as exc:
                failures.append(f"{address}: {_in_words(exc)}")
            except BaseException:
                if dial.link is not None:
                    dial.link.close()  # the interrupt came when the dialling was done
                raise
            else:
                return cast("Link", dial.link)
        raise connecting.failed(f"could not connect to {connecting.host}", "; ".join(failures))

    def _resolve(self, connecting: Connecting) -> Operation[list[Address]]:
        if self.uds is not None:
            return [Address(family="unix", path=self.uds)]
        host, port = connecting.host, connecting.port
        if _IPV4.fullmatch(host):
            return [Address(host, port)]
        if ":" in host:
            return [Address(host, port, family="ipv6")]
        look_up = Resolve(host, port, connecting.seconds())
        try:
            yield look_up
        except TimeoutError:
            raise connecting.spent(f" because looking up the name {host} took too long") from None
        except OSError as exc:
            raise connecting.failed(f"could not look up the host name {host!r}", _in_words(exc)) from exc
        return look_up.addresses


def _shake_hands(connecting: Connecting, link: Link, machine: TLSMachine, name: str) -> Operation[TLSMachine]:
    signal = machine.signal
    try:
        while True:
            signal.ready = False
            flush = Flush(link, signal, connecting.seconds())
            with contextlib.suppress(ConnectionError):  # what the server said before it hung up tells more
                yield flush
            if machine.established and flush.flushed:
                return machine
            if machine.failure is not None:
                raise connecting.failed(f"could not make a TLS connection to {name}", machine.failure)
            if flush.flushed:
                yield Receive(link, signal, connecting.seconds())
    except TimeoutError:
        raise connecting.spent(" because the TLS handshake took too long") from None
    except OSError as exc:
        raise connecting.failed(f"could not make a TLS connection to {name}", _in_words(exc)) from exc


def _in_words(error: OSError) -> str:
    return error.strerror or str(error) or type(error).__name__


class Connecting:
    """One go at connecting: the host, the port, and the moment when the connect timeout is over."""

    __slots__ = ("_ends", "budget", "host", "port")

    def __init__(self, budget: Budget) -> None:
        origin = budget.request.url.origin
        self.host = origin.host
        self.port = origin.port
        self.budget = budget
        limit = budget.seconds("connect")
        self._ends = None if limit is None else budget.clock() + limit

    def seconds(self, share: int = 1) -> float | None:
        """Return what is left of the limit, as one of `share` equal parts; None for no limit."""
        if self._ends is None:
            return None
        return max(0.0, self._ends - self.budget.clock()) / share

    def spent(self, detail: str) -> Exception:
        """Return the ConnectTimeout, telling what took so long."""
        return self.budget.spent("connect", detail)

    def failed(self, what: str, why: str) -> ConnectError:
        """Return the ConnectError, telling what failed and why."""
        request = self.budget.request
        return ConnectError(f"{what[0].upper()}{what[1:]} ({why}), {place(request)}", request=request)
