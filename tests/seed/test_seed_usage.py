"""The Clients page from "Usage" to "Request instances": each snippet, on the blocking client."""

from __future__ import annotations

import importlib

import pytest

import httpure


def test_usage_as_a_context_manager(example: str) -> None:
    with httpure.Client() as client:
        assert not client.is_closed
        client.get(example)
    assert client.is_closed


def test_usage_with_close(example: str) -> None:
    client = httpure.Client()
    try:
        client.get(example)
    finally:
        client.close()
    assert client.is_closed


def test_making_requests(example: str) -> None:
    with httpure.Client() as client:
        r = client.get(example)
    assert repr(r) == "<Response [200 OK]>"


def test_custom_headers(example: str) -> None:
    with httpure.Client() as client:
        headers = {"X-Custom": "value"}
        r = client.get(f"{example}/headers", headers=headers)
    assert r.request.headers["X-Custom"] == "value"
    assert r.json()["headers"]["X-Custom"] == "value"


def test_sharing_configuration(httpbin: str) -> None:
    url = f"{httpbin}/headers"
    headers = {"user-agent": "my-app/0.0.1"}
    with httpure.Client(headers=headers) as client:
        r = client.get(url)
    assert r.json()["headers"]["User-Agent"] == "my-app/0.0.1"


def test_merging_headers_and_params(example: str) -> None:
    headers = {"X-Auth": "from-client"}
    params = {"client_id": "client1"}
    with httpure.Client(headers=headers, params=params) as client:
        headers = {"X-Custom": "from-request"}
        params = {"request_id": "request1"}
        r = client.get(example, headers=headers, params=params)
    assert r.request.url == httpure.URL(f"{example}?client_id=client1&request_id=request1")
    assert r.request.headers["X-Auth"] == "from-client"
    assert r.request.headers["X-Custom"] == "from-request"


def test_merging_shows_on_the_wire(example: str) -> None:
    with httpure.Client(headers={"X-Auth": "c"}, params={"client_id": "1"}, cookies={"a": "1"}) as client:
        r = client.get(f"{example}/get", headers={"X-Custom": "r"}, params={"request_id": "2"})
        merged = client.build_request("GET", example, headers={"x-auth": "request"})
    seen = r.json()
    assert seen["args"] == {"client_id": "1", "request_id": "2"}
    assert (seen["headers"]["X-Auth"], seen["headers"]["X-Custom"]) == ("c", "r")
    assert seen["headers"]["Cookie"] == "a=1"
    assert merged.headers.get_list("x-auth") == ["request"]


def test_merging_cookies(example: str) -> None:
    with httpure.Client(cookies={"from": "client"}) as client:
        client.get(f"{example}/cookies/set", params={"more": "server"})
        r = client.get(f"{example}/cookies")
    assert r.json() == {"cookies": {"from": "client", "more": "server"}}


def test_request_level_auth_wins(example: str) -> None:
    with httpure.Client(auth=("tom", "mot123")) as client:
        r = client.get(example, auth=("alice", "ecila123"))
    _, _, auth = r.request.headers["Authorization"].partition(" ")
    import base64

    assert base64.b64decode(auth) == b"alice:ecila123"


def test_request_level_timeout_and_redirects_win(httpbin: str) -> None:
    with httpure.Client(timeout=0.001, follow_redirects=True) as client:
        r = client.get(f"{httpbin}/redirect/1", timeout=5, follow_redirects=False)
    assert r.status_code == 302


def test_base_url(httpbin: str) -> None:
    with httpure.Client(base_url=httpbin) as client:
        r = client.get("/headers")
    assert r.request.url == httpure.URL(f"{httpbin}/headers")
    assert r.status_code == 200


@pytest.mark.parametrize(
    ("base", "path", "expected"),
    [
        ("/anything", "/headers", "/anything/headers"),
        ("/anything/", "headers", "/anything/headers"),
        ("/anything", "", "/anything/"),
        ("", "a?b=c", "/a?b=c"),
    ],
)
def test_base_url_is_prepended(httpbin: str, base: str, path: str, expected: str) -> None:
    with httpure.Client(base_url=httpbin + base) as client:
        assert str(client.build_request("GET", path).url) == httpbin + expected


def test_absolute_url_beats_base_url(httpbin: str, example: str) -> None:
    with httpure.Client(base_url=httpbin) as client:
        assert client.get(f"{example}/get").json()["url"] == f"{example}/get"


def test_request_instances(example: str) -> None:
    request = httpure.Request("GET", example)
    with httpure.Client() as client:
        response = client.send(request)
    assert response.status_code == 200
    assert response.request is request


def test_editing_a_built_request(api: str) -> None:
    headers = {"X-Api-Key": "...", "X-Client-ID": "ABC123"}

    with httpure.Client(headers=headers) as client:
        request = client.build_request("GET", f"{api}/headers")

        assert request.headers["X-Client-ID"] == "ABC123"

        # Don't send the API key for this particular request.
        del request.headers["X-Api-Key"]

        response = client.send(request)
    seen = response.json()["headers"]
    assert seen["X-Client-Id"] == "ABC123"
    assert "X-Api-Key" not in seen


@pytest.mark.parametrize("package", ["httpure", "httpure.sockets"])
def test_every_verb_of_the_blocking_packages(package: str, example: str) -> None:
    http = importlib.import_module(package)
    for verb in ("get", "post", "put", "patch", "delete", "options"):
        assert getattr(http, verb)(f"{example}/anything").json()["method"] == verb.upper()
    assert http.head(f"{example}/get").content == b""
    assert http.request("REPORT", f"{example}/anything").json()["method"] == "REPORT"
    with http.stream("GET", f"{example}/bytes/10") as r:
        assert len(r.read()) == 10
    with http.Client() as client:
        assert client.get(example).is_success
