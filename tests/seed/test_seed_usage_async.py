"""The Clients page from "Usage" to "Request instances": each snippet in its async form, on both loops."""

from __future__ import annotations

import base64
from typing import Any

import pytest

import httpure

from ..running import LOOPS, on_each_loop, run


@on_each_loop
async def test_usage_as_a_context_manager(http: Any, example: str) -> None:
    async with http.Client() as client:
        assert not client.is_closed
        await client.get(example)
    assert client.is_closed


@on_each_loop
async def test_usage_with_close(http: Any, example: str) -> None:
    client = http.Client()
    try:
        await client.get(example)
    finally:
        await client.aclose()
    assert client.is_closed


@on_each_loop
async def test_making_requests(http: Any, example: str) -> None:
    async with http.Client() as client:
        r = await client.get(example)
    assert repr(r) == "<Response [200 OK]>"


@on_each_loop
async def test_custom_headers(http: Any, example: str) -> None:
    async with http.Client() as client:
        headers = {"X-Custom": "value"}
        r = await client.get(f"{example}/headers", headers=headers)
    assert r.request.headers["X-Custom"] == "value"
    assert r.json()["headers"]["X-Custom"] == "value"


@on_each_loop
async def test_sharing_configuration(http: Any, httpbin: str) -> None:
    url = f"{httpbin}/headers"
    headers = {"user-agent": "my-app/0.0.1"}
    async with http.Client(headers=headers) as client:
        r = await client.get(url)
    assert r.json()["headers"]["User-Agent"] == "my-app/0.0.1"


@on_each_loop
async def test_merging_headers_and_params(http: Any, example: str) -> None:
    headers = {"X-Auth": "from-client"}
    params = {"client_id": "client1"}
    async with http.Client(headers=headers, params=params) as client:
        headers = {"X-Custom": "from-request"}
        params = {"request_id": "request1"}
        r = await client.get(example, headers=headers, params=params)
    assert r.request.url == httpure.URL(f"{example}?client_id=client1&request_id=request1")
    assert r.request.headers["X-Auth"] == "from-client"
    assert r.request.headers["X-Custom"] == "from-request"


@on_each_loop
async def test_merging_cookies(http: Any, example: str) -> None:
    async with http.Client(cookies={"from": "client"}) as client:
        await client.get(f"{example}/cookies/set", params={"more": "server"})
        r = await client.get(f"{example}/cookies")
    assert r.json() == {"cookies": {"from": "client", "more": "server"}}


@on_each_loop
async def test_request_level_auth_wins(http: Any, example: str) -> None:
    async with http.Client(auth=("tom", "mot123")) as client:
        r = await client.get(example, auth=("alice", "ecila123"))
    _, _, auth = r.request.headers["Authorization"].partition(" ")
    assert base64.b64decode(auth) == b"alice:ecila123"


@on_each_loop
async def test_base_url(http: Any, httpbin: str) -> None:
    async with http.Client(base_url=httpbin) as client:
        r = await client.get("/headers")
    assert r.request.url == httpure.URL(f"{httpbin}/headers")
    assert r.status_code == 200


@on_each_loop
async def test_request_instances(http: Any, example: str) -> None:
    request = httpure.Request("GET", example)
    async with http.Client() as client:
        response = await client.send(request)
    assert response.status_code == 200
    assert response.request is request


@on_each_loop
async def test_editing_a_built_request(http: Any, api: str) -> None:
    headers = {"X-Api-Key": "...", "X-Client-ID": "ABC123"}

    async with http.Client(headers=headers) as client:
        request = client.build_request("GET", f"{api}/headers")

        assert request.headers["X-Client-ID"] == "ABC123"

        # Don't send the API key for this particular request.
        del request.headers["X-Api-Key"]

        response = await client.send(request)
    seen = response.json()["headers"]
    assert seen["X-Client-Id"] == "ABC123"
    assert "X-Api-Key" not in seen


@on_each_loop
async def test_every_verb_of_the_async_packages(http: Any, example: str) -> None:
    for verb in ("get", "post", "put", "patch", "delete", "options"):
        r = await getattr(http, verb)(f"{example}/anything")
        assert r.json()["method"] == verb.upper()
    assert (await http.head(f"{example}/get")).content == b""
    r = await http.request("REPORT", f"{example}/anything")
    assert r.json()["method"] == "REPORT"
    async with http.stream("GET", f"{example}/bytes/10") as r:
        assert len(await r.aread()) == 10


@pytest.mark.parametrize("backend", LOOPS)
def test_async_client_finds_its_loop(backend: str, example: str) -> None:
    async def main() -> int:
        async with httpure.AsyncClient() as client:
            return (await client.get(example)).status_code

    assert run(backend, main) == 200
