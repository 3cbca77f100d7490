"""`Cookies` and `http.cookiejar.CookieJar`: each can stand on the other.

    Cookies() ── .jar ──▶ a view, which is a CookieJar; the store stays the one owner
    Cookies(jar)          the jar stays the owner: it is read anew each time, and gets what responses set

The first is how a client has its cookies. The second is for jars that are loaded from files and saved again; it costs
time in proportion to the jar, as the standard library's own look-ups do. `http.cookiejar` imports half of the standard
library's networking, so it is imported when somebody asks for a jar, and not before.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from typing import TYPE_CHECKING, Any

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


class JarStore(CookieStore):
    """A store without cookies of its own: they are those of a CookieJar, whatever is done to that."""

    __slots__ = ("_jar",)

    def __init__(self, jar: http.cookiejar.CookieJar) -> None:
        super().__init__()
        self._jar = jar

    def __bool__(self) -> bool:
        return len(self) > 0

    def __len__(self) -> int:
        return len(self._jar)

    def __iter__(self) -> Iterator[Cookie]:
        return iter([from_stdlib(cookie) for cookie in self._jar])

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
        return self.copy().header_for(scheme, host, path, now, beside=beside)

    def receive(self, fields: list[str], scheme: str, host: str, path: str, now: float | None = None) -> None:
        """See `CookieStore`: its rules say what is kept, and the jar keeps it."""
        store = self.copy()
        before = {id(cookie): cookie for cookie in store}
        store.receive(fields, scheme, host, path, now)
        after = {id(cookie): cookie for cookie in store}
        for gone in before.keys() - after.keys():
            self.remove(before[gone])
        for new in after.keys() - before.keys():
            self.add(after[new])

    def add(self, cookie: Cookie) -> None:
        """See `CookieStore`."""
        CookieStore().add(cookie)  # checks it
        self._jar.set_cookie(_to_stdlib(cookie))

    def remove(self, cookie: Cookie) -> None:
        """See `CookieStore`."""
        with suppress(KeyError):
            self._jar.clear(cookie.domain, cookie.path, cookie.name)

    def clear(self) -> None:
        """See `CookieStore`."""
        self._jar.clear()

    def copy(self) -> CookieStore:
        """Return the cookies as they are now, in a store that the jar knows nothing of."""
        store = CookieStore(is_public_suffix=self.is_public_suffix)
        for cookie in self:
            store.add(cookie)
        return store

    __copy__ = copy

    def __reduce__(self) -> Any:
        return CookieStore.copy, (self.copy(),)  # a jar has locks, and cannot be pickled

    def _matching(self, secure: bool, host: str, path: str, now: float | None) -> list[Cookie]:
        return self.copy()._matching(secure, host, path, now)


def _to_stdlib(cookie: Cookie) -> http.cookiejar.Cookie:
    import http.cookiejar

    rest = {"HttpOnly": ""} if cookie.http_only else {}
    if cookie.same_site is not None:
        rest["SameSite"] = cookie.same_site
    return http.cookiejar.Cookie(
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
