"""Basic and Digest authentication, checked as a strict server does (RFC 7617, RFC 7616)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets

from .exchange import Exchange

__all__ = ["basic", "bearer", "digest"]

OPAQUE = "5ccc069c403ebaf9f0171e9517f40e41"
HASHES = {"MD5": hashlib.md5, "SHA": hashlib.sha1, "SHA-256": hashlib.sha256, "SHA-512": hashlib.sha512}

#: nonce -> the highest count that was used with it.
_nonces: dict[str, int] = {}


async def basic(exchange: Exchange, user: str, password: str) -> None:
    expected = base64.b64encode(f"{user}:{password}".encode()).decode()
    if exchange.header("authorization") == f"Basic {expected}":
        await exchange.send_json({"authenticated": True, "user": user})
        return
    await exchange.send(b"", 401, [("www-authenticate", 'Basic realm="Fake Realm"')])


async def bearer(exchange: Exchange) -> None:
    scheme, _, token = exchange.header("authorization").partition(" ")
    if scheme == "Bearer" and token:
        await exchange.send_json({"authenticated": True, "token": token})
        return
    await exchange.send(b"", 401, [("www-authenticate", "Bearer")])


async def digest(exchange: Exchange, qop: str, user: str, password: str, algorithm: str = "MD5") -> None:
    fields = _fields(exchange.header("authorization"))
    if fields and _is_right(exchange, fields, qop, user, password, algorithm):
        await exchange.send_json({"authenticated": True, "user": user})
        return
    nonce = secrets.token_hex(16)
    _nonces[nonce] = 0
    challenge = f'Digest realm="me@example.com", nonce="{nonce}", opaque="{OPAQUE}", algorithm={algorithm}'
    if qop != "none":
        challenge += f', qop="{qop}"'
    await exchange.send(b"", 401, [("www-authenticate", challenge)])


def _fields(header: str) -> dict[str, str]:
    scheme, _, rest = header.partition(" ")
    if scheme.lower() != "digest":
        return {}
    return {
        name: quoted or plain for name, quoted, plain in re.findall(r'(\w+)=(?:"([^"]*)"|([^",\s]+))', rest)
    }


def _is_right(
    exchange: Exchange, fields: dict[str, str], qop: str, user: str, password: str, algorithm: str
) -> bool:
    nonce = fields.get("nonce", "")
    if nonce not in _nonces or fields.get("username") != user or fields.get("opaque") != OPAQUE:
        return False
    query = exchange.scope["query_string"].decode("latin-1")
    if fields.get("uri") != exchange.scope["raw_path"].decode("latin-1") + ("?" + query if query else ""):
        return False
    if qop != "none" and not _count_is_new(nonce, fields.get("nc", "")):
        return False
    expected = _response(exchange.method, fields, password, algorithm)
    return hmac.compare_digest(expected, fields.get("response", ""))


def _count_is_new(nonce: str, count: str) -> bool:
    """A count must be eight hex digits and grow, or the answer may be a replay (RFC 7616 section 3.4)."""
    if not re.fullmatch("[0-9a-f]{8}", count) or int(count, 16) <= _nonces[nonce]:
        return False
    _nonces[nonce] = int(count, 16)
    return True


def _response(method: str, fields: dict[str, str], password: str, algorithm: str) -> str:
    make = HASHES[algorithm.upper().removesuffix("-SESS")]

    def hashed(text: str) -> str:
        return make(text.encode()).hexdigest()

    secret = hashed(f"{fields['username']}:{fields.get('realm', '')}:{password}")
    if algorithm.upper().endswith("-SESS"):
        secret = hashed(f"{secret}:{fields['nonce']}:{fields.get('cnonce', '')}")
    target = hashed(f"{method}:{fields['uri']}")
    if "qop" not in fields:
        return hashed(f"{secret}:{fields['nonce']}:{target}")
    middle = f"{fields['nonce']}:{fields.get('nc', '')}:{fields.get('cnonce', '')}:{fields['qop']}"
    return hashed(f"{secret}:{middle}:{target}")
