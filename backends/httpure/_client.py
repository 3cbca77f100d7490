"""The blocking client."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from functools import partial
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from httpure_core.config.options import (
    DEFAULT_LIMITS,
    DEFAULT_MAX_AUTH_ROUNDS,
    DEFAULT_MAX_REDIRECTS,
    DEFAULT_TIMEOUT_CONFIG,
    USE_CLIENT_DEFAULT,
    Limits,
    Proxy,
    ProxyTypes,
    TimeoutTypes,
    UseClientDefault,
)
from httpure_core.content.streams import SyncByteStream
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL
from httpure_core.operations.follow import follow

from ._base_client import OPENED, BaseClient, EventHooks, State
from ._detection import blocking_driver
from ._lazy_tls import CertTypes, LazyTLS, VerifyTypes
from ._leaving import leave_all
from ._routing import FailingTransport, check_addressing, check_transports, going_by, mounts_of
from ._transports.base import BaseTransport
from ._transports.http import HTTPTransport, checked_grace
from .backends import BlockingBackend

if TYPE_CHECKING:
    from httpure_core.auth import AuthTypes
    from httpure_core.config.resolving import AddressPolicy, ResolverTypes
    from httpure_core.content.types import RequestContent, RequestData, RequestFiles
    from httpure_core.models.cookies import CookieTypes
    from httpure_core.models.headers import HeaderTypes
    from httpure_core.models.query import QueryParamTypes
    from httpure_core.retries import RetryTypes

__all__ = ["Client"]


class Client(BaseClient[BaseTransport]):
    """An HTTP client: connections used again, cookies that last, one configuration.

    >>> with httpure.Client(base_url="https://httpbin.org", headers={"X-Team": "blue"}) as client:
    ...     client.get("/get", params={"page": 2}).json()["args"]
    {'page': '2'}

    Threads can share it.

    - `auth`: (username, password), a function, or an `Auth`.
    - `params`, `headers`, `cookies`: go with every request.
    - `verify`, `cert`: whom to trust and who we are in TLS, see `create_ssl_context`.
    - `trust_env`: False to look at no environment variable.
    - `http1`, `http2`: the versions of HTTP to speak; HTTP/1.1 by default. At least one.
    - `proxy`: a `Proxy` or its URL (http, https, socks5 or socks5h), by which all requests go. Without it, and
      without `transport`, the environment says: HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY.
    - `mounts`: transports for URL patterns, such as "all://example.org"; the most specific one is taken.
    - `timeout`: seconds, or a `Timeout`; 5 seconds for each phase by default; None for no limit.
    - `follow_redirects`: False by default; at most `max_redirects`, 20, of them.
    - `limits`: of the pool, of responses and of cookies, see `Limits`; 100 connections, 20 of them idle, for 5
      seconds, by default. For the body of one response, `extensions={"limits": Limits(max_body=...)}` says it.
    - `event_hooks`: {"request": [function, ...], "response": [function, ...]}.
    - `base_url`: what relative URLs are put below.
    - `transport`: takes the place of the network.
    - `default_encoding`: of text whose charset the server does not say; or a function of its bytes.
    - `backend`: performs the I/O, or the name under which one is installed; see docs/writing-a-backend.md.
    - `sensitive_headers`: names of further header fields, such as "X-Tenant", that redirects take to no other origin.
    - `persist_cookies`: False to keep none of the cookies that responses set; those given here are sent all the same.
    - `resolver`, `address_policy`: where names lead, and which addresses may be connected to; see `HTTPTransport`.
    - `max_auth_rounds`: how many requests an `Auth` may make for one of yours, 20; more raise LimitExceeded.
    - `retries`: a `Retry` that says which requests are sent again and when; or a number, how often at most; None, the
      default, for never. Of a single request, `extensions={"retries": ...}` says the same.
    - `allow_downgrade`: True to follow redirects from https to http, too, without credentials; they raise
      RemoteProtocolError otherwise.

    What concerns requests, and not connections, can be changed later: `client.headers["X-Team"] = "red"`,
    `client.timeout = 10.0`. Raises ValueError, TypeError and InvalidURL for a configuration that cannot work.
    """

    def __init__(
        self,
        *,
        auth: AuthTypes | None = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        verify: VerifyTypes = True,
        cert: CertTypes | None = None,
        trust_env: bool = True,
        http1: bool = True,
        http2: bool = False,
        proxy: ProxyTypes | None = None,
        mounts: Mapping[str, BaseTransport | None] | None = None,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        follow_redirects: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        event_hooks: EventHooks | None = None,
        base_url: URL | str = "",
        transport: BaseTransport | None = None,
        default_encoding: str | Callable[[bytes], str] = "utf-8",
        backend: BlockingBackend | str | None = None,
        sensitive_headers: Iterable[str] = (),
        persist_cookies: bool = True,
        resolver: ResolverTypes | None = None,
        address_policy: AddressPolicy | None = None,
        max_auth_rounds: int = DEFAULT_MAX_AUTH_ROUNDS,
        retries: RetryTypes = None,
        allow_downgrade: bool = False,
    ) -> None:
        tls: Any = LazyTLS(verify, cert, trust_env)  # for all transports that are made here
        settings = (tls, None, trust_env, http1, http2, limits)
        addresses: dict[str, Any] = {"resolver": resolver, "address_policy": address_policy}
        check_addressing(transport, addresses)
        environment = trust_env and transport is None
        given: list[Any] = [transport]
        if transport is None:
            transport = HTTPTransport(*settings, backend=backend, **addresses)
            backend = None  # the transport has it
        check_transports(transport, mounts, "handle_request")
        if isinstance(transport, HTTPTransport) and backend is None:
            driver = transport.driver
        else:
            driver = blocking_driver(backend)

        def through(proxy: Proxy) -> HTTPTransport:
            return HTTPTransport(*settings, proxy, backend=driver.backend, **addresses)

        super().__init__(
            auth=auth,
            params=params,
            headers=headers,
            cookies=cookies,
            timeout=timeout,
            follow_redirects=follow_redirects,
            max_redirects=max_redirects,
            event_hooks=event_hooks,
            base_url=base_url,
            trust_env=trust_env,
            default_encoding=default_encoding,
            sensitive_headers=sensitive_headers,
            persist_cookies=persist_cookies,
            limits=limits,
            max_auth_rounds=max_auth_rounds,
            retries=retries,
            allow_downgrade=allow_downgrade,
            transport=transport,
            mounts=mounts_of(mounts, proxy, environment, through, FailingTransport),
            given=[*given, *(mounts or {}).values()],
            through=through,
        )
        self._driver = driver
        self.clock = driver.backend.clock

    def __enter__(self) -> Self:
        self._open()
        entered = 0
        try:
            for transport in self._transports():
                transport.__enter__()
                entered += 1
        except BaseException as exc:
            self._turn_back(entered, exc)
            raise
        return self

    def _turn_back(self, entered: int, exc: BaseException) -> None:
        """One transport could not be entered: leave those that were, the last one first, and close the others."""
        self._state = State.CLOSED
        reason = (type(exc), exc, exc.__traceback__)
        transports = self._transports()
        leaving = [partial(transport.__exit__, *reason) for transport in reversed(transports[:entered])]
        with suppress(Exception):
            leave_all([*leaving, *(transport.close for transport in transports[entered:])])

    def __exit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._state = State.CLOSED
        reason = (exc_type, exc_value, traceback)
        leave_all([partial(transport.__exit__, *reason) for transport in self._transports()])

    def close(self, *, grace: float | None = None) -> None:
        """Close the connections, and the transports that were given. The client cannot be used after that.

        A request is refused with RuntimeError then. With `grace`, the requests under way have so many seconds to end,
        streamed responses included; nothing is waited for otherwise. Called again without `grace`, this ends the
        waiting of a call that is still at it. Raises what `close()` of a given transport raises, when all are closed,
        and ValueError for a negative number.
        """
        seconds = checked_grace(grace)
        if self._state is not State.CLOSED:
            self._state = State.CLOSED
            transports = self._transports()
            drain = [partial(self._drain, transports, seconds)] if seconds else []
            leave_all([*drain, *(transport.close for transport in transports)])
        elif not seconds:
            for transport in self._transports():
                if isinstance(transport, HTTPTransport):
                    transport.cut_short()

    def _drain(self, transports: list[Any], seconds: float) -> None:
        ends = self.clock() + seconds
        for transport in transports:
            if isinstance(transport, HTTPTransport):
                # What a request under way leads to, such as a redirect, is carried.
                transport.wind_down(max(0.0, ends - self.clock()), refuse=False)

    def request(
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
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a request and return its response, read to its end.

        The arguments are joined with the client's configuration, see `build_request`. At most one body can be
        given: `content` (bytes, str, an iterable of bytes or a binary file, from where it stands), `data` (a form: a
        mapping, or pairs), `files` (a multipart form, with `data` before it; see also `Part`) or `json`.
        `json=None` is no body; JSON's null is `content=b"null"` with a Content-Type.

        `auth`, `follow_redirects` and `timeout` are the client's unless they are given here; None is no auth, and no
        time limit. `extensions` are words to the transport: "trace" (a function that is told what happens),
        "informational" (one that is told of 1xx responses), "expect_timeout" (seconds to wait for 100 Continue, 1 by
        default), "retries" (a `Retry`, a number or None, in the place of the client's), "limits" (a `Limits`, of the
        response's body only), "sni_hostname", "target". `proxy`, a `Proxy` or its URL, is for this request and its
        redirects, or None for none, whatever the environment says; the client keeps connections for each. Where a
        `transport` was given to the client, that goes its own way, and `proxy` raises ValueError.

        >>> with httpure.Client() as client:
        ...     client.request("POST", "https://httpbin.org/post", data={"name": "pen"}).json()["form"]
        {'name': 'pen'}

        Raises RequestError: one of its subclasses says what failed, its message which request and why.
        """
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        request = self.build_request(
            method,
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            timeout=timeout,
            extensions=extensions,
        )
        return self.send(request, auth=auth, follow_redirects=follow_redirects)

    @contextmanager
    def stream(
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
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Iterator[Response]:
        """Send a request and yield its response before its body is read. Leaving the block closes it.

        >>> with httpure.Client() as client, client.stream("GET", "https://httpbin.org/bytes/3000") as response:
        ...     [len(chunk) for chunk in response.iter_bytes(chunk_size=1024)]
        [1024, 1024, 952]

        The arguments and exceptions are those of `request`.
        """
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        request = self.build_request(
            method,
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            timeout=timeout,
            extensions=extensions,
        )
        response = self.send(request, auth=auth, follow_redirects=follow_redirects, stream=True)
        try:
            yield response
        finally:
            response.close()

    def send(
        self,
        request: Request,
        *,
        stream: bool = False,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a request as it is and return its response (runs once per request).

        Headers, cookies and parameters of the client are not added: `build_request` does that, which has an example.
        The client's `timeout` holds where `request.extensions` have none; `proxy` is as in `request`. With
        `stream=True` the body is not read; `close()` the response when done.

        Raises RequestError, and RuntimeError if the client is closed.
        """
        if self._state is not OPENED:
            self._check_not_closed()
            self._state = OPENED
        if not isinstance(request, Request):
            raise TypeError(
                f"send() takes a Request, as build_request() makes it, not {type(request).__name__}."
            )
        if proxy is not USE_CLIENT_DEFAULT:
            request.extensions = dict(going_by(proxy, request.extensions) or {})
        if "timeout" not in request.extensions:
            request.extensions = {**request.extensions, "timeout": self._timeout.as_dict()}
        if not isinstance(request.stream, SyncByteStream):
            raise RuntimeError(
                "The body of this request can only be read asynchronously: send it with an AsyncClient."
            )
        following = (
            self.follow_redirects if isinstance(follow_redirects, UseClientDefault) else follow_redirects
        )
        operation = follow(self, request, self._auth_for(request, auth), following, not stream)
        return self._driver.run(operation)

    def get(
        self,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a GET request. See `request`."""
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        return self.request(
            "GET",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    def options(
        self,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send an OPTIONS request. See `request`."""
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        return self.request(
            "OPTIONS",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    def head(
        self,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a HEAD request. See `request`."""
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        return self.request(
            "HEAD",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    def post(
        self,
        url: URL | str,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: Any | None = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a POST request. See `request`."""
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        return self.request(
            "POST",
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    def put(
        self,
        url: URL | str,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: Any | None = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a PUT request. See `request`."""
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        return self.request(
            "PUT",
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    def patch(
        self,
        url: URL | str,
        *,
        content: RequestContent | None = None,
        data: RequestData | None = None,
        files: RequestFiles | None = None,
        json: Any | None = None,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a PATCH request. See `request`."""
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        return self.request(
            "PATCH",
            url,
            content=content,
            data=data,
            files=files,
            json=json,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )

    def delete(
        self,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        timeout: TimeoutTypes | UseClientDefault = USE_CLIENT_DEFAULT,
        extensions: Mapping[str, Any] | None = None,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a DELETE request. See `request`."""
        if proxy is not USE_CLIENT_DEFAULT:
            extensions = going_by(proxy, extensions)
        return self.request(
            "DELETE",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            follow_redirects=follow_redirects,
            timeout=timeout,
            extensions=extensions,
        )
