"""TLS as a machine: one pipe over `ssl.MemoryBIO`, the same for every backend.

That gives the same errors everywhere, TLS within TLS for free, and none of the trouble of an `SSLSocket` that two
threads share. Contexts are built lazily, once per distinct configuration and process, and never for `http://`.
"""

from __future__ import annotations

import os
import ssl
import threading
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

from httpure_core.layers import BrokenTLS, Layer, UnannouncedEnd, reason_of

from ._lazy_tls import check_tls, warn_of_paths

__all__ = ["TLSConfig", "TLSPipe", "create_ssl_context"]

#: Bytes of plain text taken out of OpenSSL in one go: what a record holds at most, which is all that it gives. Python
#: takes as much memory first, and 256 KiB of it would come anew from the system for each.
_READ_SIZE = 16 * 1024
#: How many distinct configurations are remembered.
_MOST_CONTEXTS = 32
#: What OpenSSL calls good enough: keys and hashes worth 112 bits, as RSA of 2048.
_SECURITY_LEVEL = 2


class TLSPipe(Layer):
    """The TLS of one connection, between the link and the machine inside. See `contracts.TLSMachine`.

    `alpn` are the protocols to offer, the best first; without it, what the context offers.
    """

    __slots__ = ("_arrived", "_ended", "_object", "_outgoing", "protocol")

    def __init__(
        self, context: ssl.SSLContext, server_hostname: str | None, alpn: list[str] | None = None
    ) -> None:
        super().__init__()
        self._arrived = ssl.MemoryBIO()
        self._outgoing = ssl.MemoryBIO()
        # A context is shared, also by those who offer other protocols. An object keeps what it was made with.
        with _contexts_lock:
            if alpn is not None:
                context.set_alpn_protocols(alpn)
            self._object = context.wrap_bio(self._arrived, self._outgoing, server_hostname=server_hostname)
        self._ended = False
        self.protocol: str | None = None
        self._shake_hands()

    @property
    def ssl_object(self) -> ssl.SSLObject:
        """What knows the peer's certificate, the cipher and the version."""
        return self._object

    def data_to_send(self) -> bytes:
        """Return what is to go to the peer, encrypted."""
        if self.established and (data := self.inner.data_to_send()):
            try:
                self._object.write(data)
            except ssl.SSLError as exc:
                self._end(exc)
        return self._outgoing.read()

    def receive_data(self, data: bytes) -> None:
        """Take encrypted bytes; feed the machine inside."""
        self._arrived.write(data)
        if not self.established:
            self._shake_hands()
        if self.established:
            self._read()

    def receive_eof(self, error: OSError | None = None) -> None:
        """The peer is gone: in order only if it said so in TLS."""
        self._arrived.write_eof()
        if not self.established:
            words, reason = "the server closed the connection during the handshake", "closed"
            if error is not None:
                words, reason = error.strerror or str(error) or words, reason_of(error) or reason
            self.fail(words, reason=reason)
        elif error is not None:
            self._end(error)
        else:
            self._read()

    def _shake_hands(self) -> None:
        try:
            self._object.do_handshake()
        except ssl.SSLWantReadError:
            return
        except ssl.SSLCertVerificationError as exc:
            from ._tls_words import of_certificate

            words, advice = of_certificate(exc, self._object)
            self.fail(words, exc, "certificate", advice)
        except ssl.SSLError as exc:
            from ._tls_words import advice_on, of_alert

            words = of_alert(exc)
            self.fail(words, exc, "tls", advice_on(words))
        else:
            self.protocol = self._object.selected_alpn_protocol()
            self.succeed()

    def _read(self) -> None:
        pieces: list[bytes] = []
        arrived, read = self._arrived, self._object.read
        end: OSError | None = None
        ended = False
        try:
            while piece := read(_READ_SIZE):
                pieces.append(piece)
                # As a record is taken whole, there is no more of it in OpenSSL. To ask it nevertheless would be to be
                # told by an exception each time: 5 µs of a small response.
                if not arrived.pending and not arrived.eof:
                    break
            else:
                ended = True
        except ssl.SSLWantReadError:
            pass
        except ssl.SSLZeroReturnError:
            ended = True
        except ssl.SSLError as exc:
            ended, end = True, exc
        if pieces:
            self.inner.receive_data(pieces[0] if len(pieces) == 1 else b"".join(pieces))
        if ended:
            self._end(end)

    def _end(self, error: OSError | None) -> None:
        if not self._ended:
            self._ended = True
            if isinstance(error, ssl.SSLEOFError):
                error = UnannouncedEnd()
            elif isinstance(error, ssl.SSLError):
                from ._tls_words import of_alert

                error = BrokenTLS(of_alert(error))
            self.inner.receive_eof(error)


