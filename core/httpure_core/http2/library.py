"""What is used of h2 and hpack, imported when the first connection is made: they load half of a logging framework."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, NamedTuple

from .compression import ResponseDecoder
from .engine import Engine, engine_class
from .limits import MAX_HEADER_LIST_SIZE

__all__ = ["Library", "library"]

_INFO = 20  # logging.INFO


class Library(NamedTuple):
    """The names, once they are there."""

    #: Makes a connection whose preface is ready to send, by the size of header lists that it allows.
    engine: Callable[[int], Engine]
    #: Makes a decoder of header blocks.
    decoder: Callable[[], ResponseDecoder]
    #: Raised for a header list that is too long, and for a header block that cannot be decoded.
    too_large: type[Exception]
    undecodable: type[Exception]
    #: Raised by h2 where a rule is broken.
    errors: tuple[type[Exception], ...]
    #: The event by which h2 tells that it has reset a stream by itself.
    stream_reset: type[Any]


@functools.cache
def library() -> Library:
    """Return what is used of h2 and hpack. Raises ImportError."""
    import hpack.hpack
    import hpack.table
    from h2.events import StreamReset
    from h2.exceptions import H2Error
    from hpack.exceptions import HPACKError, OversizedHeaderListError
    from hyperframe.exceptions import HyperframeError

    for log in (hpack.hpack.log, hpack.table.log):
        if not log.level:
            log.setLevel(_INFO)  # at DEBUG it shows every field, and so cookies and credentials
    errors = (H2Error, HyperframeError)
    return Library(
        engine_class(errors),
        lambda: ResponseDecoder(hpack.Decoder(MAX_HEADER_LIST_SIZE)),
        OversizedHeaderListError,
        HPACKError,
        errors,
        StreamReset,
    )
