"""`Headers`: the fields of a message (RFC 9110 section 5), a case-insensitive multi-dict over bytes.

Holds what is sent or was received, byte for byte and in order, in one list of pairs. For looking up there is
an index by lower-case name, made at the first look: a message of which nobody asks anything pays nothing.

Nothing can be put in that would end a field early: CR, LF and NUL are refused.
"""

from __future__ import annotations

from collections.abc import (
    ItemsView,
    Iterator,
    KeysView,
    Mapping,
    MutableMapping,
    Sequence,
    ValuesView,
)
from functools import lru_cache
from typing import Any, Self, TypeAlias, TypeVar, overload

from ..content.text import is_known_encoding

__all__ = ["SENSITIVE", "FieldTypes", "HeaderTypes", "Headers", "part_removals", "speaks_of_secrets"]

#: Names of fields whose values are secrets: shown as `[secure]`, and left out of errors. Those count too that
#: `speaks_of_secrets()`.
SENSITIVE = frozenset({"authorization", "proxy-authorization", "cookie", "set-cookie"})

T = TypeVar("T")

_SECRET_WORDS = (
    *(b"authorization", b"x-auth", b"token", b"secret", b"password", b"credential", b"session"),
    *(
        b"api-key",
        b"apikey",
        b"api_key",
        b"access-key",
        b"subscription-key",
        b"functions-key",
        b"private-key",
    ),
)

#: The characters of a token (RFC 9110 section 5.6.2).
_TOKEN = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$%&'*+-.^_`|~"


