"""The netrc format, and who gets which password."""

from __future__ import annotations

import netrc as stdlib_netrc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from httpure_core.auth import NetRCAuth, NotNetRC, parse_netrc
from httpure_core.models.request import Request
from httpure_core.models.response import Response

TEXT = """\
# passwords of the team
machine example.org
    login ada   # who she is
    password "two \\"words\\" # and \\\\"
machine api.example.org user bob account staff password p#w\\ x
machine many.example login first password 1
machine many.example login second password 2
macdef init
    cd /pub
    machine evil.example login x password y

machine empty.example login nobody
machine token.example password only
default login anonymous password guest
"""


def authorization(text: str, url: str) -> str | None:
    request = Request("GET", url)
    flow = NetRCAuth(parse_netrc(text)).sync_auth_flow(request)
    assert next(flow) is request
    with pytest.raises(StopIteration):
        flow.send(Response(200))
    return request.headers.get("Authorization")


@pytest.mark.parametrize(
    ("host", "login", "password", "account"),
    [
        ("example.org", "ada", 'two "words" # and \\', ""),
        ("EXAMPLE.org", "ada", 'two "words" # and \\', ""),
        ("api.example.org", "bob", "p#w x", "staff"),
        ("many.example", "first", "1", ""),
        ("empty.example", "nobody", "", ""),
        ("token.example", "", "only", ""),
        ("evil.example", "anonymous", "guest", ""),
        ("www.example.org", "anonymous", "guest", ""),
    ],
)
def test_lookup(host: str, login: str, password: str, account: str) -> None:
    entry = parse_netrc(TEXT).lookup(host)
    assert entry is not None
    assert (entry.login, entry.password, entry.account) == (login, password, account)


def test_a_login_picks_its_own_entry_and_no_other() -> None:
    netrc = parse_netrc(TEXT)
    second = netrc.lookup("many.example", "second")
    assert second is not None and second.password == "2"
    assert netrc.lookup("many.example", "third") is None
    anyone = netrc.lookup("token.example", "ann")
    assert anyone is not None and (anyone.login, anyone.password) == ("ann", "only")
    assert netrc.lookup("elsewhere.example", "ann") is None


def test_nothing_for_a_host_that_is_not_there() -> None:
    assert parse_netrc("machine a login b password c").lookup("b") is None
    assert parse_netrc("").lookup("b") is None


def test_line_ends_and_marks_of_other_systems() -> None:
    text = "\ufeffmacdef x\r\n  ls\r\n\r\nmachine a login b\r\npassword c\r\n"
    entry = parse_netrc(text).lookup("a")
    assert entry is not None and entry.password == "c"


def test_a_macro_at_the_end_and_a_comment_at_the_end() -> None:
    assert parse_netrc("machine a login b password c\nmacdef x\n ls").lookup("a") is not None
    assert parse_netrc("machine a login b password c # end").lookup("a") is not None


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("machine", 1),
        ("machine a\nlogin", 2),
        ("login hush", 1),
        ("machine a\nhush", 2),
        ('machine a login b\npassword "hush', 2),
        ('machine a password "hush\\', 1),
    ],
)
def test_errors_name_the_line_and_no_secret(text: str, line: int) -> None:
    with pytest.raises(NotNetRC, match=f"netrc line {line}: ") as caught:
        parse_netrc(text)
    assert "hush" not in repr(caught.value)
    assert caught.value.line == line


def test_requests_get_the_entry_of_their_host() -> None:
    assert authorization(TEXT, "https://many.example/") == "Basic Zmlyc3Q6MQ=="
    assert authorization(TEXT, "https://second@many.example/") == "Basic c2Vjb25kOjI="
    assert authorization(TEXT, "https://third@many.example/") is None
    assert authorization(TEXT, "https://empty.example/") is None
    assert authorization("machine a.example login b password c", "https://b.example/") is None


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("machine a login b password c", True),
        ("machine a password c", True),
        ("default login b password c", True),
        ("machine a login b", False),
        ("machine a login anonymous password me@example.org default login anonymous password guest", False),
        ("", False),
    ],
)
def test_whether_it_holds_a_secret(text: str, secret: bool) -> None:
    assert parse_netrc(text).secret is secret


def test_no_secret_is_shown() -> None:
    netrc = parse_netrc("machine a login b password hush default password hush")
    assert repr(netrc) == "<NetRC of 1 machines>"
    assert repr(netrc.lookup("a")) == "NetRCEntry(machine='a', login='b', password='[secure]')"


def test_the_standard_library_reads_the_same(tmp_path: Path) -> None:
    text = 'machine h1 login "a b" password c\\d\n'
    text += "machine h2 account x login y password #z\ndefault login q password r\n"
    path = tmp_path / "netrc"
    path.write_text(text)
    theirs, ours = stdlib_netrc.netrc(str(path)), parse_netrc(text)
    for host in ("h1", "h2", "h3"):
        entry = ours.lookup(host)
        assert entry is not None
        assert theirs.authenticators(host) == (entry.login, entry.account, entry.password)


@settings(max_examples=50)
@given(
    st.lists(
        st.sampled_from(["machine", "default", "login", "macdef", "#", '"', "\\", "x", "\n", " "]),
        max_size=20,
    )
)
def test_no_text_raises_anything_else(words: list[str]) -> None:
    try:
        parse_netrc(" ".join(words))
    except NotNetRC as error:
        assert str(error).startswith("netrc line")
