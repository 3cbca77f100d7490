"""The types of what clients take, for functions that hand it on.

    >>> from typing import Unpack
    >>> from httpure.types import RequestOptions
    >>> def search(client: httpure.Client, words: str, **options: Unpack[RequestOptions]) -> httpure.Response:
    ...     return client.get("https://httpbin.org/get?q=" + words, **options)
    >>> with httpure.Client() as client:
    ...     search(client, "pen", timeout=2.0)
    <Response [200 OK]>

`timeout`, `auth`, `follow_redirects` and `proxy` of a request are `USE_CLIENT_DEFAULT` where they are not given: an
instance of `UseClientDefault`.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypedDict

from httpure_core.auth import AuthTypes
from httpure_core.config.options import ProxyTypes, TimeoutTypes, UseClientDefault
from httpure_core.config.resolving import AddressPolicy, ResolverTypes
from httpure_core.content.types import (
    FileContent,
    FileTypes,
    RequestContent,
    RequestData,
    RequestFiles,
    ResponseContent,
)
from httpure_core.models.cookies import CookieTypes
from httpure_core.models.headers import FieldTypes, HeaderTypes
from httpure_core.models.query import PrimitiveData, QueryParamTypes
from httpure_core.models.url import URLTypes

from ._base_client import EventHooks
from ._lazy_tls import CertTypes, VerifyTypes

__all__ = [
    "AddressPolicy",
    "AuthTypes",
    "BodyOptions",
    "CertTypes",
    "CookieTypes",
    "EventHooks",
    "FieldTypes",
    "FileContent",
    "FileTypes",
    "HeaderTypes",
    "PrimitiveData",
    "ProxyTypes",
    "QueryParamTypes",
    "RequestContent",
    "RequestData",
    "RequestFiles",
    "RequestOptions",
    "ResolverTypes",
    "ResponseContent",
    "TimeoutTypes",
    "URLTypes",
    "UseClientDefault",
    "VerifyTypes",
]


class RequestOptions(TypedDict, total=False):
    """What every method of a client takes by name: `get`, `options`, `head` and `delete` nothing else."""

    params: QueryParamTypes | None
    headers: HeaderTypes | None
    cookies: CookieTypes | None
    auth: AuthTypes | UseClientDefault | None
    follow_redirects: bool | UseClientDefault
    timeout: TimeoutTypes | UseClientDefault
    extensions: Mapping[str, Any] | None
    proxy: ProxyTypes | UseClientDefault | None


class BodyOptions(RequestOptions, total=False):
    """What the methods with a body take by name: `request`, `stream`, `post`, `put` and `patch`."""

    content: RequestContent | None
    data: RequestData | None
    files: RequestFiles | None
    json: Any | None
