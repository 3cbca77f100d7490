"""What TLS demands by default: of servers and of https proxies alike, and with `verify=False` as well."""

from __future__ import annotations

import datetime
import functools
import ssl
from base64 import b64encode
from pathlib import Path
from typing import Any

import pytest
import trustme
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

import httpure
from httpure import _tls
from tests.behaviour.world import World
from tests.peers import Answer, Call, Site, with_tls

from .certificates import certificates

#: 1024 bits, the second group of RFC 2409: worth 80 bits, which level 2 does not take.
_WEAK_PRIME = int(
    "FFFFFFFFFFFFFFFFC90FDAA22168C234C4C6628B80DC1CD129024E088A67CC74020BBEA63B139B22514A08798E3404DD"
    "EF9519B3CD3A431B302B0A6DF25F14374FE1356D6D51C245E485B576625E7EC6F44C42E9A637ED6B0BFF5CB6F406B7ED"
    "EE386BFB5A899FA5AE9F24117C4B1FE649286651ECE65381FFFFFFFFFFFFFFFF",
    16,
)


def sound(call: Call) -> Answer:
    return Answer(200, b"sound")


def serve(http: World, context: ssl.SSLContext, host: str = "127.0.0.1") -> str:
    return f"https://{host}:{http.listen(with_tls(Site(sound), context))}"


def old(folder: Path) -> ssl.SSLContext:
    """A server that speaks TLS 1.1 and nothing else."""
    context = certificates().server()
    context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1_1
    context.set_ciphers("ALL:@SECLEVEL=0")
    return context


@functools.cache
def _of_rsa() -> trustme.LeafCert:
    """Nothing else goes with such a key exchange; and it takes a while to be made."""
    return certificates().ca.issue_cert("127.0.0.1", key_type=trustme.KeyType.RSA)


def weak(folder: Path) -> ssl.SSLContext:
    """A server whose key exchange is of 1024 bits."""
    prime = b"\x02\x81\x81\0" + _WEAK_PRIME.to_bytes(128)
    path = folder / "weak.pem"
    path.write_text(  # SEQUENCE of two INTEGERs, the second of which is 2
        "-----BEGIN DH PARAMETERS-----\n"
        + b64encode(b"\x30\x81\x87" + prime + b"\x02\x01\x02").decode()
        + "\n-----END DH PARAMETERS-----\n"
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    _of_rsa().configure_cert(context)
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("DHE+AESGCM:@SECLEVEL=0")
    context.load_dh_params(path)
    return context


def by_common_name(folder: Path) -> ssl.SSLContext:
    """A server that says its name in the subject alone, as was usual in the last century."""
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    authority = x509.load_pem_x509_certificate(certificates().ca.cert_pem.bytes())
    issuing: Any = serialization.load_pem_private_key(certificates().ca.private_key_pem.bytes(), None)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(authority.subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        # Without these, Python 3.13 has another reason to refuse it.
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuing.public_key()), critical=False
        )
        .sign(issuing, hashes.SHA256())
    )
    path = folder / "common-name.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    return context


