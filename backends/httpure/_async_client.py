"""The async client."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Any, Self

from httpure_core.auth import AuthTypes
from httpure_core.config.options import (
    DEFAULT_LIMITS,
    DEFAULT_MAX_REDIRECTS,
    DEFAULT_TIMEOUT_CONFIG,
    USE_CLIENT_DEFAULT,
    Limits,
    TimeoutTypes,
    UseClientDefault,
)
from httpure_core.content.types import RequestContent, RequestData, RequestFiles
from httpure_core.models.cookies import CookieTypes
from httpure_core.models.headers import HeaderTypes
from httpure_core.models.query import QueryParamTypes
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.models.url import URL
from httpure_core.operations.follow import follow

from ._base_client import BaseClient, EventHooks, State
from ._detection import async_backend, running_backend
from ._driving import AsyncDriver
from ._lazy_tls import CertTypes, VerifyTypes
from ._transports.base import AsyncBaseTransport
from ._transports.http import AsyncHTTPTransport
from .backends import AsyncBackend

__all__ = ["AsyncClient"]


class AsyncClient(BaseClient[AsyncBaseTransport]):
    """An HTTP client for asyncio and trio: connections used again, cookies that last, one configuration.

        async with httpure.AsyncClient(base_url="https://example.org") as client:
            response = await client.get("/")

    It finds out at its first request whether asyncio or trio runs; tasks can share it.

    - `auth`: (username, password), a function, or an `Auth`.
    - `params`, `headers`, `cookies`: go with every request.
    - `verify`, `cert`: whom to trust and who we are in TLS, see `create_ssl_context`.
    - `trust_env`: False to look at no environment variable.
    - `mounts`: transports for URL patterns, such as "all://example.org"; the most specific one is taken.
    - `timeout`: seconds, or a `Timeout`; 5 seconds for each phase by default; None for no limit.
    - `follow_redirects`: False by default; at most `max_redirects`, 20, of them.
    - `limits`: of the pool, see `Limits`; 100 connections, 20 of them idle, for 5 seconds, by default.
    - `event_hooks`: {"request": [function, ...], "response": [function, ...]}; coroutine functions or plain ones.
    - `base_url`: what relative URLs are put below.
    - `transport`: takes the place of the network.
    - `default_encoding`: of text whose charset the server does not say; or a function of its bytes.
    - `backend`: performs the I/O, or the name under which one is installed; see docs/writing-a-backend.md.
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
    ) -> None:
        chosen = async_backend(backend)
        if chosen is None and self._default_backend is not None:
            chosen = self._default_backend()
        if transport is None:
            transport = AsyncHTTPTransport(verify, cert, trust_env, limits, backend=chosen)
        elif chosen is None:
            chosen = getattr(transport, "backend", None)
        if not hasattr(transport, "handle_async_request"):
            raise TypeError(
                f"An AsyncClient needs an asynchronous transport, and {type(transport).__name__} is none."
            )
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
            transport=transport,
            mounts=mounts,
        )
        self._driver: AsyncDriver | None = None if chosen is None else AsyncDriver(chosen)
        self.clock = time.monotonic if chosen is None else chosen.clock

    async def __aenter__(self) -> Self:
        self._open()
        for transport in self._transports():
            await transport.__aenter__()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None = None,
        exc_value: BaseException | None = None,
        traceback: TracebackType | None = None,
    ) -> None:
        self._state = State.CLOSED
        for transport in self._transports():
            await transport.__aexit__(exc_type, exc_value, traceback)

    async def aclose(self) -> None:
        """Close the connections. The client cannot be used after that."""
        if self._state is not State.CLOSED:
            self._state = State.CLOSED
            for transport in self._transports():
                await transport.aclose()

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
    ) -> Response:
        """Send a request and return its response, read to its end.

        The arguments are joined with the client's configuration, see `build_request`. At most one body can be
        given: `content` (bytes, str, an iterable of bytes or a binary file), `data` (a form), `files` (a multipart
        form, with `data` beside it) or `json`.

        Raises RequestError: one of its subclasses says what failed, its message which request and why.
        """
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
    ) -> AsyncIterator[Response]:
        """Send a request and yield its response before its body is read. Leaving the block closes it.

        The arguments and exceptions are those of `request`.
        """
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
    ) -> Response:
        """Send a request as it is and return its response (runs once per request).

        Headers, cookies and parameters of the client are not added: `build_request` does that. With
        `stream=True` the body is not read; `aclose()` the response when done.

        Raises RequestError, and RuntimeError if the client is closed.
        """
        self._check_not_closed()
        self._state = State.OPENED
        driver = self._driver
        if driver is None:
            driver = self._driver = AsyncDriver(running_backend())
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
    ) -> Response:
        """Send a GET request. See `request`."""
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
    ) -> Response:
        """Send an OPTIONS request. See `request`."""
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
    ) -> Response:
        """Send a HEAD request. See `request`."""
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
    ) -> Response:
        """Send a POST request. See `request`."""
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
    ) -> Response:
        """Send a PUT request. See `request`."""
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
    ) -> Response:
        """Send a PATCH request. See `request`."""
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
    ) -> Response:
        """Send a DELETE request. See `request`."""
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
