"""Digest as such (RFC 7616): a challenge is read, and answered. What carries the two is the business of others.

    best_challenge   the strongest of those offered that we can answer
    Session          one nonce, answered as often as it holds

`digest.py` speaks to origins with it, `proxy/credentials.py` to proxies.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import count
from typing import NamedTuple

from .. import ambient
from .challenges import parse_challenges

__all__ = ["DigestChallenge", "Session", "best_challenge"]

#: The algorithms by their names in RFC 7616 (SHA and SHA-512 are in use without standing there), strongest
#: first.
_ALGORITHMS = {
    "SHA-512": "sha512",
    "SHA-512-256": "sha512_256",
    "SHA-256": "sha256",
    "SHA": "sha1",
    "MD5": "md5",
}
_STRENGTH = {name: strength for strength, name in enumerate(reversed(_ALGORITHMS))}

_UNQUOTED = frozenset(("algorithm", "qop", "nc", "userhash", "username*"))


class DigestChallenge(NamedTuple):
    """A Digest challenge that can be answered."""

    realm: str
    nonce: str
    algorithm: str
    hash_name: str
    strength: int
    session: bool  #: an algorithm whose name ends in `-sess`
    qop: str | None
    opaque: str
    stale: bool
    userhash: bool
    domain: str


def best_challenge(fields: Iterable[str]) -> DigestChallenge | None:
    """Return the strongest Digest challenge of field values, or None where there is none that can be answered.

    Raises ValueError where every Digest challenge is malformed.
    """
    best: DigestChallenge | None = None
    problem = ""
    for scheme, parameters, _ in parse_challenges(fields):
        if scheme != "digest":
            continue
        try:
            challenge = _read_challenge(parameters)
        except ValueError as error:
            problem = str(error)
            continue
        if challenge is not None and (best is None or challenge.strength > best.strength):
            best = challenge
    if best is None and problem:
        raise ValueError(problem)
    return best


class Session:
    """A nonce in use, and how often it was. Any number of threads may answer it."""

    __slots__ = ("challenge", "cnonce", "counter")

    def __init__(self, challenge: DigestChallenge) -> None:
        self.challenge = challenge
        # One for the life of the nonce: `-sess` algorithms hash the first one, some servers the latest.
        self.cnonce = ambient.random_bytes(8).hex()
        # next() of a count is one step: no two threads get the same number, which a server would take for a
        # replay.
        self.counter = count(1)

    def answer(
        self, username: bytes, password: bytes, method: str, uri: str, content: Callable[[], bytes]
    ) -> str:
        """Return the field value for a request (RFC 7616 section 3.4).

        `uri` is its target as it stands on the wire; `content` returns its body, and is called where that is
        hashed, too.
        """
        challenge = self.challenge
        nc = f"{next(self.counter):08x}"
        cnonce = self.cnonce
        digest = _Hash(challenge.hash_name)

        realm, nonce = challenge.realm.encode("utf-8"), challenge.nonce.encode("utf-8")
        secret = digest(username, realm, password)
        if challenge.session:
            secret = digest(secret.encode(), nonce, cnonce.encode())
        subject = [method.encode("ascii"), uri.encode("latin-1")]
        if challenge.qop == "auth-int":
            subject.append(digest(content()).encode())
        proof = (
            [nonce]
            if challenge.qop is None
            else [part.encode() for part in (challenge.nonce, nc, cnonce, challenge.qop)]
        )

        fields = _username_fields(challenge, username, digest)
        fields |= {"realm": challenge.realm, "nonce": challenge.nonce, "uri": uri}
        fields["response"] = digest(secret.encode(), *proof, digest(*subject).encode())
        fields["algorithm"] = challenge.algorithm
        if challenge.opaque:
            fields["opaque"] = challenge.opaque
        if challenge.qop is not None:
            fields |= {"qop": challenge.qop, "nc": nc}
        if challenge.qop is not None or challenge.session:
            fields["cnonce"] = cnonce
        return "Digest " + ", ".join(
            f"{name}={value}" if name in _UNQUOTED else f"{name}={_quoted(value)}"
            for name, value in fields.items()
        )


class _Hash:
    """H(a:b:c) of RFC 7616, in hexadecimal. Raises ValueError where the machine lacks the algorithm."""

    __slots__ = ("_empty",)

    def __init__(self, name: str) -> None:
        import hashlib  # only those who meet Digest pay for it

        # Not used for security, as far as FIPS is concerned: that mode would refuse MD5 altogether.
        self._empty = hashlib.new(name, usedforsecurity=False)

    def __call__(self, *parts: bytes) -> str:
        state = self._empty.copy()
        state.update(b":".join(parts))
        return state.hexdigest()


def _username_fields(challenge: DigestChallenge, username: bytes, digest: _Hash) -> dict[str, str]:
    if challenge.userhash:
        hashed = digest(username, challenge.realm.encode("utf-8"))
        return {"username": hashed, "userhash": "true"}
    if username.isascii() and username.decode("ascii").isprintable():
        return {"username": username.decode("ascii")}
    # No quoted string can carry it: the extended notation of RFC 8187 does.
    return {"username*": "UTF-8''" + "".join(f"%{byte:02X}" for byte in username)}


def _read_challenge(parameters: dict[str, str]) -> DigestChallenge | None:
    """Return the challenge, or None where its algorithm is unknown here. Raises ValueError if malformed."""
    for required in ("realm", "nonce"):
        if required not in parameters:
            raise ValueError(f"it has no {required} (RFC 7616 section 3.3).")
    algorithm = parameters.get("algorithm", "MD5")
    name = algorithm.upper().removesuffix("-SESS")
    if name not in _ALGORITHMS or not _is_available(_ALGORITHMS[name]):
        return None
    return DigestChallenge(
        realm=parameters["realm"],
        nonce=parameters["nonce"],
        algorithm=algorithm,
        hash_name=_ALGORITHMS[name],
        strength=_STRENGTH[name],
        session=algorithm.upper().endswith("-SESS"),
        qop=_choose_qop(parameters.get("qop", "")),
        opaque=parameters.get("opaque", ""),
        stale=parameters.get("stale", "").lower() == "true",
        userhash=parameters.get("userhash", "").lower() == "true",
        domain=parameters.get("domain", ""),
    )


def _choose_qop(offered: str) -> str | None:
    options = {option.strip(" \t").lower() for option in offered.split(",")} - {""}
    if not options:
        return None
    for option in ("auth", "auth-int"):
        if option in options:
            return option
    raise ValueError(f"its qop {offered!r} offers neither auth nor auth-int (RFC 7616 section 3.3).")


def _is_available(hash_name: str) -> bool:
    try:
        _Hash(hash_name)
    except ValueError:
        return False
    return True


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
