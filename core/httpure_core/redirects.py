"""Where a redirect leads, and what may go there: decided in one place, for all transports and backends.

    method, body   303 -> GET · 301, 302 of a POST -> GET · everything else keeps both (as Fetch does)
    URL            Location, joined to the request's URL; fragment inherited; http and https only; from https to http
                   only where the user allows it
                   user information in it is dropped, save the user's own
    headers        same origin: all of them · another origin: what a stranger would get

Origin = (scheme, host, port). An upgrade of the same host from http to https on the default ports is no
stranger. The Cookie header never survives: the client computes it anew from its store, and from the cookies
given for the request alone, which go along as far as its origin does. What is not here cannot leak later:
each hop starts from the request before it, so nothing that was dropped comes back.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from .errors import (
    InvalidURL,
    RemoteProtocolError,
    RequestError,
    StreamConsumed,
    StreamError,
    UnsupportedProtocol,
)
from .models.cookies import kept_cookies
from .models.field import speaks_of_secrets
from .models.request import Request, place

if TYPE_CHECKING:
    from .models.response import Response
    from .models.url import URL

__all__ = ["SENSITIVE_FIELDS", "is_redirect_to_follow", "is_sensitive", "next_request", "redirect"]

#: Bytes of a Location field that are looked at.
MAX_LOCATION_SIZE = 16 * 1024

_REDIRECTS = frozenset((301, 302, 303, 307, 308))

#: Fields that only the origin they were meant for may see, besides those whose names speak of secrets.
SENSITIVE_FIELDS = frozenset(
    (b"authorization", b"proxy-authorization", b"cookie", b"cookie2", b"www-authenticate")
)

#: Fields that say something about the body, besides those whose name begins with `Content-` (RFC 9110
#: section 15.4).
_BODY_FIELDS = frozenset(
    (b"transfer-encoding", b"trailer", b"expect", b"digest", b"repr-digest", b"last-modified")
)


def is_redirect_to_follow(response: Response) -> bool:
    """Whether the response names another place to go to: 301, 302, 303, 307 or 308 with a Location field."""
    return response.status_code in _REDIRECTS and "Location" in response.headers


def next_request(
    request: Request, response: Response, *, sensitive: Iterable[str] = (), allow_downgrade: bool = False
) -> Request | None:
    """Return what `redirect` returns, or None where the redirect cannot or must not be followed.

    For `Response.next_request`: a caller who does not follow must not suffer from a Location that nobody
    could, and one who follows by hand is not led where the client would not go by itself.
    """
    try:
        return redirect(request, response, sensitive=sensitive, allow_downgrade=allow_downgrade)
    except (RequestError, StreamError):
        return None


def redirect(
    request: Request, response: Response, *, sensitive: Iterable[str] = (), allow_downgrade: bool = False
) -> Request:
    """Return the request that a redirect leads to. Call it only if `is_redirect_to_follow(response)`.

    `sensitive` names further fields that another origin must not see: the user's own, and what an auth
    scheme added. To go from https to http is refused without `allow_downgrade`: whoever is on the way reads the
    request then, and writes the response. Even so, no credential goes along.

    Raises RemoteProtocolError where the Location cannot be understood or is refused, UnsupportedProtocol
    where it is neither http nor https, and StreamConsumed where a body that can be read only once would have
    to be sent again. The new request has no Cookie field: give it the client's cookies for its URL, with
    `set_cookies` of models/cookies.py, which also knows of those that were given for the request alone.
    """
    url = _target(request, response)
    if request.url.scheme == "https" and url.scheme == "http" and not allow_downgrade:
        raise RemoteProtocolError(
            f"The redirect leads from https to http, to {url.host!r}, and is refused, {place(request)}; "
            "follow it with allow_downgrade=True",
            request=request,
        )
    method = _method(request.method, response.status_code)
    drops_body = method != request.method
    if not drops_body and getattr(request.stream, "replayable", True) is False:
        raise StreamConsumed(
            f"A {response.status_code} redirect asks for the body of the {method} once more, "
            f"and this one can be read only once, {place(request)}. "
            "Give it as bytes or as a file that can seek, or call request.read() before sending."
        )
    following = Request(
        method,
        url,
        headers=_headers(request, url, drops_body, sensitive),
        stream=None if drops_body else request.stream,
        extensions=_extensions(request, url),
    )
    trusted = _is_trusted(request.url, url)
    if request._to_stranger or not trusted:
        following._to_stranger = True  # and it stays so, wherever the next redirect leads
    if request._cookies is not None and trusted:
        following._cookies = kept_cookies(request._cookies, response)
    return following


def _method(method: str, status_code: int) -> str:
    if status_code == 303:
        return method if method == "HEAD" else "GET"
    return "GET" if method == "POST" and status_code in (301, 302) else method


def _target(request: Request, response: Response) -> URL:
    location = _location(request, response)
    here = request.url
    try:
        url = here.join(location)
        if url.scheme not in ("http", "https"):
            error = UnsupportedProtocol(
                f"The redirect leads to the scheme {url.scheme!r}, {place(request)}: only http and https are followed",
                request=request,
            )
            error.request_sent = True  # the one that was answered with the redirect
            raise error
        if not url.host:
            # `https:///path`, seen in the wild: the host was forgotten, so it is still the same one.
            url = url.copy_with(host=here.host)
        if url.userinfo and (url.userinfo != here.userinfo or url.origin != here.origin):
            # What the server wrote there are no credentials of ours (RFC 9110 section 4.2.4).
            url = url.copy_with(userinfo=b"")
        if here.fragment and not url.fragment:
            url = url.copy_with(fragment=here.fragment)
    except InvalidURL as error:
        raise RemoteProtocolError(
            f"The redirect's Location is no valid URL, {place(request)}: {error}", request=request
        ) from None
    return url


def _location(request: Request, response: Response) -> str:
    # From the raw field: whether the text is UTF-8 must not depend on what other fields hold.
    values = {value.strip(b" \t") for name, value in response.headers.raw if name.lower() == b"location"}
    if len(values) != 1:
        raise RemoteProtocolError(
            f"The redirect has {len(values)} different Location fields (RFC 9110 section 10.2.2), {place(request)}",
            request=request,
        )
    location = values.pop()
    if len(location) > MAX_LOCATION_SIZE:
        raise RemoteProtocolError(
            f"The redirect's Location has {len(location)} bytes, and at most {MAX_LOCATION_SIZE} are followed, "
            f"{place(request)}",
            request=request,
        )
    try:
        return location.decode("utf-8")
    except UnicodeDecodeError:
        return location.decode("latin-1")


def _headers(
    request: Request, url: URL, drops_body: bool, sensitive: Iterable[str]
) -> list[tuple[bytes, bytes]]:
    here = request.url
    same_origin = url.origin == here.origin
    trusted = _is_trusted(here, url)
    extra = frozenset(name.lower().encode("utf-8") for name in sensitive)
    fields = []
    for name, value in request.headers.raw:
        lower = name.lower()
        if lower == b"cookie" or (drops_body and _is_about_body(lower)):
            continue
        if not same_origin and lower in (b"host", b"proxy-authorization"):
            value = url.netloc
            if lower != b"host":
                continue
        elif not trusted and (lower in extra or is_sensitive(lower)):
            continue
        elif lower == b"referer" and here.scheme == "https" and url.scheme == "http":
            continue  # RFC 9110 section 10.1.3
        fields.append((name, value))
    return fields


def _is_trusted(here: URL, there: URL) -> bool:
    return there.origin == here.origin or _is_upgrade(here, there)


def _is_upgrade(here: URL, there: URL) -> bool:
    return here.origin == ("http", there.origin.host, 80) and there.origin[::2] == ("https", 443)


def is_sensitive(lower: bytes) -> bool:
    """Whether a field of this name, in lower case, is for its own origin only: it holds, or may hold, a credential."""
    return lower in SENSITIVE_FIELDS or speaks_of_secrets(lower)


def _is_about_body(lower: bytes) -> bool:
    return lower.startswith(b"content-") or lower in _BODY_FIELDS


def _extensions(request: Request, url: URL) -> dict[str, object]:
    # A raw request target replaces the URL's path, and would ask for the old one for ever.
    dropped = {"target"} if url.host == request.url.host else {"target", "sni_hostname"}
    return {name: value for name, value in request.extensions.items() if name not in dropped}
