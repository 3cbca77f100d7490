"""What must hold of a client's pools after each step, and in the end."""

from __future__ import annotations

from typing import Any

__all__ = ["check_closed", "check_end", "check_step"]


def check_step(world: Any) -> None:
    """Nothing is open that no pool knows of, no limit is exceeded, and nobody waits for nothing."""
    now = world.simulation.clock()
    live = world.live_links()
    for connection, reason in world.over.items():
        assert connection.close_reason is reason, _used(connection)
    known = sum(_check_party(party, now, world.over) for party in world.parties)
    assert len(live) <= known, f"{', '.join(link.name for link in live)}: open, and the pools know of {known}"


def _check_party(party: Any, now: float, over: dict[Any, Any]) -> int:
    """Look at a client's pools, and return how many connections they know of.

    `over` are the connections that had ended when nobody used them, with what they say of that.
    """
    limits = party.limits
    known = 0
    for pool in party.pools:
        count, idle, waiting = pool.statistics
        known += count + len(pool._places.leaving)
        assert limits.max_connections is None or count <= limits.max_connections, f"{count} connections"
        most_idle = limits.max_keepalive_connections
        assert most_idle is None or idle <= most_idle, f"{idle} idle connections"
        assert not pool._returned, "something was given back, and nobody has looked at it"
        assert not pool._places.doomed, "something is to be closed, and nobody closes it"
        for lane in pool._places.lanes.values():
            most = limits.max_connections_per_origin
            assert most is None or lane.count <= most, f"{lane.count} connections of {lane.route}"
            assert waiting or not lane.waiting
        for slot in pool._places.slots:
            if slot.connection.link._ended:
                _check_ended(slot.connection, over)
            assert slot.users >= slot.granted - slot.opened or not slot.connection.multiplexed, (
                f"of {slot.granted} streams granted, {slot.opened} were opened, and there are {slot.users} users"
            )
        if waiting:
            _check_waiting(pool, limits, now)
    return known


def _used(connection: Any) -> str:
    return f"a request goes out on {connection.link.name}, which had ended"


def _check_ended(connection: Any, over: dict[Any, Any]) -> None:
    """What had ended while it was idle is used no more."""
    used = connection._table.streams if connection.multiplexed else connection.stream is not None
    if not used:
        over.setdefault(connection, connection.close_reason)
    else:
        assert connection not in over, _used(connection)


def _check_waiting(pool: Any, limits: Any, now: float) -> None:
    """First come, first served: who waits for a place holds up all who came later, and nobody else does."""
    full = (
        limits.max_connections is not None
        and pool._places.count >= limits.max_connections
        and not pool._places.idle
    )
    waiting = [(next(iter(lane.waiting)), lane) for lane in pool._places.lanes.values() if lane.waiting]
    for ticket, lane in sorted(waiting, key=lambda each: each[0].number):
        for slot in lane.idle:
            usable = slot.usable and slot.expires >= now and slot.number > ticket.newer_than
            assert not usable, f"a request for {lane.route} waits, and a connection is idle"
        if lane.first is not None and ticket.number > lane.free_until:
            assert lane.first.may_dial, "a dial is waited for that is over"
            continue
        for slot in lane.open:
            # The pool learns of a stream's end when its reader gives it back, and not before.
            room = min(slot.room, slot.connection._allowed - slot.users)
            free = room > 0 and slot.left > 0 and slot.retires > now and slot.number > ticket.newer_than
            assert not free, (
                f"a request for {lane.route} waits, and a stream is free: {room} of {slot.connection._allowed}, "
                f"{slot.users} users, {slot.granted} granted, {slot.opened} opened"
            )
        if lane.count >= pool._max_per_route and not lane.idle:
            continue
        assert full, f"a request for {lane.route} waits, and a connection could be made"
        return


def check_end(world: Any, party: Any) -> None:
    """All is given back: nobody holds, waits, or is owed anything."""
    party.check_budget()
    for pool in party.pools:
        figures = pool.statistics
        assert figures.connections == figures.idle, f"in the end: {figures}"
        assert figures.waiting == 0, f"in the end: {figures}"
        assert figures.requests == 0, f"in the end, {figures.requests} requests"
        assert not pool._line.waiting and not pool._returned, "in the end, somebody is in line"
        assert not pool._places.leaving, "in the end, a connection that counts no more is not closed"
        for lane in pool._places.lanes.values():
            assert lane.count or lane.waiting, f"in the end, {lane.route} is remembered for nothing"
            assert lane.first is None, "in the end, somebody dials"
            assert not lane.waiting, "in the end, somebody waits"
            assert not any(ticket in lane.waiting for ticket in lane.hopeful), "in the end, somebody hopes"
        for slot in pool._places.slots:
            assert slot.granted == slot.opened or not slot.connection.multiplexed, (
                "a stream was granted for nothing"
            )
            table = getattr(slot.connection, "_table", None)
            if table is not None:
                slot.connection.data_to_send()  # settles
                assert not table.streams, "in the end, a stream is open"
                assert not table._waiting and not table._to_settle, "in the end, a stream waits for something"
    assert world.simulation.network.attempts == 0, "an attempt to connect was left"


def check_closed(party: Any) -> None:
    """A client is closed: nothing is left of what it had."""
    for pool in party.pools:
        assert pool.statistics == (0, 0, 0), f"after closing: {pool.statistics}"
        assert pool.statistics.requests == 0, f"after closing, {pool.statistics.requests} requests"
        assert not pool._places.lanes, "after closing, a route is remembered"
        assert not pool._line.waiting and not pool._returned, "after closing, somebody is in line"
        assert not pool._places.leaving and not pool._places.doomed, (
            "after closing, a connection is not closed"
        )
