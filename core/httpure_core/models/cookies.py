"""`Cookies`: the cookies of a client or a response, as a mapping of names to values.

A thin view of a `CookieStore`, which holds the rules. The standard library's `CookieJar` is not known here,
because importing it would import sockets: the face installs the view that `Cookies.jar` shows, and the store
for a jar that is given.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .. import ambient
from ..errors import CookieConflict
from .cookie_store import Cookie, CookieStore

if TYPE_CHECKING:
    import http.cookiejar

    from ..limits import Limits
    from .request import Request
    from .response import Response
    from .url import URL

__all__ = ["CookieTypes", "Cookies", "from_stdlib", "install_jar_view", "kept_cookies", "set_cookies"]


def _no_jar_view(cookies: Cookies) -> Any:
    raise RuntimeError(
        "Cookies.jar needs the standard library's http.cookiejar, which httpure_core does not import. "
        "Import httpure, or call install_jar_view() of httpure_core.models.cookies."
    )


def _no_store(cookies: Any) -> CookieStore | None:
    return None


_jar_view: Callable[[Cookies], Any] = _no_jar_view
_store_of_jar: Callable[[Any], CookieStore | None] = _no_store


def install_jar_view(
    view: Callable[[Cookies], Any], store_of_jar: Callable[[Any], CookieStore | None] = _no_store
) -> None:
    """Say what `Cookies.jar` returns: a CookieJar that reads and writes `cookies.store`.

    And what stands on a CookieJar that `Cookies` is made of: a store that reads and writes the jar, or None
    for what is no jar. Without it, the cookies of a jar are copied.
    """
    global _jar_view, _store_of_jar
    _jar_view = view
    _store_of_jar = store_of_jar


class Cookies(MutableMapping[str, str]):
    """HTTP cookies: names to values, each of them with a domain and a path.

    Takes a dict, a list of (name, value) pairs or other Cookies, and copies them; or a CookieJar of the
    standard library, which stays the owner: it is read each time, and gets what responses set, so that it can
    be saved. A cookie that is set without a domain goes to every host. Where two cookies share a name, looking
    it up raises CookieConflict until a domain or path tells them apart.

    >>> cookies = httpure.Cookies({"theme": "dark"})
    >>> cookies.set("session", "7f3a", domain="shop.example")
    >>> cookies["session"], dict(cookies)
    ('7f3a', {'theme': 'dark', 'session': '7f3a'})

    `limits` says how many cookies of servers are kept, and how large ones: see `Limits`. Without it, copied cookies
    keep the limits they had, and others have the defaults; a client with `limits` gives them to its cookies.

    Can be pickled, which keeps all that is known of each cookie.
    """

    #: False to keep nothing of what responses set.
    persist: bool = True

    _store: CookieStore
    #: What `jar` returned.
    _jar: Any = None

    def __init__(self, cookies: CookieTypes | None = None, *, limits: Limits | None = None) -> None:
        if cookies is None:
            self._store = CookieStore()
        elif isinstance(cookies, Cookies):
            self._store = cookies.store.copy()
            self.persist = cookies.persist
        elif (store := _store_of_jar(cookies)) is not None:
            self._store = store
            self._jar = cookies
        else:
            self._store = CookieStore()
            self.update(cookies)
        if limits is not None:
            self._store.limits = limits

    @property
    def store(self) -> CookieStore:
        """The store with the rules of RFC 6265bis: every cookie with all that is known of it."""
        return self._store

    @property
    def jar(self) -> http.cookiejar.CookieJar:
        """The same cookies as an `http.cookiejar.CookieJar`: that which was given, or a view of these.

        Raises RuntimeError where `httpure_core` is used without `httpure` and no view was installed.
        """
        if self._jar is None:
            self._jar = _jar_view(self)
        jar: http.cookiejar.CookieJar = self._jar
        return jar

    def extract_cookies(self, response: Response) -> None:
        """Store the cookies that the response sets, unless `persist` is False.

        Raises RuntimeError if the response has no request.
        """
        if self.persist:
            self._extract(response)

    def _extract(self, response: Response, *, secure: bool = False) -> None:
        # `secure`: as if the response had come over TLS.
        fields = response.headers.get_list("set-cookie")
        if fields:
            url = response.request.url
            origin = url.origin
            self._store.receive(fields, "https" if secure else origin.scheme, origin.host, _path_as_sent(url))

    def set_cookie_header(self, request: Request) -> None:
        """Give the request the Cookie header for its URL, unless it has one or no cookie goes there."""
        if not self._store:
            return
        url = request.url
        origin = url.origin
        header = self._store.header_for(origin.scheme, origin.host, _path_as_sent(url))
        if header is not None and "Cookie" not in request.headers:
            request.headers["Cookie"] = header

    def set(self, name: str, value: str, domain: str = "", path: str = "/") -> None:
        """Set a cookie. Without a domain it goes to every host, with one to that host and its subdomains.

        Raises ValueError where a part holds a control character, TypeError where one is not a string.
        """
        for part, text in (("name", name), ("value", value), ("domain", domain), ("path", path)):
            if not isinstance(text, str):
                whose = f"A cookie's {part}" if part == "name" else f"The {part} of cookie {name!r}"
                raise TypeError(f"{whose} must be str, not {type(text).__name__}.")
        # Of a member of an enum that is a str, too, its text, and not its name in Python.
        self._store.add(Cookie(*map(str.__str__, (name, value, domain, path))))

    def get(  # type: ignore[override]
        self, name: str, default: str | None = None, domain: str | None = None, path: str | None = None
    ) -> str | None:
        """Return the value of a cookie, or `default`.

        Raises CookieConflict where several cookies have that name, as far as domain and path do not single
        one out.
        """
        found = self._find(name, domain, path)
        if len(found) > 1:
            raise CookieConflict(
                f"{len(found)} cookies are named {name!r}: say the domain or the path as well, as in "
                f"get({name!r}, domain={found[0].domain!r}, path={found[0].path!r})."
            )
        return found[0].value if found else default

    def delete(self, name: str, domain: str | None = None, path: str | None = None) -> None:
        """Remove every cookie of that name, domain and path.

        Raises KeyError where both domain and path are given and there is no such cookie.
        """
        found = self._find(name, domain, path)
        if not found and domain is not None and path is not None:
            raise KeyError(name)
        for cookie in found:
            self._store.remove(cookie)

    def clear(self, domain: str | None = None, path: str | None = None) -> None:
        """Remove all cookies, or those of a domain, or those of a path of a domain.

        Raises KeyError where that domain has no cookie there, ValueError for a path without a domain.
        """
        if domain is None:
            if path is not None:
                raise ValueError("Cookies.clear() takes a path only together with a domain.")
            self._store.clear()
            return
        found = self._find(None, domain, path)
        if not found:
            raise KeyError(domain if path is None else path)
        for cookie in found:
            self._store.remove(cookie)

    def update(self, cookies: CookieTypes | None = None) -> None:  # type: ignore[override]
        """Set all the given cookies. Takes what the constructor takes; raises TypeError for anything else."""
        if cookies is None:
            return
        if isinstance(cookies, Cookies):
            for cookie in cookies.store:
                self._store.add(cookie.copy())
        elif isinstance(cookies, Mapping):
            for name, value in cast("Mapping[str, str]", cookies).items():
                self.set(name, value)
        elif isinstance(cookies, (str, bytes)) or not isinstance(cookies, Iterable):
            raise TypeError(
                "Cookies are given as a dict, a list of (name, value) pairs, Cookies or a CookieJar, "
                f"not as {type(cookies).__name__}."
            )
        else:
            for item in cookies:
                self._set_item(item)

    def __getitem__(self, name: str) -> str:
        value = self.get(name)
        if value is None:
            raise KeyError(name)
        return value

    def __setitem__(self, name: str, value: str) -> None:
        self.set(name, value)

    def __delitem__(self, name: str) -> None:
        self.delete(name)

    def __iter__(self) -> Iterator[str]:
        return iter([cookie.name for cookie in self._current()])

    def __len__(self) -> int:
        return len(self._current())

    def __bool__(self) -> bool:
        return bool(self._store) and bool(self._current())

    def __copy__(self) -> Cookies:
        return Cookies(self)

    def __getstate__(self) -> dict[str, Any]:
        state = self.__dict__.copy()
        state.pop("_jar", None)
        return state

    def __repr__(self) -> str:
        return f"<Cookies[{', '.join(map(repr, self._current()))}]>"

    def _current(self) -> list[Cookie]:
        """The cookies that have not expired; the clock is asked only where one can."""
        cookies = list(self._store)
        if all(cookie.expires is None for cookie in cookies):
            return cookies
        now = ambient.wall_time()
        return [cookie for cookie in cookies if cookie.expires is None or cookie.expires > now]

    def _find(self, name: str | None, domain: str | None, path: str | None) -> list[Cookie]:
        found = [
            cookie
            for cookie in self._current()
            if (name is None or cookie.name == name) and (path is None or cookie.path == path)
        ]
        if domain is None:
            return found
        if not isinstance(domain, str):
            raise TypeError(f"The domain of a cookie is a text, not {type(domain).__name__}.")
        # "example.org" means the host's own cookie first, and ".example.org" where that is all there is.
        domain = domain.lower()
        exact = [cookie for cookie in found if cookie.domain == domain]
        return exact or [cookie for cookie in found if domain and cookie.domain == "." + domain]

    def _set_item(self, item: Any) -> None:
        if isinstance(item, Cookie):
            self._store.add(item.copy())
        elif hasattr(item, "name") and hasattr(item, "value"):
            self._store.add(from_stdlib(item))
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            self.set(*cast("tuple[str, str]", item))
        else:
            raise TypeError(
                f"A list of cookies holds (name, value) pairs or cookie objects, not {type(item).__name__}."
            )


#: What `cookies=` takes. The last two are for iterables of cookies, such as a store or a CookieJar.
CookieTypes: TypeAlias = (
    Cookies
    | Mapping[str, str]
    | Iterable[tuple[str, str]]
    | Iterable[Cookie]
    | Iterable["http.cookiejar.Cookie"]
)


def set_cookies(request: Request, cookies: Cookies | None) -> None:
    """Give the request the Cookie header of a client's cookies and its own, of which a name hides the client's.

    Where the request has such a header already, that is left as it is.
    """
    own = request._cookies
    if own is None:
        if cookies is not None:
            cookies.set_cookie_header(request)
        return
    url = request.url
    origin = url.origin
    client = None if cookies is None else cookies.store
    header = own.store.header_for(origin.scheme, origin.host, _path_as_sent(url), beside=client)
    if header is not None and "Cookie" not in request.headers:
        request.headers["Cookie"] = header


def kept_cookies(cookies: Cookies | None, response: Response) -> Cookies | None:
    """Return what of the cookies of a request still holds after its response: whose names that did not set."""
    if cookies is None or "set-cookie" not in response.headers:
        return cookies
    from .cookie_syntax import parse_set_cookie  # here, as in the store: many servers set no cookies

    parsed = [parse_set_cookie(field) for field in response.headers.get_list("set-cookie")]
    names = {cookie.name for cookie in parsed if cookie is not None}
    kept = Cookies(cookies)
    for name in names:
        kept.delete(name)
    return kept


def from_stdlib(item: Any) -> Cookie:
    """Translate a cookie of the standard library's kind; what it does not say has its default."""
    domain = getattr(item, "domain", None) or ""
    rest = getattr(item, "has_nonstandard_attr", None)
    attribute = getattr(item, "get_nonstandard_attr", None)
    return Cookie(
        item.name,
        item.value or "",
        domain,
        getattr(item, "path", None) or "/",
        expires=getattr(item, "expires", None),
        host_only=bool(domain) and not getattr(item, "domain_specified", True),
        secure=bool(getattr(item, "secure", False)),
        http_only=bool(rest and rest("HttpOnly")),
        same_site=attribute("SameSite") if attribute else None,
    )


def _path_as_sent(url: URL) -> str:
    return url.raw_path.decode("ascii").partition("?")[0]