class Headers(MutableMapping[str, str]):
    """The fields of a message.

    Made of a mapping, a sequence of pairs, or other `Headers`; names and values are str or bytes. As a
    mapping, names are lower-case and compared without regard to case, and the values of a name that occurs
    more than once are joined with ", ". `raw` has everything as it is sent.

    >>> headers = httpure.Headers([("Vary", "Accept"), ("Vary", "Cookie"), ("ETag", '"7f3a"')])
    >>> headers["vary"], headers.get_list("Vary"), "etag" in headers
    ('Accept, Cookie', ['Accept', 'Cookie'], True)
    >>> headers.raw[0]
    (b'Vary', b'Accept')

    `encoding` is how str becomes bytes and bytes become str. Without it, str is sent as ASCII or else
    as UTF-8, and what was received is read as the first of ASCII, UTF-8 and ISO-8859-1 that fits all fields.
    Reading never fails: with an `encoding` that does not fit, U+FFFD stands for what cannot be read.

    Raises ValueError for a name that is no token (RFC 9110 section 5.6.2), for CR, LF or NUL in a value, and
    for an unknown `encoding` or a value that it cannot write; TypeError for names and values of other types.
    None, which as a value stands for "leave this field out" in the `headers=` of a request or a client, is
    no value here.
    """

    __slots__ = ("__weakref__", "_encoding", "_index", "_raw")

    #: Names as given and values, in order.
    _raw: list[tuple[bytes, bytes]]
    #: The joined value for each lower-case name, in order of first appearance; None until it is needed.
    _index: dict[str, bytes] | None
    _encoding: str | None

    def __init__(self, headers: FieldTypes | None = None, encoding: str | None = None) -> None:
        self._index = None
        self._encoding = encoding if encoding is None else _checked_encoding(encoding)
        if headers is None:
            self._raw = []
        elif type(headers) is dict:  # what isinstance() would find out too, but slowly: Mapping is abstract
            self._raw = [_checked(name, value, encoding) for name, value in headers.items()]
        elif isinstance(headers, Headers):
            self._raw = headers._raw.copy()
            self._encoding = encoding or headers._encoding
        else:
            self._raw = [_checked(name, value, encoding) for name, value in _pairs_of(headers)]

    @classmethod
    def from_wire(cls, raw: list[tuple[bytes, bytes]]) -> Self:
        """Return headers over `raw`, which they own from now on. Nothing is checked: the parser did.

        Runs once per request.
        """
        headers = cls.__new__(cls)
        headers._raw = raw
        headers._index = None
        headers._encoding = None
        return headers

    @property
    def encoding(self) -> str:
        """The name of the encoding that was set, or else of the first of three that fits all fields."""
        if self._encoding is not None:
            return self._encoding
        data = b"\n".join([part for pair in self._raw for part in pair])
        if data.isascii():
            return "ascii"
        try:
            data.decode("utf-8")
        except UnicodeDecodeError:
            return "iso-8859-1"
        return "utf-8"

    @encoding.setter
    def encoding(self, value: str) -> None:
        self._encoding = _checked_encoding(value)

    @property
    def raw(self) -> list[tuple[bytes, bytes]]:
        """A new list of all names and values, as they are sent: case, order and repetitions kept."""
        return self._raw.copy()

    def keys(self) -> KeysView[str]:
        """Return the names, lower-case, as they are now."""
        return dict.fromkeys(self._indexed(), "").keys()

    def values(self) -> ValuesView[str]:
        """Return the joined value of each name, as it is now."""
        return self._decoded().values()

    def items(self) -> ItemsView[str, str]:
        """Return each name with its joined value, as they are now."""
        return self._decoded().items()

    def multi_items(self) -> list[tuple[str, str]]:
        """Return all names, lower-case, and values; a name that is repeated is repeated here."""
        encoding = self.encoding
        return [(_key(name), value.decode(encoding, "replace")) for name, value in self._raw]

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    @overload
    def get(self, key: str, default: T) -> str | T: ...
    def get(self, key: str, default: Any = None) -> Any:
        """Return the joined value of a name, or `default`. Runs several times per request."""
        index = self._index
        if index is None:
            index = self._indexed()
        value = index.get(key.lower())
        if value is None:
            return default
        if self._encoding is None and value.isascii():
            return value.decode("ascii")
        return value.decode(self.encoding, "replace")

    def get_list(self, key: str, split_commas: bool = False) -> list[str]:
        """Return all values of a name; `split_commas` also cuts each at its commas, quoted or not."""
        wanted = key.lower()
        if wanted not in self._indexed():
            return []
        encoding = self.encoding
        values = [value.decode(encoding, "replace") for name, value in self._raw if _key(name) == wanted]
        if not split_commas:
            return values
        return [item.strip() for value in values for item in value.split(",")]

    def update(self, headers: FieldTypes | None = None) -> None:  # type: ignore[override]
        """Replace what is there under the names in `headers` by all that `headers` has for them.

        Raises ValueError and TypeError as the constructor does, and then changes nothing.
        """
        other = headers if isinstance(headers, Headers) else Headers(headers, self._encoding)
        index = self._indexed()
        replaced = other._indexed().keys() & index.keys()
        kept = [pair for pair in self._raw if _key(pair[0]) not in replaced] if replaced else self._raw
        self._raw = kept + other._raw
        self._index = None

    def copy(self) -> Headers:
        """Return independent headers with the same fields."""
        headers = self.from_wire(self._raw.copy())
        headers._encoding = self._encoding
        if self._index is not None:
            headers._index = self._index.copy()
        return headers

    def __getitem__(self, key: str) -> str:
        value: str | None = self.get(key)
        if value is None:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: str) -> None:
        pair = _checked(key, value, self._encoding)
        wanted = _key(pair[0])
        index = self._indexed()
        if wanted in index:
            self._replace(wanted, pair)
        else:
            self._raw.append(pair)
        index[wanted] = pair[1]

    def __delitem__(self, key: str) -> None:
        wanted = key.lower()
        del self._indexed()[wanted]
        self._raw = [pair for pair in self._raw if _key(pair[0]) != wanted]

    def __contains__(self, key: Any) -> bool:
        return isinstance(key, str) and key.lower() in self._indexed()

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __len__(self) -> int:
        return len(self._raw)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Headers):
            try:
                other = Headers(other)  # type: ignore[arg-type]
            except (TypeError, ValueError):
                return False
        return self._sorted() == other._sorted()

    def __or__(self, other: Mapping[str, str]) -> Headers:
        if not isinstance(other, Mapping):
            return NotImplemented
        merged = self.copy()
        merged.update(other)
        return merged

    def __ror__(self, other: Mapping[str, str]) -> Headers:
        if not isinstance(other, Mapping):
            return NotImplemented
        merged = Headers(other)
        merged.update(self)
        return merged

    def __ior__(self, other: FieldTypes) -> Self:
        self.update(other)
        return self

    def __repr__(self) -> str:
        items = [(name, "[secure]" if _is_secret(name) else value) for name, value in self.multi_items()]
        shown = dict(items) if len(self._indexed()) == len(items) else items
        encoding = self.encoding
        suffix = "" if encoding == "ascii" else f", encoding={encoding!r}"
        return f"{type(self).__name__}({shown!r}{suffix})"

    def _indexed(self) -> dict[str, bytes]:
        """Return the index, made if need be in one pass."""
        if self._index is not None:
            return self._index
        index: dict[str, bytes] = {}
        repeated: dict[str, list[bytes]] = {}
        for name, value in self._raw:
            key = name.lower().decode("latin-1")
            if key in index:
                repeated.setdefault(key, [index[key]]).append(value)
            else:
                index[key] = value
        for key, values in repeated.items():
            index[key] = b", ".join(values)
        self._index = index
        return index

    def _decoded(self) -> dict[str, str]:
        encoding = self.encoding
        return {name: value.decode(encoding, "replace") for name, value in self._indexed().items()}

    def _sorted(self) -> list[tuple[str, bytes]]:
        return sorted([(_key(name), value) for name, value in self._raw])

    def _replace(self, wanted: str, pair: tuple[bytes, bytes]) -> None:
        """Put `pair` where the name occurs first, and drop its other occurrences."""
        first = next(position for position, (name, _) in enumerate(self._raw) if _key(name) == wanted)
        rest = [other for other in self._raw[first + 1 :] if _key(other[0]) != wanted]
        self._raw[first:] = [pair, *rest]


