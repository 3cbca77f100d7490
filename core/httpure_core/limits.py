"""How much of everything a client takes: connections, the parts of a response, cookies.

    connections   max_connections ... max_requests_per_connection     may be None: no limit
    heads         max_head_size ... max_chunk_overhead                beyond: HeadTooLarge, and the connection is closed
    bodies        max_body, max_expansion, free_expansion, max_codings  beyond: BodyTooLarge
    cookies       max_cookies ... max_cookie_header                   beyond: the oldest go, or it is not kept

The numbers are upper bounds of what a well-meaning server does, and lower ones of what an ill-meaning one would need.
"""

from __future__ import annotations

from typing import Any, Final

__all__ = ["DEFAULT_LIMITS", "UNSET", "Limits", "UnsetType"]


class UnsetType:
    """The type of `UNSET`."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "UNSET"

    def __reduce__(self) -> str:
        return "UNSET"  # the same one, also where it is copied or pickled


#: Stands for a limit that was not given, where None means "no limit".
UNSET: Final = UnsetType()

KIB: Final = 1024
MIB: Final = 1024 * 1024

#: The three that httpx has, too: `repr` shows them always.
_SHOWN: Final = ("max_connections", "max_keepalive_connections", "keepalive_expiry")

#: The others, with the values that they have where none are given.
_DEFAULTS: Final[dict[str, float | None]] = {
    "max_connections_per_origin": None,
    "max_connection_age": None,
    "max_requests_per_connection": None,
    "max_head_size": 256 * KIB,
    "max_field_size": 64 * KIB,
    "max_fields": 1000,
    "max_trailers_size": 32 * KIB,
    "max_trailers": 100,
    "max_informational": 16,
    "max_chunk_overhead": 64 * KIB,
    "max_body": None,
    "max_expansion": 100.0,
    "free_expansion": 16 * MIB,
    "max_codings": 5,
    "max_cookies": 3000,
    "max_cookies_per_host": 50,
    "max_cookie_size": 4096,
    "max_cookie_header": 8 * KIB,
}
_NAMES: Final = (*_SHOWN, *_DEFAULTS)

#: Those that may be None, for no limit.
_OPTIONAL: Final = frozenset(
    (*_SHOWN, *tuple(_DEFAULTS)[:3], "max_body", "max_expansion"),
)
#: Those of which 0 makes sense.
_MAY_BE_ZERO: Final = frozenset(
    (
        "max_keepalive_connections",
        "keepalive_expiry",
        "max_trailers_size",
        "max_trailers",
        "max_informational",
        "max_chunk_overhead",
        "max_body",
        "free_expansion",
        "max_codings",
        "max_cookies",
        "max_cookies_per_host",
        "max_cookie_size",
        "max_cookie_header",
    )
)
#: Those that count seconds, or a ratio; the others count things.
_REAL: Final = frozenset(("keepalive_expiry", "max_connection_age", "max_expansion"))


class Limits:
    """How many connections a client may have, and how much it takes of a server.

    `max_connections` open at once, and of these at most `max_keepalive_connections` idle; None for no limit.
    An idle connection is closed after `keepalive_expiry` seconds, or never where that is None; earlier, where its
    server says so (Keep-Alive). A client that is given no limits has 100, 20 and 5 seconds, and so it is where only
    limits below are given. Where one of these three is, the others are as in httpx, None, None and 5 seconds:
    `Limits(max_connections=10)` keeps all ten when idle, and `Limits()` has no bound.

    Of connections, where not None:

    - `max_connections_per_origin`: of `max_connections`, those to one server. Requests that wait for this limit hold
      up nobody who goes elsewhere.
    - `max_connection_age`: seconds, from connecting, after which it carries nothing new; what is under way goes on.
    - `max_requests_per_connection`: after so many, a connection is closed.

    Of the head of a response, what comes before it, and what frames its body; more raises `HeadTooLarge`:

    - `max_head_size`, 256 KiB: bytes of the status line and all fields. `max_field_size`, 64 KiB: of one field.
      `max_fields`, 1,000: of them all. In HTTP/2 and in a proxy's answer no head has more than 64 KiB.
    - `max_trailers_size`, 32 KiB, and `max_trailers`, 100: the fields after the body.
    - `max_informational`, 16: responses such as 103 before the one that counts.
    - `max_chunk_overhead`, 64 KiB: bytes around chunks, of sizes, extensions and line ends, beyond 8 for each and those
      of the body itself. One such line has at most 4 KiB, and a status line 8 KiB, whatever the limits are.

    Of the body; more raises `BodyTooLarge`:

    - `max_body`, None: bytes of a body, decoded, however it is read.
    - `max_expansion`, 100: of a body that is read as a whole, decoded bytes for each byte received; None for no limit.
      `free_expansion`, 16 MiB: what it may become in any case.
    - `max_codings`, 5: content codings around each other.

    Of cookies; what is beyond is not kept, or the oldest go: `max_cookies`, 3,000 in all, `max_cookies_per_host`, 50,
    `max_cookie_size`, 4,096 bytes of name and value, and `max_cookie_header`, 8 KiB, which go with one request.

    >>> limits = httpure.Limits(max_connections=10, keepalive_expiry=60.0, max_body=10_000_000)
    >>> with httpure.Client(limits=limits) as client:
    ...     client.get("https://example.org")
    <Response [200 OK]>

    Raises ValueError for a negative number, and for a limit of 0 or less that would let nothing pass; TypeError for
    what is no number.
    """

    __slots__ = _NAMES

    max_connections: int | None
    max_keepalive_connections: int | None
    #: Seconds.
    keepalive_expiry: float | None
    max_connections_per_origin: int | None
    #: Seconds.
    max_connection_age: float | None
    max_requests_per_connection: int | None
    #: Bytes.
    max_head_size: int
    #: Bytes.
    max_field_size: int
    max_fields: int
    #: Bytes.
    max_trailers_size: int
    max_trailers: int
    max_informational: int
    #: Bytes.
    max_chunk_overhead: int
    #: Bytes.
    max_body: int | None
    #: Decoded bytes for each received one.
    max_expansion: float | None
    #: Bytes.
    free_expansion: int
    max_codings: int
    max_cookies: int
    max_cookies_per_host: int
    #: Bytes.
    max_cookie_size: int
    #: Bytes.
    max_cookie_header: int

    def __init__(
        self,
        *,
        max_connections: int | UnsetType | None = UNSET,
        max_keepalive_connections: int | UnsetType | None = UNSET,
        keepalive_expiry: float | UnsetType | None = UNSET,
        max_connections_per_origin: int | None = None,
        max_connection_age: float | None = None,
        max_requests_per_connection: int | None = None,
        max_head_size: int = 256 * KIB,
        max_field_size: int = 64 * KIB,
        max_fields: int = 1000,
        max_trailers_size: int = 32 * KIB,
        max_trailers: int = 100,
        max_informational: int = 16,
        max_chunk_overhead: int = 64 * KIB,
        max_body: int | None = None,
        max_expansion: float | None = 100.0,
        free_expansion: int = 16 * MIB,
        max_codings: int = 5,
        max_cookies: int = 3000,
        max_cookies_per_host: int = 50,
        max_cookie_size: int = 4096,
        max_cookie_header: int = 8 * KIB,
    ) -> None:
        self.max_connections_per_origin = max_connections_per_origin
        self.max_connection_age = max_connection_age
        self.max_requests_per_connection = max_requests_per_connection
        self.max_head_size = max_head_size
        self.max_field_size = max_field_size
        self.max_fields = max_fields
        self.max_trailers_size = max_trailers_size
        self.max_trailers = max_trailers
        self.max_informational = max_informational
        self.max_chunk_overhead = max_chunk_overhead
        self.max_body = max_body
        self.max_expansion = max_expansion
        self.free_expansion = free_expansion
        self.max_codings = max_codings
        self.max_cookies = max_cookies
        self.max_cookies_per_host = max_cookies_per_host
        self.max_cookie_size = max_cookie_size
        self.max_cookie_header = max_cookie_header
        # Whoever wants a limit on bodies alone must not lose the one on connections by that.
        of_a_client = max_connections is max_keepalive_connections is keepalive_expiry is UNSET and any(
            getattr(self, name) != default for name, default in _DEFAULTS.items()
        )
        bounds = (100, 20) if of_a_client else (None, None)
        self.max_connections = _or(max_connections, bounds[0])
        self.max_keepalive_connections = _or(max_keepalive_connections, bounds[1])
        self.keepalive_expiry = _or(keepalive_expiry, 5.0)
        for name in _NAMES:
            _check(name, getattr(self, name))

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Limits) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        shown = {name: getattr(self, name) for name in _SHOWN}
        for name, default in _DEFAULTS.items():
            value = getattr(self, name)
            if value != default:
                shown[name] = value
        arguments = ", ".join(f"{name}={value}" for name, value in shown.items())
        return f"{type(self).__name__}({arguments})"

    def _key(self) -> tuple[float | None, ...]:
        return tuple(getattr(self, name) for name in _NAMES)


def _or(given: Any, default: Any) -> Any:
    return default if given is UNSET else given


def _check(name: str, value: Any) -> None:
    optional = name in _OPTIONAL
    if value is None and optional:
        return
    kinds = (int, float) if name in _REAL else int
    if not isinstance(value, kinds) or isinstance(value, bool):
        what = "a number" if name in _REAL else "a whole number"
        raise TypeError(f"{name} is {what}{' or None' if optional else ''}, not {type(value).__name__}.")
    or_none = ", or None" if optional else ""
    if name in _MAY_BE_ZERO:
        if not value >= 0:
            raise ValueError(f"{name} is {value!r}, but must not be negative or NaN{or_none}.")
    elif name in _REAL:
        if not value > 0:
            raise ValueError(f"{name} is {value!r}, but must be more than 0{or_none}.")
    elif not value >= 1:
        raise ValueError(f"{name} is {value!r}, but must be at least 1{or_none}.")


#: What a client has that is given no limits.
DEFAULT_LIMITS: Final = Limits(max_connections=100, max_keepalive_connections=20)
