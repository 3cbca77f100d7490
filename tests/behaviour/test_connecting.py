"""Names, addresses and the race between them, on every backend; in real time, with dead addresses of this machine."""

from __future__ import annotations

import socket
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import pytest

import httpure
from httpure_core.effects import Address
from tests.peers import Answer, Site

from .world import World, needs


def hello(call: object) -> Answer:
    return Answer(200, b"hello")


class Dead:
    """Addresses of this machine that do not answer: their queues are full, and nobody takes anything out."""

    def __init__(self) -> None:
        self._sockets = ExitStack()

    def address(self, family: str = "ipv4") -> Address:
        host = "::1" if family == "ipv6" else "127.0.0.1"
        kind = socket.AF_INET6 if family == "ipv6" else socket.AF_INET
        listener = self._sockets.enter_context(socket.socket(kind))
        listener.bind((host, 0))
        listener.listen(0)
        where = listener.getsockname()
        for _ in range(3):
            caller = self._sockets.enter_context(socket.socket(kind))
            caller.setblocking(False)
            caller.connect_ex(where)
        return Address(host, where[1], family=family)

    def close(self) -> None:
        self._sockets.close()


@pytest.fixture
def dead(http: World) -> Iterator[Callable[[], Address]]:
    """Return a function that makes an address which never answers."""
    if http.virtual:
        network = http.simulation.network  # type: ignore[attr-defined]

        def black_hole(family: str = "ipv4") -> Address:
            host = "2001:db8::dead" if family == "ipv6" else "203.0.113.66"
            network.add_black_hole(host)
            return Address(host, 80, family=family)

        yield black_hole
        return
    made = Dead()
    yield made.address
    made.close()


def local(url: str) -> Address:
    """The address of a server that was started."""
    return Address("127.0.0.1", int(url.rpartition(":")[2]))


def leads_to(http: World, *addresses: Any) -> Any:
    """A resolver for which every name has these addresses, of the world's colour."""

    def resolver(host: str, port: int) -> Any:
        return list(addresses)

    async def slow_resolver(host: str, port: int) -> Any:
        await http.sleep(0)
        return list(addresses)

    return resolver if http.blocking else slow_resolver


# Happy Eyeballs.


@pytest.mark.slow
@pytest.mark.parametrize("family", ["ipv4", "ipv6"])
async def test_a_dead_first_address_costs_less_than_300_ms(
    http: World, dead: Callable[..., Address], family: str
) -> None:
    if family == "ipv6" and not http.virtual and not socket.has_ipv6:
        pytest.skip("no IPv6 here")
    site = Site(hello)
    resolver = leads_to(http, dead(family), local(http.serve(site)))
    async with http.client(resolver=resolver) as client:
        began = http.clock()
        assert (await client.get("http://name.test/")).content == b"hello"
        assert (
            0.2 < http.clock() - began < (0.3 if http.virtual else 3)
        )  # this machine has other things to do
        began = http.clock()
        await client.get("http://name.test/")
        assert http.clock() - began < 0.2 or not http.virtual
    assert site.connections == 1


async def test_an_address_where_nobody_listens_costs_nothing(http: World) -> None:
    nobody = Address("127.0.0.1", http.free_port())
    resolver = leads_to(http, nobody, local(http.serve(Site(hello))))
    async with http.client(resolver=resolver) as client:
        began = http.clock()
        assert (await client.get("http://name.test/")).content == b"hello"
        assert http.clock() - began < 0.2 or not http.virtual


async def test_where_nobody_listens_anywhere_all_is_told(http: World) -> None:
    ports = [http.free_port(), http.free_port()]
    resolver = leads_to(http, *[Address("127.0.0.1", port) for port in ports])
    async with http.client(resolver=resolver) as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get("http://name.test/")
        assert str(caught.value) == (
            f"Could not connect to name.test (127.0.0.1:{ports[0]}: Connection refused; "
            f"127.0.0.1:{ports[1]}: Connection refused), GET http://name.test/"
        )
        assert client.statistics.connections == 0


