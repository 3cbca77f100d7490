"""The options of a client that are values: time limits, other limits, a proxy, and two "not given" markers.

All of them check what they are given when they are made, so that a wrong number fails where it was written.
None is changed after that by the library; treat them as constants.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, TypeAlias, TypeGuard

from ..errors import InvalidURL
from ..limits import DEFAULT_LIMITS, UNSET, Limits, UnsetType
from ..models.headers import Headers
from ..models.url import URL

if TYPE_CHECKING:
    import ssl

    from ..auth.digest import DigestAuth
    from ..models.headers import FieldTypes

__all__ = [
    "DEFAULT_LIMITS",
    "DEFAULT_MAX_AUTH_ROUNDS",
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


class UseClientDefault:
    """The type of `USE_CLIENT_DEFAULT`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "USE_CLIENT_DEFAULT"

    def __reduce__(self) -> str:
        return "USE_CLIENT_DEFAULT"  # the same one, also where it is copied or pickled


#: Stands for an argument of a request that was not given, where None means "none of it":
#: `timeout=None` waits for ever, `timeout=USE_CLIENT_DEFAULT` as long as the client says.
USE_CLIENT_DEFAULT: Final = UseClientDefault()

_PHASES: Final = ("connect", "read", "write", "pool")
_PROXY_SCHEMES: Final = frozenset({"http", "https", "socks5", "socks5h"})
_INFINITY: Final = float("inf")
#: Seconds over which `min_rate` is looked at.
RATE_WINDOW: Final = 10.0


class Timeout:
    """How long to wait, in seconds, for each phase of a request; None is for ever.

        Timeout(5.0)                  5 seconds for each phase
        Timeout(None)                 no limit
        Timeout(5.0, read=60.0)       5 seconds, but 60 for each piece of the answer
        Timeout((3.0, 10.0))          connect and read; write and pool have no limit
        Timeout(other, pool=None)     as another one, save for the pool
        Timeout(5.0, total=30.0)      and 30 seconds for the whole exchange
        Timeout(5.0, min_rate=1000)   and 1,000 bytes of the body for each second, on average

    >>> with httpure.Client(timeout=httpure.Timeout(5.0, read=60.0)) as client:
    ...     client.get("https://example.org"), client.get("https://example.org", timeout=1.5)
    (<Response [200 OK]>, <Response [200 OK]>)

    `connect` covers name resolution, TCP, proxy and TLS together, also where another request makes the connection that
    this one will share; `read` and `write` the wait for one piece; `pool` the wait for a free connection; `total` the
    exchange from the first call to the last byte, redirects and retries included.

    `min_rate` is the number of bytes per second that the body of a response must bring, as it is sent, on average over
    `rate_window` seconds, 10 by default; else ReadTimeout is raised. It is looked at in windows, one after the other:
    one that has brought its bytes is over, however short it was, and one in which the body was waited for all those
    seconds, and which has not, ends it. Pauses that the reader takes do not count, nor the time before the body, nor
    that in which the rest of the request is still being sent. Transports of another make need not know of it.

    Raises ValueError for a negative number, for NaN, for a `min_rate` or `rate_window` of 0 or without end, and where
    neither a default nor all four phases are given; TypeError for what is no number.
    """

    __slots__ = ("connect", "min_rate", "pool", "rate_window", "read", "total", "write")

    def __init__(
        self,
        timeout: TimeoutTypes | UnsetType = UNSET,
        *,
        connect: float | UnsetType | None = UNSET,
        read: float | UnsetType | None = UNSET,
        write: float | UnsetType | None = UNSET,
        pool: float | UnsetType | None = UNSET,
        total: float | None = None,
        min_rate: float | None = None,
        rate_window: float | None = None,
    ) -> None:
        if isinstance(timeout, Timeout):
            if total is None:
                total = timeout.total
            min_rate = timeout.min_rate if min_rate is None else min_rate
            rate_window = timeout.rate_window if rate_window is None else rate_window
        defaults = _defaults(timeout)
        self.connect: float | None = _limit("connect", connect, defaults[0])
        self.read: float | None = _limit("read", read, defaults[1])
        self.write: float | None = _limit("write", write, defaults[2])
        self.pool: float | None = _limit("pool", pool, defaults[3])
        self.total: float | None = _limit("total", total, None)
        #: Bytes per second; None for as slow as it may be.
        self.min_rate: float | None = None if min_rate is None else _positive("min_rate", min_rate)
        #: Seconds.
        self.rate_window: float = (
            RATE_WINDOW if rate_window is None else _positive("rate_window", rate_window)
        )

    def as_dict(self) -> dict[str, float | None]:
        """Return the four phases as a new dict, the form of `request.extensions["timeout"]`.

        The key "total" is there only where a total is set, "min_rate" and "rate_window" only where a rate is.
        """
        phases = {"connect": self.connect, "read": self.read, "write": self.write, "pool": self.pool}
        if self.total is not None:
            phases["total"] = self.total
        if self.min_rate is not None:
            phases["min_rate"], phases["rate_window"] = self.min_rate, self.rate_window
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
        if self.min_rate is not None:
            phases["min_rate"] = self.min_rate
            if self.rate_window != RATE_WINDOW:
                phases["rate_window"] = self.rate_window
        return f"{type(self).__name__}({_arguments(phases)})"

    def _key(self) -> tuple[float | None, ...]:
        return (self.connect, self.read, self.write, self.pool, self.total, self.min_rate, self.rate_window)


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


def _positive(name: str, value: Any) -> float:
    if not isinstance(value, (int, float)) or isinstance(value, bool):
        raise TypeError(f"{name} is a number, not {type(value).__name__}.")
    if not 0 < value < _INFINITY:
        raise ValueError(f"{name} is {value!r}, but must be more than 0, and less than infinite.")
    return value


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
        url = _url_of_proxy(url)
        if url.scheme not in _PROXY_SCHEMES:
            raise ValueError(
                f"A proxy's URL begins with http://, https://, socks5:// or socks5h://, not as {_shown(url)}."
            )
        if not url.host:
            raise ValueError(f"The proxy's URL {_shown(url)} has no host: write it behind '//'.")
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


def _shown(url: URL) -> str:
    # In "user:password@host" and in "http:user:password@host", what follows the first colon is a path.
    return repr(url) if url.host or "@" not in url.path else f"'{url.scheme}:...'"


def _url_of_proxy(url: URL | str) -> URL:
    try:
        return URL(url)
    except InvalidURL as exc:
        if "ASCII digits" not in str(exc) or "@" in str(url):
            raise
    # In "http://user:password", where "@host" was forgotten, what looks like a port is a password.
    raise InvalidURL(
        "The proxy's URL has a port that is no number in ASCII digits; if that is a password, '@' and the host are "
        "missing behind it."
    )


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
DEFAULT_MAX_REDIRECTS: Final = 20
#: Requests of one auth flow.
DEFAULT_MAX_AUTH_ROUNDS: Final = 20


def _arguments(values: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in values.items())
