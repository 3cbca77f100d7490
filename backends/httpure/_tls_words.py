"""What is wrong with a peer's certificate, or with its TLS, in plain words, and what to do about it.

Imported when a handshake has failed, and not before.
"""

from __future__ import annotations

import ssl
import time
from typing import Any

__all__ = ["advice_on", "of_alert", "of_certificate"]

#: Of X.509's errors, by OpenSSL's numbers (x509_vfy.h).
_TOO_EARLY = 9
_TOO_LATE = 10
_SELF_SIGNED = 18
_UNKNOWN_ISSUERS = frozenset((2, 19, 20, 21))
_OTHER_NAMES = frozenset((62, 64))
_REVOKED = 23
_TOO_WEAK = frozenset((66, 67, 68))

#: Names of a certificate that are told, and characters of each.
_MOST_NAMES = 5
_MOST_CHARACTERS = 100

_TRUST = "with verify=ssl.create_default_context(cafile=...), or with the environment variable SSL_CERT_FILE"
_ADVICE = {
    "wrong version number": "if that port speaks no TLS, the URL begins with http://",
    "record layer failure": "if that port speaks no TLS, the URL begins with http://",
    "unsupported protocol": "the server has to speak TLS 1.2 or later",
    "tlsv1 alert protocol version": "the server has to speak TLS 1.2 or later",
}


def of_alert(error: ssl.SSLError) -> str:
    """Return what OpenSSL says, as words."""
    reason = error.reason or str(error) or type(error).__name__
    return reason.replace("_", " ").lower()


def advice_on(words: str) -> str:
    """Return what the user can do about a failed handshake; empty where nobody knows."""
    return _ADVICE.get(words, "")


def of_certificate(error: ssl.SSLCertVerificationError, peer: ssl.SSLObject) -> tuple[str, str]:
    """Return what is wrong with the peer's certificate, and what the user can do."""
    code = error.verify_code
    chain = _chain(peer)
    leaf = chain[0] if chain else {}
    if code == _TOO_LATE:
        return (
            f"{_dated(chain, 'notAfter')} expired{_on(chain, 'notAfter')}",
            "its owner has to renew it, unless the clock of this computer is wrong",
        )
    if code == _TOO_EARLY:
        return (
            f"{_dated(chain, 'notBefore')} is not valid yet{_on(chain, 'notBefore', ', but from ')}",
            "compare the clock of this computer",
        )
    if code == _SELF_SIGNED:
        return ("its certificate is not trusted: it is self-signed", f"if you trust it, say so {_TRUST}")
    if code in _UNKNOWN_ISSUERS:
        issuer = _common_name(chain[-1], "issuer") if chain else ""
        by = f"an authority, {issuer}, that is" if issuer else "an authority that is"
        return (
            f"its certificate is not trusted: it was issued by {by} not known here",
            f"if you trust that authority, say so {_TRUST}; or the server leaves certificates in between out",
        )
    if code in _OTHER_NAMES:
        return (
            f"its certificate is {_names(leaf)}, not for {peer.server_hostname}",
            "ask for it by a name that it has",
        )
    if code in _TOO_WEAK:
        return ("a key or a signature of its certificates is too weak", "its owner has to renew it")
    if code == _REVOKED:
        return ("its certificate was revoked", "its owner has to renew it")
    return (f"its certificate is not trusted: {_plain(error.verify_message)}", "")


def _chain(peer: ssl.SSLObject) -> list[dict[str, Any]]:
    """Return what the peer has shown, its own certificate first; nothing where this Python does not tell that."""
    # There is a public way from Python 3.13 on, which gives the bytes only; and none, before the handshake is over, to
    # have them read. This one has been there since 3.10. Without it, errors tell less.
    try:
        return [each.get_info() for each in peer._sslobj.get_unverified_chain() or []]  # type: ignore[attr-defined]
    except Exception:
        return []


def _dated(chain: list[dict[str, Any]], bound: str) -> str:
    """Say which certificate of the chain it is that is over, or not yet valid."""
    culprit = _culprit(chain, bound)
    if not chain or culprit is chain[0]:
        return "its certificate"
    name = "" if culprit is None else _common_name(culprit, "subject")
    return f"a certificate that its own hangs on{f', {name},' if name else ''}"


def _on(chain: list[dict[str, Any]], bound: str, before: str = " on ") -> str:
    culprit = _culprit(chain, bound)
    if culprit is None:
        return ""
    seconds = ssl.cert_time_to_seconds(culprit[bound])
    return f"{before}{time.strftime('%Y-%m-%d', time.gmtime(seconds))}"


def _culprit(chain: list[dict[str, Any]], bound: str) -> dict[str, Any] | None:
    now = time.time()
    for each in chain:
        moment = ssl.cert_time_to_seconds(each[bound])
        if moment < now if bound == "notAfter" else moment > now:
            return each
    return None


def _names(leaf: dict[str, Any]) -> str:
    if not leaf:
        return "for other names"
    names = [_plain(value) for kind, value in leaf.get("subjectAltName", ()) if kind in ("DNS", "IP Address")]
    if not names:
        return "for no host (it has no subjectAltName)"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"for {', '.join(names[:_MOST_NAMES])}{more}"


def _common_name(certificate: dict[str, Any], whose: str) -> str:
    """Return the name of who has, or has issued, a certificate; empty where it has none."""
    parts = {name: value for part in certificate.get(whose, ()) for name, value in part}
    for name in ("commonName", "organizationalUnitName", "organizationName"):
        if name in parts:
            return repr(_plain(parts[name]))
    return ""


def _plain(text: str) -> str:
    """Return text of a stranger's as one line."""
    line = "".join(character if character.isprintable() else " " for character in text)
    return line if len(line) <= _MOST_CHARACTERS else line[:_MOST_CHARACTERS] + "…"
