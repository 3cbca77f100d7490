"""What is no such argument is told in words, by a TypeError or a ValueError, and a secret in it is not shown.

See also `tests/backends/test_arguments.py`, which tries everything everywhere.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from httpure_core.auth import BasicAuth, FunctionAuth
from httpure_core.config.patterns import URLPattern
from httpure_core.content.utf8 import UnknownEncoding, text_of, utf8
from httpure_core.layers import BrokenTLS
from httpure_core.models.cookies import Cookies
from httpure_core.models.headers import Headers
from httpure_core.models.query import QueryParams
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from httpure_core.operations.dial import Dialler

URL = "http://example.org/"
ANY: Any = 5


def part(*file: Any) -> Request:
    return Request("POST", URL, files={"f": file})


def decoded(encoding: Any, **arguments: Any) -> str:
    response = Response(200, content=b"\xff", **arguments)
    response.encoding = encoding
    return response.text


WRONG: list[tuple[Callable[[], object], type[Exception], str]] = [
    (lambda: URLPattern(ANY), TypeError, "A proxy or mount pattern is a text, not int"),
    (lambda: QueryParams(b"\xff"), ValueError, "given as bytes hold others than ASCII"),
    (
        lambda: QueryParams({"a": b"\xff"}),
        ValueError,
        "The name or value of a query parameter is bytes that are no",
    ),
    (
        lambda: str(QueryParams({"a": "\ud800"})),
        ValueError,
        "A name or value of the query holds half of a character",
    ),
    (
        lambda: Cookies({"a": "b"}).get("a", domain=ANY),
        TypeError,
        "The domain of a cookie is a text, not int",
    ),
    (lambda: BasicAuth("ada", "\ud800"), ValueError, "A user name or password holds half of a character"),
    (lambda: Headers({"a": "b"}).get(ANY), TypeError, "The name of a header field is a text, not int"),
    (lambda: Headers({"a": "b"}).get_list(ANY), TypeError, "The name of a header field is a text, not int"),
    (
        lambda: setattr(Headers(), "encoding", ANY),
        TypeError,
        "The encoding of headers is the name of one, not int",
    ),
    (
        lambda: list(Response(200, content=b"x").iter_bytes(ANY / 2)),
        TypeError,
        "chunk_size is a whole number or None",
    ),
    (lambda: Response(200, text=ANY), TypeError, "text= is a text, not int: give bytes with content="),
    (lambda: Response(200, html="\ud800"), ValueError, "html= holds half of a character"),
    (lambda: Response(200, history=ANY), TypeError, "history is a list of responses, not int"),
    (
        lambda: Response(200, extensions=ANY),
        TypeError,
        "extensions= is a dict with names as its keys, not int",
    ),
    (
        lambda: Request("POST", URL, files=ANY),
        TypeError,
        "files= is a mapping or a list of .* pairs, not int",
    ),
    (lambda: part(ANY, b"x"), TypeError, "The name of the file 'f' is a text, not int"),
    (lambda: part("name", b"x", ANY), TypeError, "The content type of the file 'f' is a text, not int"),
    (
        lambda: part("name", b"x", "text/plain", ANY),
        TypeError,
        "The headers of the file 'f' are a mapping, not int",
    ),
    (
        lambda: decoded("x-none"),
        ValueError,
        "Text cannot be in 'x-none', which is no charset that is read here",
    ),
    (lambda: decoded(ANY), TypeError, "An encoding is the name of a charset, not int"),
    (
        lambda: decoded(None, default_encoding=ANY),
        TypeError,
        "default_encoding is the name of a charset, or a func",
    ),
    (
        lambda: Request("GET", URL, extensions={"sni_hostname": ANY}),
        TypeError,
        "'sni_hostname' is a host name",
    ),
    (
        lambda: Request("GET", URL, extensions={"sni_hostname": "a\0"}),
        ValueError,
        "'sni_hostname' holds what no",
    ),
    (
        lambda: Request("GET", URL, extensions={"trace": ANY}),
        TypeError,
        "The extension 'trace' is a function",
    ),
    (
        lambda: Dialler(ANY, http2_ping_interval="x"),
        TypeError,
        "http2_ping_interval is seconds or None, not str",
    ),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("call", "kind", "words"), WRONG, ids=[words for _, _, words in WRONG])
def test_what_is_wrong_is_told(call: Callable[[], object], kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call()


def test_of_an_auth_function() -> None:
    flow = FunctionAuth(lambda request: None).auth_flow(Request("GET", URL))  # type: ignore[arg-type, return-value]
    with pytest.raises(
        TypeError, match="The function of auth= returns the request that is to be sent, not NoneType"
    ):
        next(flow)


def test_names_that_are_none_are_in_no_mapping() -> None:
    params = QueryParams("a=1")
    assert ANY not in params and [1] not in params
    assert params.get(ANY, "none") == "none"


def test_utf8() -> None:
    assert (utf8("é", "It"), text_of("é".encode(), "It")) == ("é".encode(), "é")
    for call in (lambda: utf8("secret\ud800", "It"), lambda: text_of(b"secret\xff", "It")):
        with pytest.raises(ValueError, match=r"^It ") as caught:
            call()
        assert type(caught.value) is ValueError and "secret" not in str(caught.value)
        assert caught.value.__suppress_context__


def test_an_unknown_charset_is_what_both_look_for() -> None:
    assert issubclass(UnknownEncoding, LookupError) and issubclass(UnknownEncoding, ValueError)
    assert isinstance(BrokenTLS("alert"), OSError)
