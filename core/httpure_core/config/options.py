"""The options of a client that are values: time limits, pool limits, a proxy, and two "not given" markers.

All of them check what they are given when they are made, so that a wrong number fails where it was written.
None is changed after that by the library; treat them as constants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

from ..models.headers import Headers
from ..models.url import URL

if TYPE_CHECKING:
    import ssl

    from ..auth.digest import DigestAuth
    from ..models.headers import FieldTypes

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_MAX_REDIRECTS",
    "DEFAULT_TIMEOUT_CONFIG",
    "UNSET",
    "USE_CLIENT_DEFAULT",
    "Limits",
    "Proxy",
    "ProxyTypes",
    "Timeout",
    "TimeoutTypes",
    "UnsetType",
    "UseClientDefault",
]


class UnsetType:
    """The type of `UNSET`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"  # the same one, also where it is copied or pickled


class UseClientDefault:
    """The type of `USE_CLIENT_DEFAULT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "USE_CLIENT_DEFAULT"

    def __reduce__(self) -> str:
        return "USE_CLIENT_DEFAULT"  # the same one, also where it is copied or pickled


#: Stands for a limit that was not given, where None means "no limit".
UNSET: Final = UnsetType()

#: Stands for an argument of a request that was not given, where None means "none of it":
#: `timeout=None` waits for ever, `timeout=USE_CLIENT_DEFAULT` as long as the client says.
USE_CLIENT_DEFAULT: Final = UseClientDefault()

_PHASES: Final = ("connect", "read", "write", "pool")
_PROXY_SCHEMES: Final = frozenset({"http", "https", "socks5", "socks5h"})
_INFINITY: Final = float("inf")
_LIMITS: Final = (
    "max_connections",
    "max_keepalive_connections",
    "keepalive_expiry",
    "max_connections_per_origin",
    "max_connection_age",
    "max_requests_per_connection",
)


class Timeout:
    """How long to wait, in seconds, for each phase of a request; None is for ever.

        Timeout(5.0)                  5 seconds for each phase
        Timeout(None)                 no limit
        Timeout(5.0, read=60.0)       5 seconds, but 60 for each piece of the answer
        Timeout((3.0, 10.0))          connect and read; write and pool have no limit
        Timeout(other, pool=None)     as another one, save for the pool
        Timeout(5.0, total=30.0)      and 30 seconds for the whole exchange

    >>> with httpure.Client(timeout=httpure.Timeout(5.0, read=60.0)) as client:
    ...     client.get("https://example.org"), client.get("https://example.org", timeout=1.5)
    (<Response [200 OK]>, <Response [200 OK]>)

    `connect` covers name resolution, TCP, proxy and TLS together, also where another request makes the connection that
    this one will share; `read` and `write` the wait for one piece; `pool` the wait for a free connection; `total` the
    exchange from the first call to the last byte, redirects and retries included. Raises ValueError for a negative
    number, for NaN, and where neither a default nor all four phases are given; TypeError for what is no number.
    """

    __slots__ = ("connect", "pool", "read", "total", "write")

    def __init__(
        self,
        timeout: TimeoutTypes | UnsetType = UNSET,
        *,
        connect: float | UnsetType | None = UNSET,
        read: float | UnsetType | None = UNSET,
        write: float | UnsetType | None = UNSET,
        pool: float | UnsetType | None = UNSET,
        total: float | None = None,
    ) -> None:
        if isinstance(timeout, Timeout) and total is None:
            total = timeout.total
        defaults = _defaults(timeout)
        self.connect: float | None = _limit("connect", connect, defaults[0])
        self.read: float | None = _limit("read", read, defaults[1])
        self.write: float | None = _limit("write", write, defaults[2])
        self.pool: float | None = _limit("pool", pool, defaults[3])
        self.total: float | None = _limit("total", total, None)

    def as_dict(self) -> dict[str, float | None]:
        """Return the four phases as a new dict, the form of `request.extensions["timeout"]`.

        The key "total" is there only where a total is set.
        """
        phases = {"connect": self.connect, "read": self.read, "write": self.write, "pool": self.pool}
        if self.total is not None:
            phases["total"] = self.total
        return phases

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Timeout) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        phases = {name: getattr(self, name) for name in _PHASES}
        if len(set(phases.values())) == 1:
            phases = {"timeout": self.connect}
        if self.total is not None:
            phases["total"] = self.total
        return f"{type(self).__name__}({_arguments(phases)})"

    def _key(self) -> tuple[float | None, ...]:
        return (self.connect, self.read, self.write, self.pool, self.total)


#: Seconds, None for no limit, (connect, read[, write[, pool]]), or a Timeout.
TimeoutTypes: TypeAlias = float | tuple[float | None, ...] | Timeout | None


def _defaults(timeout: Any) -> tuple[Any, ...]:
    """Return the value of each of the four phases where the caller gives no other."""
    if isinstance(timeout, Timeout):
        return timeout._key()
    if not isinstance(timeout, tuple):
        return (timeout,) * 4
    if not 2 <= len(timeout) <= 4:
        raise ValueError(
            f"A timeout tuple is (connect, read), (connect, read, write) or "
            f"(connect, read, write, pool), not {timeout!r}."
        )
    return timeout + (None,) * (4 - len(timeout))


def _limit(name: str, value: Any, default: Any) -> float | None:
    """Return the number of seconds, or None for no limit; raise where it is neither."""
    if isinstance(value, UnsetType):
        value = default
    if value is None:
        return None
    if isinstance(value, UnsetType):
        raise ValueError("A Timeout needs a default, or all four of connect=, read=, write= and pool=.")
    if not isinstance(value, (int, float)):
        raise TypeError(f"The {name} timeout is a number of seconds or None, not {type(value).__name__}.")
    if not value >= 0:
        raise ValueError(f"The {name} timeout is {value!r}, but must not be negative or NaN.")
    return None if value == _INFINITY else value


class Limits:
    """How many connections a client may have, and how long it keeps them.

    `max_connections` open at once, and of these at most `max_keepalive_connections` idle; None for no limit.
    An idle connection is closed after `keepalive_expiry` seconds, or never where that is None; earlier, where its
    server says so (Keep-Alive). A client that is given no limits has 100, 20 and 5 seconds, and none of the others:

    - `max_connections_per_origin`: of `max_connections`, those to one server. Requests that wait for this limit hold
      up nobody who goes elsewhere.
    - `max_connection_age`: seconds, from connecting, after which it carries nothing new; what is under way goes on.
    - `max_requests_per_connection`: after so many, a connection is closed.

    What is not given here has no limit, save `keepalive_expiry`: `Limits(max_connections=10)` keeps all ten when idle.

    >>> with httpure.Client(limits=httpure.Limits(max_connections=10, keepalive_expiry=60.0)) as client:
    ...     client.get("https://example.org")
    <Response [200 OK]>

    Raises ValueError for a negative number, and for a limit of 0 or less that would let no request pass.
    """

    __slots__ = (
        "keepalive_expiry",
        "max_connection_age",
        "max_connections",
        "max_connections_per_origin",
        "max_keepalive_connections",
        "max_requests_per_connection",
    )

    max_connections: int | None
    max_keepalive_connections: int | None
    #: Seconds.
    keepalive_expiry: float | None
    max_connections_per_origin: int | None
    #: Seconds.
    max_connection_age: float | None
    max_requests_per_connection: int | None

    def __init__(
        self,
        *,
        max_connections: int | None = None,
        max_keepalive_connections: int | None = None,
        keepalive_expiry: float | None = 5.0,
        max_connections_per_origin: int | None = None,
        max_connection_age: float | None = None,
        max_requests_per_connection: int | None = None,
    ) -> None:
        for name, count in (
            ("max_connections", max_connections),
            ("max_connections_per_origin", max_connections_per_origin),
            ("max_requests_per_connection", max_requests_per_connection),
        ):
            if count is not None and not count >= 1:
                raise ValueError(f"{name} is {count!r}, but must be at least 1, or None.")
        if max_connection_age is not None and not max_connection_age > 0:
            raise ValueError(
                f"max_connection_age is {max_connection_age!r}, but must be more than 0, or None."
            )
        if max_keepalive_connections is not None and not max_keepalive_connections >= 0:
            raise ValueError(
                f"max_keepalive_connections is {max_keepalive_connections!r}, but must not be negative."
            )
        if keepalive_expiry is not None and not keepalive_expiry >= 0:
            raise ValueError(f"keepalive_expiry is {keepalive_expiry!r}, but must not be negative or NaN.")
        self.max_connections = max_connections
        self.max_keepalive_connections = max_keepalive_connections
        self.keepalive_expiry = keepalive_expiry
        self.max_connections_per_origin = max_connections_per_origin
        self.max_connection_age = max_connection_age
        self.max_requests_per_connection = max_requests_per_connection

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limits) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        values = {name: getattr(self, name) for name in _LIMITS}
        shown = {name: value for name, value in values.items() if value is not None or name in _LIMITS[:3]}
        return f"{type(self).__name__}({_arguments(shown)})"

    def _key(self) -> tuple[float | None, ...]:
        return tuple(getattr(self, name) for name in _LIMITS)


class Proxy:
    """A proxy: where it is, who we are to it, and what it is told.

    >>> proxy = httpure.Proxy("http://ada:secret@proxy.example:8080", headers={"X-Team": "blue"})
    >>> proxy
    Proxy('http://proxy.example:8080', auth=('ada', '********'), headers=Headers({'x-team': 'blue'}))
    >>> client = httpure.Client(proxy=proxy)

    `url` has the scheme http, https, socks5 or socks5h; a user name and password in it become `auth`.
    `auth` is (user name, password), for Basic, or for Digest where the proxy asks for that alone; or a `DigestAuth`,
    which never shows the password (not for SOCKS). `headers` go to the proxy alone, never through it;
    `ssl_context` is for the TLS connection to an https proxy, which is otherwise verified as by default, whatever the
    client's `verify` says of servers. With both SOCKS schemes, it is the proxy that looks the server's name up.

    Raises ValueError for another scheme, for a URL without a host, and for credentials that SOCKS has no room for;
    InvalidURL for what is no URL; TypeError for an `auth` that is neither a pair of texts nor a `DigestAuth`.
    """

    __slots__ = ("auth", "headers", "ssl_context", "url")

    #: Without user name and password.
    url: URL
    #: User name and password, or what proves them.
    auth: tuple[str, str] | DigestAuth | None
    headers: Headers
    ssl_context: ssl.SSLContext | None

    def __init__(
        self,
        url: URL | str,
        *,
        ssl_context: ssl.SSLContext | None = None,
        auth: tuple[str, str] | DigestAuth | None = None,
        headers: FieldTypes | None = None,
    ) -> None:
        url = URL(url)
        if url.scheme not in _PROXY_SCHEMES:
            # In "user:password@host", what follows the first colon is a path.
            shown = repr(url) if url.host or "@" not in url.path else f"'{url.scheme}:...'"
            raise ValueError(
                f"A proxy's URL begins with http://, https://, socks5:// or socks5h://, not as {shown}."
            )
        if not url.host:
            raise ValueError(f"The proxy's URL {url!r} has no host.")
        if url.userinfo:
            if (url.username or url.password) and (auth is None or _is_pair(auth)):
                auth = (url.username, url.password)
            url = url.copy_with(username=None, password=None)
        if auth is not None:
            _check_credentials(auth, url.scheme)
        self.url = url
        self.auth = auth
        self.headers = Headers(headers)
        self.ssl_context = ssl_context

    @property
    def raw_auth(self) -> tuple[bytes, bytes] | None:
        """User name and password in UTF-8, where they may be shown; else None."""
        return (self.auth[0].encode(), self.auth[1].encode()) if _is_pair(self.auth) else None

    def __repr__(self) -> str:
        auth = ""
        if self.auth is not None and not _is_pair(self.auth):
            auth = f", auth={type(self.auth).__name__}(...)"
        elif self.auth is not None:
            # Where there is no password, the name is the secret, as the keys of some services are.
            name = self.auth[0] if self.auth[1] else "********"
            auth = f", auth={(name, '********')!r}"
        headers = f", headers={self.headers!r}" if self.headers else ""
        return f"{type(self).__name__}({str(self.url)!r}{auth}{headers})"


def _is_pair(auth: Any) -> TypeGuard[tuple[str, str]]:
    return isinstance(auth, tuple | list)


def _check_credentials(auth: Any, scheme: str) -> None:
    # Authentication is no business of this room's: it knows DigestAuth by what the proxies' room asks of it.
    if isinstance(getattr(auth, "_pair", None), tuple):
        if scheme.startswith("socks"):
            raise TypeError(
                "A SOCKS5 proxy takes a user name and a password, and no DigestAuth: give a pair."
            )
        return
    if not (_is_pair(auth) and len(auth) == 2 and all(isinstance(part, str) for part in auth)):
        raise TypeError("A proxy's auth is a pair of texts, (user name, password), or a DigestAuth.")
    if scheme.startswith("socks"):
        name, password = (len(part.encode()) for part in auth)
        if not 0 < name <= 255 or password > 255:
            raise ValueError(
                "A SOCKS5 proxy takes a user name of 1 to 255 bytes and a password of at most 255 (RFC 1929), "
                f"not of {name} and {password}."
            )


#: A proxy, or its URL.
ProxyTypes: TypeAlias = URL | str | Proxy

DEFAULT_TIMEOUT_CONFIG: Final = Timeout(5.0)
DEFAULT_LIMITS: Final = Limits(max_connections=100, max_keepalive_connections=20)
DEFAULT_MAX_REDIRECTS: Final = 20


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
