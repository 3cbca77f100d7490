"""From a host and a port to a link: its addresses, which of them may be connected to, and the first that answers.

a Unix socket, an address in digits, one address    Dial
several addresses                                   Begin, Race, Begin, ... as `Eyeballs` says; then Dial the winner
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, cast

from ..contracts import Attempt, Link, Machine
from ..effects import Address, Begin, Consult, Dial, Effect, Operation, Race, Resolve
from ..errors import ResolveError, TransportError
from ..layers import in_words, reason_of
from .connecting import Connecting

if TYPE_CHECKING:
    from ..config.resolving import AddressPolicy
    from .dial import Dialler
    from .eyeballs import Eyeballs

__all__ = ["Opening"]

_IPV4 = r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}"
_REFUSED = "refused by the address policy"
#: Where addresses have failed in several ways: which of these tells most of the host, the first before the others.
_TELLING = ("refused", "reset", "unreachable", "policy")


class Opening:
    """One connection to be made, for one machine. `name` is the host in the words of errors.

    `policy` is asked about each address; None where all are allowed.
    """

    __slots__ = (
        "_connecting",
        "_dialler",
        "_failures",
        "_host",
        "_machine",
        "_name",
        "_policy",
        "_port",
        "_reasons",
    )

    def __init__(
        self,
        dialler: Dialler,
        connecting: Connecting,
        host: str,
        port: int,
        name: str,
        machine: Machine,
        policy: AddressPolicy | None = None,
    ) -> None:
        self._dialler = dialler
        self._connecting = connecting
        self._host = host
        self._port = port
        self._name = name
        self._machine = machine
        self._policy = policy
        #: What became of which address, in words.
        self._failures: list[str] = []
        #: That in one word each, where there is one.
        self._reasons: set[str | None] = set()

    def open_link(self) -> Operation[Link]:
        """Connect. Raises ConnectError and ConnectTimeout; and what the user's resolver and policy raise."""
        if self._dialler.uds is not None:
            return (yield from self._dial(Address(family="unix", path=self._dialler.uds)))
        addresses = yield from self._addresses()
        if self._policy is not None:
            addresses = self._allowed(addresses, self._policy)
        if len(addresses) == 1:
            return (yield from self._dial(addresses[0]))
        return (yield from self._race(addresses))

    def _addresses(self) -> Operation[list[Address]]:
        host, port, dialler = self._host, self._port, self._dialler
        if host.replace(".", "").isdigit() and re.fullmatch(_IPV4, host):
            return [Address(host, port)]
        if ":" in host:
            return [Address(host, port, family="ipv6")]
        if dialler.overrides is not None and (found := dialler.overrides.addresses(host, port)):
            return found
        if dialler.resolver is not None:
            consult = Consult(dialler.resolver, host, port, self._connecting.seconds())
            yield from self._looking_up(consult)
            from ..config.resolving import addresses_from

            found = addresses_from(consult.answer, port, f"The resolver's answer for {host!r}")
            if not found:
                raise self._unknown("the resolver knows no address")
            return found
        resolve = Resolve(host, port, self._connecting.seconds())
        yield from self._looking_up(resolve)
        return resolve.addresses

    def _looking_up(self, effect: Resolve | Consult) -> Operation[bool]:
        try:
            yield effect
        except TimeoutError:
            detail = f" because looking up the name {self._host} took too long"
            raise self._connecting.spent(detail) from None
        except OSError as exc:
            raise self._unknown(in_words(exc)) from exc
        return True

    def _unknown(self, why: str) -> TransportError:
        what = f"Could not look up the host name {self._host!r}"
        return self._connecting.failed(what, why, ResolveError, "resolve")

    def _allowed(self, addresses: list[Address], policy: AddressPolicy) -> list[Address]:
        """Return those that may be connected to. Raises ConnectError where there is none."""
        from ..config.resolving import allows

        allowed = []
        for address in addresses:
            if allows(policy, address):
                allowed.append(address)
            else:
                self._failures.append(f"{address}: {_REFUSED}")
                self._reasons.add("policy")
        if not allowed:
            raise self._failed()
        return allowed

    def _dial(self, address: Address) -> Operation[Link]:
        dial = self._dialling(address)
        try:
            yield dial
        except TimeoutError:
            self._failures.append(f"{address}: timed out")
            raise self._late() from None
        except OSError as exc:
            self._note(exc, f"{address}: ")
            raise self._failed() from exc
        except BaseException:
            if dial.link is not None:
                dial.link.close()  # the interrupt came when the dialling was done
            raise
        return cast("Link", dial.link)

    def _race(self, addresses: list[Address]) -> Operation[Link]:
        # Imported here, as most connections need none of it.
        from .eyeballs import Eyeballs

        connecting, dialler = self._connecting, self._dialler
        clock = connecting.budget.clock
        eyeballs = Eyeballs(addresses, connecting.seconds())
        runners: list[_Runner] = []
        cause: OSError | None = None
        expired = False
        effect: Effect
        try:
            while not eyeballs.over:
                runner = next((each for each in runners if each.connected), None)
                if runner is not None:
                    effect = runner.dial = self._dialling(runner.address, runner.attempt)
                elif expired:
                    self._failures += [f"{each.address}: timed out" for each in runners]
                    self._failures += [f"{address}: not tried" for address in eyeballs.untried]
                    raise self._late()
                elif (address := eyeballs.due(clock())) is not None:
                    effect = Begin(address, dialler.local_address, dialler.socket_options)
                    runner = _Runner(effect)
                    runners.append(runner)
                else:
                    effect = self._waiting(runners, eyeballs.pause(clock()))
                try:
                    yield effect
                except OSError as exc:
                    if runner is not None:
                        runner.fail(exc)
                    elif isinstance(exc, TimeoutError):
                        expired = connecting.seconds() == 0
                    else:
                        self._note(exc)
                        raise self._failed() from exc
                if runner is not None and runner.link is not None:
                    runners.remove(runner)
                    return runner.link
                cause = self._part_with_failed(runners, eyeballs) or cause
            raise self._late() if isinstance(cause, TimeoutError) else self._failed() from cause
        finally:
            cause = None  # whose traceback may know this frame
            for runner in runners:
                runner.close()

    def _part_with_failed(self, runners: list[_Runner], eyeballs: Eyeballs) -> OSError | None:
        """Take those out that have failed, so that the next is due. Returns why the last of them did; None for none."""
        cause: OSError | None = None
        for runner in [each for each in runners if each.error is not None]:
            cause = cast("OSError", runner.error)
            self._note(cause, f"{runner.address}: ")
            runners.remove(runner)
            runner.close()
            eyeballs.failed()
        return cause

    def _waiting(self, runners: list[_Runner], pause: float | None) -> Race:
        """Return what waits for one of those under way, and at most until the next is due."""
        limit = self._connecting.seconds()
        if pause is not None and (limit is None or pause < limit):
            limit = pause
        return Race([cast("Attempt", runner.attempt) for runner in runners], limit)

    def _dialling(self, address: Address, attempt: Attempt | None = None) -> Dial:
        dialler, seconds = self._dialler, self._connecting.seconds()
        return Dial(address, self._machine, seconds, dialler.local_address, dialler.socket_options, attempt)

    def _note(self, error: OSError, which: str = "") -> None:
        """Keep what went wrong."""
        self._failures.append(f"{which}{in_words(error)}")
        # That a path leads to no socket, or to one of a server that has ended, is one and the same.
        nobody = self._dialler.uds is not None and isinstance(error, FileNotFoundError)
        self._reasons.add("refused" if nobody else reason_of(error))

    def _failed(self) -> TransportError:
        reason = next((each for each in _TELLING if each in self._reasons), None)
        what = f"Could not connect to {self._name}"
        return self._connecting.failed(what, "; ".join(self._failures), reason=reason)

    def _late(self) -> TransportError:
        return self._connecting.spent(f" ({'; '.join(self._failures)})")


class _Runner:
    """An attempt, from before its beginning until it has become a link, or has failed."""

    __slots__ = ("_error", "begin", "dial")

    def __init__(self, begin: Begin) -> None:
        self.begin = begin
        #: What makes a link of it, if it has won.
        self.dial: Dial | None = None
        self._error: OSError | None = None

    @property
    def address(self) -> Address:
        return self.begin.address

    @property
    def attempt(self) -> Attempt | None:
        """What the backend has made, once it has."""
        return self.begin.attempt

    @property
    def connected(self) -> bool:
        return self.begin.attempt is not None and self.begin.attempt.connected

    @property
    def link(self) -> Link | None:
        return None if self.dial is None else self.dial.link

    @property
    def error(self) -> OSError | None:
        if self._error is None and self.begin.attempt is not None:
            return self.begin.attempt.error
        return self._error

    def fail(self, error: OSError) -> None:
        """An effect for it has failed."""
        self._error = error.with_traceback(None)  # which would know its frame, and so all that is here

    def close(self) -> None:
        """Leave nothing open, neither an attempt nor a link."""
        if self.link is not None:
            self.link.close()
        if self.begin.attempt is not None:
            self.begin.attempt.close()