class TLSConfig:
    """TLS as the core wants it: makes the machine of each connection from one configuration. See `contracts.TLS`.

    `verify`, `cert` and `trust_env` are those of `create_ssl_context`, and so is what `prepare()` raises.

    >>> tls = httpure.TLSConfig()
    >>> pipe = tls.machine("shop.example", ["h2", "http/1.1"])
    >>> tls.prepared, pipe.data_to_send()[:1]  # the ClientHello begins with a record of type 22
    (True, b'\\x16')
    """

    def __init__(
        self, verify: ssl.SSLContext | str | bool = True, cert: Any = None, trust_env: bool = True
    ) -> None:
        check_tls(verify, cert)
        self._verify = verify
        self._cert = cert
        self._trust_env = trust_env
        self._context: ssl.SSLContext | None = None

    @property
    def prepared(self) -> bool:
        """True once the context is there."""
        return self._context is not None

    def prepare(self) -> None:
        """Build the context, or find the one that was built for the same configuration. May be called twice.

        Takes milliseconds, for it reads certificates. Raises OSError and ssl.SSLError as `create_ssl_context` does.
        """
        if isinstance(self._verify, bool) and _is_remembered(self._cert):
            self._context = _shared_context(self._verify, self._cert, self._trust_env)
        else:
            self._context = _new_context(self._verify, self._cert, self._trust_env)

    def machine(self, server_hostname: str, alpn: list[str]) -> TLSPipe:
        """Make the machine of one connection."""
        if self._context is None:
            self.prepare()
        context = self._context
        assert context is not None
        return TLSPipe(context, server_hostname.removesuffix("."), alpn)


TLSConfig.__module__ = "httpure"  # where users find it


def create_ssl_context(
    verify: ssl.SSLContext | str | bool = True, cert: Any = None, trust_env: bool = True
) -> ssl.SSLContext:
    """Return a context for a client.

    >>> import ssl
    >>> context = httpure.create_ssl_context()
    >>> context.minimum_version = ssl.TLSVersion.TLSv1_3
    >>> with httpure.Client(verify=context) as client:
    ...     client.get("https://example.org")
    <Response [200 OK]>

    `verify`: True trusts the authorities of certifi, or those of the environment variables SSL_CERT_FILE and
    SSL_CERT_DIR unless `trust_env` is False; False trusts everybody; a path trusts the authorities in that file or
    folder; a context is used as it is. `cert`: the client's own certificate, as the path of a PEM file, or a pair
    (certificate, key), or a triple with the key's password. A path and a certificate are deprecated in httpx, and
    warn here as they do there.

    TLS 1.2 is the oldest version spoken, keys and signatures below 112 bits (OpenSSL's security level 2) are not taken,
    and names of hosts are looked for in subjectAltName only: the first two also with `verify=False`. Raises OSError
    where a file cannot be read, ssl.SSLError where it is no certificate, TypeError and ValueError for what is none of
    the above.
    """
    check_tls(verify, cert)
    warn_of_paths(verify, cert)
    return _new_context(verify, cert, trust_env)


