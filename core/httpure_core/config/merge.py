"""What the client says and what the request says, made into one.

Headers, query parameters and cookies are put together, and where both name the same thing the request wins;
a relative URL goes below the base URL. Nothing given is changed, and what comes back may be one of the
things given: copy it before changing it.

Who says what is in the query:

    the base URL's query, the client's params     go with every request, save for the names that it has itself
    the URL's own query                           is sent byte for byte, if the request has no params
    the request's params                          take the place of the URL's own query, which is warned of
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from ..errors import InvalidURL
from ..models.cookies import Cookies
from ..models.headers import Headers, part_removals
from ..models.query import QueryParams
from ..models.request import masked, warn_of_dropped
from ..models.url import CACHED_LENGTH, URL, cached_url

if TYPE_CHECKING:
    from ..models.cookies import CookieTypes
    from ..models.headers import HeaderTypes
    from ..models.query import QueryParamTypes

__all__ = [
    "merge_cookies",
    "merge_headers",
    "merge_params",
    "merge_query",
    "merge_url",
    "with_trailing_slash",
]


def with_trailing_slash(base_url: URL | str) -> URL:
    """Return a base URL whose path ends in a slash, as `Client.base_url` shows it; an empty one stays."""
    url = URL(base_url)
    path, mark, query = url.raw_path.partition(b"?")
    return url if path.endswith(b"/") else url.copy_with(raw_path=path + b"/" + mark + query)


def merge_url(base_url: URL | None, url: URL | str) -> URL:
    """Return the URL that a request for `url` goes to.

    An absolute URL stays as it is. The path of a relative one goes below the path of the base URL, whether
    or not it begins with a slash; its query comes behind that of the base URL, of which the names that both
    have are left out; its fragment replaces the other. Without a base URL (None, or empty) nothing is changed.

    Raises InvalidURL, also for a URL with only a host ("//host/path") or only a scheme ("name:rest"), which
    are neither one nor the other.
    """
    if base_url is None or not base_url._text:
        if type(url) is str and len(url) <= CACHED_LENGTH:
            return cached_url(url)  # type: ignore[no-any-return]  # as URL(url), which is a frame more
        return URL(url)
    if isinstance(url, str):
        return _merged(base_url, url)
    url = URL(url)
    return url if url.is_absolute_url else _below(base_url, url)


@lru_cache(maxsize=512)
def _merged(base_url: URL, text: str) -> URL:
    url = URL(text)
    return url if url.is_absolute_url else _below(base_url, url)


def _below(base_url: URL, url: URL) -> URL:
    if url.scheme or url.netloc:
        # In "user:password@host", what follows the first colon is a path.
        shown = masked(url)[:500] if url.netloc or "@" not in url.path else f"{url.scheme}:..."
        raise InvalidURL(
            f"{shown!r} is neither absolute nor relative to the base URL: give scheme and host, "
            f"or begin the path with one slash."
        )
    base_path, _, base_query = base_url.raw_path.partition(b"?")
    path, _, query = url.raw_path.partition(b"?")
    raw_path = base_path.removesuffix(b"/") + b"/" + path.lstrip(b"/")
    if base_query or query:
        raw_path += b"?" + _joined(_without(base_query, base_url.params, url.params), query)
    return base_url.copy_with(raw_path=raw_path, fragment=url.fragment or None)


def merge_params(client_params: QueryParams | None, params: QueryParamTypes | None) -> QueryParams | None:
    """Return the client's parameters with those of the request, which win name by name, or None.

    Empty parameters of the request are not None: they stand for an empty query.
    """
    if not client_params:
        return None if params is None else QueryParams(params)
    return client_params if params is None else client_params.merge(params)


def merge_query(
    url: URL, client_params: QueryParams | None, params: QueryParamTypes | None, base_query: bytes = b""
) -> URL:
    """Return the URL with the query to send.

    Parameters of the request replace the URL's own query, together with the client's. Where the request has
    none, the client's are put before the URL's own query, which stays as it is, byte for byte, and wins name
    by name. `base_query` is what of the URL's query came from the base URL: it is no more the URL's own than
    the client's parameters are.

    Warns with QueryDroppedWarning of what is in the URL's own query and will not be sent.
    """
    if params is not None:
        return _replaced(url, client_params, QueryParams(params), base_query)
    if not client_params:
        return url
    if not url.query:
        return url.copy_with(params=client_params)
    others = str(client_params.without(url.params)).encode()
    return url.copy_with(query=_joined(others, url.query)) if others else url


def _replaced(url: URL, client_params: QueryParams | None, params: QueryParams, base_query: bytes) -> URL:
    merged = client_params.merge(params) if client_params else params
    if not base_query:
        replaced = url.copy_with(params=merged)
    else:
        base = QueryParams(base_query)
        kept = _without(base_query, base, params)
        replaced = url.copy_with(query=_joined(kept, str(merged.without(base, but=params)).encode()))
    if url.query:
        warn_of_dropped(url, params, replaced.params)
    return replaced


def _without(query: bytes, params: QueryParams, others: QueryParams) -> bytes:
    """Return the query, of which `params` are the names and values, without the names that others have."""
    if others.keys().isdisjoint(params):
        return query  # byte for byte
    return str(params.without(others)).encode()


def _joined(query: bytes, other: bytes) -> bytes:
    return query + b"&" + other if query and other else query or other


def merge_headers(client_headers: Headers, headers: HeaderTypes | None) -> Headers:
    """Return the client's headers with those of the request, which win name by name; None takes one away."""
    if not headers:
        return client_headers
    given, removed = part_removals(headers)
    if not client_headers:
        return Headers(given)
    merged = client_headers.copy()
    for name in removed:
        merged.pop(name, None)
    merged.update(given)
    return merged


def merge_cookies(client_cookies: Cookies | None, cookies: CookieTypes | None) -> Cookies | None:
    """Return the client's cookies with those of the request, which win name by name; None if neither has any."""
    if not cookies:
        return client_cookies or None
    own = Cookies(cookies)
    if not client_cookies:
        return own
    merged = Cookies(client_cookies)
    for name in {cookie.name for cookie in own.store}:
        merged.delete(name)
    merged.update(own)
    return merged
