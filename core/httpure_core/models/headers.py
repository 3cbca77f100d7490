"""`Headers`: the fields of a message (RFC 9110 section 5), a case-insensitive multi-dict over bytes.

Holds what is sent or was received, byte for byte and in order, in one list of pairs. A message of which nobody asks
anything pays nothing. Who looks something up among few fields goes through them; among many, all names are searched
at once, written into one piece: of 60 fields, that is made in 24,000 instructions and searched in 2,000, where to go
through them takes 20,000, and an index by lower-case name 100,000. Who iterates over headers, or changes them, has such
an index made.

Neither list nor index is ever changed, only replaced. They are shared, therefore, between copies, and between the
defaults of a client and its requests; and whoever has made something of a list sees by its identity whether that holds.

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
from typing import TYPE_CHECKING, Any, Self, TypeAlias, TypeVar, overload

from .field import checked_field, is_secret, key_of, known_keys

if TYPE_CHECKING:
    from ..contracts import FieldBlock, Fields

__all__ = [
    "FieldTypes",
    "HeaderTypes",
    "Headers",
    "part_removals",
]

T = TypeVar("T")

#: Up to so many fields are gone through by who looks for one.
MOST_WALKED = 12


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

    __slots__ = ("__weakref__", "_block", "_encoding", "_index", "_names", "_raw")

    #: Names as given and values, in order.
    _raw: list[tuple[bytes, bytes]]
    #: The joined value for each lower-case name, in order of first appearance; None until it is needed.
    _index: dict[str, bytes] | None
    _encoding: str | None
    #: All of it as it goes to the wire, where somebody has encoded it: see `field_block.py`.
    _block: FieldBlock | None
    #: All names in lower case, each between two line feeds, and the list that has them.
    _names: tuple[list[tuple[bytes, bytes]], bytes] | None

    def __init__(self, headers: FieldTypes | None = None, encoding: str | None = None) -> None:
        self._index = self._names = self._block = None
        self._encoding = encoding if encoding is None else _checked_encoding(encoding)
        if headers is None:
            self._raw = []
        elif type(headers) is dict:  # what isinstance() would find out too, but slowly: Mapping is abstract
            self._raw = [checked_field(name, value, encoding) for name, value in headers.items()]
        elif isinstance(headers, Headers):
            self._raw = headers._raw
            self._encoding = encoding or headers._encoding
        else:
            self._raw = [checked_field(name, value, encoding) for name, value in _pairs_of(headers)]

    @classmethod
    def from_wire(cls, raw: list[tuple[bytes, bytes]]) -> Self:
        """Return headers over `raw`, which they own from now on. Nothing is checked: the parser did.

        Runs once per request.
        """
        headers: Self = object.__new__(cls)
        headers._raw = raw
        headers._index = headers._names = headers._encoding = headers._block = None
        return headers

    @classmethod
    def assemble(
        cls,
        raw: list[tuple[bytes, bytes]],
        index: dict[str, bytes] | None,
        encoding: str | None,
        block: FieldBlock | None,
    ) -> Self:
        """Make headers of parts that fit together, and may be shared with others. Runs once per request."""
        headers: Self = object.__new__(cls)
        headers._raw = raw
        headers._index = index
        headers._encoding = encoding
        headers._block = block
        headers._names = None
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
        return [(key_of(name), value.decode(encoding, "replace")) for name, value in self._raw]

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    @overload
    def get(self, key: str, default: T) -> str | T: ...
    def get(self, key: str, default: Any = None) -> Any:
        """Return the joined value of a name, or `default`. Runs several times per request."""
        index = self._index
        try:
            value = self._sought(key) if index is None else index.get(key.lower())
        except (AttributeError, TypeError):
            raise _no_name(key) from None
        if value is None:
            return default
        if self._encoding is None and value.isascii():
            return value.decode("ascii")
        return value.decode(self.encoding, "replace")

    def get_list(self, key: str, split_commas: bool = False) -> list[str]:
        """Return all values of a name; `split_commas` also cuts each at its commas, quoted or not."""
        if not isinstance(key, str):
            raise _no_name(key)
        wanted = key.lower()
        if wanted not in self._indexed():
            return []
        encoding = self.encoding
        values = [value.decode(encoding, "replace") for name, value in self._raw if key_of(name) == wanted]
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
        kept = [pair for pair in self._raw if key_of(pair[0]) not in replaced] if replaced else self._raw
        self._become(kept + other._raw, None)

    def copy(self) -> Headers:
        """Return independent headers with the same fields."""
        return self.assemble(self._raw, self._index, self._encoding, self._block)

    def __getitem__(self, key: str) -> str:
        # As `get()`, which would be a frame more.
        index = self._index
        value = self._sought(key) if index is None else index.get(key.lower())
        if value is None:
            raise KeyError(key)
        if self._encoding is None and value.isascii():
            return value.decode("ascii")
        return value.decode(self.encoding, "replace")

    def __setitem__(self, key: str, value: str) -> None:
        pair = checked_field(key, value, self._encoding)
        wanted = key_of(pair[0])
        index = self._indexed()
        fields = self._raw
        self._become(
            _with_replaced(fields, wanted, pair) if wanted in index else [*fields, pair],
            {**index, wanted: pair[1]},
        )

    def __delitem__(self, key: str) -> None:
        wanted = key.lower()
        index = self._indexed().copy()
        del index[wanted]
        self._become([pair for pair in self._raw if key_of(pair[0]) != wanted], index)

    def __contains__(self, key: Any) -> bool:
        if not isinstance(key, str):
            return False
        index = self._index
        return self._sought(key) is not None if index is None else key.lower() in index

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
        items = [(name, _shown(name, value)) for name, value in self.multi_items()]
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
            key = known_keys.get(name) or key_of(name)
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
        return sorted([(key_of(name), value) for name, value in self._raw])

    def _sought(self, key: str) -> bytes | None:
        """Look a name up without an index. Runs several times per request."""
        raw = self._raw
        if len(raw) > MOST_WALKED:
            return self._searched(raw, key)
        wanted = _between_feeds(key)[1:-1]
        size = len(wanted)
        found = None
        for name, value in raw:
            # The length first: it sorts out nine of ten, at a third of what comparing names takes.
            if len(name) == size and name.lower() == wanted:
                if found is not None:
                    return self._indexed().get(key.lower())  # several, to be joined: that is the index's work
                found = value
        return found

    def _searched(self, raw: list[tuple[bytes, bytes]], key: str) -> bytes | None:
        known = self._names
        if known is None or known[0] is not raw:
            names = b"\n%b\n" % b"\n".join([name for name, _ in raw]).lower()
            self._names = raw, names
        else:
            names = known[1]
        wanted = _between_feeds(key)
        at = names.find(wanted)
        if at < 0:
            return None
        if names.find(wanted, at + len(wanted) - 1) >= 0:
            return self._indexed().get(key.lower())
        return raw[names.count(b"\n", 0, at)][1]

    def _become(self, raw: list[tuple[bytes, bytes]], index: dict[str, bytes] | None) -> None:
        """Have other fields from now on. The one place where headers change."""
        self._block = None
        self._raw = raw
        self._index = index


def _with_replaced(fields: Fields, wanted: str, pair: tuple[bytes, bytes]) -> Fields:
    """Return the fields with `pair` where the name occurs first, and without its other occurrences."""
    first = next(position for position, (name, _) in enumerate(fields) if key_of(name) == wanted)
    rest = [other for other in fields[first + 1 :] if key_of(other[0]) != wanted]
    return [*fields[:first], pair, *rest]


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
    names = [checked_field(pair[0], b"", None)[0] for pair in pairs if _is_removal(pair)]
    if not names:
        return pairs, _NOTHING
    return [pair for pair in pairs if not _is_removal(pair)], frozenset(map(key_of, names))


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


@lru_cache(maxsize=512)
def _between_feeds(key: str) -> bytes:
    """Return what to search for among all names: the name between two line feeds, or what is not there."""
    lower = key.lower()
    try:
        name = lower.encode("latin-1")
    except (UnicodeEncodeError, AttributeError):  # it is bytes, perhaps, which name no field either
        return b"\n:\n"
    return b"\n:\n" if b"\n" in name else b"\n%b\n" % name


def _shown(name: str, value: str) -> str:
    """Return what may be shown of a field, whose name is in lower case."""
    from .masks import FIELDS_WITH_URLS, MASK, without_secrets

    if is_secret(name):
        return MASK
    return without_secrets(value) if name in FIELDS_WITH_URLS else value


def _no_name(key: object) -> TypeError:
    return TypeError(f"The name of a header field is a text, not {type(key).__name__}.")


def _checked_encoding(encoding: str) -> str:
    if not isinstance(encoding, str):
        raise TypeError(f"The encoding of headers is the name of one, not {type(encoding).__name__}.")
    from ..content.text import is_known_encoding  # here, as few ask for an encoding of their own

    if not is_known_encoding(encoding):
        raise ValueError(
            f"The encoding {encoding!r:.100} is unknown, or none of text: give one such as 'utf-8'."
        )
    return encoding
