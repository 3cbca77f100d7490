"""The public-suffix list, as cookies use it."""

from __future__ import annotations

import sys
from pathlib import Path
from textwrap import dedent

import publicsuffixlist
import pytest

import httpure
from httpure import _public_suffixes
from httpure._public_suffixes import is_public_suffix
from httpure_core import ambient

from .fresh import fresh


@pytest.mark.parametrize(
    ("domain", "public"),
    [
        ("com", True),
        ("example.com", False),
        ("co.uk", True),
        ("shop.co.uk", False),
        ("github.io", True),  # of a company that gives names to its users
        ("me.github.io", False),
        ("ck", True),
        ("any.ck", True),  # *.ck
        ("below.any.ck", False),
        ("www.ck", False),  # !www.ck
        ("kawasaki.jp", True),
        ("x.kawasaki.jp", True),
        ("city.kawasaki.jp", False),
        ("xn--55qx5d.cn", True),  # written in Chinese in the list
        ("a.xn--55qx5d.cn", False),
        ("localhost", True),
        ("nobody-has-registered-this", True),
        ("a.nobody-has-registered-this", False),
        ("xn--a.xn--b", False),  # no IDNA at all
        ("", True),
        ("a\nco.uk", False),
        ("// this", True),
    ],
)
def test_what_is_one(domain: str, public: bool) -> None:
    assert is_public_suffix(domain) is public


@pytest.mark.parametrize("missing", ["file", "package"])
def test_without_the_list(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, missing: str) -> None:
    """As in a program that was frozen without it: single labels are left."""
    _public_suffixes._rules.cache_clear()
    if missing == "file":
        monkeypatch.setattr(publicsuffixlist, "PSLFILE", str(tmp_path / "nothing.dat"))
    else:
        monkeypatch.setitem(sys.modules, "publicsuffixlist", None)
    look_up = is_public_suffix.__wrapped__
    try:
        assert look_up("com")
        assert not look_up("co.uk")
    finally:
        _public_suffixes._rules.cache_clear()


def test_the_packages_own_class_agrees() -> None:
    theirs = publicsuffixlist.PublicSuffixList()
    lines = Path(publicsuffixlist.PSLFILE).read_text("utf-8").splitlines()
    rules = [line.lstrip("!*.") for line in lines if line.isascii() and line and not line.startswith("//")]
    assert len(rules) > 5000
    for rule in rules[::200]:
        for domain in (rule, "a." + rule, "a.b." + rule, "x" + rule):
            assert is_public_suffix(domain) is theirs.is_public(domain), domain


def test_clients_use_it() -> None:
    def app(request: httpure.Request) -> httpure.Response:
        fields = [("Set-Cookie", f"{name}=1; Domain={name}") for name in ("co.uk", "shop.co.uk", "uk")]
        return httpure.Response(200, headers=fields)

    with httpure.Client(transport=httpure.MockTransport(app)) as client:
        client.get("https://www.shop.co.uk/")
        assert list(client.cookies) == ["shop.co.uk"]
        client.get("https://co.uk/")
        assert [cookie.domain for cookie in client.cookies.store] == [".shop.co.uk", "co.uk"]
    assert ambient.is_public_suffix("co.uk")


def test_the_list_is_read_when_it_is_needed() -> None:
    code = """
        import sys
        import httpure

        def app(request):
            fields = [("Set-Cookie", "a=1"), ("Set-Cookie", "b=1; Domain=other.example"), ("Set-Cookie", domain)]
            return httpure.Response(200, headers=fields)

        with httpure.Client(transport=httpure.MockTransport(app)) as client:
            domain = "c=1"
            client.get("https://www.example.org/")
            assert "publicsuffixlist" not in sys.modules
            domain = "c=1; Domain=example.org"
            client.get("https://www.example.org/")
            assert "publicsuffixlist" in sys.modules
        """
    fresh(dedent(code))
