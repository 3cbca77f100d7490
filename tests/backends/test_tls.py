"""HTTPS on the real backends: whom it trusts, what it says if not, and that the connection is a good one."""

from __future__ import annotations

import contextlib
import hashlib
import re
import ssl
import threading
from pathlib import Path
from typing import Any

import certifi
import pytest
from cryptography.hazmat.primitives import serialization

import httpure
from httpure import _tls
from httpure._tls import TLSPipe
from tests.behaviour.world import World
from tests.peers import Answer, Call, Peer, Site, scripted, with_tls

from .certificates import certificates
from .fresh import fresh


def sound(call: Call) -> Answer:
    return Answer(200, b"sound")


def serve(http: World, kind: str = "good", site: Any = None, host: str = "127.0.0.1") -> str:
    """Start an HTTPS server with such a certificate."""
    port = http.listen(with_tls(site or Site(sound), certificates().server(kind)))
    return f"https://{host}:{port}"


#: Of each wrong certificate: what is wrong with it, and what to do.
REASONS = {
    "self-signed": (
        "its certificate is not trusted: it is self-signed",
        "if you trust it, say so with verify=ssl.create_default_context(cafile=...), "
        "or with the environment variable SSL_CERT_FILE",
    ),
    "unknown": (
        "its certificate is not trusted: it was issued by an authority, 'Testing CA #', that is not known here",
        "if you trust that authority, say so with verify=ssl.create_default_context(cafile=...), "
        "or with the environment variable SSL_CERT_FILE; or the server leaves certificates in between out",
    ),
    "expired": (
        "its certificate expired on 2020-01-02",
        "its owner has to renew it, unless the clock of this computer is wrong",
    ),
    "other.test": (
        "its certificate is for other.test, not for 127.0.0.1",
        "ask for it by a name that it has",
    ),
}
#: An authority that nobody has told us of.
UNKNOWN = "issued by an authority.* that is not known here"


@pytest.mark.parametrize("kind", REASONS)
async def test_certificate_that_does_not_verify(http: World, kind: str, monkeypatch, tmp_path: Path) -> None:
    if kind not in ("self-signed", "unknown"):
        monkeypatch.setenv("SSL_CERT_FILE", certificates().ca_file(tmp_path))
    url = serve(http, kind)
    async with http.client() as client:
        with pytest.raises(httpure.CertificateError) as caught:
            await client.get(url + "/path?secret=1")
        assert client.statistics == (0, 0, 0)
    cause = caught.value.__cause__
    assert isinstance(cause, ssl.SSLCertVerificationError), "for programs, which cannot go by words"
    assert cause.verify_code and cause.__traceback__ is None
    assert caught.value.reason == "certificate"
    why, advice = REASONS[kind]
    message = re.sub("CA #[^']*", "CA #", str(caught.value))
    assert message == f"Could not make a TLS connection to 127.0.0.1 ({why}), GET {url}/path; {advice}"
    assert caught.value.request.url == url + "/path?secret=1"


async def test_certificate_of_another_name(http: World) -> None:
    url = serve(http, "other.test", host="localhost")
    async with http.client(verify=certificates().trusting) as client:
        with pytest.raises(
            httpure.ConnectError,
            match=r"to localhost \(its certificate is for other\.test, not for localhost",
        ):
            await client.get(url)


@pytest.mark.parametrize("kind", REASONS)
async def test_verify_false_trusts_everybody(http: World, kind: str) -> None:
    async with http.client(verify=False) as client:
        assert (await client.get(serve(http, kind))).text == "sound"


#: What httpx has deprecated, and what works all the same.
paths = pytest.mark.filterwarnings(
    "ignore:verify=<path>:DeprecationWarning", "ignore:cert= is:DeprecationWarning"
)


@paths
async def test_verify_with_a_file_and_a_context(http: World, tmp_path: Path) -> None:
    for verify in (certificates().ca_file(tmp_path), certificates().trusting):
        async with http.client(verify=verify) as client:
            assert (await client.get(serve(http))).text == "sound"
            with pytest.raises(httpure.ConnectError, match=UNKNOWN):
                await client.get(serve(http, "unknown"))


