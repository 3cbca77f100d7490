"""The `Link` header field (RFC 8288), read leniently.

Knows nothing of responses. What cannot be understood is skipped up to the next comma; nothing raises, and the
time taken is linear in the length of the field, whatever the server writes.
"""

from __future__ import annotations

import re

__all__ = ["parse_links"]

_TARGET = re.compile(r"<([^<>]*)>")
# `; name`, `; name=bare`, `; name="quoted"`, or a lonely `;`. A quote that is never closed is no quoted
# value: the bare form then takes nothing and the link ends there.
_PARAMETER = re.compile(r"""\s*;\s*(?:([^\s;,="<>]+)\s*(?:=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s;,"]*)))?)?""")
_ESCAPE = re.compile(r"\\(.)")


def parse_links(header: str) -> list[dict[str, str]]:
    """Return each link as a dict of its parameters, with its target under `url`.

    Parameter names are in lower case; of a repeated parameter the first counts (RFC 8288 section 3.3); one
    without a value is the empty string. The target is as the server wrote it: join it to `response.url`.
    """
    links: list[dict[str, str]] = []
    position = _skip(header, 0)
    while position < len(header):
        if target := _TARGET.match(header, position):
            position = target.end()
            link = {"url": target[1].strip()}
            while parameter := _PARAMETER.match(header, position):
                position = parameter.end()
                name, quoted, bare = parameter.groups()
                if name is not None:
                    value = _bare(bare) if quoted is None else _ESCAPE.sub(r"\1", quoted)
                    link.setdefault(name.lower(), value)
            links.append(link)
        comma = header.find(",", position)
        position = len(header) if comma < 0 else _skip(header, comma)
    return links


def _bare(value: str | None) -> str:
    """Return a value that is not in double quotes; single ones mean nothing, but are sent by some (`rel='next'`)."""
    if value and len(value) > 1 and value[0] == value[-1] == "'":
        return value[1:-1]
    return value or ""


def _skip(header: str, position: int) -> int:
    """Return where the next link begins: behind spaces and commas."""
    while position < len(header) and header[position] in " \t,":
        position += 1
    return position
