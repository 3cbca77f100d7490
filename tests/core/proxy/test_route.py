"""What a proxy is told, and how it is asked for a connection."""

from __future__ import annotations

from typing import Any

import pytest

from httpure_core.auth import DigestAuth
from httpure_core.config.options import Proxy
from httpure_core.errors import LocalProtocolError
from httpure_core.models.request import Request
from httpure_core.proxy.credentials import Credentials, Introduction
from httpure_core.proxy.route import first_hop, passage, refuse_credentials, written
from httpure_core.proxy.socks5 import Socks5
from httpure_core.proxy.tunnel import Tunnel


@pytest.mark.parametrize(
    ("url", "hop"),
    [
        ("http://proxy.test", ("proxy.test", 80)),
        ("https://proxy.test", ("proxy.test", 443)),
        ("http://[::1]:3128/ignored", ("::1", 3128)),
        ("socks5://proxy.test", ("proxy.test", 1080)),
        ("socks5h://PROXY.test:9050", ("proxy.test", 9050)),
    ],
)
def test_first_hop(url: str, hop: tuple[str, int]) -> None:
    assert first_hop(Proxy(url)) == hop


@pytest.mark.parametrize(
    ("host", "text"), [("a.test", "a.test:1"), ("::1", "[::1]:1"), ("fe80::1%eth0", "[fe80::1]:1")]
)
def test_written(host: str, text: str) -> None:
    assert written(host, 1) == text


def asking(proxy: Proxy) -> Any:
    return passage(proxy, "example.org", 443, Introduction(Credentials(proxy)))


@pytest.mark.parametrize("scheme", ["http", "https"])
def test_a_tunnel(scheme: str) -> None:
    machine = asking(Proxy(f"{scheme}://u:p@p"))
    assert isinstance(machine, Tunnel)
    assert machine.data_to_send() == (
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\nProxy-Authorization: Basic dTpw\r\n\r\n"
    )


def test_a_tunnel_that_is_asked_for_twice() -> None:
    machine = asking(Proxy("http://p", auth=DigestAuth("u", "p"), headers={"X-A": "1"}))
    assert machine.data_to_send() == (
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\nX-A: 1\r\n\r\n"
    )
    challenge = (
        b"HTTP/1.1 407 Who?\r\nProxy-Authenticate: Digest realm=r, nonce=n\r\nContent-Length: 0\r\n\r\n"
    )
    machine.receive_data(challenge)
    second = machine.data_to_send()
    assert (
        b'X-A: 1\r\nProxy-Authorization: Digest username="u", realm="r", nonce="n", uri="example.org:443"'
        in second
    )
    machine.receive_data(challenge)
    assert (machine.data_to_send(), machine.again) == (b"", False)
    assert machine.failure == "it answered 407 Who?; it did not accept the user name and password"


@pytest.mark.parametrize("scheme", ["socks5", "socks5h"])
def test_socks(scheme: str) -> None:
    machine = asking(Proxy(f"{scheme}://u:p@p"))
    assert isinstance(machine, Socks5)
    assert machine.data_to_send() == b"\x05\x02\x00\x02"


def test_credentials_pass_no_tunnel() -> None:
    refuse_credentials(Request("GET", "https://example.org/", headers={"Authorization": "Basic eA=="}))
    request = Request("GET", "https://example.org/", headers={"proxy-AUTHORIZATION": "Basic eA=="})
    with pytest.raises(LocalProtocolError, match="Give them to the proxy") as caught:
        refuse_credentials(request)
    assert caught.value.request is request
    assert "eA==" not in str(caught.value)
