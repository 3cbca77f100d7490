"""A URL as seven plain parts (RFC 3986 calls it a URI reference): split, checked, normalised, resolved.

Knows the grammar of RFC 3986 sections 3 to 5; knows nothing of queries as parameters, nor of the `URL` class.
Everything that makes a `Reference` goes through `normalised()`, so that its text, split again, gives the
same parts: `parse(ref.text()) == ref`.

No message of an error shows user information, and none shows the authority of a URL in which a password
may have been cut in two.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from ..errors import InvalidURL
from . import percent
from .host import DEFAULT_PORTS, MAX_HOST_LENGTH, encode_host, parse_port, shown

__all__ = ["MAX_URL_LENGTH", "Reference", "override", "parse", "resolve"]

#: Characters of a URL, before and after escaping.
MAX_URL_LENGTH = 65536

#: scheme, userinfo, host (an IPv6 address in brackets), port, path, query, fragment: as written, unchecked.
Pieces = tuple[str, str, str, str, str, str | None, str | None]

_SPLIT = re.compile(
    r"(?:([A-Za-z][A-Za-z0-9+.\-]*)?:)?(?://([^/?#]*))?([^?#]*)(?:\?([^#]*))?(?:#(.*))?", re.DOTALL
)
# Rarely needed, so compiled when they are, by `re` itself.
_SCHEME = r"[A-Za-z][A-Za-z0-9+.\-]*"
_CONTROL = r"[\x00-\x1f\x7f]"

#: What would end a component before its end, were it part of it.
_DELIMITERS = {
    "authority": "/?#",
    "netloc": "@/?#",
    "userinfo": "@",
    "path": "?#",
    "raw_path": "#",
    "query": "#",
}


class Reference(NamedTuple):
    """The parts of a URL, normalised: all are ASCII, with everything escaped that must be."""

    scheme: str
    userinfo: str
    #: An IPv6 address stands without brackets, its zone behind a single `%`.
    host: str
    #: None where the scheme's own port is meant.
    port: int | None
    path: str
    #: None where there is no `?`, empty where nothing follows it.
    query: str | None
    fragment: str | None

    def netloc(self) -> str:
        """Return host and port as the `Host` field has them: a zone means nothing to a server (RFC 6874)."""
        host = f"[{self.host.partition('%')[0]}]" if ":" in self.host else self.host
        return host if self.port is None else f"{host}:{self.port}"

    def text(self, *, masked: bool = False) -> str:
        """Return the URL as text; `masked` writes `[secure]` for a password, or for a user name that has none.

        That is often a token, as in `https://token@host` and `https://key:@host`.
        """
        scheme, userinfo, host, port, path, query, fragment = self
        text = path
        if userinfo or host or port is not None:
            if masked and userinfo:
                name, _, password = userinfo.partition(":")
                userinfo = f"{name}:[secure]" if password else "[secure]"
            user = f"{userinfo}@" if userinfo else ""
            text = f"//{user}{_bracketed(host)}{'' if port is None else f':{port}'}{path}"
        elif path.startswith("//"):
            text = f"//{path}"  # with an empty authority, lest the path be read as one
        if scheme:
            text = f"{scheme}:{text}"
        if query is not None:
            text = f"{text}?{query}"
        if fragment is not None:
            text = f"{text}#{fragment}"
        return text


_EMPTY = Reference("", "", "", None, "", None, None)


def parse(url: str) -> Reference:
    """Split and check a URL. Raises InvalidURL."""
    return _parse_below_site(url) or _checked(url, _split(url))


def _parse_below_site(url: str) -> Reference | None:
    """Parse an absolute URL, most of which are of a few sites: of these nothing is checked twice.

    None for the others, and where anything is wrong: it is for those who can name it.
    """
    if len(url) > MAX_URL_LENGTH or not url.isprintable():
        return None
    match = _SPLIT.match(url)
    assert match is not None
    scheme, authority, path, query, fragment = match.groups()
    if not scheme or not authority or len(authority) > MAX_HOST_LENGTH or "@" in authority:
        return None
    try:
        scheme, host, number = _site(scheme, authority)
        if not host:
            return None
        path = _without_dots(percent.encode(path, percent.PATH))
        query = query and percent.encode(query, percent.QUERY)
        fragment = fragment and percent.encode(fragment, percent.FRAGMENT)
    except (InvalidURL, UnicodeEncodeError):
        return None
    return Reference(scheme, "", host, number, path, query, fragment)


@lru_cache(maxsize=256)
def _site(scheme: str, authority: str) -> tuple[str, str, int | None]:
    """Return scheme, host and port, normalised. Raises InvalidURL."""
    _, host, port = _split_authority(authority)
    site = normalised(scheme, "", host, port, "", None, None)
    return site.scheme, site.host, site.port


def override(url: str | Reference, components: dict[str, str | None]) -> Reference:
    """Return the URL with some components replaced; None removes one. Raises InvalidURL.

    The names are those of the keyword arguments of `URL`, save for `params`. Of two that overlap,
    the narrower one wins: `host` over `netloc`, `path` over `raw_path`.
    """
    if isinstance(url, str):
        return _checked(url, _replaced(_split(url), components))
    scheme, userinfo, host, port, path, query, fragment = url
    written = "" if port is None else str(port)
    return normalised(
        *_replaced((scheme, userinfo, _bracketed(host), written, path, query, fragment), components)
    )


def resolve(base: Reference, url: Reference) -> Reference:
    """Return what `url` means in a document at `base` (RFC 3986 section 5.2). Raises InvalidURL.

    A scheme that is also that of the base, without an authority, is ignored, as browsers do (section 5.2.2).
    """
    has_authority = url.host or url.userinfo or url.port is not None
    if (url.scheme and (has_authority or url.scheme != base.scheme)) or base == _EMPTY:
        return url
    written = "" if base.port is None else str(base.port)
    site = (base.scheme, base.userinfo, _bracketed(base.host), written)
    if has_authority:
        written = "" if url.port is None else str(url.port)
        site = (base.scheme, url.userinfo, _bracketed(url.host), written)
        return normalised(*site, url.path, url.query, url.fragment)
    if not url.path:
        query = base.query if url.query is None else url.query
        return normalised(*site, base.path, query, url.fragment)
    path = url.path
    if path[0] != "/":
        rootless = any(site[1:]) and not base.path
        path = f"/{path}" if rootless else base.path[: base.path.rfind("/") + 1] + path
    return normalised(*site, _resolved_path(path), url.query, url.fragment)


def normalised(
    scheme: str, userinfo: str, host: str, port: str, path: str, query: str | None, fragment: str | None
) -> Reference:
    """Check and normalise each part. Raises InvalidURL."""
    scheme = scheme.lower()
    if host:
        host = encode_host(host, scheme)
    number = parse_port(port)
    if number == DEFAULT_PORTS.get(scheme):
        number = None
    try:
        userinfo = percent.encode(userinfo, percent.USERINFO)
        path = percent.encode(path, percent.PATH)
        query = query if query is None else percent.encode(query, percent.QUERY)
        fragment = fragment if fragment is None else percent.encode(fragment, percent.FRAGMENT)
    except UnicodeEncodeError:
        raise InvalidURL("The URL holds a lone surrogate, which has no UTF-8 form.") from None
    has_authority = bool(userinfo or host or number is not None)
    if scheme or has_authority:
        path = _without_dots(path)
    _check_path(path, scheme, has_authority)
    return Reference(scheme, userinfo, host, number, path, query, fragment)


def _split(url: str) -> Pieces:
    _check_text(url, "The URL")
    match = _SPLIT.match(url)
    assert match is not None
    scheme, authority, path, query, fragment = match.groups()
    if not authority:
        return scheme or "", "", "", "", path, query, fragment
    userinfo, host, port = _split_authority(authority)
    return scheme or "", userinfo, host, port, path, query, fragment


def _checked(url: str, pieces: Pieces) -> Reference:
    """Normalise the pieces of `url`; no error shows a host that may be the half of a password."""
    try:
        return normalised(*pieces)
    except InvalidURL:
        authority = _SPLIT.match(url)
        if authority and authority[2] and "@" in url[authority.end(2) :]:
            raise InvalidURL(
                "The URL's host or port is invalid, and not shown: the '@' further on may mean that it is "
                "part of a password. Write '/', '?' and '#' in a password as %2F, %3F and %23."
            ) from None
        raise


def _split_authority(authority: str) -> tuple[str, str, str]:
    """Return user information, host and port (RFC 3986 section 3.2). Raises InvalidURL."""
    userinfo, _, site = authority.rpartition("@")
    if "@" in userinfo:
        raise InvalidURL("The URL's authority has more than one '@': write one in a password as %40.")
    if "\\" in authority:
        raise InvalidURL("The URL's authority holds a backslash, which some programs read as the end of it.")
    if site[:1] != "[":
        host, _, port = site.partition(":")
        return userinfo, host, port
    host, bracket, port = site.partition("]")
    if not bracket or port[:1] not in ("", ":"):
        raise InvalidURL("The URL's host opens with '[', but is not an IPv6 address in brackets.")
    return userinfo, host + bracket, port[1:]


def _replaced(pieces: Pieces, components: dict[str, str | None]) -> Pieces:
    """Put the components in their places, the wide ones first."""
    scheme, userinfo, host, port, path, query, fragment = pieces
    for name, value in components.items():
        _check_component(name, value)
    given = components.get
    if "authority" in components:
        userinfo, host, port = _split_authority(given("authority") or "")
    if "netloc" in components:
        _, host, port = _split_authority(given("netloc") or "")
    if "raw_path" in components:
        path, mark, rest = (given("raw_path") or "").partition("?")
        query = rest if mark else None
    if "username" in components or "password" in components:
        userinfo = _userinfo(given("username") or "", given("password") or "")
    else:
        userinfo = given("userinfo", userinfo) or ""
    return (
        given("scheme", scheme) or "",
        userinfo,
        _bracketed(given("host", host) or ""),
        given("port", port) or "",
        given("path", path) or "",
        given("query", query),
        given("fragment", fragment),
    )


def _userinfo(username: str, password: str) -> str:
    try:
        user = percent.encode(username, percent.USERNAME)
        secret = percent.encode(password, percent.USERNAME)
    except UnicodeEncodeError:
        raise InvalidURL("username or password holds a lone surrogate, which has no UTF-8 form.") from None
    return f"{user}:{secret}" if secret else user


def _check_component(name: str, value: str | None) -> None:
    if value is None:
        return
    _check_text(value, name)
    found = [character for character in _DELIMITERS.get(name, "") if character in value]
    if found:
        raise InvalidURL(f"{name} holds {found[0]!r}, which cannot be part of it.")
    if name == "scheme" and value and not re.fullmatch(_SCHEME, value):
        raise InvalidURL(f"scheme {shown(value)} is not a letter followed by letters, digits and '+-.'.")


def _check_text(text: str, name: str) -> None:
    if len(text) > MAX_URL_LENGTH:
        raise InvalidURL(f"{name} is longer than {MAX_URL_LENGTH} characters.")
    if text.isprintable():
        return
    control = re.search(_CONTROL, text)
    if control:
        raise InvalidURL(f"{name} holds the control character {control[0]!r} at position {control.start()}.")


def _check_path(path: str, scheme: str, has_authority: bool) -> None:
    """Refuse a path that, written out, would be read as something else (RFC 3986 sections 3.3 and 4.2)."""
    if has_authority:
        if path and path[0] != "/":
            raise InvalidURL("The path of a URL with a host must be empty or begin with '/'.")
    elif path.startswith("//") and (not scheme or scheme in DEFAULT_PORTS):
        # Where a host belongs, browsers would find one in the path.
        raise InvalidURL("The path of a URL without a host must not begin with '//'.")
    elif not scheme and ":" in path:
        first = path.partition(":")[0]
        if not first or re.fullmatch(_SCHEME, first):
            raise InvalidURL("A relative path must not begin with ':' nor with what reads as a scheme.")


def _without_dots(path: str) -> str:
    """Drop `.` segments, and `..` segments with what precedes them. A slash before the last one goes too."""
    if "." not in path:
        return path
    segments = path.split("/")
    if "." not in segments and ".." not in segments:
        return path
    kept: list[str] = []
    for segment in segments:
        if segment == "..":
            if kept and kept != [""]:
                kept.pop()
        elif segment != ".":
            kept.append(segment)
    return "/".join(kept)


def _resolved_path(path: str) -> str:
    """Drop dot segments as resolving does: what ended in one ends in a slash (RFC 3986 section 5.2.4)."""
    last = path.rpartition("/")[2]
    return _without_dots(f"{path}/" if last in (".", "..") else path)


def _bracketed(host: str) -> str:
    """Return the host as it stands in an authority; the zone's `%` becomes `%25` there (RFC 6874)."""
    if ":" not in host or host[0] == "[":
        return host
    return f"[{host.replace('%', '%25')}]"
