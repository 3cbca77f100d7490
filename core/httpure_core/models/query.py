"""The query of a URL as a multi-dict: names with one or more values each, in the order of first appearance.

Reads and writes `application/x-www-form-urlencoded` (WHATWG URL section 5). A `QueryParams` never changes:
what alters one returns another.
"""

from __future__ import annotations

from collections.abc import Container, ItemsView, Iterator, KeysView, Mapping, Sequence, ValuesView
from collections.abc import Set as AbstractSet
from typing import Any, TypeAlias, TypeVar, overload

from .percent import decode_form, encode_form

__all__ = ["PrimitiveData", "QueryParamTypes", "QueryParams"]

T = TypeVar("T")

#: What a single value may be: `None` is written as nothing, `True` and `False` as `true` and `false`.
PrimitiveData: TypeAlias = str | int | float | bool | None


class QueryParams(Mapping[str, str]):
    """Query parameters, immutable.

    Made of one of: a query as text or ASCII bytes, a mapping (whose values may be lists), a list of pairs,
    another `QueryParams`, None; or of keyword arguments. Values that are no text become text: numbers by
    `str()`, booleans as `true` and `false`, None as the empty string. A name with an empty list of values is
    left out.

    As a mapping, a name has its first value. `str(params)` is the query as it is sent. Two are equal if they
    hold the same pairs, in any order.

    >>> params = httpure.QueryParams({"tag": ["red", "blue"], "page": 1, "draft": False})
    >>> str(params)
    'tag=red&tag=blue&page=1&draft=false'
    >>> params["tag"], params.get_list("tag")
    ('red', ['red', 'blue'])
    >>> params.remove("tag").merge({"page": 2})
    QueryParams('page=2&draft=false')

    Raises TypeError for anything else, and for a value that has no such form: a dict, a set, an iterator;
    ValueError for bytes that are not ASCII.
    """

    __slots__ = ("_lists", "_text")

    #: The values of each name. Shared between instances, hence never changed after construction.
    _lists: dict[str, list[str]]
    #: The query as it is sent; None until it is asked for.
    _text: str | None

    def __init__(self, *args: QueryParamTypes | None, **kwargs: Any) -> None:
        if len(args) > 1 or (args and kwargs):
            raise TypeError("QueryParams() takes one positional argument or keyword arguments, not both.")
        self._lists = _lists_of(args[0] if args else kwargs)
        self._text = None

    def keys(self) -> KeysView[str]:
        """Return the names."""
        return self._lists.keys()

    def values(self) -> ValuesView[str]:
        """Return the first value of each name."""
        return self._firsts().values()

    def items(self) -> ItemsView[str, str]:
        """Return each name with its first value."""
        return self._firsts().items()

    def multi_items(self) -> list[tuple[str, str]]:
        """Return all pairs; the values of one name stand together."""
        return [(name, value) for name, values in self._lists.items() for value in values]

    @overload
    def get(self, key: str) -> str | None: ...
    @overload
    def get(self, key: str, default: str) -> str: ...
    @overload
    def get(self, key: str, default: T) -> str | T: ...
    def get(self, key: Any, default: Any = None) -> Any:
        """Return the first value of a name, or `default`."""
        values = self._lists.get(key) if isinstance(key, str) else None
        return values[0] if values else default

    def get_list(self, key: str) -> list[str]:
        """Return all values of a name; an empty list if there are none."""
        return self._lists.get(_text_of(key), [])[:]

    def set(self, key: str, value: Any = None) -> QueryParams:
        """Return a copy in which the name has this value only. Raises TypeError for a dict, a set or an iterator."""
        return _of_lists({**self._lists, _text_of(key): [_text_of(value)]})

    def add(self, key: str, value: Any = None) -> QueryParams:
        """Return a copy in which the name has this value too, behind those it has. Raises as `set()` does."""
        return _of_lists({**self._lists, _text_of(key): [*self.get_list(key), _text_of(value)]})

    def remove(self, key: str) -> QueryParams:
        """Return a copy without the name."""
        return _of_lists({name: values for name, values in self._lists.items() if name != _text_of(key)})

    def merge(self, params: QueryParamTypes | None = None) -> QueryParams:
        """Return a copy in which the names of `params` have its values, and only those.

        Raises TypeError for what `QueryParams` does not take.
        """
        return _of_lists({**self._lists, **_lists_of(params)})

    def without(self, others: Container[str], *, but: Container[str] = ()) -> QueryParams:
        """Return a copy without the names that are in `others`, save for those that are in `but`."""
        return _of_lists(
            {name: values for name, values in self._lists.items() if name not in others or name in but}
        )

    def update(self, params: QueryParamTypes | None = None) -> None:
        """Not possible. Raises RuntimeError, which names `merge()`."""
        raise RuntimeError("QueryParams never change: use `params = params.merge(...)`.")

    def __setitem__(self, key: str, value: str) -> None:
        raise RuntimeError("QueryParams never change: use `params = params.set(key, value)`.")

    def __getitem__(self, key: str) -> str:
        return self._lists[key][0]

    def __contains__(self, key: Any) -> bool:
        return isinstance(key, str) and key in self._lists

    def __iter__(self) -> Iterator[str]:
        return iter(self._lists)

    def __len__(self) -> int:
        return len(self._lists)

    def __bool__(self) -> bool:
        return bool(self._lists)

    def __hash__(self) -> int:
        return hash(tuple(sorted(self.multi_items())))

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, QueryParams):
            return False
        return sorted(self.multi_items()) == sorted(other.multi_items())

    def __str__(self) -> str:
        if self._text is None:
            self._text = "&".join(
                [f"{encode_form(name)}={encode_form(value)}" for name, value in self.multi_items()]
            )
        return self._text

    def __repr__(self) -> str:
        from .masks import without_values

        return f"{type(self).__name__}({without_values(f'?{self}')[1:]!r})"

    def _firsts(self) -> dict[str, str]:
        return {name: values[0] for name, values in self._lists.items()}


