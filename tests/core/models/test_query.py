import copy
import datetime
import decimal
import enum
import pickle
from types import MappingProxyType

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.models.query import QueryParams

PAIRS = [("a", "1"), ("a", "2"), ("b", "3")]


@pytest.mark.parametrize(
    "source",
    [
        "a=1&b=3&a=2",
        b"a=1&a=2&b=3",
        "&a=1&&a=2&b=3&",
        {"a": [1, "2"], "b": 3},
        {"a": (1, 2), "b": "3"},
        MappingProxyType({"a": ["1", "2"], "b": ["3"], "c": []}),
        [("a", 1), ("b", 3), ("a", 2)],
        (("a", 1), ("b", 3), ("a", 2)),
        [(b"a", b"1"), ("b", 3), ("a", 2)],
        QueryParams("a=1&a=2&b=3"),
    ],
)
def test_what_parameters_are_made_of(source):
    params = QueryParams(source)
    assert params.multi_items() == PAIRS
    assert str(params) == "a=1&a=2&b=3"
    assert repr(params) == "QueryParams('a=1&a=2&b=3')"


def test_keyword_arguments_and_nothing_at_all():
    assert QueryParams(a=[1, 2], b=3).multi_items() == PAIRS
    for empty in (QueryParams(), QueryParams(None), QueryParams(""), QueryParams({}), QueryParams([])):
        assert not empty
        assert str(empty) == ""


@pytest.mark.parametrize(
    ("value", "text"),
    [(None, ""), (True, "true"), (False, "false"), (1, "1"), (1.5, "1.5"), (0, "0"), ("x", "x")],
)
def test_values_become_text(value, text):
    assert QueryParams({"a": value})["a"] == text
    assert QueryParams([("a", value)])["a"] == text
    assert QueryParams().set("a", value)["a"] == text
    assert QueryParams().add("a", value)["a"] == text


class Color(str, enum.Enum):  # noqa: UP042 - whose str() is another
    RED = "red"


def test_texts_of_a_kind_of_their_own_are_sent_as_what_they_say():
    """Of a member of such an enum, str() is its name in Python, `Color.RED`: forms have its text, too."""
    for params in (
        QueryParams({Color.RED: Color.RED}),
        QueryParams([(Color.RED, Color.RED)]),
        QueryParams().set(Color.RED, Color.RED),
        QueryParams().add(Color.RED, Color.RED),
    ):
        assert str(params) == "red=red"
        assert {type(each) for pair in params.multi_items() for each in pair} == {str}
        assert params[Color.RED] == "red" and params.get_list(Color.RED) == ["red"]
        assert not params.remove(Color.RED)


def test_names_become_text():
    assert QueryParams({1: 2}).multi_items() == [("1", "2")]
    assert QueryParams("1=2").get_list(1) == ["2"]


def test_reading_a_query():
    assert QueryParams("a=1&b&c=&=d&e=f=g&%C3%BC=+%2B&h=%zz").multi_items() == [
        ("a", "1"),
        ("b", ""),
        ("c", ""),
        ("", "d"),
        ("e", "f=g"),
        ("\xfc", " +"),
        ("h", "%zz"),
    ]


def test_a_semicolon_separates_nothing():
    assert QueryParams("a=1;b=2").multi_items() == [("a", "1;b=2")]


def test_writing_a_query():
    assert str(QueryParams({"a b": "c&d=e+f", "\xfc": "/?~*"})) == "a+b=c%26d%3De%2Bf&%C3%BC=%2F%3F~%2A"


def test_as_a_mapping_a_name_has_its_first_value():
    params = QueryParams(PAIRS)
    assert list(params) == ["a", "b"]
    assert list(params.keys()) == ["a", "b"]
    assert list(params.values()) == ["1", "3"]
    assert list(params.items()) == [("a", "1"), ("b", "3")]
    assert len(params) == 2
    assert "a" in params and "c" not in params
    assert params["a"] == "1"
    assert params.get("a") == "1"
    assert params.get("c") is None
    assert params.get("c", "d") == "d"
    assert params.get_list("a") == ["1", "2"]
    assert params.get_list("c") == []
    with pytest.raises(KeyError):
        params["c"]


