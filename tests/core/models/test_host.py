import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.errors import InvalidURL
from httpure_core.models.host import canonical_ipv6, decode_host, encode_host, parse_port, shown


@pytest.mark.parametrize(
    ("host", "encoded"),
    [
        ("EXAMPLE.com", "example.com"),
        ("example.com.", "example.com."),
        ("a_b-c~d", "a_b-c~d"),
        ("*.example.com", "*.example.com"),
        ("m\xfcller.de", "xn--mller-kva.de"),
        ("M\xdcLLER.de", "xn--mller-kva.de"),
        ("xn--mller-kva.de", "xn--mller-kva.de"),
        ("www.\u4e2d\u56fd.icom.museum", "www.xn--fiqs8s.icom.museum"),
        ("\u212aelvin.example", "kelvin.example"),
        ("127.0.0.1", "127.0.0.1"),
        ("255.255.255.0", "255.255.255.0"),
        ("1.example", "1.example"),
        ("1.2.3.4x", "1.2.3.4x"),
        ("[::1]", "::1"),
        ("[2001:DB8::FF]", "2001:db8::ff"),
        ("[::ffff:192.168.0.1]", "::ffff:192.168.0.1"),
        ("[fe80::1%eth0]", "fe80::1%eth0"),
        ("[fe80::1%25eth0.100]", "fe80::1%eth0.100"),
        ("[fe80::1%25]", "fe80::1%25"),
        ("[fe80::1%2525]", "fe80::1%25"),
        ("a" * 255, "a" * 255),
    ],
)
def test_hosts(host, encoded):
    assert encode_host(host, "http") == encoded


@pytest.mark.parametrize(
    ("host", "rule"),
    [
        ("a b", "no host name may hold"),
        ("a%20b", "no host name may hold"),
        ("a%41", "no host name may hold"),
        ("a\\b", "no host name may hold"),
        ("a|b", "no host name may hold"),
        ("a^b", "no host name may hold"),
        ("a<b", "no host name may hold"),
        ("{host}", "no host name may hold"),
        ("a/b", "no host name may hold"),
        ("a\nb", "no host name may hold"),
        ("a\0b", "no host name may hold"),
        ("a" * 256, "longer than 255 bytes"),
        ("\xfc" * 200, "IDNA"),
        ("\u2603" * 100_000, "longer than 255 bytes"),
        ("\U0001f600.example", "IDNA"),
        ("a..\xfc", "IDNA"),
        ("\ud800", "IDNA"),
        ("\xa0", "IDNA"),
        ("127.1", "ends in a number"),
        ("2130706433", "ends in a number"),
        ("0x7f.1", "ends in a number"),
        ("0x7f000001", "ends in a number"),
        ("example.0x", "ends in a number"),
        ("127.0.0.1.", "ends in a number"),
        ("256.0.0.1", "ends in a number"),
        ("1.2.3.4444", "ends in a number"),
        ("01.2.3.4", "ends in a number"),
        ("1.2.3.4.5", "ends in a number"),
        ("1..3.4", "ends in a number"),
        ("a.1.2.3", "ends in a number"),
        ("[]", "IPv6"),
        ("[::1", "IPv6"),
        ("[1.2.3.4]", "IPv6"),
        ("[::g]", "IPv6"),
        ("[::\u0661]", "IPv6"),
        ("[v1.x]", "IPv6"),
        ("[::1%eth0]", "zone"),
        ("[fe80::1%]", "zone"),
        ("[fe80::1%a/b]", "zone"),
        ("[fe80::1%\xfc]", "zone"),
        ("[fe80::1%\ud800]", "zone"),
    ],
)
def test_hosts_that_are_refused(host, rule):
    with pytest.raises(InvalidURL, match=rule) as caught:
        encode_host(host, "http")
    assert shown(host) in str(caught.value)


def test_a_scheme_that_nobody_knows_may_have_escapes_in_its_host():
    assert encode_host("%2Fvar%2Frun%2Fdocker.1", "http+unix") == "%2fvar%2frun%2fdocker.1"
    for host in ("a%", "a%4", "a%zz", "a%4z", "%41%"):
        with pytest.raises(InvalidURL, match="begins no escape"):
            encode_host(host, "http+unix")
    with pytest.raises(InvalidURL, match="no host name may hold"):
        encode_host("%41 b", "http+unix")


@pytest.mark.parametrize(
    ("host", "decoded"),
    [
        ("example.com", "example.com"),
        ("xn--mller-kva.de", "m\xfcller.de"),
        ("www.xn--fiqs8s.museum", "www.\u4e2d\u56fd.museum"),
        ("xn--", "xn--"),
        ("_x.xn--mller-kva.de", "_x.m\xfcller.de"),
        ("xn--i-7iq.ws", "xn--i-7iq.ws"),
    ],
)
def test_decoding_each_label_that_can_be(host, decoded):
    assert decode_host(host) == decoded


def test_one_spelling_for_all_spellings_of_an_ipv6_address():
    assert canonical_ipv6("0:0::1") == canonical_ipv6("::0001") == "::1"
    assert canonical_ipv6("fe80::0:1%eth0") == "fe80::1%eth0"


@pytest.mark.parametrize(
    ("port", "number"), [("", None), ("0", 0), ("80", 80), ("00080", 80), ("65535", 65535), ("000", 0)]
)
def test_ports(port, number):
    assert parse_port(port) == number


@pytest.mark.parametrize(
    "port", ["-1", "+80", " 80", "80 ", "8_0", "0x50", "\u0668\u0660", "\xb2", "a", "80a", "8a0", "True"]
)
def test_a_port_is_made_of_ascii_digits(port):
    with pytest.raises(InvalidURL, match="ASCII digits") as caught:
        parse_port(port)
    assert repr(port) in str(caught.value)


@pytest.mark.parametrize("port", ["65536", "99999", "100000", "9" * 60_000])
def test_a_port_has_a_range(port):
    with pytest.raises(InvalidURL, match="between 0 and 65535") as caught:
        parse_port(port)
    assert len(str(caught.value)) < 200


def test_what_may_hold_a_password_is_not_shown():
    assert shown("a") == "'a'"
    assert "secret" not in shown("user:secret@host")


@given(st.text(min_size=1, max_size=12), st.sampled_from(["http", "foo", ""]))
def test_any_text_is_a_host_or_an_invalid_url(text, scheme):
    try:
        host = encode_host(text, scheme)
    except InvalidURL:
        return
    assert host.isascii() and host == host.lower()
    again = f"[{host}]" if ":" in host else host
    assert encode_host(again.replace("%", "%25") if ":" in host else again, scheme) == host
    decode_host(host)


def test_what_few_hosts_need_is_not_imported_for_all():
    code = (
        "import sys; from httpure_core.models.url import URL; URL('http://127.0.0.1:8000/x'); URL('http://a.b');"
        "print([m for m in ('idna', 'ipaddress', 'urllib', 'urllib.parse') if m in sys.modules])"
    )
    command = [sys.executable, "-I", "-c", f"import sys; sys.path[:0] = {sys.path!r}; {code}"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "[]\n"
