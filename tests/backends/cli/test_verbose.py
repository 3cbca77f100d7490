"""What `-v` tells, in which order, and where."""

from __future__ import annotations

import io
from typing import Any

import pytest

import httpure
from httpure._cli.printing import Printer
from httpure._cli.verbose import Narrator, request_head, response_head
from tests.peers import Answer, RealNetwork, Site

from .calling import Calling


def told(*events: tuple[str, dict[str, Any]]) -> list[str]:
    """What is said of these events."""
    stream = io.StringIO()
    narrator = Narrator(Printer(stream))
    for name, info in events:
        narrator(name, info)
    return stream.getvalue().splitlines()


class Stream:
    """What a connection's stream knows."""

    def __init__(self, **known: Any) -> None:
        self.known = known

    def get_extra_info(self, name: str) -> Any:
        return self.known.get(name)


class TLS:
    """An `ssl.SSLObject`, as far as it is asked."""

    def __init__(self, certificate: dict[str, Any]) -> None:
        self.certificate = certificate

    def version(self) -> str:
        return "TLSv1.3"

    def cipher(self) -> tuple[str, str, int]:
        return ("TLS_AES_256_GCM_SHA384", "TLSv1.3", 256)

    def selected_alpn_protocol(self) -> str | None:
        return "h2"

    def getpeercert(self) -> dict[str, Any]:
        return self.certificate


CERTIFICATE = {
    "subject": ((("countryName", "DE"),), (("commonName", "server.test"),)),
    "issuer": ((("organizationName", "An authority"),),),
    "version": 3,
    "serialNumber": "0A1B",
    "notBefore": "Nov 22 12:00:00 2026 GMT",
    "notAfter": "Feb 22 12:00:00 2027 GMT",
    "subjectAltName": (("DNS", "server.test"), ("IP Address", "127.0.0.1")),
}


def test_connections() -> None:
    assert told(
        ("connection.connect_tcp.started", {"host": "server.test", "port": 80}),
        ("connection.connect_tcp.complete", {"return_value": Stream(server_addr=("127.0.0.1", 80))}),
        ("connection.connect_tcp.started", {"host": b"bytes.test", "port": 80}),
        ("connection.connect_tcp.complete", {"return_value": Stream(server_addr=("::1", 80, 0, 0))}),
        ("connection.connect_tcp.complete", {"return_value": None}),
        ("connection.connect_tcp.failed", {"exception": OSError()}),
        ("connection.connect_unix_socket.complete", {"return_value": Stream()}),
    ) == [
        "* Connecting to 'server.test'",
        "* Connected to '127.0.0.1' on port 80",
        "* Connecting to 'bytes.test'",
        "* Connected to '::1' on port 80",
        "* Connected to a Unix socket",
    ]


@pytest.mark.parametrize("who", ["connection", "proxy", "socks"])
def test_certificates(who: str) -> None:
    stream = Stream(ssl_object=TLS(CERTIFICATE))
    assert told((f"{who}.start_tls.complete", {"return_value": stream})) == [
        "* SSL established using 'TLSv1.3' / 'TLS_AES_256_GCM_SHA384'",
        "* Selected ALPN protocol: 'h2'",
        "* Server certificate:",
        "*   subject: countryName=DE, commonName=server.test",
        "*   issuer: organizationName=An authority",
        "*   valid from: Nov 22 12:00:00 2026 GMT",
        "*   valid until: Feb 22 12:00:00 2027 GMT",
        "*   names: DNS:server.test, IP Address:127.0.0.1",
        "*   serial number: 0A1B",
    ]


def test_a_certificate_that_was_not_verified() -> None:
    """Python shows nothing of it."""
    lines = told(("connection.start_tls.complete", {"return_value": Stream(ssl_object=TLS({}))}))
    assert lines[-1] == "* Server certificate: not verified"
    assert told(("connection.start_tls.complete", {"return_value": None})) == []


def test_proxies() -> None:
    info = {"host": "server.test", "port": 443}
    asked = "* Asking the proxy to connect to 'server.test' on port 443"
    assert told(("proxy.setup_tunnel.started", info)) == [asked]
    assert told(("socks.setup_socks5_connection.started", info)) == [asked]


def test_request_heads() -> None:
    request = httpure.Request("GET", "http://server.test/a?b=c#d", headers={"X-Name": "grün"})
    assert told(
        ("http11.send_request_headers.started", {"request": request}),
        ("http2.send_request_headers.started", {"request": request}),
    ) == [
        *("GET /a?b=c HTTP/1.1", "Host: server.test", "X-Name: grün", ""),
        *("GET /a?b=c HTTP/2", "host: server.test", "x-name: grün", ""),
    ]