#: What `Headers` are made of.
FieldTypes: TypeAlias = (
    Headers
    | Mapping[str, str]
    | Mapping[bytes, bytes]
    | Sequence[tuple[str, str]]
    | Sequence[tuple[bytes, bytes]]
)

#: What `headers=` of a client and of a request takes: there, None as the value leaves a field out.
HeaderTypes: TypeAlias = FieldTypes | Mapping[str, str | None] | Sequence[tuple[str, str | None]]

_NOTHING: frozenset[str] = frozenset()


def part_removals(headers: Any) -> tuple[Any, frozenset[str]]:
    """Part the fields to send from those to leave out; of these, return the names in lower case.

    Takes `HeaderTypes` and returns `FieldTypes`. Raises TypeError and ValueError for names that are none.
    """
    if type(headers) is dict:
        if None not in headers.values():
            return headers, _NOTHING
        pairs: list[Any] = list(headers.items())
    elif isinstance(headers, Headers):
        return headers, _NOTHING
    else:
        pairs = _pairs_of(headers)
    names = [_checked(pair[0], b"", None)[0] for pair in pairs if _is_removal(pair)]
    if not names:
        return pairs, _NOTHING
    return [pair for pair in pairs if not _is_removal(pair)], frozenset(map(_key, names))


def _is_removal(pair: Any) -> bool:
    return pair[1] is None


def _pairs_of(headers: Any) -> list[Any]:
    """Return the pairs in what is no dict. Raises TypeError and ValueError, which tell no value, for what has none."""
    if type(headers) not in (list, tuple):
        if isinstance(headers, Mapping):
            return list(headers.items())
        if isinstance(headers, str | bytes) or not hasattr(headers, "__iter__"):
            kind = type(headers).__name__
            raise TypeError(
                f"Headers are made of a dict, a list of (name, value) pairs or Headers, not of {kind}."
            )
    pairs = list(headers)
    for pair in pairs:
        if not isinstance(pair, tuple | list):
            raise TypeError(f"A list of headers holds (name, value) pairs, not a {type(pair).__name__}.")
        if len(pair) != 2:
            raise ValueError(
                f"A list of headers holds (name, value) pairs, not a {type(pair).__name__} of {len(pair)}."
            )
    return pairs


def speaks_of_secrets(lower: bytes) -> bool:
    """Whether a field's name, in lower case, says that its value is a credential, as X-Api-Key does."""
    if lower.startswith(b"access-control-"):
        return False  # what a server allows, such as credentials; it is no secret what that is
    return any(word in lower for word in _SECRET_WORDS)


def _is_secret(name: str) -> bool:
    return name in SENSITIVE or speaks_of_secrets(name.encode("latin-1"))


def _key(name: bytes) -> str:
    return name.lower().decode("latin-1")


def _checked(name: Any, value: Any, encoding: str | None) -> tuple[bytes, bytes]:
    """Return name and value as the bytes to send. Raises TypeError and ValueError."""
    raw_name = _token(name) if type(name) is str else _other_token(name)
    raw_value = value if isinstance(value, bytes) else _encoded(raw_name, value, encoding or "utf-8")
    if 0x0D in raw_value or 0x0A in raw_value or 0 in raw_value:  # far quicker than b"\r" in raw_value
        # Where, and not what: who can tell which values are secrets?
        at = min(position for position, byte in enumerate(raw_value) if byte in b"\r\n\0")
        raise ValueError(
            f"The value of header {_key(raw_name)!r} holds CR, LF or NUL, at position {at} (RFC 9110, 5.5)."
        )
    return raw_name, raw_value


@lru_cache(maxsize=512)
def _token(name: str) -> bytes:
    raw = name.encode("utf-8", "replace")
    if not raw or raw.translate(None, _TOKEN):
        raise ValueError(
            f"Header name {name!r} is not a token: letters, digits, '-' and such (RFC 9110, 5.6.2)."
        )
    return raw


def _other_token(name: Any) -> bytes:
    if isinstance(name, bytes):
        return _token(name.decode("latin-1"))
    if isinstance(name, str):
        return _token(str.__str__(name))
    raise TypeError(f"The name of a header must be str or bytes, not {type(name).__name__}.")


def _checked_encoding(encoding: str) -> str:
    if not is_known_encoding(encoding):
        raise ValueError(f"The encoding {encoding!r} is unknown, or none of text: give one such as 'utf-8'.")
    return encoding


def _encoded(name: bytes, value: Any, encoding: str) -> bytes:
    if not isinstance(value, str):
        raise TypeError(
            f"The value of header {_key(name)!r} must be str or bytes, not {type(value).__name__}."
        )
    try:
        return value.encode(encoding)
    except UnicodeEncodeError:
        raise ValueError(f"The value of header {_key(name)!r} cannot be written in {encoding}.") from None
