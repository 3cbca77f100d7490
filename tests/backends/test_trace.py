"""The extension "trace" tells what httpx's does: the same events in the same order, with the same things known."""

from __future__ import annotations

import asyncio
import ssl
from typing import Any

import httpx
import pytest

import httpure
from tests.peers import Answer, RealNetwork, Site, with_tls
from tests.peers.raw import SWITCHED, Echo, leaving
from tests.peers.tls import authority


def site() -> Site:
    def answer(call: Any) -> Answer:
        if call.path == "/redirect":
            return Answer(302, b"moved", fields=[("Location", "/")])
        return Answer(200, [b"hel", b"lo"], chunked=call.path == "/chunked")

    return Site(answer)


class Told:
    def __init__(self) -> None:
        self.events: list[tuple[str, dict[str, Any]]] = []

    def __call__(self, event: str, info: dict[str, Any]) -> None:
        self.events.append((event, info))

    @property
    def names(self) -> list[str]:
        return [name for name, _ in self.events]


def get(library: Any, url: str, told: Told, trusted: ssl.SSLContext) -> None:
    with library.Client(verify=trusted, follow_redirects=True, timeout=5) as client:
        for path in ("/", "/chunked", "/redirect"):
            client.get(url + path, extensions={"trace": told})
        client.post(url, content=b"hello", extensions={"trace": told})


def stream(library: Any, url: str, told: Told, trusted: ssl.SSLContext) -> None:
    with library.Client(verify=trusted, timeout=5) as client:
        with client.stream("GET", url, extensions={"trace": told}) as response:
            assert b"".join(response.iter_bytes()) == b"hello"
        with client.stream("GET", url, extensions={"trace": told}):
            pass


def fail(library: Any, url: str, told: Told, trusted: ssl.SSLContext) -> None:
    with library.Client(timeout=5, trust_env=False) as client, pytest.raises(library.ConnectError):
        client.get("http://127.0.0.1:1/", extensions={"trace": told})


@pytest.mark.parametrize("tls", [False, True], ids=["http", "https"])
@pytest.mark.parametrize("use", [get, stream, fail], ids=lambda use: use.__name__)
def test_as_httpx(network: RealNetwork, use: Any, tls: bool) -> None:
    port = network.listen(with_tls(site()) if tls else site())
    url = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    ours, theirs = Told(), Told()
    use(httpure, url, ours, authority().trusting)
    use(httpx, url, theirs, authority().trusting)
    assert ours.names == theirs.names
    for (name, info), (_, their_info) in zip(ours.events, theirs.events, strict=True):
        assert set(info) == set(their_info), name
        for key in ("host", "port", "server_hostname"):
            if key in info:
                assert info[key] == their_info[key], name


def test_what_is_known_of_a_head_is_as_with_httpx(network: RealNetwork) -> None:
    url = f"http://127.0.0.1:{network.listen(site())}"
    heads = []
    for library in (httpure, httpx):
        told = Told()
        with library.Client() as client:  # type: ignore[attr-defined]
            client.get(url, extensions={"trace": told})
        head = dict(told.events)["http11.receive_response_headers.complete"]["return_value"]
        heads.append((head[0], head[1], head[2], [(name.lower(), value) for name, value in head[3]]))
    assert heads[0] == heads[1]


def test_async_clients_take_functions_of_both_kinds(network: RealNetwork) -> None:
    url = f"http://127.0.0.1:{network.listen(site())}"
    told = Told()

    async def waiting(event: str, info: dict[str, Any]) -> None:
        await asyncio.sleep(0)
        told(event, info)

    async def main() -> None:
        async with httpure.AsyncClient() as client:
            await client.get(url, extensions={"trace": told})
            plain, told.events = told.names, []
            async with client.stream("GET", url, extensions={"trace": waiting}) as response:
                await response.aread()
            assert told.names == plain[2:], "all but the dialling"

    asyncio.run(main())


def test_of_an_upgrade_is_as_with_httpx(network: RealNetwork) -> None:
    url = f"http://127.0.0.1:{network.listen(leaving(SWITCHED, Echo))}"
    names = []
    for library in (httpure, httpx):
        told = Told()
        with library.Client() as client:  # type: ignore[attr-defined]
            fields = {"Connection": "Upgrade", "Upgrade": "echo"}
            with client.stream("GET", url, headers=fields, extensions={"trace": told}) as response:
                network_stream = response.extensions["network_stream"]
                network_stream.write(b"hello")
                assert network_stream.read(5) == b"HELLO"
        names.append(told.names)
    assert names[0] == names[1]