def test_fields_that_http_2_has_not() -> None:
    fields = {"Connection": "keep-alive", "Transfer-Encoding": "chunked", "A": "b"}
    request = httpure.Request("POST", "http://server.test/", headers=fields, extensions={"target": b"*"})
    assert request_head(request, "HTTP/2") == "POST * HTTP/2\nhost: server.test\na: b"


def test_response_heads() -> None:
    fields = [(b"A", b"gr\xfcn"), (b"a", "grün".encode())]
    said = {"http_version": b"HTTP/1.0", "reason_phrase": b"Fine"}
    response = httpure.Response(200, headers=fields, extensions=said)
    assert response_head(response) == "HTTP/1.0 200 Fine\nA: grün\na: grün"
    response.extensions["reason_phrase"] = b""
    assert response_head(response).splitlines()[0] == "HTTP/1.0 200"


def test_other_events_are_not_told() -> None:
    assert told(("http11.receive_response_body.started", {}), ("no.such.event", {})) == []


# On real connections.


@pytest.fixture
def site() -> Site:
    def answer(call: Any) -> Answer:
        if call.path == "/":
            return Answer(302, fields=[("Location", "/there")])
        return Answer(200, b"there", [("Content-Type", "text/plain")])

    return Site(answer)


@pytest.fixture
def url(network: RealNetwork, site: Site) -> str:
    return f"http://127.0.0.1:{network.listen(site)}"


def test_in_order(httpure_cli: Calling, url: str, backend: str) -> None:
    """Also the second request's, which has no connection to make."""
    port = url.rpartition(":")[2]
    outcome = httpure_cli(url, "-v", "--follow-redirects", "--backend", backend)
    assert outcome.code == 0
    fields = [
        f"Host: 127.0.0.1:{port}",
        "Accept: */*",
        f"Accept-Encoding: {httpure.Client().headers['accept-encoding']}",
        "Connection: keep-alive",
        f"User-Agent: python-httpure/{httpure.__version__}",
    ]
    assert outcome.lines == [
        "* Connecting to '127.0.0.1'",
        f"* Connected to '127.0.0.1' on port {port}",
        *("GET / HTTP/1.1", *fields, ""),
        *("HTTP/1.1 302", "Location: /there", "Content-Length: 0", ""),
        *("GET /there HTTP/1.1", *fields, ""),
        *("HTTP/1.1 200", "Content-Type: text/plain", "Content-Length: 5", "", "there"),
    ]


def test_passwords_are_shown_to_who_asks(httpure_cli: Calling, url: str) -> None:
    """`--help` says so. It is the user's own request, on the user's own screen, and logs do not have it."""
    outcome = httpure_cli(url, "-v", "--auth", "username", "password")
    assert "Authorization: Basic dXNlcm5hbWU6cGFzc3dvcmQ=" in outcome.lines


def test_with_the_body_alone(httpure_cli: Calling, url: str, backend: str) -> None:
    """Then all else goes to standard error."""
    outcome = httpure_cli(f"{url}/there", "-v", "--body", "--backend", backend)
    assert outcome.raw == b"there"
    assert outcome.err.startswith("* Connecting to '127.0.0.1'\n")
    assert "\nGET /there HTTP/1.1\n" in outcome.err
    assert "\nHTTP/1.1 200\n" in outcome.err


def test_of_a_connection_that_fails(httpure_cli: Calling) -> None:
    outcome = httpure_cli("http://127.0.0.1:1", "-v")
    assert outcome.code == 1
    assert outcome.out == "* Connecting to '127.0.0.1'\n"
    assert outcome.err.startswith("ConnectError: ")


def test_tls(httpure_cli: Calling, tls_server: Any, monkeypatch: pytest.MonkeyPatch, backend: str) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", tls_server.ca_file)
    outcome = httpure_cli(f"{tls_server.url}/status/204", "-v", "--backend", backend)
    assert outcome.code == 0
    lines = outcome.lines
    assert lines[2].startswith("* SSL established using 'TLSv1.3' / 'TLS_")
    assert lines[3] == "* Selected ALPN protocol: 'http/1.1'"
    assert lines[4] == "* Server certificate:"
    (names,) = [line for line in lines if line.startswith("*   names: ")]
    assert "DNS:localhost" in names and "IP Address:127.0.0.1" in names


def test_tls_without_verification(httpure_cli: Calling, tls_server: Any, backend: str) -> None:
    outcome = httpure_cli(f"{tls_server.url}/status/204", "--backend", backend)
    assert outcome.code == 1
    assert outcome.err.startswith("CertificateError: ") and "certificate" in outcome.err
    assert httpure_cli(f"{tls_server.url}/status/204", "--no-verify", "--backend", backend).code == 0
