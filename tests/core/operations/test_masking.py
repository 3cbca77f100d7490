"""What may be written down of a request, and what may not."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.errors import InvalidURL, ReadError, StreamClosed
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.models.url import URL
from httpure_core.operations.masking import MASK, masked_text, masked_url, shown

SECRET = "sesame"

SECRET_NAMES = [
    *("token", "access_token", "id-token", "refreshToken", "csrf_token", "X-Amz-Security-Token"),
    *(
        "key",
        "api_key",
        "apikey",
        "apiKey",
        "access-key",
        "subscription-key",
        "AWSAccessKeyId".replace("Id", ""),
    ),
    *("secret", "client_secret", "password", "passwd", "user[password]", "passphrase", "pw", "pwd", "pass"),
    *("signature", "X-Amz-Signature", "sig", "X-Goog-Credential", "credentials"),
    *("code", "code_verifier", "auth", "authorization", "jwt", "assertion", "SAMLResponse"),
    *("session", "sessionid", "sid", "otp", "pin", "ticket"),
]
OPEN_NAMES = [
    "q",
    "page",
    "author",
    "country_code",
    "zipcode",
    "sort",
    "design",
    "state",
    "keyword",
    "id",
    "spin",
]


@pytest.mark.parametrize("name", SECRET_NAMES)
@pytest.mark.parametrize("place", ["?{}={}", "?a=1&{}={}&b=2", "#{}={}", "?x;{}={}"])
def test_values_named_like_secrets_are_hidden(name: str, place: str) -> None:
    text = masked_url(URL("http://example.org/path" + place.format(name, SECRET)))
    assert SECRET not in text
    assert MASK in text
    assert text.startswith("http://example.org/path")


@pytest.mark.parametrize("name", OPEN_NAMES)
def test_all_others_are_shown(name: str) -> None:
    url = f"http://example.org/path?{name}={SECRET}"
    assert masked_url(URL(url)) == url


def test_the_rest_of_a_query_stays_as_it_is() -> None:
    url = URL("https://example.org/?a=%20b&token=x%26y&flag&empty=&token=&b=c#top")
    assert masked_url(url) == f"https://example.org/?a=%20b&token={MASK}&flag&empty=&token=&b=c#top"


def test_passwords_are_hidden() -> None:
    assert masked_url(URL("http://user:p%40ss@example.org/a")) == f"http://user:{MASK}@example.org/a"


@pytest.mark.parametrize("userinfo", ["token", "token:"])
def test_a_name_without_a_password_is_hidden(userinfo: str) -> None:
    """Many services take their keys so."""
    assert masked_url(URL(f"https://{userinfo}@example.org/a")) == f"https://{MASK}@example.org/a"
    assert masked_text(f"<https://{userinfo}@a.example/>") == f"<https://{MASK}@a.example/>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("https://u:p@example.org/?q=1", f"https://u:{MASK}@example.org/?q=1"),
        ("/callback?code=abc#x", f"/callback?code={MASK}#x"),
        ('<http://a.example/?key=1>; rel="next"', f'<http://a.example/?key={MASK}>; rel="next"'),
        ("5; url=/?sid=1", f"5; url=/?sid={MASK}"),
        (
            "http://[::1]:80/ is no password, and neither is a@b",
            "http://[::1]:80/ is no password, and neither is a@b",
        ),
    ],
)
def test_texts_with_urls(text: str, expected: str) -> None:
    assert masked_text(text) == expected


@given(st.text(), st.sampled_from(SECRET_NAMES))
def test_whatever_stands_around_it(text: str, name: str) -> None:
    assert SECRET not in masked_text(f"{text}?{name}={SECRET}")


FIELDS: list[tuple[bytes, bytes]] = [
    (b"Authorization", b"Bearer sesame"),
    (b"Proxy-Authorization", b"Basic sesame"),
    (b"Cookie", b"a=sesame"),
    (b"Set-Cookie", b"a=sesame"),
    (b"X-API-Key", b"sesame"),
    (b"X-Auth-Token", b"sesame"),
    (b"WWW-Authenticate", b'Digest nonce="sesame"'),
    (b"Location", b"https://u:sesame@a.example/?code=sesame"),
    (b"Referer", b"/?token=sesame"),
]


class TestShown:
    @pytest.mark.parametrize("field", FIELDS, ids=lambda field: field[0].decode())
    def test_fields(self, field: tuple[bytes, bytes]) -> None:
        for value in ([field], Headers([field]), (b"HTTP/1.1", 200, b"OK", [field])):
            assert SECRET not in shown(value)
            assert field[0].decode().lower() in shown(value).lower()

    def test_other_fields(self) -> None:
        assert shown([(b"Content-Type", b"text/plain; a=b")]) == "[(b'Content-Type', b'text/plain; a=b')]"
        assert shown([(b"Location", b"/caf\xe9")]) == "[(b'Location', b'/caf\\xe9')]"

    def test_a_request_without_headers_and_body(self) -> None:
        request = Request("POST", "http://u:sesame@a.example/?key=sesame", json={"a": SECRET}, headers=FIELDS)
        assert shown(request) == f"<Request('POST', 'http://u:{MASK}@a.example/?key={MASK}')>"

    def test_a_url(self) -> None:
        assert shown(URL("http://u:sesame@a.example/?q=1")) == f"'http://u:{MASK}@a.example/?q=1'"

    @pytest.mark.parametrize("kind", [ReadError, OSError, StreamClosed, InvalidURL])
    def test_our_errors_and_the_systems(self, kind: type[Exception]) -> None:
        assert shown(kind("it is lost")) == f"{kind.__name__}('it is lost')"

    def test_no_words_of_other_errors(self) -> None:
        assert shown(ValueError(SECRET)) == "ValueError(...)"

    @pytest.mark.parametrize("value", [None, 1.5, "text", b"bytes", []])
    def test_plain_values(self, value: object) -> None:
        assert shown(value) == repr(value)
