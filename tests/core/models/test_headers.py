import copy
import pickle
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.models import headers as headers_module
from httpure_core.models.field import speaks_of_secrets
from httpure_core.models.headers import Headers, part_removals

RAW = [(b"Accept", b"a"), (b"Set-Cookie", b"x=1"), (b"set-cookie", b"y=2, z"), (b"Host", b"h")]


@pytest.mark.parametrize(
    "source",
    [
        {"A": "1", "b": "2"},
        {b"A": b"1", b"b": b"2"},
        MappingProxyType({"A": "1", "b": "2"}),
        [("A", "1"), ("b", "2")],
        ((b"A", "1"), ("b", b"2")),
        Headers({"A": "1", "b": "2"}),
    ],
)
def test_what_headers_are_made_of(source):
    headers = Headers(source)
    assert headers.raw == [(b"A", b"1"), (b"b", b"2")]
    assert headers == source
    assert repr(headers) == "Headers({'a': '1', 'b': '2'})"


def test_of_nothing():
    assert Headers().raw == Headers(None).raw == Headers({}).raw == []
    assert not Headers()


def test_lookup_disregards_case_and_joins_what_is_repeated():
    headers = Headers(RAW)
    assert headers["ACCEPT"] == "a"
    assert headers["Set-Cookie"] == "x=1, y=2, z"
    assert headers.get("host") == "h"
    assert headers.get("x") is None
    assert headers.get("x", "d") == "d"
    assert "HOST" in headers
    assert "x" not in headers
    assert b"host" not in headers
    with pytest.raises(KeyError, match="X-Y"):
        headers["X-Y"]


def test_the_views():
    headers = Headers(RAW)
    assert headers.raw == RAW
    assert list(headers) == list(headers.keys()) == ["accept", "set-cookie", "host"]
    assert list(headers.values()) == ["a", "x=1, y=2, z", "h"]
    assert list(headers.items()) == [("accept", "a"), ("set-cookie", "x=1, y=2, z"), ("host", "h")]
    assert headers.multi_items() == [
        ("accept", "a"),
        ("set-cookie", "x=1"),
        ("set-cookie", "y=2, z"),
        ("host", "h"),
    ]
    assert len(headers) == 4
    assert headers.get_list("set-cookie") == ["x=1", "y=2, z"]
    assert headers.get_list("SET-COOKIE", split_commas=True) == ["x=1", "y=2", "z"]
    assert headers.get_list("x") == []


def test_the_views_are_of_the_moment():
    headers = Headers(RAW)
    headers.raw.clear()
    for name in headers:
        del headers[name]
    assert headers.raw == []


def test_from_the_wire():
    headers = Headers.from_wire([(b"Content-Length", b"5"), (b"X", b"\xff")])
    assert headers.get("content-length") == "5"
    assert headers["x"] == "\xff"
    assert isinstance(headers, Headers)


def test_setting_replaces_the_first_and_removes_the_others():
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3"), ("c", "4")])
    headers["A"] = "9"
    assert headers.raw == [(b"A", b"9"), (b"b", b"2"), (b"c", b"4")]
    assert headers["a"] == "9"
    headers["New"] = b"5"
    assert headers.raw[-1] == (b"New", b"5")
    assert headers["new"] == "5"
    assert list(headers) == ["a", "b", "c", "new"]


def test_deleting_removes_all():
    headers = Headers([("a", "1"), ("b", "2"), ("A", "3")])
    del headers["A"]
    assert headers.raw == [(b"b", b"2")]
    assert "a" not in headers
    with pytest.raises(KeyError):
        del headers["a"]


def test_the_rest_of_a_mutable_mapping():
    headers = Headers({"a": "1", "b": "2"})
    assert headers.pop("A") == "1"
    assert headers.setdefault("B", "9") == "2"
    assert headers.setdefault("C", "3") == "3"
    headers.clear()
    assert headers.raw == []


