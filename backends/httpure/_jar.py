"""`Cookies` and `http.cookiejar.CookieJar`: each can stand on the other.

    Cookies() ── .jar ──▶ a view, which is a CookieJar; the store stays the one owner
    Cookies(jar)          the jar stays the owner: it is read anew each time, and gets what responses set

The first is how a client has its cookies. The second is for jars that are loaded from files and saved again; it costs
time in proportion to the jar, as the standard library's own look-ups do. `http.cookiejar` imports half of the standard
library's networking, so it is imported when somebody asks for a jar, and not before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from httpure_core.models.cookie_rules import shelves_of
from httpure_core.models.cookie_store import Cookie, CookieStore
from httpure_core.models.cookies import from_stdlib

if TYPE_CHECKING:
    import http.cookiejar

    from httpure_core.models.cookies import Cookies

__all__ = ["jar_view", "store_of_jar"]


def jar_view(cookies: Cookies) -> http.cookiejar.CookieJar:
    """Return a CookieJar that reads and writes the store of `cookies`."""
    view: http.cookiejar.CookieJar = _view_class()(cookies.store)
    return view


def store_of_jar(cookies: Any) -> CookieStore | None:
    """Return a store that reads and writes the CookieJar; None if it is no CookieJar."""
    module = sys.modules.get("http.cookiejar")
    if module is None or not isinstance(cookies, module.CookieJar):
        return None
    shared = getattr(cookies, "httpure_store", None)
    return shared if isinstance(shared, CookieStore) else JarStore(cookies)


@cache
def _view_class() -> Any:
    from http.cookiejar import CookieJar

    class JarView(CookieJar):
        """The cookies of an `httpure.Cookies`, as the standard library shows cookies."""

        def __init__(self, store: CookieStore) -> None:
            self.httpure_store = store
            super().__init__()

        def __iter__(self) -> Iterator[http.cookiejar.Cookie]:
            return iter([_to_stdlib(cookie) for cookie in self.httpure_store])

        def set_cookie(self, cookie: http.cookiejar.Cookie) -> None:
            """Put a cookie into the store."""
            self.httpure_store.add(from_stdlib(cookie))

        def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
            """Remove all cookies, or those of a domain, a path in it, a name in that."""
            for cookie in list(self.httpure_store):
                wanted = (domain, path, name)
                has = (cookie.domain, cookie.path, cookie.name)
                if all(want is None or want == own for want, own in zip(wanted, has, strict=True)):
                    self.httpure_store.remove(cookie)

        @property
        def _cookies(self) -> dict[str, dict[str, dict[str, Any]]]:  # what all inherited methods look at
            nested: dict[str, dict[str, dict[str, Any]]] = {}
            for cookie in self:
                nested.setdefault(cookie.domain, {}).setdefault(cookie.path, {})[cookie.name] = cookie
            return nested

        @_cookies.setter
        def _cookies(self, value: Any) -> None:
            """The inherited constructor sets an empty dict."""

    return JarView


#: Domain, path and name of what servers have set in a jar while this process runs. Only that is counted and limited:
#: what a jar was loaded with is the user's.
_received: WeakKeyDictionary[http.cookiejar.CookieJar, set[tuple[str, str, str]]] = WeakKeyDictionary()


class JarStore(CookieStore):
    """A store without cookies of its own: they are those of a CookieJar, whatever is done to that."""

    __slots__ = ("_jar", "_received")

    def __init__(self, jar: http.cookiejar.CookieJar) -> None:
        super().__init__()
        self._jar = jar
        self._received = _received.setdefault(jar, set())

    def __bool__(self) -> bool:
        return len(self) > 0

    def __len__(self) -> int:
        return len(self._jar)

    def __iter__(self) -> Iterator[Cookie]:
        return iter([self._read(cookie) for cookie in self._jar])

    def header_for(
        self,
        scheme: str,
        host: str,
        path: str,
        now: float | None = None,
        *,
        beside: CookieStore | None = None,
    ) -> str | None:
        """See `CookieStore`."""
        return self._for(host).header_for(scheme, host, path, now, beside=beside)

    def receive(self, fields: list[str], scheme: str, host: str, path: str, now: float | None = None) -> None:
        """See `CookieStore`: its rules say what is kept, and the jar keeps it."""
        store = self.copy()
        before = {id(cookie): cookie for cookie in store}
        store.receive(fields, scheme, host, path, now)
        after = {id(cookie): cookie for cookie in store}
        for known, cookie in before.items():
            if known not in after:
                self.remove(cookie)
        # In the order in which they came: so they are sent, and go when there is no room.
        for known, cookie in after.items():
            if known not in before:
                self.add(cookie)

    def add(self, cookie: Cookie) -> None:
        """See `CookieStore`."""
        CookieStore().add(cookie)  # checks it
        self._jar.set_cookie(_to_stdlib(cookie))
        if cookie.received:
            self._received.add((cookie.domain, cookie.path, cookie.name))

    def remove(self, cookie: Cookie) -> None:
        """See `CookieStore`."""
        self._received.discard((cookie.domain, cookie.path, cookie.name))
        with suppress(KeyError):
            self._jar.clear(cookie.domain, cookie.path, cookie.name)

    def clear(self) -> None:
        """See `CookieStore`."""
        self._received.clear()
        self._jar.clear()

    def copy(self) -> CookieStore:
        """Return the cookies as they are now, in a store that the jar knows nothing of."""
        return self._with(self)

    __copy__ = copy

    def __reduce__(self) -> Any:
        return CookieStore.copy, (self.copy(),)  # a jar has locks, and cannot be pickled

    def _matching(self, secure: bool, host: str, path: str, now: float | None) -> list[Cookie]:
        return self._for(host)._matching(secure, host, path, now)

    def _for(self, host: str) -> CookieStore:
        # Of a large jar, only what may go to that host is translated.
        domains = frozenset(shelves_of(host))
        return self._with(
            self._read(item) for item in self._jar if (item.domain or "").removeprefix(".").lower() in domains
        )

    def _with(self, cookies: Iterable[Cookie]) -> CookieStore:
        store = CookieStore(is_public_suffix=self.is_public_suffix, limits=self.limits)
        for cookie in cookies:
            store.add(cookie)
        return store

    def _read(self, item: http.cookiejar.Cookie) -> Cookie:
        cookie = from_stdlib(item)
        cookie.received = (cookie.domain, cookie.path, cookie.name) in self._received
        return cookie


def _to_stdlib(cookie: Cookie) -> http.cookiejar.Cookie:
    rest = {"HttpOnly": ""} if cookie.http_only else {}
    if cookie.same_site is not None:
        rest["SameSite"] = cookie.same_site
    return _cookie_class()(
        version=0,
        name=cookie.name,
        value=cookie.value,
        port=None,
        port_specified=False,
        domain=cookie.domain,
        domain_specified=bool(cookie.domain) and not cookie.host_only,
        domain_initial_dot=cookie.domain.startswith("."),
        path=cookie.path,
        path_specified=bool(cookie.path),
        secure=cookie.secure,
        expires=None if cookie.expires is None else int(cookie.expires),
        discard=cookie.expires is None,
        comment=None,
        comment_url=None,
        rest=rest,
    )


@cache
def _cookie_class() -> type[http.cookiejar.Cookie]:
    import http.cookiejar

    class Discreet(http.cookiejar.Cookie):
        """One that does not show its value, unlike those of the standard library."""

        def __repr__(self) -> str:
            return f"<Cookie {self.name}=[secure] for {self.domain or 'every host'}{self.path}>"

        __str__ = __repr__

        def __reduce__(self) -> tuple[Any, ...]:
            return _plain_cookie, (self.__dict__,)  # the class itself has no place to be found at

    return Discreet


def _plain_cookie(attributes: dict[str, Any]) -> http.cookiejar.Cookie:
    import http.cookiejar

    cookie = http.cookiejar.Cookie.__new__(http.cookiejar.Cookie)
    cookie.__dict__.update(attributes)
    return cookie
