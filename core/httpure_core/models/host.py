"""What may stand in the place of a host and of a port (RFC 3986 sections 3.2.2 and 3.2.3).

One reading for everybody: what is checked here is what is dialled, named in SNI and in `Host`, and matched
against NO_PROXY, netrc and cookies. So whatever RFC 3986 and browsers (WHATWG URL section 3.5) read
differently is refused. Lengths are checked before anything costly runs.

`ipaddress` and `idna` are imported only when a host needs them: most do not.
"""

from __future__ import annotations

from ..errors import InvalidURL

__all__ = [
    "DEFAULT_PORTS",
    "MAX_HOST_LENGTH",
    "canonical_ipv6",
    "decode_host",
    "encode_host",
    "parse_port",
    "shown",
]

#: The port that a scheme implies. These are also the schemes browsers call special.
DEFAULT_PORTS = {"ftp": 21, "http": 80, "https": 443, "ws": 80, "wss": 443}

#: Bytes of a host name: DNS has no room for more.
MAX_HOST_LENGTH = 255

#: Unreserved characters and sub-delims: a registered name of RFC 3986, save for its escapes.
_NAME = b"abcdefghijklmnopqrstuvwxyz0123456789-._~!$&'()*+,;="
_ZONE = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
_DIGITS = "0123456789"


def encode_host(host: str, scheme: str) -> str:
    """Return the host as it is dialled: ASCII, lower-case, IDNA 2008, an IPv6 address without brackets.

    `host` is not empty; an IPv6 address stands in brackets. Raises InvalidURL.
    """
    if len(host) > MAX_HOST_LENGTH:
        raise InvalidURL(f"Host {shown(host)} is longer than {MAX_HOST_LENGTH} bytes.")
    if host[0] == "[":
        return _encode_ipv6(host)
    name = host.lower()
    if not name.isascii():
        name = _encode_idna(name, host)
    elif "%" in name and scheme not in DEFAULT_PORTS:
        _check_escapes(name)
        return name
    _check_characters(name, host)
    if _ends_in_number(name) and not _is_ipv4(name):
        raise InvalidURL(
            f"Host {shown(host)} ends in a number, but is not an IPv4 address: four decimal numbers "
            "from 0 to 255, without leading zeros."
        )
    return name


def decode_host(host: str) -> str:
    """Return the host as people write it: each label in `xn--` form becomes Unicode, where it can."""
    if "xn--" not in host:
        return host
    return ".".join([_decode_label(label) for label in host.split(".")])


def parse_port(port: str) -> int | None:
    """Return the port as a number, None where it is empty. Raises InvalidURL."""
    if not port:
        return None
    digits = port.lstrip("0")
    if port.strip(_DIGITS):
        raise InvalidURL(f"Port {shown(port)} is not a number in ASCII digits (RFC 3986 section 3.2.3).")
    if len(digits) > 5 or int(digits or "0") > 65535:
        raise InvalidURL(f"Port {shown(port)} is not between 0 and 65535.")
    return int(digits or "0")


def shown(value: str) -> str:
    """Return a value as an error message shows it: quoted, cut, left out where a password may be in it."""
    if "@" in value:
        return "(not shown, it holds '@')"
    return repr(value if len(value) <= 100 else value[:100] + "...")


def canonical_ipv6(host: str) -> str:
    """Return the one spelling that all spellings of an IPv6 address share, its zone kept."""
    from ipaddress import IPv6Address

    return IPv6Address(host).compressed


def _check_characters(name: str, host: str) -> None:
    if name.encode("ascii").translate(None, _NAME):
        raise InvalidURL(
            f"Host {shown(host)} holds a character that no host name may hold (RFC 3986 section 3.2.2)."
        )


def _ends_in_number(name: str) -> bool:
    """Tell whether programs may take the name for an IPv4 address: `127.1`, `0x7f.1` and `1.2.3.4.` too."""
    label = name.removesuffix(".").rpartition(".")[2]
    if label.startswith("0x"):
        return not label[2:].strip("0123456789abcdef")
    return label.isdigit()


def _is_ipv4(name: str) -> bool:
    numbers = name.split(".")
    if len(numbers) != 4:
        return False
    for number in numbers:
        if (
            not number.isdigit()
            or len(number) > 3
            or int(number) > 255
            or (number[0] == "0" and number != "0")
        ):
            return False
    return True


def _encode_ipv6(host: str) -> str:
    """Check `[address]` or, for link-local addresses, `[address%25zone]` (RFC 6874) or `[address%zone]`."""
    address, percent, zone = host[1:].removesuffix("]").partition("%")
    if len(zone) > 2 and zone.startswith("25"):
        zone = zone[2:]
    from ipaddress import IPv6Address

    try:
        parsed = IPv6Address(address if host[-1] == "]" else "")
    except ValueError:
        raise InvalidURL(f"Host {shown(host)} is not an IPv6 address in brackets.") from None
    if not percent:
        return address.lower()
    if not zone or zone.encode("utf-8", "replace").translate(None, _ZONE) or not parsed.is_link_local:
        raise InvalidURL(
            f"Host {shown(host)}: a zone is a name of letters, digits and '-._~', "
            "and only a link-local address can have one (RFC 6874 section 2)."
        )
    return f"{address.lower()}%{zone}"


def _check_escapes(name: str) -> None:
    """Check a host with escapes in it, for a scheme of which nothing is known, such as `http+unix`."""
    first, *rest = name.split("%")
    if any(len(piece) < 2 or piece[:2].strip("0123456789abcdef") for piece in rest):
        raise InvalidURL(f"Host {shown(name)} has a '%' that begins no escape (RFC 3986 section 2.1).")
    _check_characters(first + "".join(rest), name)


def _encode_idna(name: str, host: str) -> str:
    import idna

    try:
        return idna.encode(name).decode("ascii")
    except ValueError as error:
        raise InvalidURL(f"Host {shown(host)} is not a valid name under IDNA 2008: {error}") from None


def _decode_label(label: str) -> str:
    if not label.startswith("xn--"):
        return label
    import idna

    try:
        return idna.decode(label)
    except ValueError:
        return label