@pytest.fixture
def trusting(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """By default, clients trust the authority of the tests."""
    monkeypatch.setenv("SSL_CERT_FILE", certificates().ca_file(tmp_path))


pytestmark = [pytest.mark.usefixtures("trusting"), pytest.mark.filterwarnings("ignore:ssl.TLSVersion")]


#: Who is refused, and in which words.
REFUSED = pytest.mark.parametrize(
    ("server", "why"), [(old, "alert protocol version"), (weak, "dh key too small")], ids=["old", "weak"]
)


@pytest.mark.parametrize("verify", [True, False])
@REFUSED
async def test_what_is_old_or_weak_is_refused(
    http: World, tmp_path: Path, server: Any, why: str, verify: bool
) -> None:
    async with http.client(verify=verify) as client:
        with pytest.raises(httpure.TLSError, match=why) as caught:
            await client.get(serve(http, server(tmp_path)))
    assert caught.value.reason == "tls"


@REFUSED
async def test_of_https_proxies_too(http: World, tmp_path: Path, server: Any, why: str) -> None:
    """Whatever `verify` says of the servers."""
    async with http.client(verify=False, proxy=serve(http, server(tmp_path))) as client:
        with pytest.raises(httpure.TLSError, match=f"TLS connection to the proxy .*{why}"):
            await client.get("https://example.org")


async def test_a_name_in_the_subject_is_none(http: World, tmp_path: Path) -> None:
    context = by_common_name(tmp_path)
    url = serve(http, context, "localhost")
    async with http.client() as client:
        with pytest.raises(
            httpure.CertificateError, match=r"for no host \(it has no subjectAltName\), not for local"
        ):
            await client.get(url)
    async with http.client(proxy=url) as client:
        with pytest.raises(
            httpure.CertificateError, match=r"TLS connection to the proxy .*no subjectAltName"
        ):
            await client.get("https://example.org")


def test_every_context_of_ours_demands_as_much() -> None:
    for context in (httpure.create_ssl_context(), httpure.create_ssl_context(False)):
        assert context.minimum_version is ssl.TLSVersion.TLSv1_2
        assert context.security_level >= 2
        assert not context.hostname_checks_common_name


def test_a_weak_openssl_is_made_to() -> None:
    """Some are built with level 1."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.set_ciphers("DEFAULT:@SECLEVEL=1")
    _tls._demand_much(context)
    assert context.security_level == 2


def test_no_dot_in_the_name_that_is_sent() -> None:
    pipe = httpure.TLSConfig(False).machine("shop.example.", ["http/1.1"])
    assert pipe.ssl_object.server_hostname == "shop.example"
    assert b"shop.example" in (hello := pipe.data_to_send()) and b"shop.example." not in hello


async def test_a_dot_in_the_url_finds_the_certificate(http: World) -> None:
    transport = http.transport(resolver={"localhost.": "127.0.0.1"})
    async with http.client(transport=transport) as client:
        assert (await client.get(serve(http, certificates().server(), "localhost."))).text == "sound"


async def test_addresses_stand_in_certificates_and_not_in_the_hello(http: World) -> None:
    asked_for: list[str | None] = []
    context = certificates().server()
    context.sni_callback = lambda _, name, __: asked_for.append(name)
    async with http.client() as client:
        assert (await client.get(serve(http, context))).text == "sound"
        with pytest.raises(httpure.CertificateError, match=r"is for localhost, not for 127\.0\.0\.1"):
            await client.get(serve(http, certificates().server("localhost")))
    assert asked_for == [None]


async def test_names_are_checked_as_a_context_of_the_users_says(http: World) -> None:
    url = serve(http, certificates().server("other.test"))
    async with http.client(verify=certificates().trusting) as client:
        with pytest.raises(httpure.CertificateError):
            await client.get(url)
    careless = certificates().trusting
    careless.check_hostname = False
    async with http.client(verify=careless) as client:
        assert (await client.get(url)).text == "sound"
        with pytest.raises(httpure.CertificateError):  # but who signs is checked
            await client.get(serve(http, certificates().server("unknown")))


async def test_a_connection_that_was_not_verified_serves_nobody_who_wants_that(http: World) -> None:
    """TLS settings belong to a transport, and so do its connections."""
    url = serve(http, certificates().server("unknown"))
    async with http.client(verify=False) as careless, http.client() as careful:
        for _ in range(2):
            assert (await careless.get(url)).text == "sound"
            with pytest.raises(httpure.CertificateError):
                await careful.get(url)
    own = http.transport(verify=False)
    async with http.client(mounts={"https://127.0.0.1": own}) as mixed:
        assert (await mixed.get(url)).text == "sound"
        with pytest.raises(httpure.CertificateError):
            await mixed.get(url.replace("127.0.0.1", "localhost"))


async def test_a_locked_key_asks_nobody_on_the_terminal(http: World, tmp_path: Path) -> None:
    leaf = certificates().ca.issue_cert("client@example.org")
    chain, key = tmp_path / "chain", tmp_path / "key"
    leaf.cert_chain_pems[0].write_to_path(chain)
    key.write_bytes(
        serialization.load_pem_private_key(leaf.private_key_pem.bytes(), None).private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(b"password"),
        )
    )
    with pytest.warns(DeprecationWarning):
        client = http.client(cert=(str(chain), str(key)))
    async with client:
        with pytest.raises(
            httpure.TLSError, match="the key is locked: give its password with cert="
        ) as caught:
            await client.get("https://127.0.0.1:1/")
    assert caught.value.reason == "tls"


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"verify": None}, "verify is True, False, an ssl.SSLContext, or the path"),
    ({"verify": 1}, "verify is True, False"),
    ({"verify": b"path"}, "verify is True, False"),
    ({"verify": ""}, "verify is an empty path"),
    ({"cert": 5}, "cert is the path of a PEM file"),
    ({"cert": ()}, "cert is the path of a PEM file"),
    ({"cert": ("a", "b", "c", "d")}, "cert is the path of a PEM file, .* of 4"),
    ({"cert": (None, "key")}, "The certificate of cert= is the path"),
    ({"cert": ("chain", 5)}, "The key of cert= is the path"),
    ({"cert": ("chain", "key", 5)}, "The password of cert= is a text"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG, ids=lambda value: str(value))
def test_what_is_no_such_setting_is_told_at_once(arguments: dict[str, Any], words: str) -> None:
    for make in (httpure.Client, httpure.AsyncClient, httpure.HTTPTransport, httpure.create_ssl_context):
        with pytest.raises((TypeError, ValueError), match=words):
            make(**arguments)
    with pytest.raises((TypeError, ValueError), match=words):
        httpure.TLSConfig(**arguments)


def test_a_name_that_is_no_path() -> None:
    for arguments in ({"verify": "a\0b"}, {"verify": False, "cert": ("chain", "key", "\ud800secret")}):
        with pytest.warns(DeprecationWarning), pytest.raises(OSError) as caught:
            httpure.create_ssl_context(**arguments)  # type: ignore[arg-type]
        assert "secret" not in str(caught.value)
