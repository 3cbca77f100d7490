"""What packages reach for below the surface, and what they replace: each case in an interpreter of its own."""

from __future__ import annotations

import pytest

from tests.backends.fresh import fresh

pytestmark = pytest.mark.slow  # an interpreter each

INSTALL = "import warnings, httpure.standin; httpure.standin.install()\nimport httpx, asyncio, sys\nurl = sys.argv[1]\n"


def standing_in(code: str, url: str = "http://example.org") -> list[str]:
    """Run the code where `httpx` is httpure and `url` is given; return the lines it prints."""
    return fresh(INSTALL + code, url, development=False).splitlines()


def test_a_client_merges_as_test_clients_ask_it_to() -> None:
    assert standing_in(
        "client = httpx.Client(base_url='http://a/b', headers={'x': '1'}, params={'p': '1'}, cookies={'c': '1'})\n"
        "print(client._merge_url('/c'), client._merge_headers({'y': '2'})['x'])\n"
        "print(client._merge_queryparams({'q': '2'}), sorted(client._merge_cookies({'d': '2'})))\n"
        "print(client._transport_for_url(httpx.URL('http://a')) is client._transport, client._default_encoding)\n"
        "import io\n"
        "print(httpx.Request('POST', url, content=io.BytesIO(b'x')).stream._stream.read())"
    ) == ["http://a/b/c 1", "p=1&q=2 ['c', 'd']", "True utf-8", "b'x'"]


def test_a_method_that_chooses_the_transport_can_be_replaced() -> None:
    assert standing_in(
        "transport = httpx.MockTransport(lambda request: httpx.Response(418))\n"
        "httpx._client.Client._transport_for_url = lambda self, url: transport\n"
        "httpx._client.AsyncClient._transport_for_url = lambda self, url: transport\n"
        "async def main():\n"
        "    async with httpx.AsyncClient() as client:\n        return await client.get(url)\n"
        "print(httpx.Client().get(url).status_code, asyncio.run(main()).status_code)",
        "http://nowhere.invalid",
    ) == ["418 418"]


def test_private_forms_of_values() -> None:
    assert standing_in(
        "print(httpx.Headers({'X-A': '1'})._list)\n"
        "reference = httpx.URL('http://user:pw@h:81?q#f')._uri_reference\n"
        "print(reference.path == '', reference.authority, reference.netloc, str(reference))\n"
        "print(reference.copy_with(path='/x', query=None))\n"
        "from httpx._urlparse import urlparse\n"
        "print(urlparse('/a?b', scheme='http', host='::1', port='8080'), urlparse('mailto:a'))\n"
        "response = httpx.Response(200, content=b'x')\n"
        "del response._content, response._content\n"
        "response.is_stream_consumed = response.is_closed = False\n"
        "print(response.read())\n"
        "try:\n    del response.nothing\n"
        "except AttributeError as exc:\n    print(exc)"
    ) == [
        "[(b'X-A', b'x-a', b'1')]",
        "True user:pw@h:81 h:81 http://user:pw@h:81?q#f",
        "http://user:pw@h:81/x#f",
        "http://[::1]:8080/a?b mailto:a",
        "b'x'",
        "'Response' object has no attribute 'nothing'",
    ]


def test_the_body_is_chosen_as_httpx_does() -> None:
    assert standing_in(
        "client = httpx.Client()\n"
        "form = client.build_request('POST', url, data={'a': '1'}, files={'f': b'x'}, json={'a': 1})\n"
        "print(form.headers['content-type'].partition(';')[0], b'name=\"a\"' in form.read())\n"
        "print(httpx.Request('POST', url, content=b'x', data={'a': 1}, json={}).content)\n"
        "print(httpx.Request('POST', url, json={}).content)\n"
        "with warnings.catch_warnings(record=True) as caught:\n"
        "    warnings.simplefilter('always')\n"
        "    print(client.build_request('POST', url, data=b'raw').content, caught[0].message)"
    ) == [
        "multipart/form-data True",
        "b'x'",
        "b'{}'",
        "b'raw' Use 'content=<...>' to upload raw bytes/text content.",
    ]


def test_logs_go_where_programs_look_for_them(server: str) -> None:
    assert standing_in(
        "import io, logging\n"
        "into = io.StringIO()\n"
        "logging.basicConfig(stream=into, level=logging.INFO, format='%(name)s %(message)s')\n"
        "httpx.get(url)\n"
        "print(into.getvalue().strip().partition(' HTTP/')[0].replace(url, '...'))\n"
        "print(httpx._client.logger.name)",
        f"{server}/get",
    ) == ['httpx HTTP Request: GET ... "HTTP/1.1 200 OK"', "httpx"]


def test_chance_can_be_taken_out() -> None:
    assert standing_in(
        "import os\n"
        "os.urandom = lambda size: bytes(size)\n"
        "print(httpx.Request('POST', url, files={'f': b''}).headers['content-type'])"
    ) == ["multipart/form-data; boundary=" + 32 * "0"]


