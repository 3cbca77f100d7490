"""TLS that costs nothing before it is needed: not even the import of `ssl`."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING, Any, TypeAlias

from httpure_core.warned import warn

if TYPE_CHECKING:
    import ssl

    from ._tls import TLSConfig, TLSPipe

__all__ = ["CertTypes", "LazyTLS", "VerifyTypes", "check_tls", "warn_of_paths"]

#: True for the authorities of certifi, False for none, the path of a file or folder of them, or a context.
VerifyTypes: TypeAlias = "ssl.SSLContext | str | bool"
#: A PEM file, or (certificate, key), or (certificate, key, password of the key).
CertTypes: TypeAlias = str | tuple[str, str] | tuple[str, str, str]


def check_tls(verify: Any, cert: Any) -> None:
    """Raise TypeError or ValueError for what is neither `VerifyTypes` nor `CertTypes`."""
    if verify is not True and verify is not False:
        _check_verify(verify)
    if cert is not None:
        _check_cert(cert)


def _check_verify(verify: Any) -> None:
    if isinstance(verify, str | os.PathLike):
        if not os.fspath(verify):
            raise ValueError(
                "verify is an empty path: give True, False, an ssl.SSLContext, or a file or folder."
            )
        return
    ssl = sys.modules.get("ssl")  # who has made a context has imported it
    if ssl is None or not isinstance(verify, ssl.SSLContext):
        raise TypeError(
            f"verify is True, False, an ssl.SSLContext, or the path of a file or folder, not {type(verify).__name__}."
        )


def _check_cert(cert: Any) -> None:
    parts = [cert] if isinstance(cert, str | os.PathLike) else cert
    if not isinstance(parts, list | tuple) or not 1 <= len(parts) <= 3:
        raise TypeError(
            "cert is the path of a PEM file, (certificate, key) or (certificate, key, password), "
            f"not {type(cert).__name__}{f' of {len(parts)}' if isinstance(parts, list | tuple) else ''}."
        )
    for name, part in zip(("certificate", "key"), parts, strict=False):
        if not isinstance(part, str | os.PathLike) and not (name == "key" and part is None):
            raise TypeError(f"The {name} of cert= is the path of a file, not {type(part).__name__}.")
    if len(parts) == 3 and not (
        parts[2] is None or isinstance(parts[2], str | bytes | bytearray) or callable(parts[2])
    ):
        raise TypeError(f"The password of cert= is a text, not {type(parts[2]).__name__}.")


def warn_of_paths(verify: Any, cert: Any) -> None:
    """Warn of the two forms that httpx has deprecated, where they are given. They go on working."""
    if isinstance(verify, str):
        warn(
            "verify=<path> is deprecated, as in httpx: use verify=ssl.create_default_context(cafile=...), "
            "or capath=... for a folder.",
            DeprecationWarning,
        )
    if cert is not None:
        warn(
            "cert= is deprecated, as in httpx: call load_cert_chain() of an ssl.SSLContext, and give that as verify=.",
            DeprecationWarning,
        )


class LazyTLS:
    """The TLS configuration of a transport. See `contracts.TLS`."""

    __slots__ = ("_arguments", "_config")

    @classmethod
    def of(cls, verify: VerifyTypes | LazyTLS, cert: CertTypes | None, trust_env: bool) -> LazyTLS:
        """Make one, or take the one that is given in the place of `verify`: a client's transports share it."""
        return verify if isinstance(verify, LazyTLS) else cls(verify, cert, trust_env)

    def __init__(self, verify: VerifyTypes, cert: CertTypes | None, trust_env: bool) -> None:
        check_tls(verify, cert)
        if cert is not None or isinstance(verify, str):
            warn_of_paths(verify, cert)
        self._arguments = (verify, cert, trust_env)
        self._config: TLSConfig | None = None

    @property
    def prepared(self) -> bool:
        """True once the certificates are loaded."""
        return self._config is not None and self._config.prepared

    def prepare(self) -> None:
        """Import `ssl` and load the certificates."""
        from ._tls import TLSConfig

        config = TLSConfig(*self._arguments)
        config.prepare()
        self._config = config

    def machine(self, server_hostname: str, alpn: list[str]) -> TLSPipe:
        """Make the machine of one connection."""
        if self._config is None:
            self.prepare()
        assert self._config is not None
        return self._config.machine(server_hostname, alpn)
