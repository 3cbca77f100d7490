"""`Cookies.jar`: the cookies of the core's store, seen as an `http.cookiejar.CookieJar`.

The store stays the one owner: the jar keeps nothing, and reads and writes through. Its module imports half of the
standard library's networking, so it is imported when somebody asks for a jar, and not before.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

from httpure_core.models.cookie_store import Cookie

if TYPE_CHECKING:
    import http.cookiejar

    from httpure_core.models.cookies import Cookies

__all__ = ["jar_view"]


def jar_view(cookies: Cookies) -> http.cookiejar.CookieJar:
    """Return a CookieJar that reads and writes the store of `cookies`."""
    from http.cookiejar import CookieJar

    class JarView(CookieJar):
        """The cookies of an `httpure.Cookies`, as the standard library shows cookies."""

        def __iter__(self) -> Iterator[http.cookiejar.Cookie]:
            return iter([_to_stdlib(cookie) for cookie in cookies.store])

        def set_cookie(self, cookie: http.cookiejar.Cookie) -> None:
            """Put a cookie into the store."""
            cookies.update([cookie])

        def clear(self, domain: str | None = None, path: str | None = None, name: str | None = None) -> None:
            """Remove all cookies, or those of a domain, a path in it, a name in that."""
            for cookie in list(cookies.store):
                wanted = (domain, path, name)
                has = (cookie.domain, cookie.path, cookie.name)
                if all(want is None or want == own for want, own in zip(wanted, has, strict=True)):
                    cookies.store.remove(cookie)

        @property
        def _cookies(self) -> dict[str, dict[str, dict[str, Any]]]:  # what all inherited methods look at
            nested: dict[str, dict[str, dict[str, Any]]] = {}
            for cookie in self:
                nested.setdefault(cookie.domain, {}).setdefault(cookie.path, {})[cookie.name] = cookie
            return nested

        @_cookies.setter
        def _cookies(self, value: Any) -> None:
            """The inherited constructor sets an empty dict."""

    return JarView()


def _to_stdlib(cookie: Cookie) -> http.cookiejar.Cookie:
    import http.cookiejar

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
        rest={"HttpOnly": ""} if cookie.http_only else {},
    )
