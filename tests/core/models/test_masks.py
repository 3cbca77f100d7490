"""What is shown of texts that may hold secrets."""

from __future__ import annotations

import pytest

from httpure_core.models.headers import Headers
from httpure_core.models.masks import is_secret_name, without_secrets, without_values
from httpure_core.models.query import QueryParams
from httpure_core.models.request import Request
from httpure_core.models.url import URL


@pytest.mark.parametrize(
    "name", ["token", "access_token", "api_key", "apikey", "X-Amz-Signature", "sig", "code"]
)
def test_names_of_secrets(name: str) -> None:
    assert is_secret_name(name)


@pytest.mark.parametrize("name", ["page", "q", "author", "design", "monkeys", "encoding"])
def test_other_names(name: str) -> None:
    assert not is_secret_name(name)


def test_parameters_and_passwords() -> None:
    assert without_values("/path") == "/path"
    assert without_values("/a?page=1&token=x#id_token=y") == "/a?page=1&token=[secure]#id_token=[secure]"
    assert without_secrets("see http://ada:pw@a/ and http://key@b/?sid=1") == (
        "see http://ada:[secure]@a/ and http://[secure]@b/?sid=[secure]"
    )


def test_of_what_is_shown() -> None:
    """The text of each is the whole truth; only what people look at is not."""
    url = URL("https://ada:pw@shop.example/?page=1&token=x")
    assert repr(url) == "URL('https://ada:[secure]@shop.example/?page=1&token=[secure]')"
    assert str(url) == "https://ada:pw@shop.example/?page=1&token=x"
    assert repr(Request("GET", url)) == (
        "<Request('GET', 'https://ada:[secure]@shop.example/?page=1&token=[secure]')>"
    )
    params = QueryParams({"token": "x", "page": "1"})
    assert (repr(params), str(params)) == ("QueryParams('token=[secure]&page=1')", "token=x&page=1")
    headers = Headers({"Location": str(url), "X": str(url)})
    assert repr(headers) == (
        f"Headers({{'location': 'https://ada:[secure]@shop.example/?page=1&token=[secure]', 'x': '{url!s}'}})"
    )
    assert headers["location"] == str(url)
