"""Digest authentication (RFC 7616, and RFC 2069 for servers without qop).

The first request to an origin goes out bare; the server's 401 brings a nonce, and the request is sent again
with an answer that proves the password without showing it. Later requests to that origin answer the same
nonce at once, with a higher count. A nonce is never used for another origin: that one could collect answers
to questions of its own.
"""

from __future__ import annotations

from collections.abc import Generator
from itertools import count
from typing import TYPE_CHECKING, Any, NamedTuple

from .. import ambient
from ..errors import InvalidURL, LocalProtocolError, RemoteProtocolError, RequestNotRead
from ..models.cookie_store import CookieStore
from ..models.cookie_syntax import split_cookie_header
from .basic import as_bytes
from .challenges import parse_challenges
from .flow import Auth

if TYPE_CHECKING:
    from ..models.request import Request
    from ..models.response import Response
    from ..models.url import URL, Origin

__all__ = ["DigestAuth"]

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

#: Origins whose nonce is remembered; the one learnt first is forgotten first.
_MAX_SESSIONS = 64

_UNQUOTED = frozenset(("algorithm", "qop", "nc", "userhash", "username*"))


class DigestAuth(Auth):
    """Prove a user name and a password to servers that ask for Digest (RFC 7616). Text is encoded as UTF-8.

    >>> auth = httpure.DigestAuth("ada", "secret")
    >>> httpure.get("https://httpbin.org/digest-auth/auth/ada/secret", auth=auth)
    <Response [200 OK]>

    One object may serve any number of threads and tasks. The strongest of the server's challenges is
    answered: SHA-512, SHA-512-256, SHA-256, SHA or MD5, also as `-sess`. Where the server demands `auth-int`,
    the body must be in memory. A 401 without a Digest challenge that this client can answer is returned as it
    is; a challenge without realm or nonce raises RemoteProtocolError. Raises TypeError where user name or
    password is neither str nor bytes.
    """

    def __init__(self, username: str | bytes, password: str | bytes) -> None:
        self._username = as_bytes(username)
        self._password = as_bytes(password)
        # Replaced as a whole, never changed: threads see the old sessions or the new ones.
        self._sessions: dict[Origin, _Session] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_sessions": {}}

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield the request, again with an answer if it is challenged, once more if the nonce was stale."""
        session = self._sessions.get(request.url.origin)
        if session is not None and session.covers(request.url):
            request.headers["Authorization"] = self._answer(request, session)
        for attempt in range(2):
            response = yield request
            if response.status_code != 401:
                return
            challenged = _challenged_request(request, response)
            challenge = _best_challenge(challenged, response)
            if challenge is None or challenged.url.origin != request.url.origin:
                return
            if attempt > 0 and not challenge.stale:
                return
            request = challenged
            session = _Session(challenge, request.url)
            self._remember(request.url.origin, session)
            request.headers["Authorization"] = self._answer(request, session)
            _take_cookies(request, response)
        yield request

    def _remember(self, origin: Origin, session: _Session) -> None:
        sessions = {**self._sessions, origin: session}
        if len(sessions) > _MAX_SESSIONS:
            del sessions[next(iter(sessions))]
        self._sessions = sessions

    def _answer(self, request: Request, session: _Session) -> str:
        """Return the Authorization field value for this request (RFC 7616 section 3.4)."""
        challenge = session.challenge
        nc = f"{next(session.counter):08x}"
        cnonce = session.cnonce
        uri = _request_target(request)
        digest = _Hash(challenge.hash_name)

        realm, nonce = challenge.realm.encode("utf-8"), challenge.nonce.encode("utf-8")
        secret = digest(self._username, realm, self._password)
        if challenge.session:
            secret = digest(secret.encode(), nonce, cnonce.encode())
        subject = [request.method.encode("ascii"), uri.encode("latin-1")]
        if challenge.qop == "auth-int":
            subject.append(digest(_content(request)).encode())
        proof = (
            [nonce]
            if challenge.qop is None
            else [part.encode() for part in (challenge.nonce, nc, cnonce, challenge.qop)]
        )

        fields = self._username_fields(challenge, digest)
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

    def _username_fields(self, challenge: _Challenge, digest: _Hash) -> dict[str, str]:
        if challenge.userhash:
            hashed = digest(self._username, challenge.realm.encode("utf-8"))
            return {"username": hashed, "userhash": "true"}
        if self._username.isascii() and self._username.decode("ascii").isprintable():
            return {"username": self._username.decode("ascii")}
        # No quoted string can carry it: the extended notation of RFC 8187 does.
        return {"username*": "UTF-8''" + "".join(f"%{byte:02X}" for byte in self._username)}


class _Challenge(NamedTuple):
    """A Digest challenge that can be answered."""

    realm: str
    nonce: str
    algorithm: str
    hash_name: str
    strength: int
    session: bool
    qop: str | None
    opaque: str
    stale: bool
    userhash: bool
    domain: str


class _Session:
    """A nonce in use, how often it was, and for what."""

    __slots__ = ("_prefixes", "challenge", "cnonce", "counter")

    def __init__(self, challenge: _Challenge, url: URL) -> None:
        self.challenge = challenge
        self._prefixes = _prefixes(challenge.domain, url)
        # One for the life of the nonce: `-sess` algorithms hash the first one, some servers the latest.
        self.cnonce = ambient.random_bytes(8).hex()
        # next() of a count is one step: no two threads get the same number, which a server would take for a
        # replay.
        self.counter = count(1)

    def covers(self, url: URL) -> bool:
        """Whether the nonce may be answered unasked for this URL of its origin."""
        return self._prefixes is None or url.raw_path.startswith(self._prefixes)


def _prefixes(domain: str, url: URL) -> tuple[bytes, ...] | None:
    """Return what the paths of the protection space begin with; None if it is all of the origin.

    Other origins that the server names (RFC 7616 section 3.3) are passed over: the credentials were given for
    this one.
    """
    if not domain.strip():
        return None
    prefixes = []
    for name in domain.split():
        try:
            prefix = url.join(name)
        except InvalidURL:
            continue
        if prefix.origin == url.origin:
            prefixes.append(prefix.raw_path)
    return tuple(prefixes)


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


def _challenged_request(request: Request, response: Response) -> Request:
    # After a redirect it is the last request that was challenged, not the one we yielded.
    try:
        return response.request
    except RuntimeError:
        return request


def _best_challenge(request: Request, response: Response) -> _Challenge | None:
    """Return the strongest Digest challenge of a 401, or None where there is none that can be answered.

    Raises RemoteProtocolError where every Digest challenge is malformed.
    """
    best: _Challenge | None = None
    problem = ""
    for scheme, parameters, _ in parse_challenges(response.headers.get_list("www-authenticate")):
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
        raise RemoteProtocolError(f"Malformed Digest challenge: {problem}", request=request)
    return best


def _read_challenge(parameters: dict[str, str]) -> _Challenge | None:
    """Return the challenge, or None where its algorithm is unknown here. Raises ValueError if malformed."""
    for required in ("realm", "nonce"):
        if required not in parameters:
            raise ValueError(f"it has no {required} (RFC 7616 section 3.3).")
    algorithm = parameters.get("algorithm", "MD5")
    name = algorithm.upper().removesuffix("-SESS")
    if name not in _ALGORITHMS or not _is_available(_ALGORITHMS[name]):
        return None
    return _Challenge(
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


def _content(request: Request) -> bytes:
    try:
        return request.content
    except RequestNotRead:
        raise LocalProtocolError(
            "The server demands Digest with qop=auth-int, which hashes the whole body, "
            "and this body is a stream: call request.read() first, give content as bytes, "
            "or set requires_request_body = True on the auth object.",
            request=request,
        ) from None


def _request_target(request: Request) -> str:
    # The extension replaces the target on the wire, and the server hashes what it sees there.
    target = request.extensions.get("target")
    if not isinstance(target, bytes):  # what else it may be is for the transport to refuse
        target = request.url.raw_path
    return target.decode("latin-1")


def _take_cookies(request: Request, response: Response) -> None:
    """Send the cookies that came with the challenge: some servers tie the nonce to a session."""
    fields = response.headers.get_list("set-cookie")
    if not fields:
        return
    origin = request.url.origin
    path = request.url.raw_path.decode("ascii").partition("?")[0]
    store = CookieStore()
    store.receive(fields, origin.scheme, origin.host, path)
    header = store.header_for(origin.scheme, origin.host, path)
    if header is not None:
        fresh = {name for name, _ in split_cookie_header(header)}
        kept = [
            pair for name, pair in split_cookie_header(request.headers.get("Cookie", "")) if name not in fresh
        ]
        request.headers["Cookie"] = "; ".join((*kept, header))


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
