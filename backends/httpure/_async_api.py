"""The functions that need no client, asynchronous, for whichever client class a package has."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from httpure_core.auth import AuthTypes
from httpure_core.config.options import DEFAULT_TIMEOUT_CONFIG, ProxyTypes, TimeoutTypes
from httpure_core.content.types import RequestContent, RequestData, RequestFiles
from httpure_core.models.cookies import CookieTypes
from httpure_core.models.headers import HeaderTypes
from httpure_core.models.query import QueryParamTypes
from httpure_core.models.response import Response
from httpure_core.models.url import URL

from ._async_client import AsyncClient
from ._lazy_tls import VerifyTypes

__all__ = ["AsyncAPI"]


class AsyncAPI:
    """`get`, `post`, `stream`, …: one request each, on a connection of its own.

    They are the functions of `httpure.asyncio` and `httpure.trio`, with the client of the one or the other.
    """

    def __init__(self, client: type[AsyncClient]) -> None:
        self._client = client

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
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> Response:
        """Send one request on a connection of its own and return its response, read to its end.

        Who sends more than one is better served by a `Client`, which uses its connections again. `verify`, `proxy` and
        `trust_env` are those of the client, the other arguments, and what is raised, those of `Client.request`.
        """
        async with self._client(verify=verify, trust_env=trust_env, proxy=proxy, timeout=timeout) as client:
            return await client.request(
                method,
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
            )

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
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> AsyncIterator[Response]:
        """Send one request and yield its response before its body is read. Leaving the block closes it.

        See `request`.
        """
        async with self._client(verify=verify, trust_env=trust_env, proxy=proxy, timeout=timeout) as client:
            async with client.stream(
                method,
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
            ) as response:
                yield response

    async def get(
        self,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> Response:
        """Send one GET request on a connection of its own. See `request`.

        >>> from httpure import asyncio as http
        >>> response = asyncio.run(http.get("https://httpbin.org/get", params={"page": 2}))
        >>> response.status_code, response.json()["args"]
        (200, {'page': '2'})
        """
        return await self.request(
            "GET",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            proxy=proxy,
            follow_redirects=follow_redirects,
            timeout=timeout,
            verify=verify,
            trust_env=trust_env,
        )

    async def options(
        self,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> Response:
        """Send one OPTIONS request on a connection of its own. See `request`."""
        return await self.request(
            "OPTIONS",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            proxy=proxy,
            follow_redirects=follow_redirects,
            timeout=timeout,
            verify=verify,
            trust_env=trust_env,
        )

    async def head(
        self,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> Response:
        """Send one HEAD request on a connection of its own. See `request`."""
        return await self.request(
            "HEAD",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            proxy=proxy,
            follow_redirects=follow_redirects,
            timeout=timeout,
            verify=verify,
            trust_env=trust_env,
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
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> Response:
        """Send one POST request on a connection of its own. See `request`."""
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
            proxy=proxy,
            follow_redirects=follow_redirects,
            timeout=timeout,
            verify=verify,
            trust_env=trust_env,
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
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> Response:
        """Send one PUT request on a connection of its own. See `request`."""
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
            proxy=proxy,
            follow_redirects=follow_redirects,
            timeout=timeout,
            verify=verify,
            trust_env=trust_env,
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
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> Response:
        """Send one PATCH request on a connection of its own. See `request`."""
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
            proxy=proxy,
            follow_redirects=follow_redirects,
            timeout=timeout,
            verify=verify,
            trust_env=trust_env,
        )

    async def delete(
        self,
        url: URL | str,
        *,
        params: QueryParamTypes | None = None,
        headers: HeaderTypes | None = None,
        cookies: CookieTypes | None = None,
        auth: AuthTypes | None = None,
        proxy: ProxyTypes | None = None,
        follow_redirects: bool = False,
        timeout: TimeoutTypes = DEFAULT_TIMEOUT_CONFIG,
        verify: VerifyTypes = True,
        trust_env: bool = True,
    ) -> Response:
        """Send one DELETE request on a connection of its own. See `request`."""
        return await self.request(
            "DELETE",
            url,
            params=params,
            headers=headers,
            cookies=cookies,
            auth=auth,
            proxy=proxy,
            follow_redirects=follow_redirects,
            timeout=timeout,
            verify=verify,
            trust_env=trust_env,
        )
