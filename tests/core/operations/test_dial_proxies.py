"""By way of proxies, and again after a failure: stepped without I/O."""

from __future__ import annotations

import contextlib
from collections import deque
from typing import Any

import pytest

from httpure_core.auth import DigestAuth
from httpure_core.config.options import Proxy, Timeout
from httpure_core.contracts import Machine
from httpure_core.effects import (
    Address,
    Call,
    Dial,
    Effect,
    Flush,
    Offload,
    Operation,
    Receive,
    Resolve,
    Sleep,
)
from httpure_core.errors import ConnectError, ConnectTimeout, LocalProtocolError, ProxyError
from httpure_core.http1.connection import Http1Connection
from httpure_core.models.request import Request
from httpure_core.operations.dial import Dialler
from httpure_core.operations.report import Report, silent
from httpure_core.proxy.forward import ForwardConnection
from httpure_core.proxy.socks5 import Socks5
from httpure_core.proxy.tunnel import Tunnel

from .stepping import EOF, Act, FakeTLS, FakeTLSConfig, Wire, World, drive, each_way, left_at_each_step, run

ESTABLISHED: list[Act] = [b"HTTP/1.1 200 OK\r\n\r\n"]
SOCKS: list[Act] = [b"\x05\x00", b"\x05\x00\x00\x01\x00\x00\x00\x00\x00\x00"]
V4 = Address("192.0.2.1", 80)


class ProxyWire(Wire):
    """Answers what is said to the proxy with the next of `proxy_says`, then TLS with a certificate."""

    def __init__(self, machine: Machine, world: ProxyWorld) -> None:
        super().__init__(machine, world.answers, world.certificate)
        self.proxy_says = deque(world.proxy_says)

    def send(self) -> None:
        with self.mutex:
            data = self.machine.data_to_send()
        self.sent += data
        if data == b"hello.":
            self.incoming.append(self._certificate)
        elif data.startswith((b"CONNECT", b"\x05")) and self.proxy_says:
            self.incoming.append(self.proxy_says.popleft())

    def tell(self, act: Act) -> None:
        """Links also send what the machine answers."""
        super().tell(act)
        self.send()


class ProxyWorld(World):
    def __init__(self, proxy: Proxy | str, proxy_says: list[Act] = ESTABLISHED, **options: Any) -> None:
        super().__init__(addresses=[V4])
        self.proxy_says = proxy_says
        self.proxy_tls = FakeTLSConfig()
        self.dialler = Dialler(
            self.tls,
            proxy=proxy if isinstance(proxy, Proxy) else Proxy(proxy),
            proxy_tls=self.proxy_tls,
            **options,
        )

    def dial(self, effect: Dial) -> None:
        effect.link = ProxyWire(effect.machine, self)
        self.wires.append(effect.link)

    def sleep(self, effect: Sleep) -> None:
        self.clock.now += effect.seconds


def dialling(
    world: World, url: str = "https://example.org/", timeout: Timeout | None = None, **extensions: Any
) -> Operation[Any]:
    if timeout is not None:
        extensions["timeout"] = timeout.as_dict()
    return world.dialler.dial(world.budget(Request("GET", url, extensions=extensions)))


def nested(world: World) -> list[type]:
    """The machines on the link, from the outermost one."""
    machine: Any = world.wire.machine
    found = []
    while machine is not None:
        found.append(type(machine))
        machine = getattr(machine, "inner", None)
    return found


