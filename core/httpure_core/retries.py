"""Whether a request is sent again, and when: a policy that decides, and does nothing.

    a response     its status is one of `statuses`, and the method may be repeated
    an error       it is one of `exceptions`, and the method may be repeated; or no byte of the request was sent

So a POST is sent again only where no server has seen it, or where its user has said by an Idempotency-Key that it may
be. The pause before each go is drawn at random, below a bound that grows from go to go; where the server says by
Retry-After how long to wait (RFC 9110 section 10.2.3), it is at least that.

All that a decision depends on is told to it, so it can be tested as a table:

    >>> from httpure_core.models.request import Request
    >>> from httpure_core.models.response import Response
    >>> from httpure_core.retries import Outcome, Retry
    >>> policy = Retry(3, backoff=1.0, jitter=0.0)
    >>> get = Request("GET", "https://example.org/")
    >>> [policy.decide(Outcome(number, get, response=Response(503))) for number in (1, 2, 3, 4)]
    [1.0, 2.0, 4.0, None]
    >>> policy.decide(Outcome(1, get, response=Response(503, headers={"Retry-After": "7"})))
    7.0
    >>> print(policy.decide(Outcome(1, Request("POST", "https://example.org/"), response=Response(503))))
    None

Who waits, and sends: `operations/retrying.py`.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING, Any, Final, TypeAlias

from .errors import (
    CertificateError,
    ConnectError,
    ConnectTimeout,
    LimitExceeded,
    LocalProtocolError,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    UnsupportedProtocol,
    WriteError,
    WriteTimeout,
)

if TYPE_CHECKING:
    from .models.request import Request
    from .models.response import Response

__all__ = ["Outcome", "Retry", "RetryBudget", "RetryTypes", "retry_of", "wait_asked_for"]

#: Methods that mean the same if they arrive twice (RFC 9110 section 9.2.2).
IDEMPOTENT: Final = frozenset(("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "TRACE"))
#: Too many requests; and a gateway, or its server, that is down or overloaded for now.
STATUSES: Final = frozenset((429, 502, 503, 504))
#: What may be otherwise the next time. PoolTimeout is not among them: too many requests are no fewer by one more.
EXCEPTIONS: Final[tuple[type[RequestError], ...]] = (
    ConnectError,
    ConnectTimeout,
    ProxyError,
    ReadError,
    ReadTimeout,
    RemoteProtocolError,
    WriteError,
    WriteTimeout,
)
#: What will be the same the next time: they have to be named themselves, and not only a class above them.
LASTING: Final = (CertificateError, LimitExceeded, LocalProtocolError, UnsupportedProtocol)

#: More digits than these are more seconds than anybody waits.
_MOST_DIGITS = 10
#: Seconds, a hundred years: more than these are a mistake, and soon more than a clock of the system can count.
_FOR_EVER = 100 * 366 * 86400
_DIGITS = frozenset("0123456789")
#: Characters; any form of a date is shorter.
_LONGEST_DATE = 64


class RetryBudget:
    """How many requests may be sent again, of all that share it: a server that is down is not asked many times more.

    Each request pays in, and each further go takes out as much as 1 / `ratio` requests have paid in. `minimum` goes are
    there from the beginning, and more are never saved. With the default, those who send 1,000 requests a second to a
    server that is down add 200 to them, and not 3,000.

    >>> budget = httpure.RetryBudget(ratio=0.1, minimum=20)
    >>> client = httpure.Client(retries=httpure.Retry(3, budget=budget))

    Threads and clients may share it. `ratio` is between 0 and 1; where 1 / `ratio` is no whole number, the next one
    above counts. Raises ValueError for another one, and for a negative `minimum`.
    """

    __slots__ = ("_grains", "_price", "minimum", "ratio")

    def __init__(self, ratio: float = 0.2, minimum: int = 10) -> None:
        if not 0 <= ratio <= 1:
            raise ValueError(f"The ratio of a RetryBudget is between 0 and 1, and not {ratio!r}.")
        if not isinstance(minimum, int):
            raise TypeError(
                f"The minimum of a RetryBudget is a number of goes, not {type(minimum).__name__}."
            )
        if minimum < 0:
            raise ValueError(f"The minimum of a RetryBudget is {minimum!r}, but must not be negative.")
        self.ratio = ratio
        self.minimum = minimum
        #: What a go takes, in what a request pays in.
        self._price = math.ceil(1 / ratio) if ratio else 1
        # A deque, as its `append` and `pop` are atomic: no lock is needed, and none is there in a pure core.
        self._grains: deque[None] = deque(
            [None] * (self._price * minimum), maxlen=self._price * max(1, minimum)
        )

    @property
    def left(self) -> int:
        """How many goes it has by now."""
        return len(self._grains) // self._price

    def pay_in(self) -> None:
        """A request is sent for the first time."""
        if self.ratio:
            self._grains.append(None)

    def take(self) -> bool:
        """Take out what one more go costs. Returns False if that is not there."""
        for taken in range(self._price):
            try:
                self._grains.pop()
            except IndexError:
                self._grains.extend([None] * taken)
                return False
        return True

    def __repr__(self) -> str:
        return f"RetryBudget(ratio={self.ratio}, minimum={self.minimum})"


class Outcome:
    """What came of sending a request: a response, or an error; and what else a decision may depend on.

    >>> class Insistent(httpure.Retry):
    ...     def decide(self, outcome):
    ...         if outcome.response is not None and outcome.response.status_code == 409:
    ...             return 2.0 * outcome.number
    ...         return super().decide(outcome)
    >>> request, response = httpure.Request("GET", "https://example.org"), httpure.Response(409)
    >>> Insistent().decide(httpure.Outcome(1, request, response=response))
    2.0
    """

    __slots__ = ("chance", "error", "now", "number", "request", "response")

    def __init__(
        self,
        number: int,
        request: Request,
        *,
        response: Response | None = None,
        error: RequestError | None = None,
        now: float = 0.0,
        chance: float = 0.0,
    ) -> None:
        #: How often the request has been sent, with what redirects and auth made of it: 1 after the first time.
        self.number = number
        #: The one that was sent last.
        self.request = request
        #: What it was answered with. Its body has not been read; the status and the headers are there.
        self.response = response
        #: Why it was not answered, or not to the end.
        self.error = error
        #: Seconds since 1970 (UTC).
        self.now = now
        #: A random number, at least 0 and below 1.
        self.chance = chance


class Retry:
    """Which requests are sent again, how often, and after what pauses. A value: treat it as a constant.

    >>> policy = httpure.Retry(5, statuses=[503], backoff=0.2, max_wait=10.0)
    >>> with httpure.Client(retries=policy) as client:
    ...     client.get("https://example.org")
    <Response [200 OK]>

    - `total`: how often a request is sent again at most, 3 by default; 0 is never.
    - `methods`: those that may be sent again although a server may have seen them; by default GET, HEAD, OPTIONS, PUT,
      DELETE and TRACE. None is all of them.
    - `statuses`: of responses after which to; by default 429, 502, 503 and 504.
    - `exceptions`: classes of RequestError after which to; by default ConnectError, ConnectTimeout, ProxyError,
      ReadError, ReadTimeout, RemoteProtocolError, WriteError and WriteTimeout. CertificateError, LimitExceeded,
      LocalProtocolError and UnsupportedProtocol would be the same the next time: of these, only those that are named.
    - `backoff`: seconds that the first pause takes at most, 0.5 by default; each one that follows takes `factor` times
      as long, 2.0 by default, up to `max_backoff`, 60 by default.
    - `jitter`: which part of that is left to chance: 1.0, all of it, by default; 0.0 is none.
    - `respect_retry_after`: False to pay no attention to Retry-After.
    - `max_wait`: seconds; where Retry-After says more, the response is given to the user. 60 by default; None for any.
    - `budget`: a `RetryBudget`, for all requests that share it; None by default.
    - `idempotency_key`: the name of the field that makes a request one that may be repeated, whatever its method;
      "Idempotency-Key" by default, and None for none.

    A pause that would not end before the total timeout is not begun: see `Timeout`. A body that can be read only once
    is never sent again. Raises TypeError and ValueError for arguments that make no sense.

    Subclass it and write `decide` for another policy.
    """

    def __init__(
        self,
        total: int = 3,
        *,
        methods: Iterable[str] | None = IDEMPOTENT,
        statuses: Collection[int] = STATUSES,
        exceptions: Iterable[type[RequestError]] = EXCEPTIONS,
        backoff: float = 0.5,
        factor: float = 2.0,
        max_backoff: float = 60.0,
        jitter: float = 1.0,
        respect_retry_after: bool = True,
        max_wait: float | None = 60.0,
        budget: RetryBudget | None = None,
        idempotency_key: str | None = "Idempotency-Key",
    ) -> None:
        if isinstance(total, bool) or not isinstance(total, int):
            raise TypeError(f"Retry(total) is a number of goes, not {type(total).__name__}.")
        _check("total", total, 0)
        _check("backoff", backoff, 0)
        _check("factor", factor, 1)
        _check("max_backoff", max_backoff, 0)
        _check("jitter", jitter, 0, 1)
        if max_wait is not None:
            _check("max_wait", max_wait, 0)
        if budget is not None and not (hasattr(budget, "pay_in") and hasattr(budget, "take")):
            raise TypeError(f"Retry(budget=...) is a RetryBudget or None, not {type(budget).__name__}.")
        self.total = total
        self.methods = None if methods is None else _methods(methods)
        self.statuses = _statuses(statuses)
        self.exceptions = _exceptions(exceptions)
        self.backoff = backoff
        self.factor = factor
        self.max_backoff = max_backoff
        self.jitter = jitter
        self.respect_retry_after = respect_retry_after
        self.max_wait = max_wait
        self.budget = budget
        self.idempotency_key = idempotency_key

    def decide(self, outcome: Outcome) -> float | None:
        """Return in how many seconds to send the request again, or None to give its user what came of it.

        Has no effects: the same outcome leads to the same decision. Where a subclass decides, `total`, the total
        timeout, the budget, and what can be read only once still have their say.
        """
        error, response = outcome.error, outcome.response
        if outcome.number > self.total:
            return None
        if error is not None:
            if not self._covers(error) or not (error.request_sent is False or self.repeats(outcome.request)):
                return None
            response = getattr(error, "proxy_response", None)
        if response is not None:
            if response.status_code not in self.statuses:
                return None
            if error is None and not self.repeats(outcome.request):
                return None
        pause = self.pause(outcome.number, outcome.chance)
        asked = None
        if response is not None and self.respect_retry_after:
            asked = wait_asked_for(response, outcome.now)
        if asked is None:
            return pause
        if asked > _FOR_EVER or (self.max_wait is not None and asked > self.max_wait):
            return None
        return max(asked, pause)

    def repeats(self, request: Request) -> bool:
        """Whether the request may be sent again although a server may have seen it."""
        if self.methods is None or request.method in self.methods:
            return True
        return self.idempotency_key is not None and bool(request.headers.get(self.idempotency_key))

    def pause(self, number: int, chance: float) -> float:
        """Return the seconds between the go of this number, 1 for the first, and the next one.

        `chance` is at least 0 and below 1; 0 makes the pause as long as it can be.
        """
        try:
            bound = min(self.max_backoff, self.backoff * float(self.factor) ** (number - 1))
        except OverflowError:
            bound = self.max_backoff if self.backoff else 0.0
        return bound * (1 - self.jitter * chance)

    def _covers(self, error: RequestError) -> bool:
        if isinstance(error, LASTING):
            return any(isinstance(error, kind) and issubclass(kind, LASTING) for kind in self.exceptions)
        return isinstance(error, self.exceptions)

    def _key(self) -> tuple[object, ...]:
        return tuple(getattr(self, name) for name in _DEFAULTS)

    def __eq__(self, other: object) -> bool:
        return type(other) is type(self) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        """Show what is not as by default."""
        shown = [str(self.total)]
        for name, default in _DEFAULTS.items():
            value = getattr(self, name)
            if value != default and name != "total":
                if isinstance(value, frozenset):
                    value = sorted(value)
                elif name == "exceptions":
                    value = [kind.__name__ for kind in value]
                shown.append(f"{name}={value!r}")
        return f"{type(self).__name__}({', '.join(shown)})"


#: The parameters, with the values that they have where none are given.
_DEFAULTS: Final[dict[str, object]] = {"total": 3, **(Retry.__init__.__kwdefaults__ or {})}

#: A policy; or how often a request is sent again at most, and all else as by default; or None for never.
RetryTypes: TypeAlias = Retry | int | None


def retry_of(retries: RetryTypes) -> Retry | None:
    """Return the policy that is meant. Raises TypeError for what is none, and ValueError for a negative number."""
    if retries is None or isinstance(retries, Retry):
        return retries
    if isinstance(retries, bool) or not isinstance(retries, int):
        raise TypeError(f"retries is a Retry, a number of goes or None, not {type(retries).__name__}.")
    return Retry(retries)


def wait_asked_for(response: Response, now: float) -> float | None:
    """Return the seconds that Retry-After asks to wait, or None where it is not there, or makes no sense.

    A date counts from the response's own Date, as the clocks of two machines differ; without one, from `now`, in
    seconds since 1970. Too many digits to make sense are infinity.
    """
    value = response.headers.get("retry-after", "").strip(" \t")
    if not value:
        return None
    if _DIGITS.issuperset(value):
        digits = value.lstrip("0")
        return math.inf if len(digits) > _MOST_DIGITS else float(digits or 0)
    until = _date(value)
    if until is None:
        return None
    since = _date(response.headers.get("date", ""))
    return max(0.0, until - (now if since is None else since))


def _date(text: str) -> float | None:
    # A reader of many forms, those that HTTP had in former times among them (RFC 9110 section 5.6.7).
    from .models.cookie_syntax import parse_cookie_date

    return parse_cookie_date(text) if len(text) <= _LONGEST_DATE else None


def _check(name: str, value: Any, least: float, most: float = math.inf) -> None:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        raise TypeError(f"Retry({name}=...) is a number, not {type(value).__name__}.")
    if not least <= value <= most:
        bounds = f"at least {least}" if most == math.inf else f"between {least} and {most}"
        raise ValueError(f"Retry({name}=...) is {bounds}, and not {value!r}.")


def _methods(methods: Any) -> frozenset[str]:
    if isinstance(methods, str):
        raise TypeError(f"Retry(methods=...) is a collection of names, not one: write [{methods!r}].")
    methods = frozenset(methods)
    if not all(isinstance(method, str) for method in methods):
        raise TypeError("Retry(methods=...) is a collection of names, such as ['GET', 'PUT'].")
    return frozenset(method.upper() for method in methods)


def _statuses(statuses: Any) -> frozenset[int]:
    if isinstance(statuses, int):
        raise TypeError(f"Retry(statuses=...) is a collection of numbers, not one: write [{statuses!r}].")
    given = frozenset(statuses)
    if not all(isinstance(status, int) for status in given):
        raise TypeError("Retry(statuses=...) is a collection of numbers, such as [429, 503].")
    return given


def _exceptions(exceptions: Any) -> tuple[type[RequestError], ...]:
    if isinstance(exceptions, type):
        raise TypeError(
            f"Retry(exceptions=...) is a collection of classes, not one: write [{exceptions.__name__}]."
        )
    given = tuple(exceptions)
    if not all(isinstance(kind, type) and issubclass(kind, RequestError) for kind in given):
        raise TypeError("Retry(exceptions=...) is a collection of classes of RequestError.")
    return given