async def test_the_time_for_all_of_them(http: World, dead: Callable[[], Address]) -> None:
    first, second = dead(), dead()
    if http.virtual:
        http.simulation.network.add_black_hole("203.0.113.67")  # type: ignore[attr-defined]
        second = Address("203.0.113.67", 80)
    async with http.client(resolver=leads_to(http, first, second), timeout=0.1) as client:
        began = http.clock()
        with pytest.raises(httpure.ConnectTimeout) as caught:
            await client.get("http://name.test/")
        assert 0.09 < http.clock() - began < (0.2 if http.virtual else 3)
        assert f"({first}: timed out; {second}: timed out)" in str(caught.value)
        assert client.statistics.connections == 0


@needs("cancels")
@pytest.mark.parametrize("seconds", [0.0, 0.01, 0.06, 0.12])
async def test_cancelled_races_leave_nothing_open(
    http: World, dead: Callable[[], Address], seconds: float
) -> None:
    """What is left open makes a ResourceWarning, which is an error in this suite."""
    resolver = leads_to(http, dead(), dead(), local(http.serve(Site(hello))))
    async with http.client(resolver=resolver, timeout=0.15) as client:
        await http.gather(*[http.give_up(client.get("http://name.test/"), seconds) for _ in range(3)])
        assert client.statistics.connections == client.statistics.idle, "some may have had their answer"
        if http.virtual:
            assert http.simulation.network.attempts == 0  # type: ignore[attr-defined]


async def test_many_at_once(http: World) -> None:
    nobody = Address("127.0.0.1", http.free_port())
    url = http.serve(Site(hello))
    async with http.client(resolver=leads_to(http, nobody, local(url), nobody)) as client:
        answers = await http.gather(*[client.get("http://name.test/") for _ in range(10)])
    assert [answer.text for answer in answers] == ["hello"] * 10


# Resolvers.


async def test_a_plain_function(http: World) -> None:
    url = http.serve(site := Site(hello))
    asked: list[tuple[str, int]] = []

    def resolver(host: str, port: int) -> str:
        asked.append((host, port))
        return "127.0.0.1"

    port = local(url).port
    async with http.client(resolver=resolver) as client:
        await client.get(f"http://B\u00fccher.example:{port}/")
        await client.get(f"http://127.0.0.1:{port}/")
    assert asked == [("xn--bcher-kva.example", port)]
    assert [call.field("host") for call in site.calls] == [
        f"xn--bcher-kva.example:{port}",
        f"127.0.0.1:{port}",
    ]


async def test_it_sees_the_context_variables_of_the_caller(http: World) -> None:
    from contextvars import ContextVar

    tenant = ContextVar("tenant", default="nobody")
    tenant.set("ada")
    seen = []

    def resolver(host: str, port: int) -> str:
        seen.append(tenant.get())
        return "127.0.0.1"

    async with http.client(resolver=resolver) as client:
        await client.get(f"http://name.test:{local(http.serve(Site(hello))).port}/")
    assert seen == ["ada"]


async def test_overrides(http: World) -> None:
    port = local(http.serve(Site(hello))).port
    resolver = {"one.test": "127.0.0.1", "two.test:80": Address("127.0.0.1", port)}
    async with http.client(resolver=resolver) as client:
        for url in (f"http://one.test:{port}", "http://two.test", f"http://localhost:{port}"):
            assert (await client.get(url)).content == b"hello"


async def test_names_that_lead_nowhere(http: World) -> None:
    async with http.client(resolver=leads_to(http)) as client:
        with pytest.raises(
            httpure.ConnectError, match=r"'name\.test' \(the resolver knows no address\), GET http:"
        ):
            await client.get("http://name.test/")


