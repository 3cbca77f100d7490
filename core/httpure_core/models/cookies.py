"""`Cookies`: the cookies of a client or a response, as a mapping of names to values.

A thin view of a `CookieStore`, which holds the rules. The standard library's `CookieJar` is not known here,
because importing it would import sockets: the face installs the view that `Cookies.jar` shows.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, MutableMapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from .. import ambient
from ..errors import CookieConflict
from .cookie_store import Cookie, CookieStore

if TYPE_CHECKING:
    from .request import Request
    from .response import Response
    from .url import URL

__all__ = ["CookieTypes", "Cookies", "install_jar_view"]


def _no_jar_view(cookies: Cookies) -> Any:
    raise RuntimeError(
        "Cookies.jar needs the standard library's http.cookiejar, which httpure_core does not import. "
        "Import httpure, or call install_jar_view() of httpure_core.models.cookies."
    )


_jar_view: Callable[[Cookies], Any] = _no_jar_view


def install_jar_view(view: Callable[[Cookies], Any]) -> None:
    """Say what `Cookies.jar` returns: a CookieJar that reads and writes `cookies.store`."""
    global _jar_view
    _jar_view = view


class Cookies(MutableMapping[str, str]):
    """HTTP cookies: names to values, each of them with a domain and a path.

    Takes a dict, a list of (name, value) pairs, other Cookies, or a CookieJar; what it holds is copied. A
    cookie that is set without a domain goes to every host. Where two cookies share a name, looking it up
    raises CookieConflict until a domain or path tells them apart.
    """

    _store: CookieStore

    def __init__(self, cookies: CookieTypes | None = None) -> None:
        if isinstance(cookies, Cookies):
            self._store = cookies.store.copy()
        else:
            self._store = CookieStore()
            self.update(cookies)

    @property
    def store(self) -> CookieStore:
        """The store with the rules of RFC 6265bis: every cookie with all that is known of it."""
        return self._store

    @property
    def jar(self) -> Any:
        """The same cookies as an `http.cookiejar.CookieJar`.

        Raises RuntimeError where `httpure_core` is used without `httpure` and no view was installed.
        """
        return _jar_view(self)

    def extract_cookies(self, response: Response) -> None:
        """Store the cookies that the response sets. Raises RuntimeError if it has no request."""
        fields = response.headers.get_list("set-cookie")
        if fields:
            url = response.request.url
            origin = url.origin
            self._store.receive(fields, origin.scheme, origin.host, _path_as_sent(url))

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
                raise TypeError(f"A cookie's {part} must be str, not {type(text).__name__}.")
        self._store.add(Cookie(name, value, domain, path))

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
        # "example.org" means the host's own cookie first, and ".example.org" where that is all there is.
        domain = domain.lower()
        exact = [cookie for cookie in found if cookie.domain == domain]
        return exact or [cookie for cookie in found if domain and cookie.domain == "." + domain]

    def _set_item(self, item: Any) -> None:
        if isinstance(item, Cookie):
            self._store.add(item.copy())
        elif hasattr(item, "name") and hasattr(item, "value"):
            self._store.add(_from_jar(item))
        elif isinstance(item, (tuple, list)) and len(item) == 2:
            self.set(*cast("tuple[str, str]", item))
        else:
            raise TypeError(
                f"A list of cookies holds (name, value) pairs or cookie objects, not {type(item).__name__}."
            )


#: What `cookies=` takes. The last one is any iterable of objects like `http.cookiejar.Cookie`: a CookieJar.
CookieTypes: TypeAlias = Cookies | Mapping[str, str] | Iterable[tuple[str, str]] | Iterable[Any]


def _from_jar(item: Any) -> Cookie:
    """Translate a cookie of the standard library's kind; what it does not say has its default."""
    domain = getattr(item, "domain", None) or ""
    rest = getattr(item, "has_nonstandard_attr", None)
    return Cookie(
        item.name,
        item.value or "",
        domain,
        getattr(item, "path", None) or "/",
        expires=getattr(item, "expires", None),
        host_only=bool(domain) and not getattr(item, "domain_specified", True),
        secure=bool(getattr(item, "secure", False)),
        http_only=bool(rest and rest("HttpOnly")),
    )


def _path_as_sent(url: URL) -> str:
    return url.raw_path.decode("ascii").partition("?")[0]