def test_update_replaces_by_all_that_the_other_has():
    headers = Headers([("a", "1"), ("b", "2"), ("a", "3")])
    headers.update([("A", "8"), ("a", "9"), ("c", "4")])
    assert headers.raw == [(b"b", b"2"), (b"A", b"8"), (b"a", b"9"), (b"c", b"4")]
    headers.update(Headers({"d": "5"}))
    assert headers["d"] == "5"
    headers.update()
    assert headers["a"] == "8, 9"


def test_update_leaves_the_other_alone():
    other = Headers({"a": "1"})
    headers = Headers()
    headers.update(other)
    headers["b"] = "2"
    assert other.raw == [(b"a", b"1")]


def test_merging_operators():
    headers = Headers({"a": "1", "b": "2"})
    assert (headers | {"A": "9"}).raw == [(b"b", b"2"), (b"A", b"9")]
    assert ({"A": "9", "c": "3"} | headers).raw == [(b"c", b"3"), (b"a", b"1"), (b"b", b"2")]
    merged = headers
    merged |= [("c", "3")]
    assert merged is headers
    assert headers["c"] == "3"
    with pytest.raises(TypeError):
        headers | 5
    with pytest.raises(TypeError):
        5 | headers


def test_a_copy_is_independent():
    for headers in (Headers(RAW), Headers(RAW, encoding="utf-8")):
        for _ in range(2):  # without and with an index
            other = headers.copy()
            other["accept"] = "b"
            del other["host"]
            assert headers.raw == RAW
            assert headers["accept"] == "a"
            assert other.encoding == headers.encoding


def test_copies_and_pickles():
    headers = Headers(RAW)
    assert pickle.loads(pickle.dumps(headers)) == copy.deepcopy(headers) == copy.copy(headers) == headers


def test_equality_disregards_case_of_names_and_order():
    headers = Headers([("a", "1"), ("B", "2")])
    assert headers == [("b", "2"), ("A", "1")]
    assert headers == {"b": "2", "A": "1"}
    assert headers != {"a": "1"}
    assert headers != [("a", "1"), ("b", "2"), ("b", "2")]
    assert headers != 5
    assert headers != "ab"
    assert headers != {"a b": "1"}


def test_secrets_are_not_shown():
    names = ["Authorization", "proxy-authorization", "Cookie", "Set-Cookie"]
    headers = Headers([(name, "hunter2") for name in names])
    assert repr(headers) == (
        "Headers({'authorization': '[secure]', 'proxy-authorization': '[secure]', "
        "'cookie': '[secure]', 'set-cookie': '[secure]'})"
    )


def test_what_a_server_allows_is_no_secret():
    """CORS: its fields speak of credentials, and hold none."""
    fields = {"access-control-allow-credentials": "true", "access-control-allow-headers": "x-api-key"}
    assert repr(Headers(fields)) == f"Headers({fields!r})"


def test_what_is_repeated_is_shown_as_a_list():
    assert repr(Headers([("a", "1"), ("A", "2")])) == "Headers([('a', '1'), ('a', '2')])"


@pytest.mark.parametrize(
    ("value", "encoding", "text"),
    [(b"x", "ascii", "x"), ("\xfc\u2603".encode(), "utf-8", "\xfc\u2603"), (b"\xfc", "iso-8859-1", "\xfc")],
)
def test_the_encoding_is_guessed(value, encoding, text):
    headers = Headers({b"a": value, b"b": b"plain"})
    assert headers.encoding == encoding
    assert headers["a"] == text
    assert headers["b"] == "plain"
    assert dict(headers) == {"a": text, "b": "plain"}
    assert headers.multi_items() == [("a", text), ("b", "plain")]
    assert headers.get_list("a") == [text]
    assert ("encoding" in repr(headers)) is (encoding != "ascii")


