"""Digest authentication (RFC 7616, and RFC 2069 for servers without qop).

The first request to an origin goes out bare; the server's 401 brings a nonce, and the request is sent again
with an answer that proves the password without showing it. Later requests to that origin answer the same
nonce at once, with a higher count. A nonce is never used for another origin: that one could collect answers
to questions of its own.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING, Any

from ..errors import InvalidURL, LocalProtocolError, RemoteProtocolError, RequestNotRead
from ..models.cookie_store import CookieStore
from ..models.cookie_syntax import split_cookie_header
from ..models.request import place
from .basic import as_bytes
from .flow import Auth
from .proof import DigestChallenge, Session, best_challenge

if TYPE_CHECKING:
    from ..models.request import Request
    from ..models.response import Response
    from ..models.url import URL, Origin

__all__ = ["DigestAuth"]

#: Origins whose nonce is remembered; the one learnt first is forgotten first.
_MAX_SESSIONS = 64


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
        self._sessions: dict[Origin, _Space] = {}

    def __getstate__(self) -> dict[str, Any]:
        return {**self.__dict__, "_sessions": {}}

    @property
    def _pair(self) -> tuple[bytes, bytes]:
        """User name and password, for those who speak Digest with others than origins."""
        return self._username, self._password

    def auth_flow(self, request: Request) -> Generator[Request, Response, None]:
        """Yield the request, again with an answer if it is challenged, once more if the nonce was stale."""
        space = self._sessions.get(request.url.origin)
        if space is not None and space.covers(request.url):
            request.headers["Authorization"] = self._answer(request, space.session)
        for attempt in range(2):
            response = yield request
            if response.status_code != 401:
                return
            challenged = _challenged_request(request, response)
            challenge = _best_challenge(challenged, response)
            if challenge is None or challenged.url.origin != request.url.origin:
                return
            if challenged._to_stranger and not request._to_stranger:
                return  # another origin has led us back here, and said what we ask for
            if attempt > 0 and not challenge.stale:
                return
            request = challenged
            space = _Space(challenge, request.url)
            self._remember(request.url.origin, space)
            request.headers["Authorization"] = self._answer(request, space.session)
            _take_cookies(request, response)
        yield request

    def _remember(self, origin: Origin, space: _Space) -> None:
        sessions = {**self._sessions, origin: space}
        if len(sessions) > _MAX_SESSIONS:
            del sessions[next(iter(sessions))]
        self._sessions = sessions

    def _answer(self, request: Request, session: Session) -> str:
        target = _request_target(request)
        return session.answer(
            self._username, self._password, request.method, target, lambda: _content(request)
        )


class _Space:
    """A nonce in use, and the URLs that it is for (RFC 7616: the protection space)."""

    __slots__ = ("_prefixes", "session")

    def __init__(self, challenge: DigestChallenge, url: URL) -> None:
        self.session = Session(challenge)
        self._prefixes = _prefixes(challenge.domain, url)

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


def _challenged_request(request: Request, response: Response) -> Request:
    # After a redirect it is the last request that was challenged, not the one we yielded.
    try:
        return response.request
    except RuntimeError:
        return request


def _best_challenge(request: Request, response: Response) -> DigestChallenge | None:
    """Return the strongest Digest challenge of a 401, or None where there is none that can be answered.

    Raises RemoteProtocolError where every Digest challenge is malformed.
    """
    try:
        return best_challenge(response.headers.get_list("www-authenticate"))
    except ValueError as error:
        text = f"Malformed Digest challenge, {place(request)}: {error}"
        raise RemoteProtocolError(text, request=request) from None


def _content(request: Request) -> bytes:
    try:
        return request.content
    except RequestNotRead:
        error = LocalProtocolError(
            "The server demands Digest with qop=auth-int, which hashes the whole body, "
            "and this body is a stream: call request.read() first, give content as bytes, "
            "or set requires_request_body = True on the auth object.",
            request=request,
        )
        error.request_sent = True  # without it, so that the server demanded it
        raise error from None


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
