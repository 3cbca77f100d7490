"""From an origin to a connection."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.config.options import Timeout
from httpure_core.effects import Dial, Effect, Flush, Offload, Operation, Receive, Resolve
from httpure_core.errors import CertificateError, ConnectError, ConnectTimeout, TLSError
from httpure_core.http1.connection import Http1Connection
from httpure_core.models.request import Request
from httpure_core.operations.dial import Dialler

from .stepping import EOF, FakeTLS, Wire, World, drive, each_way, ended, left_at_each_step, run


def dialling(
    world: World, url: str = "http://example.org/", timeout: Timeout | None = None, **extensions: Any
) -> Operation[Any]:
    if timeout is not None:
        extensions["timeout"] = timeout.as_dict()
    return world.dialler.dial(world.budget(Request("GET", url, extensions=extensions)))


def test_look_up_and_dial() -> None:
    world = World()
    connection = world.run(dialling(world))
    assert world.kinds() == ["Resolve", "Dial"]
    resolve, dial = world.performed
    assert isinstance(resolve, Resolve)
    assert (resolve.host, resolve.port) == ("example.org", 80)
    assert isinstance(dial, Dial)
    assert (dial.address, dial.machine) == (world.addresses[0], connection)
    assert type(connection) is Http1Connection
    assert connection.link is world.wire
    assert connection.reusable


def test_machine_and_link_belong_to_each_other() -> None:
    """Also with TLS: the link feeds the TLS machine, which feeds the connection."""
    world = World()
    connection = world.run(dialling(world, "https://example.org/"))
    assert isinstance(world.wire.machine, FakeTLS)
    assert world.wire.machine.inner is connection
    assert connection.link is world.wire


@pytest.mark.parametrize(
    ("url", "address"),
    [
        ("http://192.0.2.7/", "192.0.2.7:80"),
        ("http://192.0.2.7:81/", "192.0.2.7:81"),
        ("https://[2001:db8::7]/", "[2001:db8::7]:443"),
    ],
)
def test_an_address_needs_no_look_up(url: str, address: str) -> None:
    world = World()
    world.run(dialling(world, url))
    dials = [effect for effect in world.performed if isinstance(effect, Dial)]
    assert [str(dial.address) for dial in dials] == [address]
    assert "Resolve" not in world.kinds()


def test_a_unix_socket_replaces_host_and_port() -> None:
    world = World()
    world.dialler = Dialler(world.tls, uds="/run/server")
    world.run(dialling(world))
    assert world.kinds() == ["Dial"]
    assert str(world.performed[0].address) == "/run/server"  # type: ignore[attr-defined]


def test_local_address_and_socket_options_go_along() -> None:
    world = World()
    world.dialler = Dialler(world.tls, None, "192.0.2.9", ((6, 1, 1),))
    world.run(dialling(world))
    dial = world.performed[1]
    assert isinstance(dial, Dial)
    assert (dial.local_address, dial.socket_options) == ("192.0.2.9", ((6, 1, 1),))


class TestTime:
    """One limit covers look-up, connecting and TLS."""

    def times(self, world: World, url: str, timeout: Timeout | None) -> list[float | None]:
        """What each effect may take, with a second passing during each."""
        times: list[float | None] = []

        def perform(effect: Effect) -> None:
            if not isinstance(effect, Offload):
                times.append(effect.timeout)  # type: ignore[attr-defined]
            world.clock.now += 1.0
            world.perform(effect)

        run(dialling(world, url, timeout), perform)
        return times

    def test_runs_on_during_tls(self) -> None:
        world = World()
        # Loading the certificates does not count.
        assert self.times(world, "https://example.org/", Timeout(11)) == [11, 10, 9, 8, 7]
        assert world.kinds() == ["Offload", "Resolve", "Dial", "Flush", "Receive", "Flush"]

    def test_never_goes_below_zero(self) -> None:
        assert self.times(World(), "http://example.org/", Timeout(0.5)) == [0.5, 0]

    def test_can_be_without_limit(self) -> None:
        assert set(self.times(World(), "https://example.org/", None)) == {None}

    def test_the_total_counts_too(self) -> None:
        assert self.times(World(), "http://example.org/", Timeout(None, total=4)) == [4, 3]

    def test_the_total_counts_the_loading_of_certificates_too(self) -> None:
        assert self.times(World(), "https://example.org/", Timeout(9, total=8)) == [7, 6, 5, 4, 3]
        with pytest.raises(
            ConnectTimeout, match="because loading the certificates took too long, GET https://"
        ):
            self.times(World(), "https://example.org/", Timeout(9, total=1))


class TestSecure:
    def test_certificates_are_loaded_off_the_event_loop_and_once(self) -> None:
        world = World()
        world.run(dialling(world, "https://example.org/"))
        world.run(dialling(world, "https://example.org/"))
        assert world.kinds().count("Offload") == 1
        assert isinstance(world.performed[0], Offload)

    def test_certificates_that_cannot_be_loaded(self) -> None:
        world = World()
        operation = dialling(world, "https://example.org/")
        assert isinstance(next(operation), Offload)
        with pytest.raises(
            TLSError, match=r"certificates for TLS \(no such file: ca\.pem\), GET https://example"
        ):
            operation.throw(OSError("no such file: ca.pem"))

    def test_http_needs_none(self) -> None:
        world = World()
        world.run(dialling(world))
        assert not world.tls.prepared

    def test_the_handshake_is_flushed_to_its_last_byte(self) -> None:
        world = World()
        world.run(dialling(world, "https://example.org/"))
        assert world.wire.sent == b"hello.finished."

    def test_the_name_is_the_host(self) -> None:
        world = World()
        world.run(dialling(world, "https://example.org/"))
        assert (world.tls.machines[0].name, world.tls.machines[0].alpn) == ("example.org", ["http/1.1"])

    def test_the_name_can_be_another(self) -> None:
        world = World()
        world.run(dialling(world, "https://192.0.2.7/", sni_hostname="other.example"))
        assert world.tls.machines[0].name == "other.example"

    def test_a_name_that_tls_has_no_form_for(self) -> None:
        """A server can lead there by a redirect: that is no error of the caller's."""

        def machine(server_hostname: str, alpn: list[str]) -> FakeTLS:
            raise UnicodeError("label empty or too long")

        world = World()
        world.tls.machine = machine  # type: ignore[method-assign]
        with pytest.raises(
            ConnectError, match=r"'a\.\.b' is no name for TLS: label empty or too long\), GET h"
        ):
            world.run(dialling(world, "https://a..b/"))

    @pytest.mark.parametrize(
        ("certificate", "why"),
        [
            (b"garbage", "its certificate is not trusted"),
            (EOF, "the server closed the connection during the handshake"),
            (ConnectionResetError(), "the server closed the connection during the handshake"),
        ],
    )
    def test_a_refused_handshake_says_why_and_closes(self, certificate: bytes | OSError, why: str) -> None:
        world = World()
        world.certificate = certificate
        with pytest.raises(ConnectError) as caught:
            world.run(dialling(world, "https://example.org/"))
        assert str(caught.value) == (
            f"Could not make a TLS connection to example.org ({why}), GET https://example.org/"
        )
        assert type(caught.value) is TLSError
        assert world.wire.closed

    def test_a_certificate_that_is_refused_has_its_class_and_advice(self) -> None:
        class Refusing(FakeTLS):
            def receive_data(self, data: bytes) -> None:
                self.fail("it is over", reason="certificate", advice="renew it")

        world = World()
        world.tls.machine = lambda name, alpn: Refusing(name, alpn, None)  # type: ignore[method-assign]
        with pytest.raises(CertificateError) as caught:
            world.run(dialling(world, "https://example.org/"))
        assert str(caught.value) == (
            "Could not make a TLS connection to example.org (it is over), GET https://example.org/; renew it"
        )
        assert caught.value.reason == "certificate"

    @pytest.mark.parametrize("steps", [3, 4, 5])
    def test_a_lost_connection(self, steps: int) -> None:
        world = World()
        operation = dialling(world, "https://example.org/")
        assert isinstance(drive(operation, world.perform, steps), Flush | Receive)
        with pytest.raises(ConnectError, match=r"TLS connection to example\.org \(it broke\)") as caught:
            operation.throw(OSError(5, "it broke"))
        assert isinstance(caught.value.__cause__, OSError)
        assert world.wire.closed

    def test_a_server_that_hangs_up_is_heard_out(self) -> None:
        """What it said before tells more than that our bytes could not be sent."""
        world = World()
        operation = dialling(world, "https://example.org/")
        drive(operation, world.perform, 3)
        assert isinstance(operation.throw(BrokenPipeError(32, "Broken pipe")), Receive)
        world.wire.tell(b"alert: no certificate of yours")
        assert isinstance(next(operation), Flush)
        with pytest.raises(ConnectError, match="its certificate is not trusted"):
            operation.throw(BrokenPipeError(32, "Broken pipe"))
        assert world.wire.closed

    def test_a_slow_server_gets_its_bytes_before_it_is_listened_to(self) -> None:
        world = World()
        operation = dialling(world, "https://example.org/")
        effect = drive(operation, world.perform, 3)
        for _ in range(3):
            assert isinstance(effect, Flush)
            effect.flushed = False
            effect = next(operation)
        assert isinstance(effect, Flush)
        assert world.run(operation, effect).reusable

    @pytest.mark.parametrize("steps", [3, 4, 5])
    def test_a_handshake_that_takes_too_long(self, steps: int) -> None:
        world = World()
        operation = dialling(world, "https://example.org/", Timeout(3))
        drive(operation, world.perform, steps)
        with pytest.raises(
            ConnectTimeout, match=r"because the TLS handshake with example\.org took too long"
        ):
            operation.throw(TimeoutError())
        assert world.wire.closed

    def test_news_that_come_during_the_flush_are_seen(self) -> None:
        """Rule 7: the signal is cleared before the flush, and the state looked at after it."""
        world = World()
        operation = dialling(world, "https://example.org/")
        flush = drive(operation, world.perform, 3)
        assert isinstance(flush, Flush)
        assert not flush.signal.ready
        world.wire.send()
        world.wire.tell(b"certificate.")
        assert ended(operation).reusable
        world.wire.send()
        assert world.wire.sent == b"hello.finished.", "the last flight goes out with the first request"


@pytest.mark.parametrize("url", ["http://example.org/", "https://example.org/"])
@each_way
def test_left_at_each_step_nothing_stays_open(way: str, url: str) -> None:
    worlds = list(left_at_each_step(way, lambda world: dialling(world, url)))
    assert len(worlds) == (6 if url.startswith("https") else 2)
    for world in worlds:
        assert all(wire.closed for wire in world.wires)


@each_way
def test_left_after_a_failure_nothing_stays_open(way: str) -> None:
    def make() -> World:
        world = World()
        world.certificate = b"garbage"
        return world

    def begin(world: World) -> Operation[Any]:
        try:
            return (yield from dialling(world, "https://192.0.2.1/"))
        except ConnectError:
            yield Offload(lambda: None)  # a step to be left at, after the failure
            return world

    *_, last = left_at_each_step(way, begin, make)
    assert last.wire.closed
    assert isinstance(last.wire, Wire)
