"""A request ended with an exception: was that right?"""

from __future__ import annotations

from typing import Any

import httpure

from .ledger import IDEMPOTENT

__all__ = ["judge"]


def judge(world: Any, exc: Exception, order: Any) -> None:
    """Write down what is wrong with the error of a request."""
    ledger, party = world.ledger, order.party
    text = f"{order.method} {order.name}: {type(exc).__name__}: {exc}"
    world.errors[type(exc).__name__] += 1
    world.simulation._scheduler.record(text)
    if isinstance(exc, RuntimeError) and "closed" in str(exc) and party.closing:
        return
    if isinstance(exc, RuntimeError) and "about to close" in str(exc) and party.closing:
        return
    if isinstance(exc, httpure.StreamConsumed) or "cannot be sent again" in str(exc):
        if order.replayable or not order.asks_again:
            ledger.wrong.append(f"{text} (of what nobody has asked to be sent again)")
        return
    if not isinstance(exc, httpure.RequestError) or not str(exc):
        ledger.wrong.append(f"no sensible error: {text!r}")
        return
    _check_what_it_tells(world, exc, order, text)
    if _is_allowed(world, exc, order) or party.closing:
        return
    if isinstance(exc, httpure.LocalProtocolError) and not ledger.was_mean and world.manners.kind != "rough":
        ledger.wrong.append(f"it was not our fault: {text}")
    if world.kind == "perfect" or (world.kind == "gentle" and _repeatable(order)):
        ledger.wrong.append(f"this should have gone well: {text}")


def _check_what_it_tells(world: Any, exc: httpure.RequestError, order: Any, text: str) -> None:
    wrong = world.ledger.wrong
    if order.policy is order.party.policy:
        order.party.sent_again += exc.retries
    if exc.retries > (order.policy.total if order.policy is not None else 0):
        wrong.append(f"{text}: sent again {exc.retries} times")
    if exc._request is None:
        wrong.append(f"{text}: it has no request")
        return
    url = exc.request.url
    if url.path != f"/{order.name}":
        wrong.append(f"{text}: its request is another one, {exc.request}")
    elif exc.request_sent is False:
        world.ledger.claim(order.name, int(url.params["hops"]))
    elif exc.request_sent is not True:
        wrong.append(f"{text}: request_sent is {exc.request_sent}")


def _is_allowed(world: Any, exc: httpure.RequestError, order: Any) -> bool:
    """Whether it is an error that the order itself is the reason of."""
    party = order.party
    if isinstance(exc, httpure.TooManyRedirects):
        return bool(order.hops > party.max_redirects)
    if isinstance(exc, httpure.LimitExceeded):
        if exc.limit not in party.small:
            world.ledger.wrong.append(f"{order.name}: {exc.limit} was not exceeded: {exc}")
        return _exceeds(world, exc.limit, order)
    if "from https to http" in str(exc):
        return bool(order.downgrades and not party.allow_downgrade)
    return False


def _exceeds(world: Any, limit: str, order: Any) -> bool:
    if limit == "max_fields":
        return bool(order.fields)
    if limit in ("max_field_size", "max_head_size"):
        return bool(order.fat or order.fields or order.size > 0)
    if limit == "max_body":
        return bool(order.size > 50_000)
    if limit.startswith("max_trailers"):
        return bool(order.trailers)
    return limit == "max_informational"


def _repeatable(order: Any) -> bool:
    """Whether a client may send it again."""
    return order.method in IDEMPOTENT and order.replayable
