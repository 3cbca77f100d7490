"""`URL`: what people write, parsed once, and what the client needs of it, ready to be sent.

Immutable, so that one object can serve all who ask for the same text: `URL(text)` looks into a bounded cache.
What a request needs is a plain slot, filled when the URL is made; the rest is worked out when asked for.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, NamedTuple, NoReturn, Self, TypeAlias, TypeVar, Union

from ..errors import InvalidURL
from ..warned import warn
from .host import DEFAULT_PORTS, canonical_ipv6, decode_host
from .percent import decode
from .query import QueryParams, QueryParamTypes
from .reference import MAX_URL_LENGTH, Reference, override, parse, resolve

__all__ = ["CACHED_LENGTH", "URL", "Origin", "URLTypes", "cached_url"]

URLTypes: TypeAlias = Union["URL", str]

#: The type of each keyword argument of `URL`. Bytes are ASCII.
_COMPONENTS: dict[str, Any] = {
    "scheme": str,
    "authority": str,
    "username": str,
    "password": str,
    "userinfo": bytes,
    "host": str,
    "port": int,
    "netloc": bytes,
    "path": str,
    "query": bytes,
    "raw_path": bytes,
    "fragment": str,
    "params": object,
}

#: Texts longer than this are not kept in the cache.
CACHED_LENGTH = 2048

_set = object.__setattr__


class Origin(NamedTuple):
    """Where a URL leads, and what its credentials are for (RFC 9110 section 4.3.1). Hashable."""

    #: Lower-case: "https".
    scheme: str
    #: As in `URL.raw_host`, but text; an IPv6 address in its shortest spelling.
    host: str
    #: The scheme's own port where the URL names none; 0 if that is unknown.
    port: int


class RawURL(NamedTuple):
    """What `URL.raw` returns. Deprecated with it."""

    raw_scheme: bytes
    raw_host: bytes
    port: int | None
    raw_path: bytes


class URL:
    """A URL, absolute or relative, checked and normalised (RFC 3986). Immutable, hashable, equal to its text.

        https://jo%40email.com:a%20secret@müller.de:1234/pa%20th?search=ab#anchorlink
        scheme   username      password   host      port path    query     fragment
                 └────── userinfo ──────┘ └── netloc ──┘└──── raw_path ──┘

    >>> url = httpure.URL("https://jo%40email.com:a%20secret@müller.de:1234/pa%20th?search=ab#anchorlink")
    >>> url.username, url.host, url.raw_host, url.path
    ('jo@email.com', 'müller.de', b'xn--mller-kva.de', '/pa th')
    >>> httpure.URL("https://shop.example/items", params={"page": 2})
    URL('https://shop.example/items?page=2')

    `url` is text or another URL. The keyword arguments replace one component each, None removes it:
    `scheme`, `authority`, `username`, `password`, `host`, `path`, `fragment` (str, escaped as needed), `port`
    (int), `userinfo`, `netloc`, `query`, `raw_path` (ASCII bytes), and `params`: anything that `QueryParams`
    takes, which replaces the whole query. A `username` without a `password` removes the password.

    Escapes that are already there stay as they are, byte for byte; what must be escaped is escaped as
    browsers do. Scheme and host become lower-case, an international host is encoded (IDNA 2008), the scheme's
    own port is dropped, dot segments are removed from the path of a URL that has a scheme or a host.

    Raises InvalidURL for a control character, a lone surrogate, more than 65536 characters, a backslash or a
    second `@` in the authority, a port that is not 0 to 65535 in ASCII digits, a host that is longer than
    255 bytes, has characters that no host name has, or ends in a number without being an IPv4 address.
    Raises TypeError for an unknown keyword argument or a value of the wrong type.

    A subclass takes what it needs in `__new__`: there is no `__init__`.
    """

    __slots__ = {  # noqa: RUF023 - in the order of a URL
        "scheme": "The scheme, lower-case; empty in a relative URL.",
        "host": "The host, lower-case, in Unicode; an IPv6 address without brackets.",
        "raw_host": "The host as ASCII bytes, IDNA-encoded; an IPv6 address without brackets.",
        "port": "The port, or None where it is the scheme's own.",
        "netloc": "Host and port as ASCII bytes, as the `Host` field has them.",
        "raw_path": "Path and query as ASCII bytes; b'/' where the path is empty.",
        "target": "What a request line names: `raw_path`.",
        "origin": "Scheme, host and port as an `Origin`; its strings are empty in a relative URL.",
        "_reference": "The parts.",
        "_text": "The whole.",
        "_params": "The query, once it was asked for.",
        "__weakref__": "",
    }

    scheme: str
    host: str
    raw_host: bytes
    port: int | None
    netloc: bytes
    raw_path: bytes
    target: bytes
    origin: Origin
    _reference: Reference
    _text: str
    _params: QueryParams | None

    def __new__(cls, url: URL | str = "", **kwargs: Any) -> Self:
        """Return the URL: the same object for the same text, while it is in the cache."""
        if cls is URL and not kwargs and type(url) is str and len(url) <= CACHED_LENGTH:
            return cached_url(url)  # type: ignore[no-any-return]  # it is a URL, and so is Self here
        source: str | Reference
        if isinstance(url, URL):
            if not kwargs and type(url) is cls:
                return url
            source = url._reference
        elif isinstance(url, str):
            source = str.__str__(url)
        else:
            raise TypeError(f"A URL is made of str or URL, not of {type(url).__name__}.")
        return _made(cls, override(source, _components(kwargs)))

    @property
    def raw_scheme(self) -> bytes:
        """The scheme as ASCII bytes."""
        return self.scheme.encode("ascii")

    @property
    def userinfo(self) -> bytes:
        """User name and password as they stand in the URL, escaped: b"jo%40email.com:a%20secret"."""
        return self._reference.userinfo.encode("ascii")

    @property
    def username(self) -> str:
        """The user name, unescaped."""
        return decode(self._reference.userinfo.partition(":")[0])

    @property
    def password(self) -> str:
        """The password, unescaped."""
        return decode(self._reference.userinfo.partition(":")[2])

    @property
    def path(self) -> str:
        """The path, unescaped; "/" where it is empty."""
        return decode(self._reference.path) or "/"

    @property
    def query(self) -> bytes:
        """The query as it is sent, without the `?`; `params` has it unescaped."""
        return (self._reference.query or "").encode("ascii")

    @property
    def params(self) -> QueryParams:
        """The query as a multi-dict."""
        if self._params is None:
            _set(self, "_params", QueryParams(self._reference.query))
        assert self._params is not None
        return self._params

    @property
    def fragment(self) -> str:
        """What follows the `#`, unescaped. It is never sent."""
        return decode(self._reference.fragment or "")

    @property
    def is_absolute_url(self) -> bool:
        """True where the URL says whom to connect to: it has a scheme and a host."""
        return bool(self.scheme and self.raw_host)

    @property
    def is_relative_url(self) -> bool:
        """True where the URL needs a base to `join()` it to."""
        return not self.is_absolute_url

    @property
    def raw(self) -> RawURL:
        """Scheme, host, port and target. Deprecated: ask for them by name."""
        warn("URL.raw is deprecated: use raw_scheme, raw_host, port, raw_path.", DeprecationWarning)
        return RawURL(self.raw_scheme, self.raw_host, self.port, self.raw_path)

    def copy_with(self, **kwargs: Any) -> URL:
        """Return a copy with some components replaced; the keyword arguments, and exceptions, are those of `URL`.

        >>> httpure.URL("https://shop.example/old?page=1").copy_with(path="/new", port=8443)
        URL('https://shop.example:8443/new?page=1')
        """
        return type(self)(self, **kwargs)

    def copy_set_param(self, key: str, value: Any = None) -> URL:
        """Return a copy whose query has this one value for the name.

        Raises TypeError for a value that is a dict, a set or an iterator, InvalidURL for a lone surrogate.
        """
        return self.copy_with(params=self.params.set(key, value))

    def copy_add_param(self, key: str, value: Any = None) -> URL:
        """Return a copy whose query has this value for the name too. Raises as `copy_set_param()` does."""
        return self.copy_with(params=self.params.add(key, value))

    def copy_remove_param(self, key: str) -> URL:
        """Return a copy whose query does not have the name."""
        return self.copy_with(params=self.params.remove(key))

    def copy_merge_params(self, params: QueryParamTypes) -> URL:
        """Return a copy whose query has the names of `params` with its values, and its own others.

        >>> httpure.URL("https://shop.example/?page=1&sort=up").copy_merge_params({"page": 2})
        URL('https://shop.example/?page=2&sort=up')

        Raises TypeError for what `QueryParams` does not take, InvalidURL for a lone surrogate.
        """
        return self.copy_with(params=self.params.merge(params))

    def join(self, url: URL | str) -> URL:
        """Return what `url` means in a document at this URL (RFC 3986 section 5.2). Raises InvalidURL.

        >>> httpure.URL("https://shop.example/a/b?page=1").join("../c")
        URL('https://shop.example/c')
        """
        return _made(type(self), resolve(self._reference, URL(url)._reference))

    def __hash__(self) -> int:
        return hash(self._text)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, URL):
            return self._text == other._text
        if not isinstance(other, str):
            return False
        try:
            return self._text == URL(other)._text
        except InvalidURL:
            return False

    def __str__(self) -> str:
        return self._text

    def __repr__(self) -> str:
        from .masks import without_values

        return f"{type(self).__name__}({without_values(self._reference.text(masked=True))!r})"

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self._text,)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"A URL never changes: use `url = url.copy_with({name}=...)`.")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"A URL never changes: use `url = url.copy_with({name}=None)`.")


_AnyURL = TypeVar("_AnyURL", bound=URL)


def _made(cls: type[_AnyURL], reference: Reference) -> _AnyURL:
    """Fill the slots. Raises InvalidURL if escaping made the URL too long to be parsed again."""
    text = reference.text()
    if len(text) > MAX_URL_LENGTH:
        raise InvalidURL(f"The URL is longer than {MAX_URL_LENGTH} characters once it is escaped.")
    scheme, _, host, port, path, query, _ = reference
    target = path or "/"
    raw_path = (target if query is None else f"{target}?{query}").encode("ascii")
    decoded, raw_host, netloc, origin = _site(scheme, host, port)
    url = object.__new__(cls)
    _set(url, "scheme", scheme)
    _set(url, "host", decoded)
    _set(url, "raw_host", raw_host)
    _set(url, "port", port)
    _set(url, "netloc", netloc)
    _set(url, "raw_path", raw_path)
    _set(url, "target", raw_path)
    _set(url, "origin", origin)
    _set(url, "_reference", reference)
    _set(url, "_text", text)
    _set(url, "_params", None)
    return url


@lru_cache(maxsize=256)
def _site(scheme: str, host: str, port: int | None) -> tuple[str, bytes, bytes, Origin]:
    """Return what all URLs of a site share, and then indeed do: host, raw_host, netloc and origin."""
    implied = DEFAULT_PORTS.get(scheme, 0) if port is None else port
    netloc = Reference(scheme, "", host, port, "", None, None).netloc().encode("ascii")
    origin = Origin(scheme, canonical_ipv6(host) if ":" in host else host, implied)
    return decode_host(host), host.encode("ascii"), netloc, origin


@lru_cache(maxsize=1024)
def cached_url(url: str) -> Any:
    """Return the URL of a text that is not longer than `CACHED_LENGTH`. Raises InvalidURL."""
    return _made(URL, parse(url))


def _components(kwargs: dict[str, Any]) -> dict[str, str | None]:
    """Check the types of the keyword arguments and return them as text."""
    components: dict[str, str | None] = {}
    for name, value in kwargs.items():
        expected = _COMPONENTS.get(name)
        if expected is None:
            raise TypeError(f"URL() has no keyword argument {name!r}.")
        if value is not None and not isinstance(value, expected):
            raise TypeError(f"{name} of a URL must be {expected.__name__}, not {type(value).__name__}.")
        if name == "params":
            components["query"] = _query_of(value)
        else:
            components[name] = _as_text(name, value)
    return components


def _query_of(params: Any) -> str | None:
    """Return the query for `params`; none at all, not even a `?`, where there are none."""
    given = QueryParams(params)
    try:
        return str(given) or None
    except ValueError:
        raise InvalidURL("params hold a lone surrogate, which has no UTF-8 form.") from None


def _as_text(name: str, value: str | bytes | int | None) -> str | None:
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, int):
        return str(value)
    if not value.isascii():
        raise InvalidURL(f"{name} holds bytes that are not ASCII.")
    return value.decode("ascii")