def test_altering_returns_another():
    params = QueryParams(PAIRS)
    assert str(params.set("a", 9)) == "a=9&b=3"
    assert str(params.set("c")) == "a=1&a=2&b=3&c="
    assert str(params.add("a", 9)) == "a=1&a=2&a=9&b=3"
    assert str(params.remove("a")) == "b=3"
    assert str(params.remove("c")) == "a=1&a=2&b=3"
    assert str(params.merge({"a": "x", "c": "y"})) == "a=x&b=3&c=y"
    assert params.merge() == params.merge(None) == params
    assert params.multi_items() == PAIRS


def test_nothing_changes_one_in_place():
    params = QueryParams(PAIRS)
    with pytest.raises(RuntimeError, match=r"merge"):
        params.update({"a": "1"})
    with pytest.raises(RuntimeError, match=r"set"):
        params["a"] = "1"
    params.get_list("a").append("9")
    assert params.multi_items() == PAIRS


def test_equality_and_hash_do_not_depend_on_order():
    left, right = QueryParams("a=1&b=2"), QueryParams("b=2&a=1")
    assert left == right
    assert hash(left) == hash(right)
    assert left != QueryParams("a=1")
    assert left != "a=1&b=2"


def test_copies_and_pickles():
    params = QueryParams(PAIRS)
    assert pickle.loads(pickle.dumps(params)) == copy.deepcopy(params) == copy.copy(params) == params


def test_the_text_is_made_once():
    params = QueryParams(PAIRS)
    assert str(params) is str(params)


@pytest.mark.parametrize("wrong", [1, 1.5, object(), {"a"}])
def test_other_types_are_refused_by_name(wrong):
    with pytest.raises(TypeError, match=type(wrong).__name__):
        QueryParams(wrong)


@pytest.mark.parametrize("wrong", [[("a",)], ["ab"], [("a", 1, 2)], (5,), [{"a": 1, "b": 2}]])
def test_a_list_holds_pairs(wrong):
    with pytest.raises(TypeError, match=r"holds \(name, value\) pairs, not (a tuple of|of type)"):
        QueryParams(wrong)


@pytest.mark.parametrize("value", [{"b": 1}, {1, 2}, frozenset(), iter([1]), (n for n in "ab")])
def test_a_value_that_would_be_sent_as_its_repr_is_refused(value):
    with pytest.raises(TypeError, match=f"or a list of these, not of type {type(value).__name__}"):
        QueryParams({"a": value})
    with pytest.raises(TypeError, match="parameter is a text, a number"):
        QueryParams().add("a", value)


def test_other_values_are_sent_as_their_text():
    day = datetime.date(2026, 1, 2)
    assert str(QueryParams({"a": day, "b": decimal.Decimal("1.50"), "c": b"x"})) == "a=2026-01-02&b=1.50&c=x"


def test_some_names_are_left_out():
    params = QueryParams(PAIRS)
    assert params.without(["a"]).multi_items() == [("b", "3")]
    assert params.without(QueryParams("a=5&b=6"), but={"a"}).multi_items() == [("a", "1"), ("a", "2")]
    assert params.without(()) == params


def test_bytes_are_ascii():
    with pytest.raises(ValueError):
        QueryParams(b"\xfc=1")


def test_one_source_only():
    with pytest.raises(TypeError):
        QueryParams("a=1", "b=2")
    with pytest.raises(TypeError):
        QueryParams("a=1", b=2)


TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@settings(max_examples=40)
@given(st.lists(st.tuples(TEXT, TEXT), max_size=6))
def test_pairs_survive_the_round_trip(pairs):
    params = QueryParams(pairs)
    assert QueryParams(str(params)) == params
    assert sorted(params.multi_items()) == sorted(pairs)


@given(st.text(max_size=40))
def test_any_text_is_a_query(text):
    params = QueryParams(text)
    assert all(params.get_list(name) for name in params)
