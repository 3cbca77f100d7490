"""What the blocking and the async client have in common: their configuration, and making requests of it.

A client is the `Session` that the core's `follow` works for. Nothing here does I/O.
"""

from __future__ import annotations

import enum
import os
from _thread import allocate_lock  # `threading.Lock`; the import of that module takes a millisecond
from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING, Any, Generic, TypeAlias, TypeVar

from httpure_core.auth import Auth, AuthTypes, build_auth, userinfo_auth
from httpure_core.config.merge import merge_headers, merge_query, merge_url, with_trailing_slash
from httpure_core.config.options import (
    DEFAULT_LIMITS,
    USE_CLIENT_DEFAULT,
    Limits,
    Proxy,
    ProxyTypes,
    Timeout,
    TimeoutTypes,
    UseClientDefault,
)
from httpure_core.config.patterns import URLPattern
from httpure_core.config.prepared import Prepared
from httpure_core.content.encode import encode_request
from httpure_core.content.streams import AsyncByteStream, ByteStream, SyncByteStream
from httpure_core.contracts import Log, Mutex
from httpure_core.models.cookies import Cookies, CookieTypes, set_cookies
from httpure_core.models.field import keep_secret
from httpure_core.models.headers import Headers, HeaderTypes, part_removals
from httpure_core.models.query import QueryParams, QueryParamTypes
from httpure_core.models.request import Request, checked_method, complete_headers, extensions_of
from httpure_core.models.url import URL

from ._checks import check_encoding, checked_count, checked_limits
from ._defaults import default_headers, prepared_defaults
from ._logging import journal
from ._routing import Detours, goes_by_proxy

if TYPE_CHECKING:
    from httpure_core.content.types import RequestContent, RequestData, RequestFiles
    from httpure_core.retries import RetryTypes

__all__ = ["BaseClient", "EventHooks"]

#: Functions to call, under "request" and "response".
EventHooks: TypeAlias = Mapping[str, list[Callable[..., Any]]]

TransportT = TypeVar("TransportT")

_NO_BODY = ByteStream(b"")


class State(enum.Enum):
    """What a client can be used for."""

    UNOPENED = enum.auto()
    OPENED = enum.auto()
    CLOSED = enum.auto()


#: Each request asks for it, and to find it in its class takes eight times as long.
OPENED = State.OPENED


