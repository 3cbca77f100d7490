"""Who we are to a proxy (RFC 9110 section 11.7): Basic is said at once, Digest is the answer to a 407.

There is one `Credentials` for each way by a proxy, and what it has learnt, a nonce, is for that proxy alone: another
one could collect answers to questions of its own.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from ..auth.basic import basic_credentials
from ..auth.challenges import parse_challenges
from ..auth.digest import DigestAuth
from ..auth.proof import Session, best_challenge
from ..contracts import Fields
from ..models.headers import Headers

if TYPE_CHECKING:
    from ..config.options import Proxy

__all__ = ["Credentials", "Introduction"]

#: How often a 407 is answered for one request: the second time only where the nonce was stale.
MAX_ANSWERS = 2


class Credentials:
    """What a proxy is told besides the request, and to nobody else.

    A pair of user name and password is shown by Basic; to a proxy that asks for Digest and for no Basic it is proved by
    that. `DigestAuth` shows nothing: it waits for a challenge, and answers no other one.
    """

    __slots__ = ("_basic", "_headers", "_pair", "_session")

    def __init__(self, proxy: Proxy) -> None:
        auth = proxy.auth
        self._headers: Fields = list(proxy.headers.raw)
        self._basic: bytes | None = None
        self._pair: tuple[bytes, bytes] | None = None
        # Replaced as a whole: threads see the old one or the new one.
        self._session: Session | None = None
        if auth is None or "Proxy-Authorization" in proxy.headers:
            return
        if isinstance(auth, DigestAuth):
            self._pair = auth._pair
        else:
            self._pair = (auth[0].encode(), auth[1].encode())
            self._basic = basic_credentials(*auth).encode("ascii")

    @property
    def headers(self) -> Fields:
        """The fields that do not say who we are, unless the user has written that among them."""
        return self._headers

    def fields(self, method: bytes, target: bytes, content: Callable[[], bytes] = bytes) -> Fields:
        """Return the header fields for a request with that method and target.

        `content` returns its body, and is called where the proxy wants that proved, too (Digest with `auth-int`).
        """
        session = self._session
        if session is not None and self._pair is not None:
            answer = session.answer(*self._pair, method.decode("ascii"), target.decode("latin-1"), content)
            value = answer.encode("utf-8")
        elif self._basic is not None:
            value = self._basic
        else:
            return self._headers
        return [*self._headers, (b"Proxy-Authorization", value)]

    def heard(self, answer: Fields, answers: int) -> bool:
        """Take the fields of a 407, after so many `answers` to others: True if we have something else to say now."""
        if self._pair is None or answers >= MAX_ANSWERS:
            return False
        offered = Headers.from_wire(answer).get_list("proxy-authenticate")
        if self._basic is not None and any(each.scheme == "basic" for each in parse_challenges(offered)):
            # That is what it has heard already, unless it has asked for Digest before.
            before, self._session = self._session, None
            return before is not None and not answers
        try:
            challenge = best_challenge(offered)
        except ValueError:
            return False
        if challenge is None or (answers and not challenge.stale):
            return False
        self._session = Session(challenge)
        return True


class Introduction:
    """How we say who we are for one request: it counts the answers, also over several connections."""

    __slots__ = ("_answers", "credentials")

    def __init__(self, credentials: Credentials) -> None:
        self.credentials = credentials
        self._answers = 0

    def heard(self, answer: Fields) -> bool:
        """Take the fields of a 407. True if the request should be sent once more."""
        if not self.credentials.heard(answer, self._answers):
            return False
        self._answers += 1
        return True
