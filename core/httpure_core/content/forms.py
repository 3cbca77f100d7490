"""HTML forms: application/x-www-form-urlencoded (WHATWG URL section 5), and the fields of any form."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from .utf8 import utf8

__all__ = ["form_items", "primitive_text", "urlencode"]

_UNSAFE = re.compile(rb"[^A-Za-z0-9_.~-]")
_ESCAPES = {bytes([byte]): b"%%%02X" % byte for byte in range(256)} | {b" ": b"+"}


def primitive_text(value: Any) -> str:
    """Write one value as httpx does: true, false, nothing for None, else `str(value)`."""
    if value is True:
        return "true"
    if value is False:
        return "false"
    return "" if value is None else str(value)


def form_items(data: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> Iterator[tuple[Any, Any]]:
    """Yield (name, value) for each field of `data=`; a list or tuple as the value repeats the name.

    Raises TypeError for a list of something else than pairs.
    """
    for item in data.items() if isinstance(data, Mapping) else data:
        if not isinstance(item, (tuple, list)) or len(item) != 2:
            raise TypeError(
                "data= takes a mapping or a list of (name, value) pairs, "
                f"but one item of the list is {_described(item)}."
            )
        name, value = item
        if isinstance(value, (list, tuple)):
            for each in value:
                yield name, each
        else:
            yield name, value


def urlencode(data: Mapping[Any, Any] | Iterable[tuple[Any, Any]]) -> bytes:
    """Encode a form as UTF-8 `name=value&...`, spaces as `+`.

    Raises TypeError for a value that has no such form (a dict, a set, a file ...).
    """
    return b"&".join([_quoted(name, name) + b"=" + _quoted(value, name) for name, value in form_items(data)])


def _quoted(value: Any, name: Any) -> bytes:
    if isinstance(value, str):
        raw = utf8(value, "A name or value of data=")
    elif isinstance(value, (bytes, bytearray, memoryview)):
        raw = bytes(value)
    elif hasattr(value, "__iter__"):
        # Its str() is a Python repr that no server wants. Decimals, dates and UUIDs pass.
        raise TypeError(
            f"The value of form field {name!r} is {_described(value)}, which a form cannot hold: "
            "use json= for nested data, files= for files."
        )
    else:
        raw = primitive_text(value).encode()
    return _UNSAFE.sub(lambda match: _ESCAPES[match[0]], raw)


def _described(value: Any) -> str:
    if isinstance(value, (tuple, list)):
        return f"a {type(value).__name__} of {len(value)} items"
    return f"of type {type(value).__name__}"