#: What can be given wherever query parameters are asked for.
QueryParamTypes: TypeAlias = (
    QueryParams
    | Mapping[str, PrimitiveData | Sequence[PrimitiveData]]
    | list[tuple[str, PrimitiveData]]
    | tuple[tuple[str, PrimitiveData], ...]
    | str
    | bytes
)


def _of_lists(lists: dict[str, list[str]]) -> QueryParams:
    params = QueryParams.__new__(QueryParams)
    params._lists = lists
    params._text = None
    return params


def _lists_of(params: Any) -> dict[str, list[str]]:
    """Return the values of each name in whatever `QueryParams()` takes."""
    if isinstance(params, QueryParams):
        return params._lists
    if isinstance(params, bytes):
        try:
            params = params.decode("ascii")
        except UnicodeDecodeError:
            raise ValueError("Query parameters given as bytes hold others than ASCII.") from None
    if isinstance(params, str):
        return _lists_of_text(params)
    if params is None:
        return {}
    if isinstance(params, Mapping):
        return {
            _text_of(name): [_text_of(value) for value in values]
            for name, values in [(name, _as_list(value)) for name, value in params.items()]
            if values
        }
    if not isinstance(params, list | tuple):
        raise TypeError(f"Query parameters cannot be made of {type(params).__name__}.")
    lists: dict[str, list[str]] = {}
    for pair in params:
        if not isinstance(pair, list | tuple) or len(pair) != 2:
            raise TypeError(f"A list of query parameters holds (name, value) pairs, not {_described(pair)}.")
        lists.setdefault(_text_of(pair[0]), []).append(_text_of(pair[1]))
    return lists


def _lists_of_text(query: str) -> dict[str, list[str]]:
    lists: dict[str, list[str]] = {}
    for pair in query.split("&"):
        if pair:
            name, _, value = pair.partition("=")
            lists.setdefault(decode_form(name), []).append(decode_form(value))
    return lists


def _as_list(value: Any) -> list[Any] | tuple[Any, ...]:
    return value if isinstance(value, list | tuple) else [value]


def _text_of(value: Any) -> str:
    if isinstance(value, str):
        # Of a member of an enum that is a str, too, its text, and not its name in Python.
        return value if type(value) is str else str.__str__(value)
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, bytes):
        from ..content.utf8 import text_of  # here, as few give bytes

        return text_of(value, "The name or value of a query parameter")
    if isinstance(value, Mapping | AbstractSet | Iterator):
        # Its str() is a Python repr that no server wants. Decimals, dates and UUIDs pass.
        raise TypeError(
            f"The value of a query parameter is a text, a number, True, False, None, or a list of these, "
            f"not {_described(value)}."
        )
    return str(value)


def _described(value: Any) -> str:
    if isinstance(value, tuple | list):
        return f"a {type(value).__name__} of {len(value)} items"
    return f"of type {type(value).__name__}"