def test_the_guess_follows_what_is_set():
    headers = Headers({"a": "x"})
    assert headers.encoding == "ascii"
    headers["b"] = "\xfc"
    assert headers.encoding == "utf-8"
    assert headers.raw[1] == (b"b", b"\xc3\xbc")


def test_an_encoding_that_is_given_is_used():
    headers = Headers({"a": "\xfc"}, encoding="iso-8859-1")
    assert headers.raw == [(b"a", b"\xfc")]
    assert Headers(headers).encoding == "iso-8859-1"
    headers["b"] = "\xe9"
    headers.update({"c": "\xe8"})
    assert headers.raw[1:] == [(b"b", b"\xe9"), (b"c", b"\xe8")]
    assert headers["a"] == "\xfc"
    headers.encoding = "utf-8"
    assert headers["a"] == "\ufffd"


@pytest.mark.parametrize(
    "name", ["", "a b", "a:", "a\r\nb", "a\0", "\xfc", "\ud800", " a", "a\n", "(a)", b"", b"\xff"]
)
def test_a_name_is_a_token(name):
    for build in (
        lambda: Headers({name: "x"}),
        lambda: Headers([(name, "x")]),
        lambda: Headers().update({name: "x"}),
    ):
        with pytest.raises(ValueError, match=r"not a token"):
            build()
    with pytest.raises(ValueError, match=r"not a token"):
        Headers()[name] = "x"


@pytest.mark.parametrize("value", ["a\r\nX: y", "a\n", "\ra", "a\0b", b"a\nb", b"\0"])
def test_a_value_ends_where_its_field_ends(value):
    for build in (
        lambda: Headers({"X-A": value}),
        lambda: Headers([("X-A", value)]),
        lambda: Headers() | {"X-A": value},
    ):
        with pytest.raises(ValueError, match=r"'x-a' holds CR, LF or NUL"):
            build()
    headers = Headers({"X-B": "1"})
    for put in (
        lambda: headers.__setitem__("X-A", value),
        lambda: headers.setdefault("X-A", value),
        lambda: headers.update([("X-C", "2"), ("X-A", value)]),
        lambda: headers.__ior__({"X-C": "2", "X-A": value}),
        lambda: {"X-A": value} | headers,
    ):
        with pytest.raises(ValueError):
            put()
    headers.raw.append((b"X-A", b"a\r\n"))
    assert headers.raw == [(b"X-B", b"1")]


def test_an_encoding_cannot_smuggle_a_line_break_in():
    headers = Headers(encoding="utf-16-le")
    with pytest.raises(ValueError, match="holds CR, LF or NUL"):
        headers["X-A"] = "\u0a0d"


@pytest.mark.parametrize("name", ["X-Api-Key", "Proxy-Authorization"])
def test_errors_say_where_and_not_what(name):
    """Any value may be a secret."""
    with pytest.raises(ValueError, match="at position 6") as caught:
        Headers({name: "hunter\n"})
    assert "hunter" not in str(caught.value)


def test_a_value_that_cannot_be_written():
    with pytest.raises(ValueError, match="'authorization' cannot be written in ascii") as caught:
        Headers({"Authorization": "hunter\xfc"}, encoding="ascii")
    assert type(caught.value) is ValueError
    assert caught.value.__suppress_context__
    with pytest.raises(ValueError, match="utf-8"):
        Headers({"a": "\ud800"})


def test_other_types_are_refused_by_name():
    with pytest.raises(TypeError, match=r"'x' must be str or bytes, not int"):
        Headers({"X": 5})
    with pytest.raises(TypeError, match=r"NoneType"):
        Headers()["X"] = None
    with pytest.raises(TypeError, match=r"name of a header must be str or bytes, not int"):
        Headers({5: "x"})


def test_a_subclass_of_str_is_a_name_too():
    class Name(str):
        __slots__ = ()

    assert Headers({Name("A"): Name("b")}).raw == [(b"A", b"b")]


