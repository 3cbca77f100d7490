"""The modules of the stand-in have what those of the installed httpx have: all that is public, and what is reached for.

What httpx's modules define is asked of an interpreter with the real httpx, what the stand-in's have of another one.
"""

from __future__ import annotations

import json
from functools import cache

import pytest

from tests.backends.fresh import fresh

pytestmark = pytest.mark.slow  # two interpreters

SUBMODULES = (
    *("__version__", "_api", "_auth", "_client", "_config", "_content", "_decoders", "_exceptions", "_main"),
    *("_models", "_multipart", "_status_codes", "_transports", "_types", "_urlparse", "_urls", "_utils"),
    *(f"_transports.{name}" for name in ("base", "default", "mock", "asgi", "wsgi")),
)

#: What is left out: it belongs to how httpx does its work, and here there is no such part.
OWN_AFFAIRS = {
    "_auth": {"_DigestAuthChallenge"},
    "_client": {"__version__", "_is_https_redirect", "_port_or_default", "_same_origin", "T", "U"},
    "_main": {
        *("download_response", "format_certificate", "format_request_headers", "format_response_headers"),
        *("get_lexer_for_response", "handle_help", "print_help", "print_request_headers", "print_response"),
        *("print_response_headers", "trace", "validate_auth", "validate_json"),
        *("_PCTRTT", "_PCTRTTT", "_PeerCertRetDictType"),
    },
    "_models": {
        *("_is_known_encoding", "_normalize_header_key", "_normalize_header_value"),
        *("_obfuscate_sensitive_headers", "_parse_content_type_charset", "_parse_header_links"),
    },
    "_multipart": {
        *("DataField", "FileField", "_format_form_param", "_guess_content_type"),
        *("_HTML5_FORM_ENCODING_RE", "_HTML5_FORM_ENCODING_REPLACEMENTS"),
    },
    "_transports.asgi": {"ASGIResponseStream", "create_event", "is_running_trio"}
    | {"_ASGIApp", "_Message", "_Receive", "_Send"},
    "_transports.base": {"A", "T"},
    "_transports.default": {"A", "T", "HTTPCORE_EXC_MAP", "_load_httpcore_exceptions"},
    "_transports.wsgi": {"WSGIByteStream", "_T", "_skip_leading_empty_chunks"},
    "_urlparse": {
        *("AUTHORITY_REGEX", "COMPONENT_REGEX", "IPv4_STYLE_HOSTNAME", "IPv6_STYLE_HOSTNAME", "URL_REGEX"),
        *("PERCENT", "PERCENT_ENCODED_REGEX", "SUB_DELIMS", "UNRESERVED_CHARACTERS"),
        *("FRAG_SAFE", "PASSWORD_SAFE", "PATH_SAFE", "QUERY_SAFE", "USERINFO_SAFE", "USERNAME_SAFE"),
        *("encode_host", "normalize_path", "normalize_port", "percent_encoded", "quote", "validate_path"),
    },
}

ASKING = """
import importlib, json, sys, types
names = {}
for name in json.loads(sys.argv[1]):
    module = importlib.import_module("httpx." + name if name else "httpx")
    found = {}
    for key, value in vars(module).items():
        home = getattr(value, "__module__", "")
        own = not isinstance(value, type | types.FunctionType) or home in ("httpx", module.__name__)
        if key.startswith("__") and key.strip("_") not in ("version", "title", "description"):
            continue
        # What was imported only to be used, and what typing lends, belongs to somebody else.
        lent = any(value is getattr(lender, key, None) for lender in (sys.modules["typing"], types))
        found[key] = own and not lent and not isinstance(value, types.ModuleType) and key != "annotations"
    names[name] = found
print(json.dumps(names))
"""


@cache
def real() -> dict[str, list[str]]:
    """What each module of httpx defines, and what it re-exports of its own package."""
    told = json.loads(fresh("import httpx\n" + ASKING, json.dumps(["", *SUBMODULES]), development=False))
    return {module: [name for name, own in names.items() if own] for module, names in told.items()}


@cache
def ours() -> dict[str, list[str]]:
    """Which of these names each module of the stand-in has: of its own, or of another module."""
    told = fresh(
        "import httpure.standin; httpure.standin.install()\n"
        "import importlib, json, sys\n"
        "print(json.dumps({\n"
        "    name: [key for key in names if hasattr(importlib.import_module('httpx.' + name), key)]\n"
        "    if name else list(vars(importlib.import_module('httpx')))\n"
        "    for name, names in json.loads(sys.argv[1]).items()\n"
        "}))",
        json.dumps(real()),
        development=False,
    )
    found: dict[str, list[str]] = json.loads(told)
    return found


def test_every_public_name_is_there() -> None:
    public = {name for name in real()[""] if not name.startswith("_")} | {"__version__", "__title__"}
    assert len(public) > 60
    assert public - set(ours()[""]) - {"main"} == set()  # `main` is imported when it is asked for


@pytest.mark.parametrize("module", SUBMODULES)
def test_what_is_reached_for_is_there(module: str) -> None:
    assert set(real()[module]) - set(ours()[module]) == OWN_AFFAIRS.get(module, set())


@pytest.mark.parametrize(
    ("module", "names"),
    [
        ("_transports.default", "AsyncByteStream Request"),  # which it only uses itself
        (
            "_types",
            "AuthTypes CookieTypes HeaderTypes QueryParamTypes RequestData RequestFiles TimeoutTypes URLTypes",
        ),
        (
            "_client",
            "USE_CLIENT_DEFAULT UseClientDefault BaseClient ClientState EventHook Client AsyncClient",
        ),
        (
            "_config",
            "DEFAULT_LIMITS DEFAULT_TIMEOUT_CONFIG DEFAULT_MAX_REDIRECTS create_ssl_context Timeout Limits",
        ),
        (
            "_content",
            "IteratorByteStream AsyncIteratorByteStream ByteStream encode_json encode_multipart_data",
        ),
        ("_transports.default", "map_httpcore_exceptions AsyncResponseStream ResponseStream HTTPTransport"),
        ("_utils", "URLPattern get_environment_proxies to_bytes to_str primitive_value_to_str"),
        ("_multipart", "MultipartStream"),
        ("_decoders", "SUPPORTED_DECODERS LineDecoder TextDecoder GZipDecoder"),
        ("_status_codes", "code codes"),
        ("_urlparse", "urlparse ParseResult"),
    ],
)
def test_what_packages_in_use_import_is_in_the_module_they_import_it_from(module: str, names: str) -> None:
    assert set(names.split()) - set(ours()[module]) == set()
