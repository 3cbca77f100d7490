"""What is prepared says what the longer way says, whatever happens to the client's headers in between."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.config import prepared as room
from httpure_core.config.merge import merge_headers
from httpure_core.config.prepared import Prepared
from httpure_core.content.encode import encode_request
from httpure_core.models.field_block import field_block
from httpure_core.models.headers import Headers
from httpure_core.models.request import complete_headers
from httpure_core.models.url import URL

OWN = [("Accept", "*/*"), ("User-Agent", "test")]
NAMES = st.sampled_from(
    ["Accept", "accept", "X-A", "x-a", "Host", "Connection", "Content-Type", "Expect", "User-Agent"]
)
VALUES = st.sampled_from(["1", "", "keep-alive", "close", " 1", "a,b", "ä", "\x1b"])
GIVEN = st.one_of(
    st.none(),
    st.dictionaries(NAMES, VALUES | st.none(), max_size=3),
    st.lists(st.tuples(NAMES, VALUES), max_size=3),
    st.lists(st.tuples(NAMES, VALUES), max_size=3).map(Headers),
)
BODIES: Any = st.sampled_from(
    [{}, {"json": {"a": 1}}, {"content": b"abc"}, {"content": b""}, {"data": {"a": "1"}}, {"content": [b"a"]}]
)
CHANGES = st.tuples(st.sampled_from(["set", "delete", "update", "encoding", "clear"]), NAMES, VALUES)
REQUESTS = st.tuples(
    st.sampled_from(["GET", "POST", "HEAD"]),
    st.sampled_from(
        ["http://a.example/x", "https://b.example:81/y?z", "/relative", "http://a.example/other"]
    ),
    GIVEN,
    BODIES,
)


def change(headers: Headers, kind: str, name: str, value: str) -> None:
    if kind == "set":
        headers[name] = value
    elif kind == "delete":
        headers.pop(name, None)
    elif kind == "update":
        headers.update([(name, value), (name, "again")])
    elif kind == "clear":
        headers.clear()
    else:
        headers.encoding = "utf-8"


class Client:
    """As much of one as has headers."""

    def __init__(self) -> None:
        self.headers = Headers(OWN)
        self.prepared = Prepared(self.headers._raw)

    def complete(
        self, method: str, url: URL, headers: Any = None, described: dict[str, str] | None = None
    ) -> Headers | None:
        if self.prepared.fields is not self.headers._raw:
            self.prepared = Prepared(self.headers._raw)
        return self.prepared.complete(method, url, headers, described or {}, self.headers._encoding)


@given(st.lists(CHANGES | REQUESTS, max_size=8))
def test_the_same_as_the_longer_way(steps: list[Any]) -> None:
    client = Client()
    for step in steps:
        if len(step) == 3:
            change(client.headers, *step)
            continue
        method, text, headers, body = step
        url = URL(text)
        described, stream = encode_request(**body)
        try:
            expected = complete_headers(
                method, url, merge_headers(client.headers, headers), described, stream
            )
        except ValueError as exc:
            try:
                assert client.complete(method, url, headers, described) is None
            except ValueError as other:
                assert str(other) == str(exc)
            continue
        complete = client.complete(method, url, headers, described)
        if complete is None:
            continue
        assert complete._raw == expected._raw
        assert complete._encoding == expected._encoding
        assert complete._index is None or complete._index == expected._indexed()
        assert complete._block is None or complete._block == field_block(complete._raw)


URL_A = URL("http://a.example/")


def test_most_requests_share_what_was_prepared() -> None:
    client = Client()
    one, other = client.complete("GET", URL_A), client.complete("GET", URL("http://a.example/other"))
    assert one is not None and other is not None
    assert one is not other and one._raw is other._raw
    more = client.complete("GET", URL_A, {"X-Own": "1"})
    assert more is not None and more._block is not None
    assert one._block == (b"Host: a.example\r\nAccept: */*\r\nUser-Agent: test\r\n", 0)


def test_who_changes_a_request_changes_no_other() -> None:
    client = Client()
    one, other = client.complete("GET", URL_A), client.complete("GET", URL_A)
    assert one is not None and other is not None
    one["X-Trace"] = "1"
    del one["Accept"]
    assert one._block is None
    assert client.complete("GET", URL_A) == other == Headers([("Host", "a.example"), *OWN])
    assert client.headers == Headers(OWN)


@pytest.mark.parametrize(
    ("described", "block"),
    [
        ({"Content-Length": "3"}, (b"Host: a\r\nContent-Length: 3\r\n", 3)),
        (
            {"Content-Length": "3", "Content-Type": "application/json"},
            (b"Host: a\r\nContent-Length: 3\r\nContent-Type: application/json\r\n", 3),
        ),
        ({"Content-Length": "3", "Content-Type": "image/png"}, None),
        ({"Transfer-Encoding": "chunked"}, None),
        ({}, (b"Host: a\r\nContent-Length: 0\r\n", 0)),
    ],
)
def test_lines_of_a_body(described: dict[str, str], block: tuple[bytes, int] | None) -> None:
    complete = Prepared([]).complete("POST", URL("http://a"), None, described, None)
    assert complete is not None and complete._block == block


def test_what_describes_a_body_in_the_clients_headers_takes_the_longer_way() -> None:
    client = Client()
    client.headers["Content-Type"] = "text/plain"
    assert client.complete("GET", URL_A) is None


def test_hosts_are_forgotten_when_they_are_too_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "MOST_HOSTS", 3)
    prepared = Prepared([])
    for number in range(10):
        url = URL(f"http://{number}.example")
        for method in ("GET", "POST"):
            complete = prepared.complete(method, url, None, {}, None)
            assert complete is not None and complete["Host"] == f"{number}.example"
    assert len(prepared._hosts) <= 3 and len(prepared._empty) <= 3