def test_many_repetitions_take_linear_time():
    headers = Headers.from_wire([(b"a", b"x")] * 1000)
    assert headers["a"] == ", ".join("x" * 1000)


TOKENS = st.text("abcXYZ019-_.!#$%&'*+^`|~", min_size=1, max_size=5)
VALUES = st.text(st.characters(exclude_characters="\r\n\0", exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=40)
@given(st.lists(st.tuples(TOKENS, VALUES), max_size=6))
def test_pairs_survive_the_round_trip(pairs):
    headers = Headers(pairs)
    assert headers.multi_items() == [(name.lower(), value) for name, value in pairs]
    assert Headers.from_wire(headers.raw) == headers
    assert [(name.decode(), value.decode()) for name, value in headers.raw] == pairs


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.sampled_from(["a", "A", "b", "C"]), VALUES), max_size=5),
    st.lists(st.tuples(st.booleans(), st.sampled_from(["a", "A", "b", "C"]), VALUES), max_size=6),
)
def test_the_index_follows_every_change(pairs, changes):
    headers = Headers(pairs)
    for setting, name, value in changes:
        if setting:
            headers[name] = value
        else:
            headers.pop(name, None)
        fresh = Headers.from_wire(headers.raw)
        assert list(headers.items()) == list(fresh.items())


@pytest.mark.parametrize("name", ["X-Api-Key", "x-auth", "X-Amz-Security-Token", "Session-Id", "My-Password"])
def test_names_that_speak_of_secrets(name):
    assert "hush" not in repr(Headers({name: "hush"}))
    assert speaks_of_secrets(name.lower().encode())


@pytest.mark.parametrize("name", ["WWW-Authenticate", "Accept", "Keep-Alive", "X-Request-Id"])
def test_names_that_do_not(name):
    assert "seen" in repr(Headers({name: "seen"}))


class TestRemovals:
    """None as the value, in what a request or a client is given."""

    @pytest.mark.parametrize(
        ("given", "sent", "removed"),
        [
            ({"A": "1"}, {"a": "1"}, set()),
            ({"A": None, "B": "2"}, {"b": "2"}, {"a"}),
            ({b"A": None}, {}, {"a"}),
            (MappingProxyType({"A": None, "B": "2"}), {"b": "2"}, {"a"}),
            ([("A", None), ("B", "2"), ("a", "3")], {"b": "2", "a": "3"}, {"a"}),
            ([["A", None]], {}, {"a"}),
            ((("A", "1"),), {"a": "1"}, set()),
            (Headers({"A": "1"}), {"a": "1"}, set()),
            ({}, {}, set()),
        ],
    )
    def test_are_parted_from_the_rest(self, given, sent, removed):
        rest, names = part_removals(given)
        assert Headers(rest) == Headers(sent)
        assert names == removed

    @pytest.mark.parametrize("given", [{"a b": None}, [("", None)]])
    def test_have_names(self, given):
        with pytest.raises(ValueError, match="not a token"):
            part_removals(given)

    def test_are_no_values(self):
        with pytest.raises(TypeError, match="not NoneType"):
            Headers({"A": None})


@pytest.mark.parametrize("made", [Headers, part_removals])
@pytest.mark.parametrize(
    ("given", "kind", "why"),
    [
        (
            "hush",
            TypeError,
            "Headers are made of a dict, a list of (name, value) pairs or Headers, not of str.",
        ),
        (
            b"hush",
            TypeError,
            "Headers are made of a dict, a list of (name, value) pairs or Headers, not of bytes.",
        ),
        (5, TypeError, "Headers are made of a dict, a list of (name, value) pairs or Headers, not of int."),
        (["ab"], TypeError, "A list of headers holds (name, value) pairs, not a str."),
        ({"hush"}, TypeError, "A list of headers holds (name, value) pairs, not a str."),
        ([("a", "b"), {"x": "hush"}], TypeError, "A list of headers holds (name, value) pairs, not a dict."),
        ([("a", "hush", "c")], ValueError, "A list of headers holds (name, value) pairs, not a tuple of 3."),
    ],
)
def test_what_headers_are_not_made_of(made, given, kind, why):
    with pytest.raises(kind) as caught:
        made(given)
    assert str(caught.value) == why


