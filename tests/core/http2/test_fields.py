"""Fields on their way out and in."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.contracts import Fields
from httpure_core.errors import HeadTooLarge, LocalProtocolError
from httpure_core.http2 import fields as module
from httpure_core.http2.faults import StreamFault
from httpure_core.http2.fields import is_secret, read_head, read_trailers, write_head
from httpure_core.limits import Limits

HOST: Fields = [(b"Host", b"example.org")]
OK = (b":status", b"200")


def regular(*fields: tuple[bytes, bytes], method: bytes = b"GET") -> Fields:
    return write_head(b"https", method, b"/", [*HOST, *fields]).fields[4:]


class TestRequests:
    def test_pseudo_fields_come_first(self) -> None:
        head = write_head(b"http", b"PUT", b"/a?b", [(b"A", b"1"), (b"HOST", b"x:8080"), (b"B", b"2")])
        assert head.fields == [
            (b":method", b"PUT"),
            (b":scheme", b"http"),
            (b":authority", b"x:8080"),
            (b":path", b"/a?b"),
            (b"a", b"1"),
            (b"b", b"2"),
        ]
        assert head.length is None

    def test_all_servers(self) -> None:
        assert write_head(b"https", b"OPTIONS", b"*", HOST).fields[3] == (b":path", b"*")

    def test_connect_has_neither_scheme_nor_path(self) -> None:
        head = write_head(b"https", b"CONNECT", b"a:443", [(b"Host", b"a"), (b"User-Agent", b"x")])
        assert head.fields == [(b":method", b"CONNECT"), (b":authority", b"a:443"), (b"user-agent", b"x")]

    @pytest.mark.parametrize(
        "name",
        [
            "Connection",
            "Keep-Alive",
            "Proxy-Connection",
            "Transfer-Encoding",
            "Upgrade",
            "HTTP2-Settings",
            "TE",
        ],
    )
    def test_what_is_of_the_connection_stays_behind(self, name: str) -> None:
        assert regular((name.encode(), b"keep-alive, chunked"), (b"A", b"1")) == [(b"a", b"1")]

    def test_so_does_what_connection_names(self) -> None:
        fields = [(b"Connection", b"close, X-Hop"), (b"X-Hop", b"1"), (b"X-Stay", b"2"), (b"Close", b"3")]
        assert regular(*fields) == [(b"x-stay", b"2")]

    @pytest.mark.parametrize("value", [b"trailers", b"Trailers", b"gzip, trailers"])
    def test_te_may_ask_for_trailers(self, value: bytes) -> None:
        assert regular((b"TE", value)) == [(b"te", b"trailers")]

    def test_repeated_fields_keep_their_order(self) -> None:
        fields = [(b"X-A", b"1"), (b"Cookie", b"a=1; b=2"), (b"x-a", b"2")]
        assert regular(*fields) == [(b"x-a", b"1"), (b"cookie", b"a=1; b=2"), (b"x-a", b"2")]

    def test_content_length(self) -> None:
        head = write_head(b"https", b"POST", b"/", [*HOST, (b"Content-Length", b"12")])
        assert (head.length, head.fields[4:]) == (12, [(b"content-length", b"12")])

    @pytest.mark.parametrize(
        ("method", "target", "fields", "text"),
        [
            (b"GET", b"/", [], "Host is missing or not valid"),
            (b"GET", b"/", [(b"Host", b"")], "Host is missing or not valid"),
            (b"GET", b"/", [(b"Host", b"a b")], "Host is missing or not valid"),
            (b"GET", b"/", [(b"Host", b"a"), (b"host", b"a")], "more than one Host"),
            (b"G T", b"/", HOST, r"method b'G T' is no token"),
            (b"", b"/", HOST, "no token"),
            (b"GET", b"", HOST, "target is empty"),
            (b"GET", b"/ x", HOST, "target is empty, or has a space"),
            (b"GET", b"/\r\n", HOST, "target"),
            (b"GET", b"/\xc3\xa9", HOST, "target"),
            (b"GET", b"/", [*HOST, (b"X Y", b"")], r"field name b'X Y' is no token"),
            (b"GET", b"/", [*HOST, (b"", b"")], "no token"),
            (b"GET", b"/", [*HOST, (b":path", b"/")], "no token"),
            (b"GET", b"/", [*HOST, (b"A", b"secret\r\nB: c")], "field a has a byte"),
            (b"GET", b"/", [*HOST, (b"A", b"\0")], "field a has a byte"),
            (b"GET", b"/", [*HOST, (b"A", b"\x7f")], "field a has a byte"),
            (b"GET", b"/", [*HOST, (b"Content-Length", b"-1")], "Content-Length is no number"),
            (b"GET", b"/", [*HOST, (b"Content-Length", b"1" * 16)], "Content-Length is no number"),
            (b"GET", b"/", [*HOST, (b"Content-Length", b"1"), (b"content-length", b"2")], "is there twice"),
        ],
    )
    def test_refused(self, method: bytes, target: bytes, fields: Fields, text: str) -> None:
        with pytest.raises(LocalProtocolError, match=f"cannot be sent over HTTP/2: .*{text}") as caught:
            write_head(b"https", method, target, fields)
        assert "secret" not in str(caught.value)

    def test_names_are_remembered_but_not_without_end(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(module, "_names", known := {})
        monkeypatch.setattr(module, "_MOST_NAMES", 3)
        regular(*[(b"X-%d" % number, b"") for number in range(10)])
        assert known == {b"Host": b"host", b"X-0": b"x-0", b"X-1": b"x-1"}


class TestSecrets:
    @pytest.mark.parametrize(
        ("field", "secret"),
        [
            ((b"authorization", b"x" * 100), True),
            ((b"proxy-authorization", b"x"), True),
            ((b"cookie", b"a=1"), True),
            ((b"cookie", b"a=" + b"1" * 30), False),
            ((b"accept", b"*/*"), False),
        ],
    )
    def test_is_secret(self, field: tuple[bytes, bytes], secret: bool) -> None:
        assert is_secret(*field) is secret


class TestResponses:
    def test_head(self) -> None:
        head = read_head(
            [OK, (b"content-length", b"5"), (b"set-cookie", b"a"), (b"set-cookie", b"b")], b"GET"
        )
        assert head.status == 200
        assert head.fields == [(b"content-length", b"5"), (b"set-cookie", b"a"), (b"set-cookie", b"b")]
        assert head.length == 5

    @pytest.mark.parametrize(
        ("method", "status", "length"),
        [
            (b"GET", 200, 5),
            (b"HEAD", 200, 0),
            (b"GET", 204, 0),
            (b"GET", 304, 0),
            (b"CONNECT", 200, None),
            (b"CONNECT", 404, 5),
        ],
    )
    def test_length(self, method: bytes, status: int, length: int | None) -> None:
        assert read_head([(b":status", b"%d" % status), (b"content-length", b"5")], method).length == length

    def test_the_same_length_twice(self) -> None:
        assert read_head([OK, *[(b"content-length", b"5")] * 2], b"GET").length == 5

    @pytest.mark.parametrize("value", [b" x", b"x ", b"\tx", b" x \t"])
    def test_white_space_around_a_value_is_taken_off(self, value: bytes) -> None:
        assert read_head([OK, (b"a", value)], b"GET").fields == [(b"a", b"x")]

    def test_bytes_that_are_not_ascii(self) -> None:
        assert read_head([OK, (b"a", "é".encode())], b"GET").fields == [(b"a", "é".encode())]

    @pytest.mark.parametrize(
        ("block", "text"),
        [
            ([], "does not begin with a :status"),
            ([(b"a", b"b")], "does not begin with a :status"),
            ([(b"a", b"b"), OK], "does not begin with a :status"),
            ([OK, OK], "name b':status' is not allowed"),
            ([(b":status", b"20")], "does not begin with a :status of three digits"),
            ([(b":status", b"020")], "three digits"),
            ([(b":status", b"2000")], "three digits"),
            ([(b":status", b"+20")], "three digits"),
            ([(b":status", "٢٠٠".encode())], "three digits"),
            ([OK, (b":path", b"/")], "name b':path' is not allowed"),
            ([OK, (b"Upper", b"/")], "name b'Upper' is not allowed"),
            ([OK, (b"", b"/")], "name b'' is not allowed"),
            ([OK, (b"a b", b"/")], "name b'a b' is not allowed"),
            ([OK, (b"x" * 500 + b":", b"/")], f"name b'{'x' * 100}' is not allowed"),
            ([OK, (b"a", b"secret\n")], "field a has a byte"),
            ([OK, (b"a", b"\0")], "field a has a byte"),
            ([OK, (b"a", b"\r")], "field a has a byte"),
            ([OK, (b"content-length", b"x")], "Content-Length is no number"),
            ([OK, (b"content-length", b"1, 1")], "Content-Length is no number"),
            ([OK, (b"content-length", b"1"), (b"content-length", b"2")], "two different ones"),
            *[
                ([OK, (name, b"x")], f"field {name.decode()}, which HTTP/2 does not allow")
                for name in (b"connection", b"keep-alive", b"proxy-connection", b"transfer-encoding")
            ],
            ([OK, (b"upgrade", b"x")], "field upgrade"),
            ([OK, (b"te", b"x")], "field te"),
        ],
    )
    def test_refused(self, block: Fields, text: str) -> None:
        with pytest.raises(StreamFault, match=text) as caught:
            read_head(block, b"GET")
        assert "secret" not in str(caught.value)

    def test_a_name_that_a_request_may_have_is_refused_all_the_same(self) -> None:
        """Names of requests are remembered, and may be in any case."""
        regular((b"X-Seen", b"1"))
        with pytest.raises(StreamFault, match="X-Seen"):
            read_head([OK, (b"X-Seen", b"1")], b"GET")

    def test_trailers(self) -> None:
        assert read_trailers([(b"a", b"1")]) == [(b"a", b"1")]
        with pytest.raises(StreamFault, match=":status"):
            read_trailers([OK])

    def test_too_many_of_them(self) -> None:
        assert len(read_trailers([(b"a", b"1")] * 100)) == 100
        with pytest.raises(
            HeadTooLarge, match=r"has 101 fields, and 100 are allowed.*max_trailers"
        ) as caught:
            read_trailers([(b"a", b"1")] * 101)
        assert caught.value.limit == "max_trailers"
        with pytest.raises(
            HeadTooLarge, match=r"has 32,769 bytes, and 32,768 are.*max_trailers_size"
        ) as caught:
            read_trailers([(b"a", b"1" * 32768)])
        assert caught.value.limit == "max_trailers_size"

    def test_a_trailer_frames_no_body(self) -> None:
        with pytest.raises(StreamFault, match="a trailer says how long the body is"):
            read_trailers([(b"a", b"1"), (b"content-length", b"5")])

    def test_too_many_in_a_head(self) -> None:
        assert len(read_head([OK, *[(b"a", b"1")] * 1000], b"GET").fields) == 1000
        with pytest.raises(
            HeadTooLarge, match=r"has 1,001 fields, and 1,000 are allowed.*max_fields"
        ) as caught:
            read_head([OK, *[(b"a", b"1")] * 1001], b"GET")
        assert caught.value.limit == "max_fields"

    @pytest.mark.parametrize(
        ("limits", "limit"),
        [
            (Limits(max_fields=1), "max_fields"),
            (Limits(max_field_size=9), "max_field_size"),
            (Limits(max_head_size=19), "max_head_size"),
        ],
    )
    def test_limits_of_ones_own(self, limits: Limits, limit: str) -> None:
        fields = [(b"abc", b"1234567"), (b"def", b"1234567")]
        roomy = Limits(max_fields=2, max_field_size=10, max_head_size=20)
        assert read_head([OK, *fields], b"GET", roomy).fields == fields
        assert read_head([OK], b"GET", roomy).fields == []
        with pytest.raises(HeadTooLarge) as caught:
            read_head([OK, *fields], b"GET", limits)
        assert caught.value.limit == limit and f"Limits({limit}=...)" in str(caught.value)


TOKENS = st.text(string.ascii_letters + string.digits + "-_!#", min_size=1, max_size=10)
VALUES = st.text(string.ascii_letters + " \t;=éü", max_size=20).map(lambda text: text.strip(" \t").encode())


@given(st.lists(st.tuples(TOKENS.map(str.encode), VALUES), max_size=8))
def test_what_goes_out_could_come_in(pairs: Fields) -> None:
    kept = [(name, value) for name, value in pairs if name.lower() not in module._FORBIDDEN | {b"host"}]
    fields = regular(*kept)
    assert fields == [(name.lower(), value) for name, value in kept]
    assert read_trailers(fields) == fields


@given(st.lists(st.tuples(st.binary(max_size=6), st.binary(max_size=6)), max_size=5))
def test_whatever_comes_is_read_or_refused(pairs: Fields) -> None:
    try:
        head = read_head(pairs, b"GET")
    except StreamFault:
        return
    assert 100 <= head.status <= 999
    for name, value in head.fields:
        assert name == name.lower() and not set(b"\r\n\0 :") & set(name)
        assert not set(b"\r\n\0") & set(value)
