import pickle

import pytest

from httpure_core.models.status import codes


def test_members_are_integers_with_phrases():
    assert codes.NOT_FOUND == 404
    assert codes(404) is codes.NOT_FOUND
    assert codes["NOT_FOUND"] is codes.NOT_FOUND
    assert codes.NOT_FOUND.phrase == "Not Found"
    assert str(codes.NOT_FOUND) == f"{codes.NOT_FOUND}" == "404"
    assert pickle.loads(pickle.dumps(codes.NOT_FOUND)) is codes.NOT_FOUND


def test_every_name_has_a_lower_case_alias_that_is_a_plain_integer():
    for name, code in codes.__members__.items():
        alias = getattr(codes, name.lower())
        assert alias == code
        assert type(alias) is int


def test_every_member_has_a_phrase_and_its_place():
    assert len(codes) == 62
    assert len({code.phrase for code in codes}) == 62
    assert list(codes) == sorted(codes)


@pytest.mark.parametrize(
    ("newer", "older"),
    [
        ("CONTENT_TOO_LARGE", "REQUEST_ENTITY_TOO_LARGE"),
        ("URI_TOO_LONG", "REQUEST_URI_TOO_LONG"),
        ("RANGE_NOT_SATISFIABLE", "REQUESTED_RANGE_NOT_SATISFIABLE"),
        ("UNPROCESSABLE_CONTENT", "UNPROCESSABLE_ENTITY"),
    ],
)
def test_names_of_rfc_9110_are_aliases(newer, older):
    assert codes[newer] is codes[older]
    assert codes[newer].name == older


def test_reason_phrases():
    assert codes.get_reason_phrase(200) == "OK"
    assert codes.get_reason_phrase(418) == "I'm a teapot"
    assert codes.get_reason_phrase(299) == ""


@pytest.mark.parametrize(
    ("test", "first", "last"),
    [
        (codes.is_informational, 100, 199),
        (codes.is_success, 200, 299),
        (codes.is_redirect, 300, 399),
        (codes.is_client_error, 400, 499),
        (codes.is_server_error, 500, 599),
        (codes.is_error, 400, 599),
    ],
)
def test_classes_of_codes(test, first, last):
    assert not test(first - 1)
    assert test(first)
    assert test(last)
    assert not test(last + 1)