def _new_context(verify: ssl.SSLContext | str | bool, cert: Any, trust_env: bool) -> ssl.SSLContext:
    if isinstance(verify, ssl.SSLContext):
        context = verify
    elif verify is False:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
        _log_keys(context)
    else:
        file, folder = _authorities(verify, trust_env)
        with _naming(file or folder):
            context = ssl.create_default_context(cafile=file, capath=folder)
    if not isinstance(verify, ssl.SSLContext):
        _demand_much(context)
    if cert is not None:
        _show(context, (cert,) if isinstance(cert, str | os.PathLike) else tuple(cert))
    return context


def _demand_much(context: ssl.SSLContext) -> None:
    """Have a context of our own refuse what is weak, however the OpenSSL at hand was built."""
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    context.hostname_checks_common_name = False  # RFC 9525 section 6.3
    if context.security_level < _SECURITY_LEVEL:
        context.set_ciphers(f"DEFAULT:@SECLEVEL={_SECURITY_LEVEL}")


def _show(context: ssl.SSLContext, chain: tuple[Any, ...]) -> None:
    """Load the client's own certificate."""
    certificate, key = chain[0], chain[1] if len(chain) > 1 else None
    # Without a function to ask, OpenSSL would ask on the terminal, and wait for ever.
    password = chain[2] if len(chain) > 2 and chain[2] is not None else _no_password
    with _naming(certificate, key):
        context.load_cert_chain(certificate, key, password)


def _no_password() -> str:
    raise OSError(None, "the key is locked: give its password with cert=(certificate, key, password)")


@contextmanager
def _naming(*files: Any) -> Iterator[None]:
    """Say which files an error is about: OpenSSL does not."""
    try:
        yield
    except OSError as exc:
        exc.strerror = f"{exc.strerror}: {_listed(files)}"
        raise
    except ValueError:
        # A name with NUL or half a character, or such a password: nothing of that is to be seen.
        raise OSError(None, f"what is no name of a file, or no password: {_listed(files)}") from None


def _listed(files: tuple[Any, ...]) -> str:
    return " and ".join(repr(str(file)) for file in files if file is not None)


def _authorities(verify: str | bool, trust_env: bool) -> tuple[str | None, str | None]:
    """Return where the trusted authorities are: a file, or a folder."""
    if isinstance(verify, str | os.PathLike):
        return (None, str(verify)) if os.path.isdir(verify) else (str(verify), None)
    file = os.environ.get("SSL_CERT_FILE") if trust_env else None
    folder = os.environ.get("SSL_CERT_DIR") if trust_env else None
    if file or folder:
        return (file, None) if file else (None, folder)
    import certifi

    return certifi.where(), None


def _log_keys(context: ssl.SSLContext) -> None:
    # create_default_context() does this by itself.
    path = os.environ.get("SSLKEYLOGFILE")
    if path:
        context.keylog_filename = path


def _is_remembered(cert: Any) -> bool:
    """Whether a client's certificate can be told from others by its names."""
    parts = cert if isinstance(cert, tuple) else (cert,)
    return all(part is None or isinstance(part, str) for part in parts)


_contexts: dict[Hashable, ssl.SSLContext] = {}
_contexts_lock = threading.Lock()


def _shared_context(verify: bool, cert: Any, trust_env: bool) -> ssl.SSLContext:
    names = ("SSL_CERT_FILE", "SSL_CERT_DIR", "SSLKEYLOGFILE")
    environment = (
        tuple(os.environ.get(name) for name in names) if trust_env else os.environ.get("SSLKEYLOGFILE")
    )
    key = (verify, cert, environment)
    with _contexts_lock:
        context = _contexts.get(key)
        if context is None:
            context = _new_context(verify, cert, trust_env)
            while len(_contexts) >= _MOST_CONTEXTS:
                del _contexts[next(iter(_contexts))]
            _contexts[key] = context
        return context


def _begin_anew() -> None:
    # Forked off: a thread that was loading certificates is not here any more.
    global _contexts_lock
    _contexts_lock = threading.Lock()


if hasattr(os, "register_at_fork"):  # pragma: no branch - not on Windows, which has no fork
    os.register_at_fork(after_in_child=_begin_anew)
