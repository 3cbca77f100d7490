"""What is remembered of header blocks, and that it is forgotten in time (RFC 7541)."""

from __future__ import annotations

from typing import Any

import pytest
from hpack import Decoder, Encoder
from hpack.exceptions import HPACKError
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.contracts import Fields
from httpure_core.errors import LocalProtocolError
from httpure_core.http2 import compression
from httpure_core.http2.compression import RequestEncoder, ResponseDecoder
from httpure_core.http2.fields import write_head

from .pair import HOST, Pair

USUAL: Fields = [*HOST, (b"Accept", b"*/*"), (b"User-Agent", b"test")]


class Requests:
    """Encodes requests as a connection does, and decodes them as a server does."""

    def __init__(self) -> None:
        self.encoder = RequestEncoder(Encoder())
        self.decoder = Decoder()
        #: Whether the last request was known.
        self.known = False

    def send(self, method: bytes, target: bytes, fields: Fields) -> bytes:
        key = (method, tuple(fields))
        known = self.encoder.known(key)
        self.known = known is not None
        head = write_head(b"https", method, target, fields)
        block = self.encoder.prepare(head, key) if known is None else known.block(target)
        assert list(self.decoder.decode(block, raw=True)) == head.fields
        if known is not None:
            assert known.length == head.length
        return block

    def resize(self, *sizes: int) -> None:
        """The server allows a table of other sizes."""
        for size in sizes:
            self.encoder.header_table_size = size
        self.decoder.max_allowed_table_size = max(sizes)


fields_of_requests = st.lists(
    st.tuples(
        st.sampled_from([b"a", b"b", b"Cookie", b"X-Long", b"Content-Length", b"Authorization"]),
        st.sampled_from([b"", b"1", b"22", b"4" * 14]),
    )
    .map(lambda pair: pair if pair[0] != b"X-Long" else (pair[0], pair[1] * 150))
    .filter(lambda pair: pair != (b"Content-Length", b"")),
    max_size=3,
    unique_by=lambda pair: pair[0],
)