async def test_ssl_cert_file(http: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificates().ca_file(tmp_path))
    url = serve(http)
    async with http.client() as client:
        assert (await client.get(url)).text == "sound"
    async with http.client(trust_env=False) as client:
        with pytest.raises(httpure.ConnectError, match=UNKNOWN):
            await client.get(url)


@paths
async def test_file_that_is_no_authority(http: World, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.write_text("no certificate\n")
    url = serve(http)
    async with http.client(verify=str(tmp_path / "missing.pem")) as client:
        for _ in range(2):
            with pytest.raises(httpure.ConnectError, match=r"certificates.*No such file.*missing\.pem"):
                await client.get(url)
        assert client.statistics == (0, 0, 0)
    async with http.client(verify=str(empty)) as client:
        with pytest.raises(httpure.ConnectError, match=r"no certificate.*empty\.pem"):
            await client.get(url)
    async with http.client(verify=False, cert=("chain.pem", "key.pem")) as client:
        with pytest.raises(httpure.ConnectError, match=r"No such file.*'chain\.pem' and 'key\.pem'"):
            await client.get(url)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion")
@pytest.mark.parametrize("verify", [True, False])
async def test_tls_1_1_is_refused(http: World, verify: bool) -> None:
    context = certificates().server()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    url = f"https://127.0.0.1:{http.listen(with_tls(Site(sound), context))}"
    async with http.client(verify=verify) as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get(url)
    assert str(caught.value) == (
        f"Could not make a TLS connection to 127.0.0.1 (tlsv1 alert protocol version), GET {url}/; "
        "the server has to speak TLS 1.2 or later"
    )


def only(version: ssl.TLSVersion) -> ssl.SSLContext:
    context = certificates().server()
    context.minimum_version = context.maximum_version = version
    return context


VERSIONS = pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])


@VERSIONS
async def test_connection_is_used_again(http: World, version: ssl.TLSVersion) -> None:
    """With TLS 1.3, two session tickets arrive after the handshake, behind the client's back."""
    site = Site(sound)
    url = f"https://127.0.0.1:{http.listen(with_tls(site, only(version)))}"
    async with http.client(verify=certificates().trusting) as client:
        for _ in range(4):
            assert (await client.get(url)).text == "sound"
            await http.sleep(0.01)
        assert client.statistics == (1, 1, 0)
    assert site.connections == 1


class EndsBadly(Peer):
    """Sends half of a response whose end is that of the connection, and hangs up in TCP only."""

    def receive_data(self, data: bytes) -> None:
        self.channel.send(b"HTTP/1.1 200 OK\r\n\r\nhalf of it")
        self.channel.truncate()  # type: ignore[attr-defined]


class EndsWell(Peer):
    """As the other one, but says good-bye in TLS, too."""

    def receive_data(self, data: bytes) -> None:
        self.channel.send(b"HTTP/1.1 200 OK\r\n\r\nall of it")
        self.channel.close()


@VERSIONS
async def test_end_without_a_good_bye_is_an_error(http: World, version: ssl.TLSVersion) -> None:
    """Else whoever can cut a connection could shorten what is downloaded (RFC 9112 section 9.8)."""
    bad, good = (
        f"https://127.0.0.1:{http.listen(with_tls(peer, only(version)))}" for peer in (EndsBadly, EndsWell)
    )
    async with http.client(verify=certificates().trusting) as client:
        assert (await client.get(good)).text == "all of it"
        with pytest.raises(httpure.ReadError) as caught:
            await client.get(bad)
        async with client.stream("GET", bad) as response:
            with pytest.raises(httpure.ReadError):
                await http.read(response)
        assert client.statistics == (0, 0, 0)
    assert str(caught.value) == (
        "The connection was lost: it ended without the good-bye of TLS (close_notify), "
        f"so what came may be cut short, GET {bad}/"
    )