def test_pairs_can_come_from_anywhere():
    for pairs in ({"a": "1"}.items(), iter([["a", "1"]]), (("a", "1"),)):
        assert Headers(pairs) == {"a": "1"}


@pytest.mark.parametrize("encoding", ["nonsense", "base64", ""])
def test_encoding_that_is_none_of_text_is_refused_when_it_is_set(encoding: str) -> None:
    headers = Headers({"a": "b"})
    with pytest.raises(ValueError, match="unknown, or none of text"):
        Headers({"a": "b"}, encoding=encoding)
    with pytest.raises(ValueError, match="unknown, or none of text"):
        headers.encoding = encoding
    assert headers["a"] == "b"


CHANGES = {
    "set": lambda headers: headers.__setitem__("Accept", "other"),
    "add": lambda headers: headers.__setitem__("New", "1"),
    "delete": lambda headers: headers.__delitem__("set-cookie"),
    "update": lambda headers: headers.update({"Accept": "other"}),
    "clear": lambda headers: headers.clear(),
    "or": lambda headers: headers.__ior__({"New": "1"}),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_change_makes_another_list_and_is_seen_by_nobody_else(change):
    given = RAW.copy()
    headers = Headers.assemble(given, None, None, (b"lines", 0))
    others = [headers.copy(), copy.copy(headers), Headers(headers), copy.deepcopy(headers)]
    looked_into = headers.copy()
    assert "accept" in dict(looked_into)
    for changed in (headers, looked_into):
        change(changed)
        assert changed != RAW and changed._block is None and changed._raw is not given
        assert changed.items() == Headers(changed.raw).items()
    assert given == RAW
    assert all(other == RAW for other in others)


@given(st.lists(st.sampled_from([*RAW, (b"ACCEPT", b"q")]), max_size=5), st.lists(st.booleans(), max_size=8))
@pytest.mark.parametrize("more", [0, 20])
def test_looking_up_without_an_index_and_with_one(more, raw, looks):
    raw = [*raw, *((b"X-%d" % number, b"") for number in range(more))]
    headers, indexed = Headers.from_wire(raw), Headers.from_wire(raw)
    indexed._indexed()
    for number, whether in enumerate(looks):
        name = ("accept", "Set-Cookie", "host", "HOST", "other")[number % 5]
        if whether:
            assert (name in headers) is (name in indexed)
        else:
            assert headers.get(name) == indexed.get(name)


@pytest.mark.parametrize("more", [0, 20])
def test_who_looks_something_up_needs_no_index(more):
    headers = Headers.from_wire(RAW + [(b"X-%d" % number, b"") for number in range(more)])
    assert (headers["host"], headers.get("accept"), "x" in headers, headers._index) == ("h", "a", False, None)
    assert headers["set-cookie"] == "x=1, y=2, z"  # but for several that are joined
    assert headers._index is not None


def test_names_are_looked_for_in_the_list_that_is_there(monkeypatch):
    monkeypatch.setattr(headers_module, "MOST_WALKED", 0)
    headers, given = Headers.from_wire(RAW.copy()), Headers.from_wire([])
    assert "host" in headers
    headers._raw = given._raw  # as a thread may see it while another changes the headers
    assert "host" not in headers


@pytest.mark.parametrize("name", [b"host", "h\u00f6st", "\u2603", "", "host\nset-cookie", "\n"])
@pytest.mark.parametrize("more", [0, 20])
def test_what_is_the_name_of_nothing(name, more):
    headers = Headers.from_wire(RAW + [(b"X-%d" % number, b"") for number in range(more)])
    assert headers.get(name) is None
    assert name not in headers
