"""What is used of h2 and hpack, imported when the first connection is made: they load half of a logging framework."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

from .limits import CONNECTION_WINDOW, MAX_FRAME_SIZE, MAX_HEADER_LIST_SIZE, STREAM_WINDOW

if TYPE_CHECKING:
    from h2.connection import H2Connection
    from hpack import Decoder

__all__ = ["Library", "library"]

_DEFAULT_WINDOW = 65_535
_INFO = 20  # logging.INFO


class Library(NamedTuple):
    """The names, once they are there."""

    #: Makes a connection whose preface is ready to send.
    connection: Callable[[], H2Connection]
    #: Makes a decoder of header blocks.
    decoder: Callable[[], Decoder]
    #: Makes a field that stays out of the tables of compression.
    never_indexed: Callable[[bytes, bytes], Any]
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
    from hpack.struct import NeverIndexedHeaderTuple
    from hyperframe.exceptions import HyperframeError

    for log in (hpack.hpack.log, hpack.table.log):
        if not log.level:
            log.setLevel(_INFO)  # at DEBUG it shows every field, and so cookies and credentials
    return Library(
        _connection,
        _decoder,
        NeverIndexedHeaderTuple,
        OversizedHeaderListError,
        HPACKError,
        (H2Error, HyperframeError),
        StreamReset,
    )


def _connection() -> H2Connection:
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.settings import SettingCodes, Settings

    # Fields are checked in `fields.py`, both ways: faster, and a bad one ends its own stream only.
    connection = H2Connection(
        H2Configuration(
            client_side=True,
            header_encoding=None,
            validate_outbound_headers=False,
            normalize_outbound_headers=False,
            validate_inbound_headers=False,
            normalize_inbound_headers=False,
        )
    )
    connection.local_settings = Settings(
        client=True,
        initial_values={
            SettingCodes.ENABLE_PUSH: 0,
            SettingCodes.INITIAL_WINDOW_SIZE: STREAM_WINDOW,
            SettingCodes.MAX_FRAME_SIZE: MAX_FRAME_SIZE,
            SettingCodes.MAX_HEADER_LIST_SIZE: MAX_HEADER_LIST_SIZE,
        },
    )
    connection.max_inbound_frame_size = MAX_FRAME_SIZE
    connection.initiate_connection()
    connection.increment_flow_control_window(CONNECTION_WINDOW - _DEFAULT_WINDOW)
    return connection


def _decoder() -> Decoder:
    from hpack import Decoder

    return Decoder(MAX_HEADER_LIST_SIZE)
