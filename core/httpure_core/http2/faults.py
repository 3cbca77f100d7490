"""What a peer can do wrong, and the names that RFC 9113 section 7 gives to it.

Faults are for use between the modules of this room: none leaves the machine. A `ConnectionFault` ends the connection,
a `StreamFault` one stream only.
"""

from __future__ import annotations

__all__ = ["Code", "ConnectionFault", "StreamFault", "name_of"]


class Code:
    """Error codes of RST_STREAM and GOAWAY frames, as far as they are used by name here."""

    NO_ERROR = 0x0
    PROTOCOL_ERROR = 0x1
    FLOW_CONTROL_ERROR = 0x3
    FRAME_SIZE_ERROR = 0x6
    REFUSED_STREAM = 0x7
    CANCEL = 0x8
    COMPRESSION_ERROR = 0x9
    ENHANCE_YOUR_CALM = 0xB
    HTTP_1_1_REQUIRED = 0xD


_NAMES = (
    "NO_ERROR",
    "PROTOCOL_ERROR",
    "INTERNAL_ERROR",
    "FLOW_CONTROL_ERROR",
    "SETTINGS_TIMEOUT",
    "STREAM_CLOSED",
    "FRAME_SIZE_ERROR",
    "REFUSED_STREAM",
    "CANCEL",
    "COMPRESSION_ERROR",
    "CONNECT_ERROR",
    "ENHANCE_YOUR_CALM",
    "INADEQUATE_SECURITY",
    "HTTP_1_1_REQUIRED",
)


def name_of(code: int) -> str:
    """Return the error code's name, or its number where it has none."""
    return _NAMES[code] if code < len(_NAMES) else f"error code {code:#x}"


class ConnectionFault(Exception):
    """The peer broke the rules in a way that nothing on the connection can be trusted any more (section 5.4.1).

    `told` is True where h2 has found it out, and has a GOAWAY frame ready for the peer. `limit` is the name of the one
    of `Limits` that was broken, if it was one.
    """

    def __init__(self, code: int, text: str, told: bool = False, limit: str = "") -> None:
        super().__init__(text)
        self.code = code
        self.told = told
        self.limit = limit


class StreamFault(Exception):
    """A response is malformed; other streams are not concerned (sections 5.4.2 and 8.1.1)."""
