"""Digest (RFC 7616), as a server checks it."""

from __future__ import annotations

import hashlib
import re
from itertools import count

__all__ = ["DigestGuard"]


class DigestGuard:
    """Wants a user name and a password proved. Each nonce may be used `uses` times; after that it is stale."""

    def __init__(self, name: str, password: str, uses: int = 1000, name_of_nonces: str = "nonce") -> None:
        self._name = name
        self._password = password
        self._uses = uses
        self._numbers = count(1)
        self._name_of_nonces = name_of_nonces
        #: Nonces, and the counts that they were answered with.
        self.nonces: dict[str, list[int]] = {}
        #: What was answered to nonces that are not ours, or wrongly.
        self.wrong: list[dict[str, str]] = []

    def challenge(self, method: str, target: str, given: str | None) -> str | None:
        """Return the challenge, or None where the answer that was given is right."""
        answer = _parts(given)
        counts = self.nonces.get(answer.get("nonce", ""))
        stale = False
        if answer:
            right = answer["response"] == self._response(method, target, answer) and answer["uri"] == target
            if counts is None or not right or int(answer["nc"], 16) in counts:
                self.wrong.append(answer)
            elif len(counts) < self._uses:
                counts.append(int(answer["nc"], 16))
                return None
            else:
                stale = True
        nonce = f"{self._name_of_nonces}-{next(self._numbers)}"
        self.nonces[nonce] = []
        return f'Digest realm="r", qop="auth", algorithm=SHA-256, nonce="{nonce}"' + ", stale=true" * stale

    def _response(self, method: str, target: str, answer: dict[str, str]) -> str:
        secret = _hash(self._name, "r", self._password)
        proof = (answer["nonce"], answer["nc"], answer["cnonce"], "auth", _hash(method, target))
        return _hash(secret, *proof)


def _parts(value: str | None) -> dict[str, str]:
    if value is None or not value.startswith("Digest "):
        return {}
    return {name: text.strip('"') for name, text in re.findall(r'(\w+)=("[^"]*"|[^ ,]+)', value)}


def _hash(*texts: str) -> str:
    return hashlib.sha256(":".join(texts).encode()).hexdigest()