class BaseClient(Generic[TransportT]):
    """The configuration of a client."""

    clock: Callable[[], float]
    #: Gets a line for each exchange.
    request_log: Log = journal()

    def __init__(
        self,
        *,
        auth: AuthTypes | None,
        params: QueryParamTypes | None,
        headers: HeaderTypes | None,
        cookies: CookieTypes | None,
        timeout: TimeoutTypes,
        follow_redirects: bool,
        max_redirects: int,
        event_hooks: EventHooks | None,
        base_url: URL | str,
        trust_env: bool,
        default_encoding: str | Callable[[bytes], str],
        sensitive_headers: Iterable[str],
        persist_cookies: bool,
        limits: Limits,
        max_auth_rounds: int,
        retries: RetryTypes,
        allow_downgrade: bool,
        transport: TransportT,
        mounts: dict[URLPattern, TransportT | None],
        given: list[TransportT | None],
        through: Callable[[Proxy], TransportT],
    ) -> None:
        self.follow_redirects = follow_redirects
        self.max_redirects = max_redirects
        self.max_auth_rounds = max_auth_rounds
        #: How much the client takes of each server. What concerns connections and heads, its transports have already.
        self.limits = limits = checked_limits(limits)
        #: Whether redirects may lead from https to http.
        self.allow_downgrade = allow_downgrade
        if retries is not None:
            # Imported here, as most clients have none.
            from httpure_core.retries import retry_of

            retries = retry_of(retries)
        #: When requests are sent again that do not say so themselves; None for never.
        self.retries: RetryTypes = retries
        check_encoding(default_encoding)
        self.default_encoding = default_encoding
        self.sensitive_headers = sensitive_headers
        self._mutex, self._process = allocate_lock(), os.getpid()
        self._trust_env = trust_env
        self._state = State.UNOPENED
        self._transport = transport
        #: In the order in which they are asked.
        self._mounts = mounts
        every = (transport, *mounts.values())
        #: Of all these, those that were not given to the client.
        self._made = [one for one in every if one is not None and not any(one is other for other in given)]
        self._detours = Detours(through)
        self.auth = auth
        self.base_url = base_url
        self.headers = headers
        self.params = params
        # The limits that cookies bring along give way to those that somebody has chosen for this client only.
        self._cookie_limits = None if limits is DEFAULT_LIMITS else limits
        self._cookies = Cookies(cookies, limits=self._cookie_limits)
        self._cookies.persist = persist_cookies
        self.timeout = timeout
        self.event_hooks = event_hooks

    @property
    def mutex(self) -> Mutex:
        """Guards the cookies while a response changes them. Another one in a process that was forked off."""
        process = os.getpid()
        if process != self._process:
            self._mutex, self._process = allocate_lock(), process
        return self._mutex

    @property
    def is_closed(self) -> bool:
        """True once the client was closed."""
        return self._state is State.CLOSED

    @property
    def trust_env(self) -> bool:
        """True if the client looks at environment variables."""
        return self._trust_env

    @property
    def timeout(self) -> Timeout:
        """The time limits of requests that bring none of their own."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: TimeoutTypes) -> None:
        self._timeout = timeout if isinstance(timeout, Timeout) else Timeout(timeout)

    @property
    def event_hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """The functions that are called with each request, before it is sent, and with each response."""
        return self._event_hooks

    @event_hooks.setter
    def event_hooks(self, event_hooks: EventHooks | None) -> None:
        self._event_hooks: dict[str, list[Callable[..., Any]]] = {"request": [], "response": []}
        if event_hooks is None:  # as in nearly every client; the check below takes 4 µs
            return
        given = event_hooks or {}
        if not isinstance(given, Mapping) or not all(
            isinstance(hooks, list | tuple) and all(map(callable, hooks)) for hooks in given.values()
        ):
            raise TypeError(
                'event_hooks is a dict of lists: {"request": [function, ...], "response": [...]}.'
            )
        self._event_hooks = {name: list(given.get(name, ())) for name in ("request", "response")}

    @property
    def max_redirects(self) -> int:
        """How many redirects are followed for one request. Raises TypeError and ValueError when set."""
        return self._max_redirects

    @max_redirects.setter
    def max_redirects(self, max_redirects: int) -> None:
        self._max_redirects = checked_count("max_redirects", max_redirects, 0)

    @property
    def max_auth_rounds(self) -> int:
        """How many requests an auth flow may make for one of the user. Raises TypeError and ValueError when set."""
        return self._max_auth_rounds

    @max_auth_rounds.setter
    def max_auth_rounds(self, max_auth_rounds: int) -> None:
        self._max_auth_rounds = checked_count("max_auth_rounds", max_auth_rounds, 1)

    @property
    def sensitive_headers(self) -> tuple[str, ...]:
        """The names of header fields that redirects take to no other origin, and reprs and logs do not show.

        They are added to those that we know of.

        We know of Authorization, Cookie, Proxy-Authorization and of names that speak of keys, tokens, secrets,
        passwords, credentials or sessions.
        """
        return self._sensitive_headers

    @sensitive_headers.setter
    def sensitive_headers(self, sensitive_headers: Iterable[str]) -> None:
        if isinstance(sensitive_headers, (str, bytes)):
            raise TypeError(
                f"sensitive_headers is a list of names, not one: write [{sensitive_headers!r:.100}]."
            )
        if not hasattr(sensitive_headers, "__iter__"):
            raise TypeError(
                f"sensitive_headers is a list of names, not {type(sensitive_headers).__name__}: write () for none."
            )
        names = tuple(sensitive_headers)
        if names:  # as in few clients
            for name in names:
                if not isinstance(name, str):
                    raise TypeError(
                        f"sensitive_headers is a list of names, which are text, not {type(name).__name__}."
                    )
            keep_secret(names)
        self._sensitive_headers = names

    @property
    def auth(self) -> Auth | None:
        """The authentication of requests that bring none of their own."""
        return self._auth

    @auth.setter
    def auth(self, auth: AuthTypes | None) -> None:
        self._auth = build_auth(auth)

    @property
    def base_url(self) -> URL:
        """What is put before the relative URLs of requests."""
        return self._base_url

    @base_url.setter
    def base_url(self, base_url: URL | str) -> None:
        self._base_url = with_trailing_slash(base_url) if base_url else URL("")

    @property
    def headers(self) -> Headers:
        """The headers that all requests have. Setting it puts the given ones over the defaults; None takes one away."""
        return self._headers

    @headers.setter
    def headers(self, headers: HeaderTypes | None) -> None:
        self._headers = merge_headers(default_headers(), headers) if headers else default_headers().copy()
        self._prepared = prepared_defaults()

    @property
    def cookies(self) -> Cookies:
        """The cookies that responses have set, and requests are sent with."""
        return self._cookies

    @cookies.setter
    def cookies(self, cookies: CookieTypes | None) -> None:
        persist = self._cookies.persist
        self._cookies = Cookies(cookies, limits=self._cookie_limits)
        self._cookies.persist = persist

    @property
    def persist_cookies(self) -> bool:
        """Whether the cookies that responses set are kept, and sent with later requests."""
        return self._cookies.persist

    @persist_cookies.setter
    def persist_cookies(self, persist_cookies: bool) -> None:
        self._cookies.persist = persist_cookies

    @property
    def params(self) -> QueryParams:
        """The query parameters that all requests have."""
        return self._params

    @params.setter
    def params(self, params: QueryParamTypes | None) -> None:
        self._params = QueryParams(params)

    def build_request(
        self,
        method: str,
        url: URL | str,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: Any | None = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
    ) -> Request:
        """Make a request of the arguments and the client's configuration, without sending it.

        Headers, query parameters and cookies are put together, and where both name the same thing the arguments
        win; of all else they win altogether. What you get can be changed before it is given to `send`.

        >>> with httpure.Client(base_url="https://httpbin.org", headers={"X-Team": "blue"}) as client:
        ...     request = client.build_request("GET", "/get")
        ...     request.headers["X-Trace"] = "7f3a"
        ...     client.send(request)
        <Response [200 OK]>

        - `params` take the place of the URL's own query, as in httpx; QueryDroppedWarning tells what is lost by that.
          The client's, and the query of `base_url`, stay.
        - `headers`: None as a value takes the client's header of that name away, as in {"User-Agent": None};
          {"Content-Type": None} leaves that out, too.
        - `cookies` go with this request and its redirects within the same origin, and are not kept.

        Raises ValueError, TypeError and InvalidURL for arguments that no request can be made of.
        """
        if headers is not None and hasattr(headers, "__next__"):
            headers = list(headers)  # type: ignore[assignment]  # they are looked at more than once
        target = merge_url(self._base_url, url)
        if params is not None or self._params._lists:
            based = self._base_url.query and URL(url).is_relative_url
            target = merge_query(target, self._params, params, self._base_url.query if based else b"")
        method = method if type(method) is str and method in _UPPER else checked_method(method)
        described: dict[str, str] = {}
        stream: SyncByteStream | AsyncByteStream = _NO_BODY
        if content is not None or data is not None or files is not None or json is not None:
            given = merge_headers(self._headers, headers).get("content-type") if data or files else None
            described, stream = encode_request(content, data, files, json, given)
            if headers and "Content-Type" in described and "content-type" in part_removals(headers)[1]:
                del described["Content-Type"]
        own = self._headers
        prepared = self._prepared
        if prepared.fields is not own._raw:  # they were changed: each change makes another list
            prepared = self._prepared = Prepared(own._raw)
        complete = prepared.complete(method, target, headers, described, own._encoding)
        if complete is None:
            complete = complete_headers(method, target, merge_headers(own, headers), described, stream)
        limits = self._timeout if timeout is USE_CLIENT_DEFAULT else _timeout(timeout)
        request = Request.assemble(
            method,
            target,
            complete,
            stream,
            stream.content if type(stream) is ByteStream else None,
            {"timeout": limits.as_dict()}
            if extensions is None
            else {"timeout": limits.as_dict(), **extensions_of(extensions)},
        )
        if cookies:
            request._cookies = Cookies(cookies)
            set_cookies(request, self._cookies)
        elif self._cookies._store:
            self._cookies.set_cookie_header(request)
        return request

    # What the core's `follow` asks of a session.

    @property
    def store(self) -> Cookies:
        """The cookies, which responses change."""
        return self._cookies

    @property
    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """The event hooks."""
        return self._event_hooks

    def transport_for(self, url: URL) -> TransportT:
        """Return the transport that serves the URL: the most specific mount that matches, or else the client's own."""
        if self._mounts:
            for pattern, transport in self._mounts.items():
                if pattern.matches(url):
                    return self._transport if transport is None else transport
        return self._transport

    def transport_through(self, proxy: ProxyTypes | None, url: URL) -> TransportT:
        """Return the transport for a request that says by which proxy it goes; None for none.

        Raises ValueError where the URL is served by a transport that was given: that one knows its way by itself.
        """
        usual = self.transport_for(url)
        if any(usual is transport for transport in self._made):
            return self._transport if proxy is None else self._detours.by(proxy, self._check_not_closed)
        if proxy is None and not goes_by_proxy(usual):
            return usual
        raise ValueError(
            f"proxy= cannot be used for {url.scheme}://{url.host}: it is served by a {type(usual).__name__} that was "
            "given to the client, and which goes its own way. Give the proxy to that: HTTPTransport(proxy=...)"
        )

    _transport_for_url = transport_for  # as httpx calls it, for packages that reach for it

    # For the two clients.

    def _auth_for(self, request: Request, auth: AuthTypes | UseClientDefault | None) -> Auth | None:
        if isinstance(auth, UseClientDefault):
            chosen = None if request._to_stranger else self._auth
        else:
            chosen = build_auth(auth)
        if chosen is None and request.url._reference.userinfo:
            return userinfo_auth(request.url)
        return chosen

    def _open(self) -> None:
        if self._state is State.OPENED:
            raise RuntimeError("This client is open already: it cannot be entered twice.")
        self._check_not_closed()
        self._state = State.OPENED

    def _check_not_closed(self) -> None:
        if self._state is State.CLOSED:
            raise RuntimeError("This client is closed: make a new one to send more requests.")

    def _transports(self) -> list[TransportT]:
        """Return each transport once, however many patterns it is mounted under."""
        detours = self._detours.transports()
        if not self._mounts and not detours:
            return [self._transport]
        mounted = (transport for transport in self._mounts.values() if transport is not None)
        every = [self._transport, *mounted, *detours]
        return list({id(transport): transport for transport in every}.values())


_UPPER = frozenset(("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"))


def _timeout(timeout: Any) -> Timeout:
    return timeout if isinstance(timeout, Timeout) else Timeout(timeout)