class TestRequests:
    def test_the_same_fields_again(self) -> None:
        requests = Requests()
        first = requests.send(b"GET", b"/", USUAL)
        assert not requests.known
        second = requests.send(b"GET", b"/", USUAL)
        assert not requests.known and len(second) < len(first), "now all of it is in the table"
        assert requests.send(b"GET", b"/", USUAL) == second
        assert requests.known

    def test_the_path_is_another_thing(self) -> None:
        requests = Requests()
        for number in range(5):
            requests.send(b"GET", b"/%d" % number, USUAL)
        assert requests.known
        assert b"/4" not in str(requests.encoder._encoder.header_table.dynamic_entries).encode()

    @pytest.mark.parametrize("size", [0, 1, 126, 127, 128, 254, 255, 256, 16_510, 16_511, 60_000])
    def test_paths_of_any_length(self, size: int) -> None:
        requests = Requests()
        for _ in range(3):
            requests.send(b"GET", b"/" + b"x" * size, USUAL)
        assert requests.known

    def test_the_length_of_a_body_is_kept_with_it(self) -> None:
        requests = Requests()
        for length in (b"5", b"5", b"5", b"123456789012345"):
            requests.send(b"POST", b"/", [*USUAL, (b"Content-Length", length)])
        assert "content-length" not in str(requests.encoder._encoder.header_table.dynamic_entries)

    def test_other_methods_and_fields(self) -> None:
        requests = Requests()
        for _ in range(3):
            requests.send(b"GET", b"/", USUAL)
        requests.send(b"HEAD", b"/", USUAL)
        assert not requests.known
        requests.send(b"GET", b"/", [*USUAL, (b"X-New", b"1")])
        assert not requests.known
        requests.send(b"GET", b"/", USUAL)
        assert not requests.known, "its fields have moved within the table"

    def test_connect_has_no_path(self) -> None:
        requests = Requests()
        for _ in range(3):
            requests.send(b"CONNECT", b"example.org:443", HOST)
            assert not requests.known

    def test_no_more_than_some_are_kept(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(compression, "_MOST_BLOCKS", 3)
        requests = Requests()
        methods = [b"GET", b"HEAD", b"PUT", b"POST", b"DELETE"]
        for _ in range(2):
            for method in methods:
                requests.send(method, b"/", USUAL)
        for method in methods:
            requests.send(method, b"/", USUAL)
            assert len(requests.encoder._known) <= 3

    def test_long_ones_are_not_kept(self) -> None:
        requests = Requests()
        for _ in range(3):
            requests.send(b"GET", b"/", [*USUAL, (b"X-Long", b"\0x"[1:] * 5000)])
        assert not requests.known

    @pytest.mark.parametrize("sizes", [(0,), (100,), (0, 4096), (0, 0), (8000, 4096), (0, 4096, 4096)])
    def test_a_table_of_another_size(self, sizes: tuple[int, ...]) -> None:
        requests = Requests()
        for _ in range(3):
            requests.send(b"GET", b"/", USUAL)
        requests.resize(*sizes)
        block = requests.send(b"GET", b"/", USUAL)
        assert not requests.known and block[0] & 0xE0 == 0x20, "which is told before all else"
        assert requests.decoder.header_table_size == sizes[-1]
        for _ in range(2):
            requests.send(b"GET", b"/", USUAL)
        assert requests.known is (sizes[-1] != 100), "a table without room is always the same, too"

    @given(
        st.lists(
            st.one_of(
                st.tuples(
                    st.sampled_from([b"GET", b"CONNECT"]), st.sampled_from([b"/a", b"/b"]), fields_of_requests
                ),
                st.lists(st.sampled_from([0, 50, 200, 4096]), min_size=1, max_size=3),
            ),
            max_size=25,
        )
    )
    def test_the_server_understands_all(self, steps: list[Any]) -> None:
        requests = Requests()
        for step in steps:
            if isinstance(step, list):
                requests.resize(4096, *step)
                requests.decoder.max_allowed_table_size = 4096
            else:
                method, target, fields = step
                requests.send(method, target, [*HOST, *fields])

    def test_a_bad_target_of_known_fields(self) -> None:
        pair = Pair()
        for _ in range(3):
            pair.answer(pair.get())
        with pytest.raises(LocalProtocolError, match="its target is empty, or has a space"):
            pair.client.open_stream(b"GET", b"/a b", HOST, b"")
        for body in (b"", b"abcd"):
            for _ in range(3):
                pair.answer(pair.get(b"POST", b"abc", [*HOST, (b"Content-Length", b"3")]))
            with pytest.raises(
                LocalProtocolError, match=f"has {len(body)} bytes, and its Content-Length says 3"
            ):
                pair.client.open_stream(b"POST", b"/", [*HOST, (b"Content-Length", b"3")], body)
        pair.get()
        assert pair.heads()[-1][-1] == (b":path", b"/")


fields_of_responses = st.lists(
    st.tuples(st.sampled_from([b"a", b"b", b"long"]), st.sampled_from([b"", b"1", b"2" * 60])), max_size=4
)


class TestResponses:
    def test_the_same_block_again(self) -> None:
        encoder, decoder = Encoder(), ResponseDecoder(Decoder())
        pairs = [(b":status", b"200"), (b"server", b"test")]
        first = decoder.decode(encoder.encode(pairs))
        block = encoder.encode(pairs)
        second = decoder.decode(block)
        assert first is not second and decoder.decode(block) is second
        assert second.pairs == first.pairs == pairs

    def test_long_ones_are_not_kept(self) -> None:
        decoder = ResponseDecoder(Decoder())
        block = Encoder().encode([(b":status", b"200", True), (b"x", b"y" * 4000, True)], huffman=False)
        assert decoder.decode(block) is not decoder.decode(block)

    @given(
        st.lists(
            st.one_of(
                st.tuples(fields_of_responses, st.booleans()),
                st.sampled_from([0, 40, 100, 4096]),
            ),
            max_size=30,
        )
    )
    def test_as_without_memory(self, steps: list[Any]) -> None:
        encoder, plain, decoder = Encoder(), Decoder(), ResponseDecoder(Decoder())
        for step in steps:
            if isinstance(step, int):
                if step != encoder.header_table_size:  # set twice, hpack forgets to tell of it
                    encoder.header_table_size = step
            else:
                pairs, sensitive = step
                block = encoder.encode([(*pair, sensitive) for pair in pairs])
                assert decoder.decode(block).pairs == list(plain.decode(block, raw=True))

    @given(st.lists(st.binary(min_size=1, max_size=6), max_size=25), st.data())
    def test_as_without_memory_for_nonsense(self, blocks: list[bytes], data: st.DataObject) -> None:
        """Blocks that repeat, change the table's size, and mean nothing."""
        plain, decoder = Decoder(), ResponseDecoder(Decoder())
        known = [b"\x20\x3f\xe1\x1f", b"\x40\x01a\x01b", b"\xbe", b"\xbf", b"\x82", *blocks]
        for block in data.draw(st.lists(st.sampled_from(known), max_size=25)):
            try:
                wanted = list(plain.decode(block, raw=True))
            except HPACKError:
                with pytest.raises(HPACKError):
                    decoder.decode(block)
                return  # such a block ends the connection
            assert decoder.decode(block).pairs == wanted

    def test_a_head_that_is_known_is_read_once_for_each_meaning(self) -> None:
        pair = Pair()
        fields = [(b"content-length", b"5")]
        for method in (b"GET", b"GET", b"GET", b"HEAD", b"GET", b"HEAD"):
            stream = pair.get(method)
            body = b"" if method == b"HEAD" else b"hello"
            pair.answer(stream, body, fields=fields)
            assert stream.ended and stream.take() == body and stream.fields == fields
            stream.fields.clear()  # the user's own

    def test_a_bad_head_stays_bad(self) -> None:
        pair = Pair()
        for _ in range(4):
            stream = pair.get()
            pair.server.send_headers(stream.stream_id, [(b":status", b"200"), (b"bad name", b"")])
            pair.pump()
            assert "the field name b'bad name' is not allowed" in str(stream.failure)
