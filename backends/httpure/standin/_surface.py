"""What `httpx` and `httpx2` have at the top: httpure's names, and the version of the package that they stand for."""

from __future__ import annotations

import importlib
from types import ModuleType
from typing import Any, Final, NamedTuple

import httpure

__all__ = ["SURFACES", "Elsewhere", "Surface", "fill"]

#: Submodules that `import httpx` imports too, as that of httpx does.
_SUBMODULES: Final = (
    "__version__",
    *("_api", "_auth", "_client", "_config", "_content", "_decoders", "_exceptions", "_models"),
    *("_multipart", "_status_codes", "_transports", "_types", "_urlparse", "_urls", "_utils"),
    *(f"_transports.{name}" for name in ("base", "default", "mock", "asgi", "wsgi")),
)

_PUBLIC: Final = [
    "__description__",
    "__title__",
    "__version__",
    "ASGITransport",
    "AsyncBaseTransport",
    "AsyncByteStream",
    "AsyncClient",
    "AsyncHTTPTransport",
    "Auth",
    "BaseTransport",
    "BasicAuth",
    "ByteStream",
    "Client",
    "CloseError",
    "codes",
    "ConnectError",
    "ConnectTimeout",
    "CookieConflict",
    "Cookies",
    "create_ssl_context",
    "DecodingError",
    "delete",
    "DigestAuth",
    "FunctionAuth",
    "get",
    "head",
    "Headers",
    "HTTPError",
    "HTTPStatusError",
    "HTTPTransport",
    "InvalidURL",
    "Limits",
    "LocalProtocolError",
    "MockTransport",
    "NetRCAuth",
    "NetworkError",
    "options",
    "patch",
    "PoolTimeout",
    "post",
    "ProtocolError",
    "Proxy",
    "ProxyError",
    "put",
    "QueryParams",
    "ReadError",
    "ReadTimeout",
    "RemoteProtocolError",
    "request",
    "Request",
    "RequestError",
    "RequestNotRead",
    "Response",
    "ResponseNotRead",
    "stream",
    "StreamClosed",
    "StreamConsumed",
    "StreamError",
    "SyncByteStream",
    "Timeout",
    "TimeoutException",
    "TooManyRedirects",
    "TransportError",
    "UnsupportedProtocol",
    "URL",
    "USE_CLIENT_DEFAULT",
    "WriteError",
    "WriteTimeout",
    "WSGITransport",
]


class Surface(NamedTuple):
    """The top of one package."""

    name: str
    #: The version whose names and behaviour are here.
    version: str
    #: What the package has beyond `_PUBLIC`, of which httpure may have a part.
    further: tuple[str, ...]


SURFACES: Final = {
    "httpx": Surface("httpx", "0.28.1", ()),
    "httpx2": Surface(
        "httpx2",
        "2.0.0",
        ("EventSource", "Origin", "SSEError", "ServerSentEvent", "query", "websocket"),
    ),
}


def fill(module: ModuleType) -> None:
    """Give the module what the package of its name has."""
    for name in _SUBMODULES:  # before the rest, because one has the name of the version
        importlib.import_module(f"{module.__name__}.{name}")
    surface = SURFACES[module.__name__]
    module.__doc__ = f"httpure, in the place of {surface.name} {surface.version}."
    own: dict[str, Any] = {
        "__version__": surface.version,
        "__title__": surface.name,
        "__description__": module.__doc__,
    }
    names = [*_PUBLIC, *(name for name in surface.further if hasattr(httpure, name))]
    if surface.name == "httpx2":
        own["alias_httpx"] = alias_httpx
        names.append("alias_httpx")
    for name in names:
        if name in own or hasattr(httpure, name):
            setattr(module, name, own[name] if name in own else getattr(httpure, name))
    module.__dict__.update(
        __all__=sorted((name for name in names if hasattr(module, name)), key=str.casefold),
        __httpure__=httpure.__version__,
        __getattr__=Elsewhere(module.__name__),
    )


def alias_httpx() -> None:
    """Do nothing: `import httpx` gives the same classes as `import httpx2` already."""


class Elsewhere:
    """Called for a name that a module has not: one that httpx's would have imported from the others, or none at all."""

    def __init__(self, module: str) -> None:
        self._module = module
        self._family = module.partition(".")[0]

    def __call__(self, name: str) -> Any:
        if name == "main" and self._module == self._family:
            return importlib.import_module(f"{self._module}._main").main
        if self._module != self._family and not name.startswith("__"):
            for other in _SUBMODULES:
                found = vars(importlib.import_module(f"{self._family}.{other}"))
                if name in found:
                    return found[name]
        raise AttributeError(
            f"module {self._module!r} has no attribute {name!r}: it is httpure {httpure.__version__} "
            f"(httpure.standin), which stands for {self._family} {SURFACES[self._family].version}."
        )
