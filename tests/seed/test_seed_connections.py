"""The Clients page's "Why use a Client?": who reuses connections, and how a client ends.

The server names the connection of each answer in `X-Connection`.
"""

from __future__ import annotations

from typing import Any

import pytest

import httpure

from ..running import on_each_loop


@pytest.fixture(params=["plain", "tls"])
def site(request: pytest.FixtureRequest, httpbin: str, example: str) -> str:
    return httpbin if request.param == "plain" else example


def test_client_reuses_its_connection(site: str) -> None:
    with httpure.Client() as client:
        used = {client.get(f"{site}/bytes/{size}").headers["x-connection"] for size in (0, 1, 5000)}
    assert len(used) == 1


@on_each_loop
async def test_async_client_reuses_its_connection(http: Any, site: str) -> None:
    async with http.Client() as client:
        used = {(await client.get(f"{site}/bytes/{size}")).headers["x-connection"] for size in (0, 1, 5000)}
    assert len(used) == 1


def test_connection_serves_every_kind_of_request(httpbin: str) -> None:
    with httpure.Client(follow_redirects=True) as client:
        answers = [
            client.get(f"{httpbin}/redirect/2"),
            client.get(f"{httpbin}/stream-bytes/30000"),
            client.head(f"{httpbin}/get"),
            client.get(f"{httpbin}/status/204"),
            client.post(f"{httpbin}/post", content=iter([b"a", b"b"])),
            client.get(f"{httpbin}/digest-auth/auth/u/p/SHA-256", auth=httpure.DigestAuth("u", "p")),
        ]
    assert all(r.is_success for r in answers)
    assert len({r.headers["x-connection"] for r in answers}) == 1


def test_top_level_functions_do_not_reuse(site: str) -> None:
    used = {httpure.get(f"{site}/connection").json()["connection"] for _ in range(3)}
    assert len(used) == 3


@on_each_loop
async def test_top_level_coroutine_functions_do_not_reuse(http: Any, site: str) -> None:
    used = {(await http.get(f"{site}/connection")).json()["connection"] for _ in range(3)}
    assert len(used) == 3


def test_closed_client_refuses(httpbin: str) -> None:
    client = httpure.Client()
    client.get(httpbin)
    client.close()
    client.close()
    assert client.is_closed
    with pytest.raises(RuntimeError):
        client.get(httpbin)
    with pytest.raises(RuntimeError):
        client.__enter__()


def test_client_is_entered_once() -> None:
    with httpure.Client() as client, pytest.raises(RuntimeError):
        client.__enter__()


@on_each_loop
async def test_closed_async_client_refuses(http: Any, httpbin: str) -> None:
    client = http.Client()
    await client.get(httpbin)
    await client.aclose()
    await client.aclose()
    assert client.is_closed
    with pytest.raises(RuntimeError):
        await client.get(httpbin)
    with pytest.raises(RuntimeError):
        await client.__aenter__()


@on_each_loop
async def test_async_client_is_entered_once(http: Any) -> None:
    async with http.Client() as client:
        with pytest.raises(RuntimeError):
            await client.__aenter__()


def test_leaving_the_block_on_an_error_closes(httpbin: str) -> None:
    with pytest.raises(ZeroDivisionError), httpure.Client() as client:
        client.get(httpbin)
        raise ZeroDivisionError
    assert client.is_closed


@on_each_loop
async def test_connection_serves_on_after_large_bodies(http: Any, site: str) -> None:
    """However the end of a body falls into reads, the connection must be reading again for the next one."""
    sizes = range(500_000, 1_500_000, 50_000)
    async with http.Client(timeout=2) as client:
        answers = [await client.get(f"{site}/large/{size}") for size in sizes]
    assert [len(r.content) for r in answers] == list(sizes)
    assert len({r.headers["x-connection"] for r in answers}) == 1


def test_blocking_connection_serves_on_after_large_bodies(site: str) -> None:
    sizes = range(500_000, 1_500_000, 50_000)
    with httpure.Client(timeout=2) as client:
        answers = [client.get(f"{site}/large/{size}") for size in sizes]
    assert [len(r.content) for r in answers] == list(sizes)
    assert len({r.headers["x-connection"] for r in answers}) == 1
