"""A challenge of Digest, and its answer. What `DigestAuth` makes of them: see `test_digest.py`."""

from __future__ import annotations

import pytest

from httpure_core.auth.proof import Session, best_challenge


def test_the_example_of_rfc_7616() -> None:
    """Section 3.9.1, with its client nonce."""
    fields = [
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=SHA-256, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
        'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm=MD5, '
        'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"',
    ]
    challenge = best_challenge(fields)
    assert challenge is not None
    session = Session(challenge)
    session.cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"
    answer = session.answer(b"Mufasa", b"Circle of Life", "GET", "/dir/index.html", bytes)
    assert 'response="753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"' in answer


@pytest.mark.parametrize("field", ["Basic realm=r", "", "Digest realm=r, nonce=n, algorithm=SHA-1024"])
def test_nothing_that_can_be_answered(field: str) -> None:
    assert best_challenge([field]) is None


def test_a_malformed_challenge_counts_only_where_there_is_no_other() -> None:
    with pytest.raises(ValueError, match="it has no nonce"):
        best_challenge(["Digest realm=r"])
    assert best_challenge(["Digest realm=r", "Digest realm=r, nonce=n"]) is not None
