"""What stands for `httpx._types`: the types of arguments, and the byte streams."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeAlias

from httpure_core.auth import AuthTypes
from httpure_core.config.options import ProxyTypes, TimeoutTypes
from httpure_core.content.streams import AsyncByteStream, SyncByteStream
from httpure_core.content.types import (
    FileContent,
    FileTypes,
    RequestContent,
    RequestData,
    RequestFiles,
    ResponseContent,
)
from httpure_core.models.cookies import CookieTypes
from httpure_core.models.headers import HeaderTypes
from httpure_core.models.query import PrimitiveData, QueryParamTypes
from httpure_core.models.url import URLTypes

from ..._lazy_tls import CertTypes, VerifyTypes

__all__ = [
    "AsyncByteStream",
    "AuthTypes",
    "CertTypes",
    "CookieTypes",
    "FileContent",
    "FileTypes",
    "HeaderTypes",
    "PrimitiveData",
    "ProxyTypes",
    "QueryParamTypes",
    "RequestContent",
    "RequestData",
    "RequestExtensions",
    "RequestFiles",
    "ResponseContent",
    "ResponseExtensions",
    "SyncByteStream",
    "TimeoutTypes",
    "URLTypes",
    "VerifyTypes",
]

#: Words to the transport, such as "timeout".
RequestExtensions: TypeAlias = Mapping[str, Any]
#: What the transport has to say, such as "http_version".
ResponseExtensions: TypeAlias = Mapping[str, Any]