@pytest.mark.parametrize("timeout", [5.0, None])
async def test_what_a_resolver_raises(http: World, timeout: float | None) -> None:
    for error, expected in ((KeyError("mine"), KeyError), (OSError("down"), httpure.ConnectError)):

        def resolver(host: str, port: int, error: Exception = error) -> str:
            raise error

        async with http.client(resolver=resolver, timeout=timeout) as client:
            with pytest.raises(expected, match=str(error.args[0])):
                await client.get("http://name.test/")
            assert client.statistics.connections == 0


@needs("cancels")
async def test_a_coroutine_function_that_takes_too_long(http: World) -> None:
    ended = []

    async def resolver(host: str, port: int) -> str:
        try:
            await http.sleep(30)
        finally:
            ended.append(host)
        return "127.0.0.1"

    async with http.client(resolver=resolver, timeout=0.05) as client:
        began = http.clock()
        with pytest.raises(httpure.ConnectTimeout, match=r"looking up the name name\.test took too long"):
            await client.get("http://name.test/")
        assert http.clock() - began < (0.5 if http.virtual else 10)
        assert ended == ["name.test"]
    async with http.client(resolver=resolver) as client:
        assert await http.give_up(client.get("http://name.test/"), 0.2)
    assert ended == ["name.test"] * 2


@needs("blocking")
async def test_a_coroutine_function_in_a_blocking_client(http: World) -> None:
    async def resolver(host: str, port: int) -> str:
        return "127.0.0.1"

    async with http.client(resolver=resolver) as client:
        with pytest.raises(
            TypeError, match="The resolver of a blocking client is a plain function; this one must be"
        ):
            await client.get("http://name.test/")


# Address policies.


def not_loopback(address: Address) -> bool:
    return not address.host.startswith("127.")


async def test_a_policy(http: World) -> None:
    url = http.serve(site := Site(hello))
    port = local(url).port
    async with http.client(address_policy=not_loopback) as client:
        for host in ("127.0.0.1", "localhost"):
            with pytest.raises(
                httpure.ConnectError, match=r"127\.0\.0\.1:\d+: refused by the address policy"
            ) as error:
                await client.get(f"http://{host}:{port}/")
            assert f"Could not connect to {host} (" in str(error.value)
        assert client.statistics.connections == 0
    assert site.connections == 0


async def test_a_redirect_is_asked_about_again(http: World) -> None:
    """And the connection that is there already was asked about when it was made."""
    inside = http.serve(secret := Site(hello))
    location = inside.replace("127.0.0.1", "localhost")
    outside = http.serve(Site(lambda call: Answer(302, fields=[("Location", location)])))
    asked = []

    def policy(address: Address) -> bool:
        asked.append(address.port)
        return address.port == local(outside).port

    async with http.client(address_policy=policy, follow_redirects=True) as client:
        for _ in range(2):
            with pytest.raises(httpure.ConnectError, match="refused by the address policy"):
                await client.get(outside)
    assert asked.count(local(outside).port) == 1
    assert set(asked) == {local(outside).port, local(inside).port}
    assert secret.connections == 0


async def test_public_addresses_only(http: World) -> None:
    port = local(http.serve(Site(hello))).port
    hosts = [
        "127.0.0.1",
        "localhost",
        "[::1]",
        "[::ffff:127.0.0.1]",
        "10.0.0.1",
        "169.254.169.254",
        "[fe80::1%25lo]",
    ]
    async with http.client(address_policy=httpure.public_addresses_only) as client:
        for host in hosts:
            with pytest.raises(httpure.ConnectError, match="refused by the address policy"):
                await client.get(f"http://{host}:{port}/")


async def test_the_clients_own_are_for_the_transports_it_makes(http: World) -> None:
    for name, value in (("resolver", {"a": "127.0.0.1"}), ("address_policy", not_loopback)):
        with pytest.raises(
            ValueError, match=f"{name}= is for the transports that a client makes, and this one was"
        ):
            http.client(
                transport=httpure.MockTransport(lambda request: httpure.Response(200)), **{name: value}
            )
