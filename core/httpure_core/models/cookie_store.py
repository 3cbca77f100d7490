"""The cookie store: which cookies go with which request (RFC 6265bis section 5).

    domain -> (name, path, dotted) -> Cookie          "" holds the cookies that the user gave for every host

A look-up visits the host's own entry, those of its parent domains and "", so that its cost does not grow
with the jar. Times are seconds since 1970 (UTC). What the server sends is limited and checked here; what the
user sets is taken as given, but for characters that would break out of the header field.

Threads: `header_for` and the other readers may run while another thread writes. Two writers at the same
instant never break the store, but one of their cookies may be lost: the face holds its lock around
`receive`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

from .. import ambient
from ..limits import DEFAULT_LIMITS, Limits
from .cookie_rules import (
    default_path,
    expiry,
    is_address,
    path_matches,
    paths_above,
    prefix_allows,
    shelves_of,
)

if TYPE_CHECKING:
    from .cookie_syntax import SetCookie

__all__ = ["Cookie", "CookieStore"]

_SECURE_SCHEMES = frozenset(("https", "wss"))


class Cookie:
    """A stored cookie. Treat it as immutable: to change one, set another of the same name, domain and path.

    `domain` is `""` (sent to every host), `"example.org"`, or `".example.org"` where the server gave a
    Domain attribute. `host_only` cookies go to exactly that host, others to its subdomains too. `expires` is
    in seconds since 1970, or None for the life of the store. `received` says that a server set it, not the
    user.
    """

    __slots__ = (
        "created",
        "domain",
        "expires",
        "host_only",
        "http_only",
        "name",
        "path",
        "received",
        "same_site",
        "secure",
        "value",
    )

    name: str
    value: str
    domain: str
    path: str
    expires: float | None
    host_only: bool
    secure: bool
    http_only: bool
    same_site: str | None
    received: bool
    #: Place in the order of creation, set by the store; a replaced cookie hands it on.
    created: int

    def __init__(
        self,
        name: str,
        value: str,
        domain: str = "",
        path: str = "/",
        *,
        expires: float | None = None,
        host_only: bool = False,
        secure: bool = False,
        http_only: bool = False,
        same_site: str | None = None,
        received: bool = False,
    ) -> None:
        self.name = name
        self.value = value
        self.domain = domain.lower()
        self.path = path if path[:1] == "/" else "/"
        self.expires = expires
        self.host_only = host_only
        self.secure = secure
        self.http_only = http_only
        self.same_site = same_site
        self.received = received
        self.created = 0

    def copy(self) -> Cookie:
        """Return an equal cookie that another store may keep."""
        return Cookie(
            self.name,
            self.value,
            self.domain,
            self.path,
            expires=self.expires,
            host_only=self.host_only,
            secure=self.secure,
            http_only=self.http_only,
            same_site=self.same_site,
            received=self.received,
        )

    @property
    def pair(self) -> str:
        """The cookie as it is sent: `name=value`, or the value alone where there is no name."""
        return f"{self.name}={self.value}" if self.name else self.value

    def __repr__(self) -> str:
        name = f"{self.name}=[secure]" if self.name else "[secure]"
        return f"<Cookie {name} for {self.domain or 'every host'}{self.path}>"


_Key = tuple[str, str, bool]
_Shelf = dict[_Key, Cookie]


class CookieStore:
    """Cookies, found by the host they go to. False while empty, at the cost of one look.

    `is_public_suffix(domain)` says whether nobody may set a cookie for a whole domain: `com`, `co.uk`. It is
    given a lower-case ASCII domain without a dot at either end; by default that is what was installed in `ambient`.
    Give a module-level function if the store is to be pickled.

    Of what servers set, `limits` says how much is kept and sent; the user's own cookies are neither counted nor lost:

    - `max_cookies_per_host`, `max_cookies`: the oldest go first (RFC 6265bis section 6.1).
    - `max_cookie_size`: one of more bytes, name and value, is not kept.
    - `max_cookie_header`: what is beyond stays at home. Servers refuse longer heads, and a server could otherwise
      lock its users out with cookies alone (CVE-2022-32205).
    """

    __slots__ = ("_created", "_shelves", "is_public_suffix", "limits")

    is_public_suffix: Callable[[str], bool]
    limits: Limits

    def __init__(
        self,
        *,
        is_public_suffix: Callable[[str], bool] = ambient.is_public_suffix,
        limits: Limits = DEFAULT_LIMITS,
    ) -> None:
        self.is_public_suffix = is_public_suffix
        self.limits = limits
        self._shelves: dict[str, _Shelf] = {}
        self._created = 0

    def __bool__(self) -> bool:
        return bool(self._shelves)

    def __len__(self) -> int:
        return sum(map(len, list(self._shelves.values())))

    def __iter__(self) -> Iterator[Cookie]:
        """Yield every cookie, expired ones included, domain by domain."""
        for shelf in list(self._shelves.values()):
            yield from list(shelf.values())

    def header_for(
        self,
        scheme: str,
        host: str,
        path: str,
        now: float | None = None,
        *,
        beside: CookieStore | None = None,
    ) -> str | None:
        """Return the Cookie field value for a request, or None where no cookie goes with it.

        `host` is lower-case ASCII, `path` the path as sent, without the query. The longest path comes first,
        then the oldest cookie (RFC 6265bis section 5.8.3). `beside` are further cookies, of which those go
        along whose names are not here. Runs once per request.
        """
        if not self._shelves and beside is None:
            return None
        cookies = self._matching(scheme in _SECURE_SCHEMES, host, path, now)
        if len(cookies) > 1:
            cookies.sort(key=_sending_order)
        if beside is not None:
            cookies = beside._others(cookies, scheme in _SECURE_SCHEMES, host, path, now)
        if not cookies:
            return None
        header = "; ".join([cookie.pair for cookie in cookies])
        most = self.limits.max_cookie_header
        return header if len(header) * 4 <= most else _limited_header(cookies, most)

    def receive(self, fields: list[str], scheme: str, host: str, path: str, now: float | None = None) -> None:
        """Store the cookies of a response's Set-Cookie field values (RFC 6265bis section 5.7).

        `scheme`, `host` and `path` are those of the request. Never raises for what a server sends: a cookie
        that breaks a rule is left out.
        """
        if now is None:
            now = ambient.wall_time()
        from .cookie_syntax import parse_set_cookie  # here, as many servers set no cookies

        limits = self.limits
        secure = None if scheme in _SECURE_SCHEMES else _SecureCookies(self._shelves)
        for field in fields:
            parsed = parse_set_cookie(field, limits.max_cookie_size)
            if parsed is not None:
                self._receive(parsed, secure, host, path, now)
        if len(self._shelves) * limits.max_cookies_per_host > limits.max_cookies:
            self._make_room(now)

    def add(self, cookie: Cookie) -> None:
        """Store a cookie without a question, in place of the one with the same name, domain and path.

        The store keeps the object: give each store its own (`Cookie.copy`). Raises ValueError where its
        name, value, domain or path holds a control character.
        """
        for part, text in (("name", cookie.name), ("value", cookie.value), ("domain", cookie.domain)):
            _refuse_controls(cookie, part, text)
        _refuse_controls(cookie, "path", cookie.path)
        shelf = self._shelves.setdefault(_bare(cookie.domain), {})
        key = _key(cookie)
        replaced = shelf.get(key)
        if replaced is None:
            self._created += 1
            cookie.created = self._created
        else:
            cookie.created = replaced.created
        shelf[key] = cookie

    def remove(self, cookie: Cookie) -> None:
        """Remove the cookie with this one's name, domain and path, if there is one."""
        domain = _bare(cookie.domain)
        shelf = self._shelves.get(domain)
        if shelf is not None:
            shelf.pop(_key(cookie), None)
            if not shelf:
                self._shelves.pop(domain, None)

    def remove_expired(self, now: float) -> None:
        """Remove what has expired at `now`."""
        for cookie in self:
            if cookie.expires is not None and cookie.expires <= now:
                self.remove(cookie)

    def clear(self) -> None:
        """Remove every cookie."""
        self._shelves.clear()

    def copy(self) -> CookieStore:
        """Return an independent store with the same cookies and rules."""
        store = CookieStore(is_public_suffix=self.is_public_suffix, limits=self.limits)
        store._shelves = {domain: dict(shelf) for domain, shelf in list(self._shelves.items())}
        store._created = self._created
        return store

    __copy__ = copy

    def _others(
        self, cookies: list[Cookie], secure: bool, host: str, path: str, now: float | None
    ) -> list[Cookie]:
        # Those of this store, without the names of `cookies`, and these among them.
        names = {cookie.name for cookie in cookies}
        others = [cookie for cookie in self._matching(secure, host, path, now) if cookie.name not in names]
        others.sort(key=_sending_order)
        return sorted(others + cookies, key=lambda cookie: -len(cookie.path))

    def _matching(self, secure: bool, host: str, path: str, now: float | None) -> list[Cookie]:
        matching = []
        shelves = self._shelves
        for domain in shelves_of(host):
            shelf = shelves.get(domain)
            if shelf is None:
                continue
            for cookie in list(shelf.values()):
                if cookie.host_only and domain != host:
                    continue
                if cookie.secure and not secure:
                    continue
                if cookie.path != "/" and not path_matches(path, cookie.path):
                    continue
                if cookie.expires is not None:
                    if now is None:
                        now = ambient.wall_time()
                    if cookie.expires <= now:
                        continue
                matching.append(cookie)
        return matching

    def _receive(
        self, parsed: SetCookie, secure: _SecureCookies | None, host: str, path: str, now: float
    ) -> None:
        # `secure` are those that plain http must not hide; None over TLS.
        if (parsed.secure and secure is not None) or not prefix_allows(parsed):
            return
        domain = self._domain_for(parsed.domain, host)
        if domain is None:
            return
        cookie = Cookie(
            parsed.name,
            parsed.value,
            domain,
            parsed.path if parsed.path and parsed.path[0] == "/" else default_path(path),
            expires=expiry(parsed, now),
            host_only=domain == host,
            secure=parsed.secure,
            http_only=parsed.http_only,
            same_site=parsed.same_site,
            received=True,
        )
        if secure is not None and secure.would_be_hidden_by(cookie):
            return
        if cookie.expires is not None and cookie.expires <= now:
            self.remove(cookie)
            return
        self.add(cookie)
        self._limit_host(_bare(domain), now)

    def _domain_for(self, attribute: str | None, host: str) -> str | None:
        # The domain to store under: `.domain` as the server asked, `host` for a host-only cookie, or None:
        # refused.
        if not attribute or attribute == ".":
            return host
        domain = attribute.removeprefix(".").lower()
        if not domain.isascii() or (domain != host and not host.endswith("." + domain)):
            return None
        if is_address(host) or self.is_public_suffix(domain.strip(".")):
            return host if domain == host else None
        return "." + domain

    def _limit_host(self, domain: str, now: float) -> None:
        shelf = self._shelves.get(domain, {})
        most = self.limits.max_cookies_per_host
        if len(shelf) <= most:
            return
        received = [cookie for cookie in list(shelf.values()) if cookie.received]
        self._evict(received, len(received) - most, now)

    def _make_room(self, now: float) -> None:
        most = self.limits.max_cookies
        if len(self) <= most:
            return
        received = [cookie for cookie in self if cookie.received]
        if len(received) > most:
            # A tenth more at once, so that a full store is not sorted for every new cookie.
            self._evict(received, len(received) - most + most // 10, now)

    def _evict(self, cookies: list[Cookie], count: int, now: float) -> None:
        # Expired first, then what was set without Secure, then the oldest (RFC 6265bis section 5.7).
        def worth(cookie: Cookie) -> tuple[bool, bool, int]:
            return (not _expired(cookie, now), cookie.secure, cookie.created)

        if count == 1:  # as when one more comes for a host that has its share
            self.remove(min(cookies, key=worth))
        elif count > 1:
            for cookie in sorted(cookies, key=worth)[:count]:
                self.remove(cookie)


class _SecureCookies:
    """The Secure cookies of a store, for one response that came over plain http.

    What it sets must not replace or stand beside one of them (RFC 6265bis section 5.7). A domain's are looked for once,
    and a path in a set, so that ten thousand fields cost no more than ten thousand look-ups.
    """

    __slots__ = ("_found", "_shelves")

    def __init__(self, shelves: dict[str, _Shelf]) -> None:
        self._shelves = shelves
        self._found: dict[tuple[str, bool], set[tuple[str, str]]] = {}

    def would_be_hidden_by(self, new: Cookie) -> bool:
        """Whether the server could not tell the new cookie from one of these."""
        where = (_bare(new.domain), new.host_only)
        found = self._found.get(where)
        if found is None:
            found = self._found[where] = self._near(*where)
        return bool(found) and any((new.name, path) in found for path in paths_above(new.path))

    def _near(self, domain: str, host_only: bool) -> set[tuple[str, str]]:
        shelves = [shelf for name in shelves_of(domain) if (shelf := self._shelves.get(name))]
        if not host_only:
            below = "." + domain
            shelves += [shelf for name, shelf in list(self._shelves.items()) if name.endswith(below)]
        return {
            (cookie.name, cookie.path)
            for shelf in shelves
            for cookie in list(shelf.values())
            if cookie.secure
        }


def _sending_order(cookie: Cookie) -> tuple[int, int]:
    return (-len(cookie.path), cookie.created)


def _limited_header(cookies: list[Cookie], most: int) -> str | None:
    pairs, size = [], 0
    for cookie in cookies:
        pair = cookie.pair
        length = len(pair.encode("utf-8", "surrogatepass")) + 2
        if cookie.received and size + length - 2 > most:
            continue
        size += length
        pairs.append(pair)
    return "; ".join(pairs) if pairs else None


def _bare(domain: str) -> str:
    return domain.removeprefix(".")


def _key(cookie: Cookie) -> _Key:
    # `dotted` keeps a host-only cookie and one with a Domain attribute apart, as browsers do. What the user
    # set for "example.org" shares the key of the host-only one: the server's next answer takes its place.
    return (cookie.name, cookie.path, cookie.domain[:1] == ".")


def _expired(cookie: Cookie, now: float) -> bool:
    return cookie.expires is not None and cookie.expires <= now


def _refuse_controls(cookie: Cookie, part: str, text: str) -> None:
    # A tab is one, too, but stands in cookies that servers set, and may stand in a field (RFC 6265bis section 5.7).
    if text.isprintable():
        return
    from .cookie_syntax import CONTROLS

    if not CONTROLS.isdisjoint(text):
        raise ValueError(
            f"The {part} of cookie {cookie.name!r} holds a control character (RFC 6265bis section 5.7)."
        )
