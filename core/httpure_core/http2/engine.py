"""The h2 that is used here, and what of it is used."""

from __future__ import annotations

from typing import Any, Protocol

from .compression import RequestEncoder
from .faults import Code, ConnectionFault
from .limits import CONNECTION_WINDOW, FIRST_WINDOW, MAX_FRAME_SIZE

__all__ = ["Engine", "engine_class"]

_DEFAULT_WINDOW = 65_535
#: How many closed streams h2 keeps before it is made to let go of them.
_MOST_CLOSED = 64
#: Of how many it then still knows how they were closed. It would be 65,536, at some hundred bytes each.
_MOST_REMEMBERED = 4096


class Engine(Protocol):
    """h2's connection, as far as it is asked for anything. Its methods raise `Library.errors`, save `receive_data`."""

    encoder: RequestEncoder
    max_outbound_frame_size: int
    outbound_flow_control_window: int
    remote_settings: Any

    def send_block(self, stream_id: int, block: bytes, ended: bool, /) -> None:
        """Open a stream with a header block that is encoded already."""
        ...

    def count_streams(self) -> int:
        """Return how many streams are open, and let go of all others."""
        ...

    def send_data(self, stream_id: int, data: Any, end_stream: bool = False) -> None:
        """Queue a DATA frame, which the peer's windows must allow."""
        ...

    def end_stream(self, stream_id: int) -> None:
        """Queue an empty DATA frame that ends the request."""
        ...

    def local_flow_control_window(self, stream_id: int) -> int:
        """Return how many bytes of a request's body the peer's windows allow."""
        ...

    def reset_stream(self, stream_id: int, error_code: Any = 0) -> None:
        """Queue RST_STREAM."""
        ...

    def ping(self, opaque_data: Any) -> None:
        """Queue PING."""
        ...

    def close_connection(self, error_code: Any = 0) -> None:
        """Queue GOAWAY."""
        ...

    def receive_data(self, data: bytes) -> list[Any]:
        """Take a frame, and return what it means. Raises ConnectionFault."""
        ...

    def data_to_send(self) -> bytes:
        """Return what is queued."""
        ...


def engine_class(errors: tuple[type[Exception], ...]) -> type[Any]:
    """Return a class that makes an `Engine`: of a client, with the preface ready to send. Raises ImportError.

    `errors` is what h2 raises where a rule is broken. To make one takes how long the peer's header lists may be.

    Fields are checked, encoded and decoded elsewhere, both ways: faster, and a bad one ends its own stream only.
    """
    from h2.config import H2Configuration
    from h2.connection import H2Connection
    from h2.settings import SettingCodes, Settings

    class Frugal(H2Connection):
        MAX_CLOSED_STREAMS = _MOST_REMEMBERED
        encoder: Any

        def __init__(self, max_header_list_size: int) -> None:
            super().__init__(
                H2Configuration(
                    client_side=True,
                    header_encoding=None,
                    validate_outbound_headers=False,
                    normalize_outbound_headers=False,
                    validate_inbound_headers=False,
                    normalize_inbound_headers=False,
                )
            )
            self._sweep_at = _MOST_CLOSED
            self.encoder = RequestEncoder(self.encoder)
            self.local_settings = Settings(
                client=True,
                initial_values={
                    SettingCodes.ENABLE_PUSH: 0,
                    SettingCodes.INITIAL_WINDOW_SIZE: FIRST_WINDOW,
                    SettingCodes.MAX_FRAME_SIZE: MAX_FRAME_SIZE,
                    SettingCodes.MAX_HEADER_LIST_SIZE: max_header_list_size,
                },
            )
            self.max_inbound_frame_size = MAX_FRAME_SIZE
            self.initiate_connection()
            self.increment_flow_control_window(CONNECTION_WINDOW - _DEFAULT_WINDOW)

        @property
        def open_outbound_streams(self) -> int:
            """How many streams are open, as h2 asks before each new one; 0 mostly, as they have been counted by us.

            To count them, h2 looks at each stream, and lets go of the closed ones: that is done now and then.
            """
            if len(self.streams) < self._sweep_at:
                return 0
            count = self.count_streams()
            self._sweep_at = 2 * count + _MOST_CLOSED
            return count

        def count_streams(self) -> int:
            return super().open_outbound_streams

        def send_block(self, stream_id: int, block: bytes, ended: bool) -> None:
            self.encoder.block = block
            self.send_headers(stream_id, (), end_stream=ended)

        def receive_data(self, data: Any) -> list[Any]:
            try:
                return super().receive_data(data)
            except errors as exc:
                code = getattr(exc, "error_code", Code.PROTOCOL_ERROR)
                raise ConnectionFault(int(code), _in_words(exc), told=True) from None

    return Frugal


def _in_words(exc: Exception) -> str:
    number = getattr(exc, "stream_id", None)
    return str(exc) if number is None else f"it sent a frame for stream {number}, which is not open"
