"""JSON that is laid out, or compact, is the same JSON."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure._cli.jsontext import compact, laid_out

VALUES: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=20,
)


@pytest.mark.slow
@given(VALUES, st.booleans(), st.sampled_from([None, 0, 2]))
def test_the_value_stays(value: Any, ascii_only: bool, indent: int | None) -> None:
    text = json.dumps(value, ensure_ascii=ascii_only, indent=indent)
    assert json.loads(laid_out(text)) == value
    assert json.loads(compact(text)) == value


@pytest.mark.slow
@given(VALUES)
def test_it_is_laid_out_as_the_standard_library_does(value: Any) -> None:
    text = json.dumps(value, ensure_ascii=False)
    assert laid_out(text) == json.dumps(value, indent=4, ensure_ascii=False)
    assert compact(text) == json.dumps(value, separators=(",", ":"), ensure_ascii=False)


@pytest.mark.parametrize("text", ["1.10", "1e400", "-0", "123456789012345678901234567890", "9" * 5000])
def test_numbers_keep_their_digits(text: str) -> None:
    assert laid_out(f"[ {text} ]") == f"[\n    {text}\n]"
    assert compact(f"[ {text} ]") == f"[{text}]"


def test_members_of_one_name_all_stay() -> None:
    assert compact('{"a": 1, "a": 2}') == '{"a":1,"a":2}'


@pytest.mark.parametrize(
    ("written", "shown"),
    [
        (r'"gr\u00fc\u00dfe"', '"grüße"'),
        (r'"\/a"', '"/a"'),
        (r'"a\nb"', r'"a\nb"'),  # a line break would break the line
        (r'"\u001b[2J"', r'"\u001b[2J"'),  # and this would clear the screen
        (r'"\ud800"', r'"\ud800"'),  # half a character
        (r'"\ud83d\uDE00\ude00"', r'"😀\ude00"'),
        (r'"\u00fc\u0000\\u00fc"', r'"ü\u0000\\u00fc"'),
        (r'"\u0022\u005c"', r'"\u0022\u005c"'),
        (r'"\u202e"', r'"\u202e"'),  # writes from right to left from here on
        (r'"\"{[,:]}"', r'"\"{[,:]}"'),
    ],
)
def test_escapes_go_where_they_can(written: str, shown: str) -> None:
    assert laid_out(written) == shown
    assert compact(written) == written


@pytest.mark.parametrize("text", ["", "{", "[1,]", "{'a': 1}", "NaN", "[Infinity]", "1 2", "[" * 100_000])
def test_what_is_no_json(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        laid_out(text)
    with pytest.raises(ValueError, match=r"."):
        compact(text)