class TestWhatStandsOnTheLink:
    @pytest.mark.parametrize(
        ("proxy", "says", "url", "machines"),
        [
            ("http://p", [], "http://example.org/", [ForwardConnection]),
            ("https://p", [], "http://example.org/", [FakeTLS, ForwardConnection]),
            ("http://p", ESTABLISHED, "https://example.org/", [Tunnel, FakeTLS, Http1Connection]),
            ("https://p", ESTABLISHED, "https://example.org/", [FakeTLS, Tunnel, FakeTLS, Http1Connection]),
            ("socks5://p", SOCKS, "http://example.org/", [Socks5, Http1Connection]),
            ("socks5h://p", SOCKS, "https://example.org/", [Socks5, FakeTLS, Http1Connection]),
        ],
    )
    def test_layers(self, proxy: str, says: list[Act], url: str, machines: list[type]) -> None:
        world = ProxyWorld(proxy, says)
        connection = world.run(dialling(world, url))
        assert nested(world) == machines
        assert connection.link is world.wire
        assert connection.reusable

    def test_the_proxy_is_dialled(self) -> None:
        world = ProxyWorld("socks5://proxy.test", SOCKS)
        world.run(dialling(world))
        resolve, dial = world.performed[:2]
        assert isinstance(resolve, Resolve)
        assert (resolve.host, resolve.port) == ("proxy.test", 1080)
        assert isinstance(dial, Dial)

    def test_socket_settings_are_for_the_way_to_the_proxy(self) -> None:
        world = ProxyWorld("http://192.0.2.9:3128", local_address="192.0.2.8", socket_options=((6, 1, 1),))
        world.run(dialling(world))
        dial = world.performed[0]
        assert isinstance(dial, Dial)
        assert (str(dial.address), dial.local_address) == ("192.0.2.9:3128", "192.0.2.8")
        assert dial.socket_options == ((6, 1, 1),)

    def test_a_proxy_at_a_unix_socket(self) -> None:
        world = ProxyWorld("http://p", uds="/run/proxy")
        world.run(dialling(world))
        assert str(world.performed[0].address) == "/run/proxy"  # type: ignore[attr-defined]
        assert b"CONNECT example.org:443" in world.wire.sent

    def test_the_names_in_tls(self) -> None:
        world = ProxyWorld("https://proxy.test")
        world.run(dialling(world, sni_hostname="other.test"))
        assert [(tls.name, tls.alpn) for tls in world.proxy_tls.machines] == [("proxy.test", ["http/1.1"])]
        assert [(tls.name, tls.alpn) for tls in world.tls.machines] == [("other.test", ["http/1.1"])]

    def test_a_proxy_without_settings_of_its_own(self) -> None:
        world = ProxyWorld("https://proxy.test")
        world.dialler = Dialler(world.tls, proxy=Proxy("https://proxy.test"))
        world.run(dialling(world))
        assert [tls.name for tls in world.tls.machines] == ["proxy.test", "example.org"]

    def test_without_http1_a_tunnel_leaves_the_version_to_the_origin(self) -> None:
        world = ProxyWorld(
            "http://p", [b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"], http1=False, http2=True
        )
        with pytest.raises(ProxyError):
            world.run(dialling(world, "http://example.org/"))
        assert world.wire.sent.startswith(b"CONNECT example.org:80 ")

    def test_early_bytes_are_handed_on_and_the_link_may_read_again(self) -> None:
        world = ProxyWorld("socks5://p", [SOCKS[0], b"".join(SOCKS[1:]) + b"HTTP/1.1 408 Too late\r\n\r\n"])  # type: ignore[arg-type]
        connection = world.run(dialling(world, "http://example.org/"))
        assert not connection.reusable, "it has got what nobody asked for"
        assert world.wire.nudges == 1


class TestALPN:
    @pytest.mark.parametrize(
        ("options", "offered"),
        [
            ({}, ["http/1.1"]),
            ({"http2": True}, ["h2", "http/1.1"]),
            ({"http2": True, "http1": False}, ["h2"]),
        ],
    )
    def test_what_is_offered(self, options: dict[str, bool], offered: list[str]) -> None:
        assert Dialler(FakeTLSConfig(), **options).alpn == offered  # type: ignore[arg-type]

    def test_something_must_be(self) -> None:
        with pytest.raises(ValueError, match="http1=False and http2=False leave no version of HTTP"):
            Dialler(FakeTLSConfig(), http1=False)

    @pytest.mark.parametrize(
        ("options", "url", "chosen", "version"),
        [
            ({"http2": True}, "https://example.org/", "h2", "Http2Connection"),
            ({"http2": True}, "https://example.org/", "http/1.1", "Http1Connection"),
            ({"http2": True}, "https://example.org/", None, "Http1Connection"),
            ({"http2": True}, "http://example.org/", None, "Http1Connection"),
            ({"http2": True, "http1": False}, "https://example.org/", None, "Http2Connection"),
            ({"http2": True, "http1": False}, "http://example.org/", None, "Http2Connection"),
        ],
    )
    def test_what_is_spoken(
        self, options: dict[str, bool], url: str, chosen: str | None, version: str
    ) -> None:
        world = World()
        world.dialler = Dialler(world.tls, **options)  # type: ignore[arg-type]
        world.tls.chosen = chosen
        connection = world.run(dialling(world, url))
        assert type(connection).__name__ == version


class TestErrors:
    def failed(self, world: World, url: str = "https://example.org/") -> Any:
        with pytest.raises((ProxyError, ConnectError, ConnectTimeout)) as caught:
            world.run(dialling(world, url))
        assert all(wire.closed for wire in world.wires)
        return caught.value

    def test_a_refusal_has_what_the_proxy_said(self) -> None:
        answer = b"HTTP/1.1 403 No\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno!"
        error = self.failed(ProxyWorld("http://proxy.test:3128", [answer]))
        assert type(error) is ProxyError
        assert str(error) == (
            "The proxy proxy.test:3128 did not connect to example.org:443 (it answered 403 No: 'no!'), "
            "GET https://example.org/"
        )
        assert error.proxy_response.status_code == 403
        assert error.request.method == "GET"

    def test_a_proxy_that_hangs_up(self) -> None:
        error = self.failed(ProxyWorld("socks5://[::1]", [EOF]))
        assert str(error) == (
            "The proxy [::1]:1080 did not connect to example.org:443 (it closed the connection without an answer), "
            "GET https://example.org/"
        )
        assert error.proxy_response is None

    def test_a_connection_that_is_lost_while_sending(self) -> None:
        world = ProxyWorld("http://192.0.2.1")
        operation = dialling(world)
        assert isinstance(drive(operation, world.perform, 1), Flush)
        with pytest.raises(ProxyError, match=r"did not connect to example\.org:443 \(it broke\)") as caught:
            operation.throw(OSError(5, "it broke"))
        assert isinstance(caught.value.__cause__, OSError)
        assert world.wire.closed

    def test_time_is_up_after_the_beginning_of_a_refusal(self) -> None:
        world = ProxyWorld("http://192.0.2.1", [b"HTTP/1.1 502 Bad\r\nContent-Length: 3\r\n\r\n"])
        operation = dialling(world)
        assert isinstance(drive(operation, world.perform, 2), Receive)
        world.wire.tell(world.wire.incoming.popleft())
        with pytest.raises(ProxyError, match="it answered 502 Bad"):
            operation.throw(TimeoutError())

    def test_what_a_socks_proxy_cannot_be_told(self) -> None:
        world = ProxyWorld("socks5://192.0.2.1", SOCKS)
        request = Request("GET", "http://example.org/")
        world.dialler.proxy.auth = ("", "x")  # type: ignore[union-attr]  # changed since it was checked
        with pytest.raises(
            LocalProtocolError, match=r"user name of 1 to 255 bytes.*GET http://example\.org/"
        ):
            world.run(world.dialler.dial(world.budget(request)))
        assert not world.wires

    def test_certificates_for_the_proxy(self) -> None:
        world = ProxyWorld("https://192.0.2.1")
        operation = dialling(world)
        assert isinstance(next(operation), Offload)
        with pytest.raises(ConnectError, match="certificates"):
            operation.throw(OSError("no such file"))


CHALLENGE = b"HTTP/1.1 407 Who\r\nProxy-Authenticate: Digest realm=r, nonce=n\r\n%bContent-Length: 0\r\n\r\n"
KEPT: Act = CHALLENGE % b""
LEFT: Act = CHALLENGE % b"Connection: close\r\n"


class Asking(ProxyWorld):
    """The proxy asks who we are; what it says is for all its connections together."""

    def __init__(self, *says: Act) -> None:
        super().__init__(Proxy("http://192.0.2.1", auth=DigestAuth("user", "pass")))
        self.said = deque(says)

    def dial(self, effect: Dial) -> None:
        super().dial(effect)
        self.wires[-1].proxy_says = self.said  # type: ignore[attr-defined]


class TestAnswers:
    def test_on_the_same_connection(self) -> None:
        world = Asking(KEPT, *ESTABLISHED)
        connection = world.run(dialling(world))
        assert connection.link is world.wire
        assert world.wire.sent.count(b"CONNECT") == 2
        assert world.wire.sent.count(b"Proxy-Authorization: Digest ") == 1

    def test_on_another_connection(self) -> None:
        world = Asking(LEFT, *ESTABLISHED)
        connection = world.run(dialling(world))
        assert connection.link is world.wires[1]
        assert [wire.closed for wire in world.wires] == [True, False]
        assert [wire.sent.count(b"Proxy-Authorization") for wire in world.wires] == [0, 1]

    @pytest.mark.parametrize(
        ("says", "connections"), [((KEPT, KEPT), 1), ((LEFT, LEFT), 2), ((KEPT, LEFT), 1)]
    )
    def test_that_are_refused(self, says: tuple[Act, ...], connections: int) -> None:
        world = Asking(*says)
        with pytest.raises(ProxyError, match="it did not accept the user name and password") as caught:
            world.run(dialling(world))
        assert caught.value.proxy_response is not None
        assert caught.value.proxy_response.status_code == 407
        assert [wire.closed for wire in world.wires] == [True] * connections

    def test_one_limit_covers_all_connections(self) -> None:
        world = Asking(LEFT, *ESTABLISHED)
        limits: list[float] = []

        def perform(effect: Effect) -> None:
            if isinstance(effect, Flush):
                limits.append(effect.timeout or 0.0)
                world.clock.now += 1.0
            world.perform(effect)

        run(dialling(world, timeout=Timeout(20)), perform)
        assert limits == [20.0 - second for second in range(len(limits))]

    @each_way
    def test_left_at_each_step(self, way: str) -> None:
        for world in left_at_each_step(way, dialling, lambda: Asking(LEFT, *ESTABLISHED)):
            assert all(wire.closed for wire in world.wires)


class TestCredentials:
    @pytest.mark.parametrize(
        ("proxy", "url", "passes"),
        [
            (None, "https://example.org/", True),
            ("http://p", "http://example.org/", True),
            ("https://p", "http://example.org/", True),
            ("http://p", "https://example.org/", False),
            ("socks5://p", "http://example.org/", False),
            ("socks5://p", "https://example.org/", False),
        ],
    )
    def test_they_go_to_the_proxy_or_not_at_all(self, proxy: str | None, url: str, passes: bool) -> None:
        dialler = Dialler(FakeTLSConfig(), proxy=None if proxy is None else Proxy(proxy))
        request = Request("GET", url, headers={"Proxy-Authorization": "Basic eA=="})
        if passes:
            dialler.check(request)
        else:
            with pytest.raises(LocalProtocolError):
                dialler.check(request)
        dialler.check(Request("GET", url))


@pytest.mark.parametrize(
    ("proxy", "says", "steps"),
    [
        ("http://p", ESTABLISHED, 9),
        ("https://p", ESTABLISHED, 13),
        ("socks5://p", SOCKS, 9),
    ],
)
@each_way
def test_left_at_each_step_nothing_stays_open(way: str, proxy: str, says: list[Act], steps: int) -> None:
    worlds = list(left_at_each_step(way, dialling, lambda: ProxyWorld(proxy, says)))
    assert len(worlds) == steps
    for world in worlds:
        assert all(wire.closed for wire in world.wires)


# Retries.


class Failing(World):
    """All dials fail, save the one with that number."""

    def __init__(self, retries: int, succeeds: int = -1, error: OSError | None = None) -> None:
        super().__init__(addresses=[V4])
        self.dialler = Dialler(self.tls, retries=retries)
        self.dials = 0
        self.sleeps: list[float] = []
        self.succeeds = succeeds
        self.error = error or ConnectionRefusedError(111, "Connection refused")

    def dial(self, effect: Dial) -> None:
        self.dials += 1
        if self.dials - 1 != self.succeeds:
            if isinstance(self.error, TimeoutError) and effect.timeout is not None:
                self.clock.now += effect.timeout
            raise self.error
        super().dial(effect)

    def sleep(self, effect: Sleep) -> None:
        self.sleeps.append(effect.seconds)
        self.clock.now += effect.seconds


class Distrusted(World):
    """The first certificate is none; but there is a second go."""

    def __init__(self) -> None:
        super().__init__(addresses=[V4])
        self.dialler = Dialler(self.tls, retries=2)

    def dial(self, effect: Dial) -> None:
        self.certificate = b"certificate." if len(self.wires) > 1 else b"garbage"
        super().dial(effect)

    def sleep(self, effect: Sleep) -> None:
        self.clock.now += effect.seconds


class TestRetries:
    def test_none_by_default(self) -> None:
        world = Failing(0)
        with pytest.raises(ConnectError):
            world.run(dialling(world, "http://example.org/"))
        assert (world.dials, world.sleeps) == (1, [])

    def test_pauses(self) -> None:
        world = Failing(6)
        with pytest.raises(ConnectError):
            world.run(dialling(world, "http://example.org/"))
        assert (world.dials, world.sleeps) == (7, [0.5, 1.0, 2.0, 4.0, 8.0])

    @pytest.mark.parametrize("succeeds", [0, 1, 2, 3])
    def test_until_it_works(self, succeeds: int) -> None:
        world = Failing(3, succeeds)
        connection = world.run(dialling(world, "http://example.org/"))
        assert connection.link is world.wire
        assert world.dials == succeeds + 1

    def test_each_go_has_the_whole_limit(self) -> None:
        world = Failing(2, error=TimeoutError())
        with pytest.raises(ConnectTimeout, match="within 3 s"):
            world.run(dialling(world, "http://example.org/", Timeout(3)))
        assert world.clock.now == 3 + 0 + 3 + 0.5 + 3

    def test_the_total_ends_them(self) -> None:
        """A pause that would outlast it is not begun: the error tells why, instead of a timeout's."""
        world = Failing(10)
        with pytest.raises(ConnectError, match="refused"):
            world.run(dialling(world, "http://example.org/", Timeout(5, total=1.6)))
        assert world.sleeps == [0.5, 1.0]

    def test_the_total_ends_a_go(self) -> None:
        world = Failing(10, error=TimeoutError())
        with pytest.raises(ConnectTimeout, match="the total timeout"):
            world.run(dialling(world, "http://example.org/", Timeout(5, total=7)))
        assert (world.clock.now, world.dials) == (7, 2)

    def test_a_handshake_is_tried_again(self) -> None:
        world = Failing(1, 0)
        world.succeeds = 0
        world.certificate = b"garbage"
        with pytest.raises(ConnectError, match="refused"):
            world.run(dialling(world))
        assert world.wire.closed

    def test_a_refusing_proxy_is_not_asked_again(self) -> None:
        world = ProxyWorld("http://p", [b"HTTP/1.1 403 No\r\nContent-Length: 0\r\n\r\n"], retries=3)
        with pytest.raises(ProxyError):
            world.run(dialling(world))
        assert len(world.wires) == 1

    def test_a_number(self) -> None:
        with pytest.raises(ValueError, match="retries is -1, but must not be negative"):
            Dialler(FakeTLSConfig(), retries=-1)
        with pytest.raises(TypeError, match="retries is a number of goes, not str"):
            Dialler(FakeTLSConfig(), retries="3")  # type: ignore[arg-type]

    @each_way
    def test_left_at_each_step(self, way: str) -> None:
        worlds = list(left_at_each_step(way, dialling, Distrusted))
        assert len(worlds) == 17
        for world in worlds:
            assert all(wire.closed for wire in world.wires)


# Those who listen.


class TestReports:
    def events(self, world: World, url: str = "https://example.org/") -> list[tuple[str, dict[str, Any]]]:
        heard: list[tuple[str, dict[str, Any]]] = []
        request = Request("GET", url)
        budget = world.budget(request)
        budget.report = Report(lambda name, info: heard.append((name, info)), silent)
        with contextlib.suppress(ConnectError, ProxyError):
            world.run(world.dialler.dial(budget))
        return heard

    def names(self, world: World, url: str = "https://example.org/") -> list[str]:
        return [name for name, _ in self.events(world, url)]

    def test_direct(self) -> None:
        heard = self.events(World())
        assert [name for name, _ in heard] == [
            "connection.connect_tcp.started",
            "connection.connect_tcp.complete",
            "connection.start_tls.started",
            "connection.start_tls.complete",
        ]
        info = heard[0][1]
        assert (info["host"], info["port"], info["timeout"]) == ("example.org", 443, None)
        assert (info["local_address"], info["socket_options"]) == (None, None)
        assert heard[1][1]["return_value"].get_extra_info("unknown") is None
        assert heard[2][1] == {"ssl_context": None, "server_hostname": "example.org", "timeout": None}

    def test_a_unix_socket(self) -> None:
        world = World()
        world.dialler = Dialler(world.tls, uds="/run/server")
        heard = self.events(world, "http://example.org/")
        assert [name for name, _ in heard] == [
            "connection.connect_unix_socket.started",
            "connection.connect_unix_socket.complete",
        ]
        assert heard[0][1]["path"] == "/run/server"

    @pytest.mark.parametrize(
        ("proxy", "says", "steps"),
        [
            ("http://p", ESTABLISHED, ["connection.connect_tcp", "proxy.setup_tunnel", "proxy.start_tls"]),
            (
                "https://p",
                ESTABLISHED,
                ["connection.connect_tcp", "connection.start_tls", "proxy.setup_tunnel", "proxy.start_tls"],
            ),
            (
                "socks5://p",
                SOCKS,
                ["connection.connect_tcp", "socks.setup_socks5_connection", "socks.start_tls"],
            ),
        ],
    )
    def test_proxies(self, proxy: str, says: list[Act], steps: list[str]) -> None:
        names = self.names(ProxyWorld(proxy, says))
        assert names == [f"{step}.{how}" for step in steps for how in ("started", "complete")]

    def test_failures_and_retries(self) -> None:
        assert self.names(Failing(1), "http://example.org/") == [
            "connection.connect_tcp.started",
            "connection.connect_tcp.failed",
            "connection.retry.started",
            "connection.retry.complete",
            "connection.connect_tcp.started",
            "connection.connect_tcp.failed",
        ]

    def test_who_raises_at_the_end_leaves_nothing_open(self) -> None:
        def trace(name: str, info: dict[str, Any]) -> None:
            if name == "connection.connect_tcp.complete":
                raise RuntimeError("enough")

        world = World()
        request = Request("GET", "http://example.org/")
        budget = world.budget(request)
        budget.report = Report(trace, silent)
        with pytest.raises(RuntimeError, match="enough"):
            world.run(world.dialler.dial(budget))
        assert world.wire.closed


class TestTime:
    def test_one_limit_covers_it_all(self) -> None:
        world = ProxyWorld("https://p", ESTABLISHED)
        times: list[float] = []

        def perform(effect: Effect) -> None:
            if not isinstance(effect, Offload | Call):
                times.append(effect.timeout)  # type: ignore[attr-defined]
                world.clock.now += 1.0
            world.perform(effect)

        run(dialling(world, timeout=Timeout(20)), perform)
        assert times == [20.0 - second for second in range(len(times))]
        assert len(times) == 11
