import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.models import percent

SETS = [percent.FRAGMENT, percent.PATH, percent.QUERY, percent.USERINFO, percent.USERNAME]


def test_what_is_safe_stays():
    assert percent.encode("/a/b-c_~;=", percent.PATH) == "/a/b-c_~;="


def test_what_is_not_safe_is_escaped_in_utf8():
    assert percent.encode("a b\xfc?\u2603", percent.PATH) == "a%20b%C3%BC%3F%E2%98%83"


def test_the_sets_differ_as_those_of_browsers_do():
    marks = "\"#<>?`{}/:;=@[\\]^|'%!$&()*+,"
    kept = ["".join(mark for mark in marks if percent.encode(mark, safe) == mark) for safe in SETS]
    assert kept == [
        "#?{}/:;=@[\\]^|'%!$&()*+,",
        "/:;=@[\\]^|'%!$&()*+,",
        "?`{}/:;=@[\\]^|'%!$&()*+,",
        ":'%!$&()*+,",
        "'%!$&()*+,",
    ]


@pytest.mark.parametrize("text", ["%7E", "%41", "%2f", "%2F", "%zz", "%"])
def test_escapes_that_are_there_stay_byte_for_byte(text):
    assert all(percent.encode(text, safe) == text for safe in SETS)


def test_decode_reads_runs_of_escapes_as_utf8():
    assert percent.decode("a%20b%C3%BC%e2%98%83+") == "a b\xfc\u2603+"


def test_decode_keeps_what_is_no_escape_and_replaces_what_is_no_utf8():
    assert percent.decode("%zz%4") == "%zz%4"
    assert percent.decode("%80a%C3") == "\ufffda\ufffd"


def test_form_encoding_writes_spaces_as_plus():
    assert percent.encode_form("a b+c~d*\xfc&=") == "a+b%2Bc~d%2A%C3%BC%26%3D"
    assert percent.decode_form("a+b%2Bc") == "a b+c"


def test_a_lone_surrogate_cannot_be_written():
    with pytest.raises(UnicodeEncodeError):
        percent.encode("\ud800", percent.PATH)
    with pytest.raises(ValueError, match="lone surrogate"):
        percent.encode_form("\ud800")


@settings(max_examples=60)
@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_a_form_value_survives_the_round_trip(text):
    assert percent.decode_form(percent.encode_form(text)) == text


@given(st.text(st.characters(exclude_categories=["Cs"])), st.sampled_from(SETS))
def test_encoding_twice_is_encoding_once(text, safe):
    once = percent.encode(text, safe)
    assert once.isascii()
    assert percent.encode(once, safe) == once