@VERSIONS
async def test_end_without_a_good_bye_can_be_taken(http: World, version: ssl.TLSVersion) -> None:
    """For servers that never say it: OpenSSL has an option for that."""
    bad = f"https://127.0.0.1:{http.listen(with_tls(EndsBadly, only(version)))}"
    trusting = certificates().trusting
    trusting.options |= ssl.OP_IGNORE_UNEXPECTED_EOF
    async with http.client(verify=trusting) as client:
        assert (await client.get(bad)).text == "half of it"


class HangsUp(Peer):
    """Hangs up in TCP only, with no word of an answer: what a server may do to a connection that was idle."""

    def receive_data(self, data: bytes) -> None:
        self.channel.truncate()  # type: ignore[attr-defined]


class BreaksOff(Peer):
    """Hangs up in TCP only, in the middle of a body that has a length."""

    def receive_data(self, data: bytes) -> None:
        self.channel.send(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
        self.channel.truncate()  # type: ignore[attr-defined]


@VERSIONS
@pytest.mark.parametrize(
    ("peer", "why"),
    [
        (HangsUp, "before its response was there"),
        (BreaksOff, "before the response's body was whole: 4 of 9 bytes of it had come"),
    ],
)
async def test_server_that_hangs_up(http: World, version: ssl.TLSVersion, peer: type[Peer], why: str) -> None:
    """The error is that of a server without TLS, since whoever tries again goes by its class."""
    url = f"https://127.0.0.1:{http.listen(with_tls(peer, only(version)))}"
    async with http.client(verify=certificates().trusting) as client:
        with pytest.raises(httpure.RemoteProtocolError) as caught:
            await client.get(url)
    assert str(caught.value) == f"The server closed the connection {why}, GET {url}/"


async def test_plain_http_on_the_port(http: World) -> None:
    url = http.serve(Site(sound)).replace("http:", "https:")
    async with http.client(verify=certificates().trusting) as client:
        with pytest.raises(httpure.ConnectError) as caught:
            await client.get(url)
    # OpenSSL 3.2 and later say "record layer failure".
    start = "Could not make a TLS connection to 127.0.0.1 ("
    end = f"), GET {url}/; if that port speaks no TLS, the URL begins with http://"
    assert str(caught.value) in (f"{start}wrong version number{end}", f"{start}record layer failure{end}")


async def test_handshake_that_is_never_answered(http: World) -> None:
    url = http.serve(scripted()).replace("http:", "https:")
    async with http.client(verify=False, timeout=httpure.Timeout(2, connect=0.3)) as client:
        with pytest.raises(httpure.ConnectTimeout) as caught:
            await client.get(url)
        assert client.statistics == (0, 0, 0)
    assert str(caught.value) == (
        "No connection was made within 0.3 s (the connect timeout) "
        "because the TLS handshake with 127.0.0.1 took too long, "
        f"GET {url}/; allow more with Timeout(connect=...)"
    )


# Certificates of clients


def asking() -> ssl.SSLContext:
    """The context of a server that asks for a certificate."""
    context = certificates().server()
    context.verify_mode = ssl.CERT_REQUIRED
    certificates().ca.configure_trust(context)
    return context


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """A client's certificate in the forms that `cert` takes."""
    folder = tmp_path_factory.mktemp("own")
    leaf = certificates().ca.issue_cert("client@example.org")
    chain, key, both, locked = (str(folder / name) for name in ("chain", "key", "both", "locked"))
    leaf.cert_chain_pems[0].write_to_path(chain)
    leaf.private_key_pem.write_to_path(key)
    leaf.private_key_and_cert_chain_pem.write_to_path(both)
    Path(locked).write_bytes(
        serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    return {"file": both, "pair": (chain, key), "triple": (chain, locked, "password")}


@paths
@pytest.mark.parametrize("form", ["file", "pair", "triple"])
@pytest.mark.parametrize("verify", ["context", "path"])
async def test_certificate_of_the_client(
    http: World, own: dict[str, Any], form: str, verify: str, tmp_path: Path
) -> None:
    """However the authorities are given: with a path, httpx forgets the certificate."""
    url = f"https://127.0.0.1:{http.listen(with_tls(Site(sound), asking()))}"
    authorities: Any = certificates().trusting if verify == "context" else certificates().ca_file(tmp_path)
    async with http.client(verify=authorities, cert=own[form]) as client:
        assert (await client.get(url)).text == "sound"


@paths
async def test_key_with_another_password(http: World, own: dict[str, Any]) -> None:
    chain, locked, _ = own["triple"]
    async with http.client(verify=certificates().trusting, cert=(chain, locked, "wrong")) as client:
        with pytest.raises(httpure.ConnectError, match="Could not load the certificates") as caught:
            await client.get(serve(http))
    assert "wrong" not in str(caught.value)


def test_paths_are_deprecated_as_in_httpx(own: dict[str, Any], tmp_path: Path) -> None:
    """The warning is of the line of the user's, wherever that came in."""
    path = certificates().ca_file(tmp_path)
    for use in (
        lambda **how: httpure.Client(**how),
        lambda **how: httpure.AsyncClient(**how),
        lambda **how: httpure.HTTPTransport(**how),
        lambda **how: httpure.AsyncHTTPTransport(**how),
        lambda **how: httpure.create_ssl_context(**how),
    ):
        with pytest.warns(DeprecationWarning) as warned:
            use(verify=path, cert=own["pair"])
        assert [(str(each.message).partition(" is ")[0], each.filename) for each in warned] == [
            ("verify=<path>", __file__),
            ("cert=", __file__),
        ]


def test_other_forms_are_not(made: list[ssl.SSLContext]) -> None:
    for verify in (True, False, certificates().trusting):
        httpure.Client(verify=verify)
        httpure.create_ssl_context(verify)


@VERSIONS
async def test_certificate_that_is_missing(http: World, version: ssl.TLSVersion) -> None:
    """With TLS 1.3 the refusal comes after the handshake: with the first response, so to speak."""
    context = asking()
    context.minimum_version = context.maximum_version = version
    url = f"https://127.0.0.1:{http.listen(with_tls(Site(sound), context))}"
    async with http.client(verify=certificates().trusting) as client:
        with pytest.raises((httpure.ConnectError, httpure.ReadError)) as caught:
            await client.get(url)
    expected = {
        ssl.TLSVersion.TLSv1_2: "sslv3 alert handshake failure",
        ssl.TLSVersion.TLSv1_3: "alert certificate required",
    }
    assert expected[version].removeprefix("sslv3 ") in str(caught.value)


# Names


async def test_sni_hostname(http: World) -> None:
    """Another name for the handshake and for the certificate, as when the address is chosen by hand."""
    asked_for: list[str | None] = []
    context = certificates().server("other.test")
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    site = Site(sound)
    url = f"https://127.0.0.1:{http.listen(with_tls(site, context))}"
    async with http.client(verify=certificates().trusting) as client:
        for _ in range(2):
            response = await client.get(url, extensions={"sni_hostname": "other.test"})
            assert response.text == "sound"
        assert site.connections == 1
        with pytest.raises(httpure.ConnectError, match=r"127\.0\.0\.1"):
            await client.get(url)  # the connection to the other name is not for this one
        with pytest.raises(httpure.ConnectError, match=r"to third\.test .*not for third\.test"):
            await client.get(url, extensions={"sni_hostname": "third.test"})
    assert asked_for == ["other.test", None, "third.test"]
    assert site.calls[0].field("host") == url.removeprefix("https://")


async def test_name_is_sent(http: World) -> None:
    asked_for: list[str | None] = []
    context = certificates().server()
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    port = http.listen(with_tls(Site(sound), context))
    async with http.client(verify=certificates().trusting) as client:
        await client.get(f"https://localhost:{port}")
        await client.get(f"https://LOCALHOST:{port}")
    assert asked_for == ["localhost"]


# Large bodies

SIZE = 6 * 1024 * 1024


@pytest.mark.slow
async def test_large_bodies_with_pauses(http: World) -> None:
    """Whoever pauses, the server's sending and the client's or the other way round, every byte arrives."""
    body = bytes(range(256)) * (SIZE // 256)
    expected = hashlib.sha256(body).digest()
    quarter = SIZE // 4

    def answer(call: Call) -> Answer:
        if call.method == "POST":
            return Answer(200, hashlib.sha256(call.body).digest())
        cut = [body[start : start + quarter] for start in range(0, SIZE, quarter)]
        return Answer(200, cut, pause=0.01)

    site = Site(answer)
    url = serve(http, site=site)
    async with http.client(verify=certificates().trusting) as client:
        async with client.stream("GET", url) as response:
            seen, number = hashlib.sha256(), 0
            async for piece in http.pieces(response):
                seen.update(piece)
                number += 1
                if number % 10 == 0:
                    await http.sleep(0.002)
        assert seen.digest() == expected
        pieces = (body[start : start + quarter] for start in range(0, SIZE, quarter))
        assert (await client.post(url, content=http.body(pieces, pause=0.01))).content == expected
        assert (await client.post(url, content=body)).content == expected
    assert site.connections == 1


# Contexts


@pytest.mark.slow
def test_plain_http_needs_no_tls(server: str) -> None:
    code = """if True:
        import sys, httpure
        with httpure.Client() as client:
            assert client.get(sys.argv[1]).status_code == 200
        assert httpure.get(sys.argv[1]).status_code == 200
        print(sorted({"ssl", "_ssl", "certifi"} & set(sys.modules)))
    """
    assert fresh(code, server) == "[]"


@pytest.fixture
def made(monkeypatch: pytest.MonkeyPatch) -> list[ssl.SSLContext]:
    """The contexts that are made from here on; none is remembered from before."""
    contexts: list[ssl.SSLContext] = []
    create = _tls._new_context

    def counting(*args: Any, **kwargs: Any) -> ssl.SSLContext:
        contexts.append(create(*args, **kwargs))
        return contexts[-1]

    monkeypatch.setattr(_tls, "_new_context", counting)
    monkeypatch.setattr(_tls, "_contexts", {})
    return contexts


async def test_context_is_made_once(http: World, made: list[Any], monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificates().ca_file(tmp_path))
    url, plain = serve(http), http.serve(Site(sound))
    async with http.client() as one, http.client() as other:
        await one.get(plain)
        assert made == []
        for client in (one, other, one, other):
            await client.get(url)
        assert len(made) == 1
    async with http.client(verify=False) as careless:
        await careless.get(url)
    assert len(made) == 2


def test_context_is_made_once_by_many_threads(made: list[ssl.SSLContext]) -> None:
    configurations = [_tls.TLSConfig() for _ in range(8)]
    threads = [threading.Thread(target=configuration.prepare) for configuration in configurations]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(made) == 1
    assert all(configuration.prepared for configuration in configurations)


def test_contexts_that_differ(made: list[ssl.SSLContext], monkeypatch, tmp_path: Path, own: Any) -> None:
    """Verification, certificate and environment tell contexts apart. Only so many of them are remembered."""
    _tls.TLSConfig().prepare()
    _tls.TLSConfig(False).prepare()
    _tls.TLSConfig(False, own["pair"]).prepare()
    _tls.TLSConfig(trust_env=False).prepare()
    monkeypatch.setenv("SSL_CERT_FILE", certificates().ca_file(tmp_path))
    _tls.TLSConfig().prepare()
    _tls.TLSConfig(trust_env=False).prepare()
    assert len(made) == 5
    monkeypatch.setattr(_tls, "_MOST_CONTEXTS", 2)
    for _ in range(2):
        _tls.TLSConfig(False, own["file"]).prepare()
        _tls.TLSConfig(False).prepare()  # was forgotten for the other one
    assert len(made) == 7
    assert len(_tls._contexts) == 2


def test_context_of_the_user_is_used_as_it_is() -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    assert httpure.create_ssl_context(context) is context
    configuration = _tls.TLSConfig(context)
    configuration.prepare()
    assert configuration.machine("example.org", ["http/1.1"]).ssl_object.context is context


def test_what_a_context_allows() -> None:
    context = httpure.create_ssl_context()
    assert context.verify_mode is ssl.CERT_REQUIRED and context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2
    assert len(context.get_ca_certs()) > 50
    context = httpure.create_ssl_context(verify=False)
    assert context.verify_mode is ssl.CERT_NONE and not context.check_hostname
    assert context.minimum_version is ssl.TLSVersion.TLSv1_2


@paths
def test_where_authorities_come_from(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A folder is `capath`, and SSL_CERT_FILE comes before SSL_CERT_DIR; certifi is what is left."""
    ca_file, folder = certificates().ca_file(tmp_path), str(tmp_path)
    assert _tls._authorities(ca_file, True) == (ca_file, None)
    assert _tls._authorities(folder, True) == (None, folder)
    monkeypatch.setenv("SSL_CERT_DIR", folder)
    assert _tls._authorities(True, True) == (None, folder)
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    assert _tls._authorities(True, True) == (ca_file, None)
    assert _tls._authorities(True, False) == (certifi.where(), None)
    assert len(httpure.create_ssl_context(folder).get_ca_certs()) == 0  # loaded when they are needed


@pytest.mark.parametrize("verify", ["context", False])
async def test_key_log(http: World, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verify: Any) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", certificates().ca_file(tmp_path))
    monkeypatch.setenv("SSLKEYLOGFILE", str(tmp_path / "keys"))
    async with http.client(verify=verify is not False) as client:
        await client.get(serve(http))
    assert "TRAFFIC_SECRET" in (tmp_path / "keys").read_text()


class Collector:
    """A machine that keeps what it gets."""

    wants_data = True

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.ended: list[OSError | None] = []

    def receive_data(self, data: bytes) -> None:
        self.pieces.append(bytes(data))

    def receive_eof(self, error: OSError | None = None) -> None:
        self.ended.append(error)

    def data_to_send(self) -> bytes:
        return b""


def shaken() -> tuple[TLSPipe, Collector, ssl.SSLObject, ssl.MemoryBIO]:
    """Return a pipe with a machine inside, and the server's object with what that writes."""
    towards, back = ssl.MemoryBIO(), ssl.MemoryBIO()
    server = certificates().server("good").wrap_bio(towards, back, server_side=True)
    pipe = TLSPipe(certificates().trusting, "127.0.0.1")
    for _ in range(4):
        towards.write(pipe.data_to_send())
        with contextlib.suppress(ssl.SSLWantReadError):
            server.do_handshake()
        pipe.receive_data(back.read())
    assert pipe.established
    inside = Collector()
    pipe.attach(inside)
    return pipe, inside, server, back


@pytest.mark.parametrize("size", [1, 4000, 16_384, 16_385, 50_000])
@pytest.mark.parametrize("cut", [7, 16_400, 1_000_000])
def test_all_that_has_come_is_handed_on_at_once(size: int, cut: int) -> None:
    """However many records it is, and wherever they are cut."""
    pipe, inside, server, back = shaken()
    body = bytes(range(256)) * (size // 256 + 1)
    server.write(body[:size])
    server.write(b"the end")
    with contextlib.suppress(ssl.SSLError):
        server.unwrap()  # says good-bye
    wire = back.read()
    for start in range(0, len(wire), cut):
        pipe.receive_data(wire[start : start + cut])
    assert b"".join(inside.pieces) == body[:size] + b"the end"
    assert inside.ended == [None], "the good-bye was heard, though it came with the rest"


def test_a_small_response_takes_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """To ask OpenSSL a second time costs an exception."""
    pipe, inside, server, back = shaken()
    reads = []

    class Counting:
        def read(self, size: int) -> bytes:
            reads.append(size)
            return real.read(size)

    real, pipe._object = pipe._object, Counting()  # type: ignore[assignment]
    server.write(b"small")
    pipe.receive_data(back.read())
    assert (inside.pieces, len(reads)) == ([b"small"], 1)
