"""The async client."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
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
from httpure_core.content.streams import ByteStream
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL
from httpure_core.operations.follow import follow

from ._base_client import OPENED, BaseClient, EventHooks, State
from ._detection import async_backend, running_backend
from ._driving import AsyncDriver
from ._lazy_tls import CertTypes, LazyTLS, VerifyTypes
from ._leaving import leave_all_async
from ._routing import FailingTransport, check_addressing, check_transports, going_by, mounts_of
from ._transports.base import AsyncBaseTransport
from ._transports.http import AsyncHTTPTransport, checked_grace
from .backends import AsyncBackend

if TYPE_CHECKING:
    from httpure_core.auth import AuthTypes
    from httpure_core.config.resolving import AddressPolicy, ResolverTypes
    from httpure_core.content.types import RequestContent, RequestData, RequestFiles
    from httpure_core.models.cookies import CookieTypes
    from httpure_core.models.headers import HeaderTypes
    from httpure_core.models.query import QueryParamTypes
    from httpure_core.retries import RetryTypes

__all__ = ["AsyncClient"]


class AsyncClient(BaseClient[AsyncBaseTransport]):
    """An HTTP client for asyncio and trio: connections used again, cookies that last, one configuration.

    >>> async def main():
    ...     async with httpure.AsyncClient(base_url="https://httpbin.org", headers={"X-Team": "blue"}) as client:
    ...         return (await client.get("/get", params={"page": 2})).json()["args"]
    >>> asyncio.run(main())
    {'page': '2'}

    It finds out at its first request whether asyncio or trio runs; tasks can share it.

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
    - `event_hooks`: {"request": [function, ...], "response": [function, ...]}; coroutine functions or plain ones.
    - `base_url`: what relative URLs are put below.
    - `transport`: takes the place of the network.
    - `default_encoding`: of text whose charset the server does not say; or a function of its bytes.
    - `backend`: performs the I/O, or the name under which one is installed; see docs/writing-a-backend.md.
    - `sensitive_headers`: names of further header fields, such as "X-Tenant", that redirects take to no other origin.
    - `persist_cookies`: False to keep none of the cookies that responses set; those given here are sent all the same.
    - `resolver`, `address_policy`: where names lead, and which addresses may be connected to; see `AsyncHTTPTransport`.
    - `max_auth_rounds`: how many requests an `Auth` may make for one of yours, 20; more raise LimitExceeded.
    - `retries`: a `Retry` that says which requests are sent again and when; or a number, how often at most; None, the
      default, for never. Of a single request, `extensions={"retries": ...}` says the same.
    - `allow_downgrade`: True to follow redirects from https to http, too, without credentials; they raise
      RemoteProtocolError otherwise.

    What concerns requests, and not connections, can be changed later: `client.headers["X-Team"] = "red"`,
    `client.timeout = 10.0`. Raises ValueError, TypeError and InvalidURL for a configuration that cannot work.
    """

    #: What packages that are of one backend put here.
    _default_backend: Callable[[], AsyncBackend] | None = None

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
        mounts: Mapping[str, AsyncBaseTransport | None] | None = None,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        follow_redirects: bool = False,
        limits: Limits = DEFAULT_LIMITS,
        max_redirects: int = DEFAULT_MAX_REDIRECTS,
        event_hooks: EventHooks | None = None,
        base_url: URL | str = "",
        transport: AsyncBaseTransport | None = None,
        default_encoding: str | Callable[[bytes], str] = "utf-8",
        backend: AsyncBackend | str | None = None,
        sensitive_headers: Iterable[str] = (),
        persist_cookies: bool = True,
        resolver: ResolverTypes | None = None,
        address_policy: AddressPolicy | None = None,
        max_auth_rounds: int = DEFAULT_MAX_AUTH_ROUNDS,
        retries: RetryTypes = None,
        allow_downgrade: bool = False,
    ) -> None:
        chosen = async_backend(backend)
        if chosen is None and self._default_backend is not None:
            chosen = self._default_backend()
        tls: Any = LazyTLS(verify, cert, trust_env)  # for all transports that are made here
        settings = (tls, None, trust_env, http1, http2, limits)
        addresses: dict[str, Any] = {"resolver": resolver, "address_policy": address_policy}
        check_addressing(transport, addresses)
        environment = trust_env and transport is None
        given: list[Any] = [transport]
        if transport is None:
            transport = AsyncHTTPTransport(*settings, backend=chosen, **addresses)
        elif chosen is None:
            chosen = getattr(transport, "backend", None)
        check_transports(transport, mounts, "handle_async_request")

        def through(proxy: Proxy) -> AsyncHTTPTransport:
            return AsyncHTTPTransport(*settings, proxy, backend=chosen, **addresses)

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
        self._driver: AsyncDriver | None = None if chosen is None else AsyncDriver(chosen)
        self.clock = time.monotonic if chosen is None else chosen.clock

    async def __aenter__(self) -> Self:
        self._open()
        entered = 0
        try:
            for transport in self._transports():
                await transport.__aenter__()
                entered += 1
        except GeneratorExit:
            self._state = State.CLOSED
            raise  # nobody goes on with this, so nothing can be awaited
        except BaseException as exc:
            await self._turn_back(entered, exc)
            raise
        return self

    async def _turn_back(self, entered: int, exc: BaseException) -> None:
        """One transport could not be entered: leave those that were, the last one first, and close the others."""
        self._state = State.CLOSED
        reason = (type(exc), exc, exc.__traceback__)
        transports = self._transports()
        leaving = [partial(transport.__aexit__, *reason) for transport in reversed(transports[:entered])]
        with suppress(Exception):
            await leave_all_async([*leaving, *(transport.aclose for transport in transports[entered:])])

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._state = State.CLOSED
        reason = (exc_type, exc_value, traceback)
        await leave_all_async([partial(transport.__aexit__, *reason) for transport in self._transports()])

    async def aclose(self, *, grace: float | None = None) -> None:
        """Close the connections, and the transports that were given. The client cannot be used after that.

        A request is refused with RuntimeError then. With `grace`, the requests under way have so many seconds to end,
        streamed responses included; nothing is waited for otherwise. Called again without `grace`, this ends the
        waiting of a call that is still at it. Raises what `aclose()` of a given transport raises, when all are closed,
        and ValueError for a negative number.
        """
        seconds = checked_grace(grace)
        if self._state is not State.CLOSED:
            self._state = State.CLOSED
            transports = self._transports()
            drain = [partial(self._drain, transports, seconds)] if seconds else []
            await leave_all_async([*drain, *(transport.aclose for transport in transports)])
        elif not seconds:
            for transport in self._transports():
                if isinstance(transport, AsyncHTTPTransport):
                    transport.cut_short()

    async def _drain(self, transports: list[Any], seconds: float) -> None:
        ends = self.clock() + seconds
        for transport in transports:
            if isinstance(transport, AsyncHTTPTransport):
                # What a request under way leads to, such as a redirect, is carried.
                await transport.wind_down(max(0.0, ends - self.clock()), refuse=False)

    async def request(
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
        mapping, or pairs), `files` (a multipart form, with `data` before it; see also `Part`) or `json`. Files
        are read in worker threads; async iterables, and files whose `read` is awaited, are taken too.
        `json=None` is no body; JSON's null is `content=b"null"` with a Content-Type.

        `auth`, `follow_redirects` and `timeout` are the client's unless they are given here; None is no auth, and no
        time limit. `extensions` are words to the transport: "trace" (a function that is told what happens),
        "informational" (one that is told of 1xx responses), "expect_timeout" (seconds to wait for 100 Continue, 1 by
        default), "retries" (a `Retry`, a number or None, in the place of the client's), "limits" (a `Limits`, of the
        response's body only), "sni_hostname", "target". `proxy`, a `Proxy` or its URL, is for this request and its
        redirects, or None for none, whatever the environment says; the client keeps connections for each. Where a
        `transport` was given to the client, that goes its own way, and `proxy` raises ValueError.

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
        return await self.send(request, auth=auth, follow_redirects=follow_redirects)

    @asynccontextmanager
    async def stream(
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
    ) -> AsyncIterator[Response]:
        """Send a request and yield its response before its body is read. Leaving the block closes it.

        >>> async def main(url):
        ...     async with httpure.AsyncClient() as client, client.stream("GET", url) as response:
        ...         return [len(chunk) async for chunk in response.aiter_bytes(chunk_size=1024)]
        >>> asyncio.run(main("https://httpbin.org/bytes/3000"))
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
        response = await self.send(request, auth=auth, follow_redirects=follow_redirects, stream=True)
        try:
            yield response
        finally:
            await response.aclose()

    async def send(
        self,
        request: Request,
        *,
        stream: bool = False,
        auth: AuthTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
        follow_redirects: bool | UseClientDefault = USE_CLIENT_DEFAULT,
        proxy: ProxyTypes | UseClientDefault | None = USE_CLIENT_DEFAULT,
    ) -> Response:
        """Send a request as it is and return its response (runs once per request).

        Headers, cookies and parameters of the client are not added: `build_request` does that. The client's
        `timeout` holds where `request.extensions` have none; `proxy` is as in `request`. With `stream=True` the body
        is not read; `aclose()` the response when done.

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
        driver = self._driver
        if driver is None:
            driver = self._driver = AsyncDriver(running_backend())
        if type(request.stream) is not ByteStream:
            request.stream = driver.awaitable(request.stream)
        following = (
            self.follow_redirects if isinstance(follow_redirects, UseClientDefault) else follow_redirects
        )
        operation = follow(self, request, self._auth_for(request, auth), following, not stream)
        return await driver.run(operation)

    async def get(
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
        return await self.request(
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

    async def options(
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
        return await self.request(
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

    async def head(
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
        return await self.request(
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

    async def post(
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
        return await self.request(
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

    async def put(
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
        return await self.request(
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

    async def patch(
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
        return await self.request(
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

    async def delete(
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
        return await self.request(
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