MOCK = """
import httpcore
from unittest import mock

def blocking(spec):
    def handle_request(pool, request):
        print("asked", request.method, bytes(request.url))
        if b"pass" in request.url.target:
            return spec(pool, request)
        if b"fail" in request.url.target:
            raise httpcore.ConnectTimeout("mocked")
        return httpcore.Response(200, headers=[(b"x", b"1")], content=b"".join(request.stream))
    return handle_request

def asynchronous(spec):
    async def handle_async_request(pool, request):
        print("asked", request.method, bytes(request.url))
        if b"pass" in request.url.target:
            return await spec(pool, request)
        if b"fail" in request.url.target:
            raise httpcore.ReadError("mocked")
        return httpcore.Response(200, content=b"".join([piece async for piece in request.stream]))
    return handle_async_request

def mocked(kind, method, new):
    return mock.patch.object(kind, method, new(getattr(kind, method)))
"""


def test_mocks_of_httpcore_are_met_and_passed(server: str) -> None:
    assert standing_in(
        MOCK + "client = httpx.Client()\n"
        "with mocked(httpcore.ConnectionPool, 'handle_request', blocking):\n"
        "    answer = client.post('http://nowhere.invalid/?a', content=b'body')\n"
        "    print(answer.content, answer.headers['x'])\n"
        "    print(client.post(url + '/anything?pass', content=b'body').json()['data'])\n"
        "    with client.stream('GET', url + '/bytes/9?pass') as answer:\n"
        "        print(len(b''.join(answer.iter_bytes())))\n"
        "    try:\n        client.get('http://nowhere.invalid/fail')\n"
        "    except httpx.ConnectTimeout as exc:\n        print(exc, exc.request.method)\n"
        "print(client.get(url + '/get').status_code, client._transport._pool)",
        server,
    ) == [
        "asked b'POST' b'http://nowhere.invalid/?a'",
        "b'body' 1",
        f"asked b'POST' b'{server}/anything?pass'",
        "body",
        f"asked b'GET' b'{server}/bytes/9?pass'",
        "9",
        "asked b'GET' b'http://nowhere.invalid/fail'",
        "mocked GET",
        "200 <ConnectionPool [Requests: 0 active, 0 queued | Connections: 0 active, 0 idle]>",
    ]


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_mocks_of_httpcore_are_met_and_passed_in_async_clients(server: str, library: str) -> None:
    assert standing_in(
        MOCK + "import anyio\n"
        "async def main():\n"
        "    async with httpx.AsyncClient() as client:\n"
        "        with mocked(httpcore.AsyncConnectionPool, 'handle_async_request', asynchronous):\n"
        "            answer = await client.post('http://nowhere.invalid/', content=b'body')\n"
        "            print(answer.content)\n"
        "            print((await client.post(url + '/anything?pass', content=b'body')).json()['data'])\n"
        "            async with client.stream('GET', url + '/bytes/9?pass') as answer:\n"
        "                print(len(b''.join([piece async for piece in answer.aiter_bytes()])))\n"
        "            try:\n                await client.get('http://nowhere.invalid/fail')\n"
        "            except httpx.ReadError as exc:\n                print(exc, exc.request.method)\n"
        "        print((await client.get(url + '/get')).status_code, client._transport._pool)\n"
        f"anyio.run(main, backend='{library}')",
        server,
    ) == [
        "asked b'POST' b'http://nowhere.invalid/'",
        "b'body'",
        f"asked b'POST' b'{server}/anything?pass'",
        "body",
        f"asked b'GET' b'{server}/bytes/9?pass'",
        "9",
        "asked b'GET' b'http://nowhere.invalid/fail'",
        "mocked GET",
        "200 <AsyncConnectionPool [Requests: 0 active, 0 queued | Connections: 0 active, 0 idle]>",
    ]


def test_mocks_of_transports_are_met_under_the_stand_in_too(server: str) -> None:
    assert standing_in(
        "from unittest import mock\n"
        "client = httpx.Client()\n"
        "real = httpx.HTTPTransport.handle_request\n"
        "def handle_request(transport, request):\n"
        "    return real(transport, request) if 'real' in str(request.url) else httpx.Response(418)\n"
        "with mock.patch.object(httpx.HTTPTransport, 'handle_request', handle_request):\n"
        "    print(client.get(url).status_code, client.get(url + '?real').status_code)\n"
        "print(client.get(url).status_code)",
        f"{server}/get",
    ) == ["418 200", "200"]


def test_the_pool_tells_of_a_proxy_and_cannot_be_replaced() -> None:
    assert standing_in(
        "import httpcore\n"
        "pool = httpx.HTTPTransport(proxy='http://user:pw@proxy:3128')._pool\n"
        "print(type(pool).__name__, bytes(pool._proxy_url), pool._proxy_headers)\n"
        "print(type(httpx.AsyncHTTPTransport(proxy='socks5://proxy:1080')._pool).__name__)\n"
        "transport = httpx.HTTPTransport()\n"
        "print(transport._pool is transport._pool, isinstance(transport._pool, httpcore.ConnectionPool))\n"
        "try:\n    transport._pool = httpcore.ConnectionPool()\n"
        "except AttributeError:\n    print('refused')"
    ) == [
        "HTTPProxy b'http://proxy:3128/' [(b'Proxy-Authorization', b'Basic dXNlcjpwdw==')]",
        "AsyncSOCKSProxy",
        "True True",
        "refused",
    ]


def test_without_httpcore_there_is_no_pool() -> None:
    assert standing_in(
        "sys.modules['httpcore'] = sys.modules['httpcore2'] = None\n"
        "try:\n    httpx.HTTPTransport()._pool\n"
        "except AttributeError as exc:\n    print(exc)\n"
    ) == ["_pool is a pool of httpcore's, and httpcore is not installed."]
