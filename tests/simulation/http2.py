"""A server of HTTP/2 with moods, on h2, which finds fault with clients."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from typing import Any

from h2.config import H2Configuration
from h2.connection import H2Connection
from h2.events import DataReceived, PingAckReceived, RequestReceived, StreamEnded, StreamReset, WindowUpdated
from h2.exceptions import NoSuchStreamError, ProtocolError, StreamClosedError, StreamIDTooLowError
from h2.settings import SettingCodes
from h2.windows import WindowManager
from hyperframe.frame import GoAwayFrame, SettingsFrame

from tests.peers import Peer

from .ledger import Asked

__all__ = ["Http2Server"]

_GIVEN_UP = (NoSuchStreamError, StreamIDTooLowError, StreamClosedError)
_REFUSED, _CANCEL, _INTERNAL = 7, 8, 2
_GOODBYE = b"good-bye"
_ALL = 2**31 - 1


class _Window(WindowManager):
    """An empty frame takes no room, also where settings have left less than none (RFC 9113 section 6.9.2)."""

    def window_consumed(self, size: int) -> None:
        if size:
            super().window_consumed(size)


class _H2(H2Connection):
    """Its settings hold from the moment when the client has acknowledged them, and not one that came before."""

    def __init__(self) -> None:
        super().__init__(H2Configuration(client_side=False, validate_outbound_headers=False))
        self._promised: list[dict[SettingCodes | int, int]] = [{}]

    def update_settings(self, new_settings: dict[SettingCodes | int, int]) -> None:
        self._promised.append(new_settings)
        self._prepare_for_sending([SettingsFrame(0, settings=dict(new_settings))])

    def _local_settings_acked(self) -> Any:
        self.local_settings.update(self._promised.pop(0))
        return super()._local_settings_acked()

    def _begin_new_stream(self, stream_id: int, allowed_ids: Any) -> Any:
        stream = super()._begin_new_stream(stream_id, allowed_ids)
        stream._inbound_window_manager = _Window(stream._inbound_window_manager.max_window_size)
        return stream


class _Exchange:
    def __init__(self, asked: Asked, mood: str) -> None:
        self.asked = asked
        self.mood = mood
        self.pieces: list[bytes] | None = None  # of the answer, once it has begun
        self.done = False  # when the last piece is there


class Http2Server(Peer):
    """One connection."""

    version = 2

    def __init__(self, world: Any, site: Any) -> None:
        self._world = world
        self._site = site
        self._h2 = _H2()
        self._exchanges: dict[int, _Exchange] = {}
        self._last: int | None = None  # of GOAWAY
        self._told = False  # whether the client has it
        self._over = False
        self._ordinal = 0
        self._begun = 0  # the newest stream that something was done for
        self.deaf = False

    @property
    def open_streams(self) -> int:
        """How many streams the server believes to be open, on a connection that is as it should be."""
        return 0 if self._over or self.deaf else self._h2.open_inbound_streams

    def connected(self, channel: Any) -> None:
        self.channel = channel
        world, manners = self._world, self._world.manners
        world.ledger.peers.append(self)
        self._h2.initiate_connection()
        settings: dict[SettingCodes | int, int] = {}
        if manners.streams is not None:
            settings[SettingCodes.MAX_CONCURRENT_STREAMS] = manners.streams
        if manners.window is not None:
            settings[SettingCodes.INITIAL_WINDOW_SIZE] = manners.window
        if settings:
            self._h2.update_settings(settings)
        self._push()

    def receive_data(self, data: bytes) -> None:
        if self._over or self.deaf:
            return
        try:
            events = self._h2.receive_data(data)
        except ProtocolError as exc:
            self._world.ledger.wrong.append(f"HTTP/2 was broken: {exc!r}")
            self._hang_up()
            return
        for event in events:
            self._hear(event)
        self._push()

    def receive_eof(self) -> None:
        self._over = True
        self.channel.close()

    def _hear(self, event: Any) -> None:
        if isinstance(event, RequestReceived):
            self._begin(event.stream_id, dict(event.headers))
        elif isinstance(event, DataReceived):
            exchange = self._exchanges.get(event.stream_id)
            if exchange is not None:
                exchange.asked.take(event.data)
            if event.flow_controlled_length:
                self._credit(event.flow_controlled_length, event.stream_id)
        elif isinstance(event, StreamEnded):
            exchange = self._exchanges.get(event.stream_id)
            if exchange is not None:
                self._whole(event.stream_id, exchange)
        elif isinstance(event, PingAckReceived):
            self._told = self._told or event.ping_data == _GOODBYE
        elif isinstance(event, WindowUpdated):
            for number in list(self._exchanges):
                self._send(number)
        elif isinstance(event, StreamReset):
            self._exchanges.pop(event.stream_id, None)
            self._look_if_gone()

    def _credit(self, size: int, number: int) -> None:
        def give() -> None:
            # By hand: what h2 would hold back until it is worth a frame may be all that a small window was.
            self._h2.increment_flow_control_window(size)
            stream = self._h2.streams.get(number)
            if stream is not None and not stream.closed:
                with contextlib.suppress(*_GIVEN_UP):
                    self._h2.increment_flow_control_window(size + 2000, number)  # so that it grows

        if self._world.manners.slow and self._world.random.random() < 0.3:
            self._later(give)
        else:
            give()

    def _begin(self, number: int, fields: dict[bytes, bytes]) -> None:
        world = self._world
        manners, random = world.manners, world.random
        if self._told:
            world.ledger.wrong.append(f"stream {number} was opened after GOAWAY had come")
        if self._last is not None and number > self._last:
            return  # the client learns of it
        self._ordinal += 1
        texts = {name.decode(): value.decode() for name, value in fields.items()}
        texts["host"] = texts.get(":authority", "")
        asked = Asked(world, texts[":method"], texts[":path"], texts, self, self._ordinal, self._site)
        mood = manners.fault(
            random,
            "refused", "goaway", "reset", "half_stream", "half", "silent", "silent_reset", "stall", "deaf", "early",
            "early_error", "drip", *(("misdirected",) if self._ordinal > 1 and not asked.order.misdirected else ()),
        )  # fmt: skip
        asked.misdirected = mood == "misdirected"
        self._exchanges[number] = _Exchange(asked, mood)
        if mood == "deaf":
            self.deaf = True
            self.channel.pause()
        elif mood == "refused" and world.ledger.refused.get(asked.key, 0) < 3:
            world.ledger.refused[asked.key] = world.ledger.refused.get(asked.key, 0) + 1
            asked.disowned = True
            self._reset(number, _REFUSED)
        elif mood == "goaway":
            self._say_goodbye()
        elif mood.startswith("early"):
            self._later(lambda: self._answer(number))
        elif random.random() < manners.changes:
            self._change()
        elif random.random() < manners.pings:
            self._h2.ping(b"12345678")

    def _whole(self, number: int, exchange: _Exchange) -> None:
        exchange.asked.whole = True
        world, mood = self._world, exchange.mood
        if mood != "early_error":
            self._begun = max(self._begun, number)
            if exchange.asked.reply.acts:
                world.ledger.execute(exchange.asked)
        if mood.startswith("silent"):
            self._later(lambda: self._hang_up("reset" if mood == "silent_reset" else "close"))
        elif mood == "reset":
            self._later(lambda: self._reset(number, world.random.choice((_CANCEL, _INTERNAL, 0))))
        elif mood != "stall" and not mood.startswith("early"):
            self._later(lambda: self._answer(number))

    # What a server may do besides answering.

    def _change(self) -> None:
        manners, random = self._world.manners, self._world.random
        streams = random.choice((manners.least_streams, 1, 2, 5, 100))
        self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: streams})
        self._world.ledger.was_mean = self._world.ledger.was_mean or streams == 0
        if streams < 2:

            def relent() -> None:
                self._h2.update_settings({SettingCodes.MAX_CONCURRENT_STREAMS: random.choice((1, 3, 100))})

            self.channel.call_later(random.uniform(0, 2), lambda: self._unless_over(relent))

    def _say_goodbye(self) -> None:
        world = self._world
        if self._last is not None or world.ledger.goaways >= world.manners.goaways:
            return
        world.ledger.goaways += 1
        newest = max(self._exchanges)
        if world.random.random() < 0.3:
            # In two steps, as RFC 9113 section 6.8 recommends.
            self._tell_goaway(_ALL)
            self.channel.call_later(
                world.random.uniform(0, 0.2),
                lambda: self._unless_over(lambda: self._refuse_above(max((self._begun, *self._exchanges)))),
            )
        else:
            least, newest = self._begun, max(self._begun, newest)
            self._refuse_above(world.random.choice((least, newest, world.random.randint(least, newest))))

    def _refuse_above(self, last: int) -> None:
        self._last = last
        self._tell_goaway(last)
        for number in list(self._exchanges):
            if number > last:
                self._exchanges.pop(number).asked.disowned = True
        self._look_if_gone()

    def _tell_goaway(self, last: int) -> None:
        self._push()
        self.channel.send(GoAwayFrame(0, last_stream_id=last, error_code=0).serialize())
        self._h2.ping(_GOODBYE)  # who answers has read what came before
        self._push()

    def _look_if_gone(self) -> None:
        if self._last is not None and not self._exchanges and not self._over:
            self._push()
            self._hang_up()

    def _reset(self, number: int, code: int) -> None:
        self._exchanges.pop(number, None)
        with contextlib.suppress(*_GIVEN_UP):
            self._h2.reset_stream(number, code)

    def _hang_up(self, how: str = "close") -> None:
        if not self._over:
            self._push()
            self._over = True
            if how == "reset":
                self.channel.reset()
            elif how == "end":
                self.channel.end()
            else:
                self.channel.close()

    # Answers.

    def _later(self, step: Callable[[], object]) -> None:
        manners, random = self._world.manners, self._world.random
        if manners.slow:
            self.channel.call_later(random.uniform(0, manners.slow), lambda: self._unless_over(step))
        else:
            step()

    def _unless_over(self, step: Callable[[], object]) -> None:
        if not self._over and not self.deaf:
            step()
            self._push()

    def _answer(self, number: int) -> None:
        exchange = self._exchanges.get(number)
        if exchange is None or exchange.pieces is not None:
            return
        stream = self._h2.streams.get(number)
        if stream is None or stream.closed:
            return  # the client has reset it meanwhile
        world, asked = self._world, exchange.asked
        status, fields, body = asked.head()
        if exchange.mood == "early_error":
            status = 413
        with contextlib.suppress(*_GIVEN_UP):
            if world.random.random() < world.manners.informs:
                self._h2.send_headers(number, [(":status", "103")])
            if world.random.random() < 0.5:
                fields.append(("content-length", str(len(body))))
            self._h2.send_headers(number, [(":status", str(status)), *fields])
        exchange.pieces = []
        self._begun = max(self._begun, number)
        if asked.method == "HEAD":
            body = b""
        if exchange.mood in ("half", "half_stream") and body:
            body = body[: world.random.randrange(len(body))]
        dripping = exchange.mood == "drip"
        count = 20 if dripping else 2 if world.manners.pieces > 1 else 1
        self._send_in(number, exchange, body, count, dripping)

    def _send_in(self, number: int, exchange: _Exchange, body: bytes, count: int, dripping: bool) -> None:
        """Send the rest of a body in so many pieces."""
        size = len(body) // count
        if count > 1 and size:
            assert exchange.pieces is not None
            exchange.pieces.append(body[:size])
            self._send(number)
            body = body[size:]

        def go_on() -> None:
            if self._exchanges.get(number) is exchange and exchange.pieces is not None:
                if count > 2:
                    self._send_in(number, exchange, body, count - 1, dripping)
                    return
                exchange.pieces.append(body)
                exchange.done = True
                self._send(number)

        if dripping:
            self.channel.call_later(self._world.random.uniform(0, 1), lambda: self._unless_over(go_on))
        else:
            self._later(go_on)

    def _send(self, number: int) -> None:
        exchange = self._exchanges[number]
        pieces = exchange.pieces
        if pieces is None:
            return
        with contextlib.suppress(*_GIVEN_UP):
            while pieces:
                room = min(self._h2.local_flow_control_window(number), self._h2.max_outbound_frame_size)
                if pieces[0] and room <= 0:
                    return
                if pieces[0]:
                    self._h2.send_data(number, pieces[0][:room])
                pieces[0] = pieces[0][room:]
                if not pieces[0]:
                    del pieces[0]
        if exchange.done and not pieces:
            self._finish(number, exchange)

    def _finish(self, number: int, exchange: _Exchange) -> None:
        del self._exchanges[number]
        if exchange.mood == "half":
            self._hang_up()
            return
        with contextlib.suppress(*_GIVEN_UP):
            if exchange.mood == "half_stream":
                self._h2.reset_stream(number, _INTERNAL)
            else:
                if exchange.asked.order.trailers and exchange.mood != "early_error":
                    self._h2.send_headers(number, [("x-sum", "1"), ("x-sum", "2")], end_stream=True)
                else:
                    self._h2.end_stream(number)
                if exchange.mood == "early_error" and not exchange.asked.whole:
                    self._h2.reset_stream(number, 0)
        self._look_if_gone()
        manners, random = self._world.manners, self._world.random
        if not self._exchanges and random.random() < manners.leaves:
            ordinal = self._ordinal
            how = manners.leaves_by
            self.channel.call_later(
                random.choice((0.0, random.uniform(0, 3))), lambda: self._leave(ordinal, how)
            )

    def _leave(self, ordinal: int, how: str) -> None:
        if not self._exchanges and self._ordinal == ordinal:
            self._hang_up(how)

    def _push(self) -> None:
        if data := self._h2.data_to_send():
            self.channel.send(data)
