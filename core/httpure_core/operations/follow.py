"""What a user means by "send this request": auth, redirects, cookies and event hooks around each exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..contracts import Clock, Log, Mutex
from ..effects import Call, Operation, Transmit
from ..errors import LimitExceeded, RequestError, TooManyRedirects
from ..limits import DEFAULT_LIMITS, Limits
from ..models.cookies import set_cookies
from ..models.response import Response
from ..redirects import is_redirect_to_follow, next_request, redirect
from .auth_steps import advance, judge, step_of
from .budget import Budget, no_limits, place
from .closing import or_close, or_let_go
from .reading import drain, read_at_once, read_whole
from .report import INFO

if TYPE_CHECKING:
    from ..auth import Auth
    from ..effects import Advance
    from ..models.cookies import Cookies
    from ..models.request import Request
    from ..models.url import URL
    from ..retries import RetryTypes
    from .auth_steps import Step
    from .retrying import Retrying

__all__ = ["Session", "follow", "read_whole"]

R = TypeVar("R", "Request", "Request | None")


class Session(Protocol):
    """What `follow` needs of a client."""

    clock: Clock
    #: How much of a response's body is taken, where the request does not say so itself.
    limits: Limits
    #: When requests are sent again that do not say so themselves; None for never.
    retries: RetryTypes
    #: Whether redirects may lead from https to http.
    allow_downgrade: bool
    default_encoding: str | Callable[[bytes], str]
    #: Gets a line for each exchange.
    request_log: Log

    @property
    def max_redirects(self) -> int:
        """How many redirects are followed for one request of the user."""
        ...

    @property
    def max_auth_rounds(self) -> int:
        """How many requests an auth flow may make for one of the user."""
        ...

    @property
    def mutex(self) -> Mutex:
        """Guards the cookies while a response changes them."""
        ...

    @property
    def sensitive_headers(self) -> Iterable[str]:
        """The names of fields that no other origin may see, besides those of which we know."""
        ...

    @property
    def store(self) -> Cookies:
        """The cookies, which responses change."""
        ...

    @property
    def hooks(self) -> dict[str, list[Callable[..., Any]]]:
        """The event hooks under "request" and "response"."""
        ...

    def transport_for(self, url: URL) -> Any:
        """The transport that serves the URL."""
        ...

    def transport_through(self, proxy: Any, url: URL) -> Any:
        """The transport for a request whose extension "proxy" says by which proxy it goes; None for none."""
        ...


def follow(
    session: Session, request: Request, auth: Auth | None, follow_redirects: bool, read: bool
) -> Operation[Response]:
    """Send a request and return the response that the user gets, read to its end if `read` is True.

    Raises RequestError and what hooks, auth flows and bodies of the user raise.
    """
    ends = _end_of_all(session, request)
    if session.retries is not None or "retries" in request.extensions:
        again = _again(session, request, ends)
        if again is not None:
            return (yield from _follow_again(session, request, auth, follow_redirects, read, ends, again))
    if auth is not None:
        response = yield from Journey(session, follow_redirects, ends).authenticated(request, auth)
    else:
        response = yield from _exchange(session, request, ends)  # for most requests, this is all
        if is_redirect_to_follow(response):
            response = yield from Journey(session, follow_redirects, ends).redirected(request, response)
    if read and not read_at_once(response):
        yield from read_whole(response)
    return response


def _again(session: Session, request: Request, ends: float | None) -> Retrying | None:
    """Return who sends the request again, as it or the client says. Raises TypeError and ValueError."""
    # Imported here, as most clients never do.
    from ..retries import retry_of
    from .retrying import Retrying

    policy = retry_of(request.extensions.get("retries", session.retries))
    if policy is None:
        return None
    send = partial(_exchange, session, ends=ends)
    return Retrying(policy, session.clock, ends, session.request_log, send, drain)


def _follow_again(
    session: Session,
    request: Request,
    auth: Auth | None,
    follow_redirects: bool,
    read: bool,
    ends: float | None,
    again: Retrying,
) -> Operation[Response]:
    """As `follow`, of a request that may be sent again: each exchange of it, or the last one if its body is lost."""
    journey = Journey(session, follow_redirects, ends, again.exchange)
    try:
        if auth is None:
            response = yield from journey.redirected(request)
        else:
            response = yield from journey.authenticated(request, auth)
        while read and not read_at_once(response):
            try:
                yield from read_whole(response)
                break
            except RequestError as exc:
                request = response.request
                pause = again.pause_after(request, error=exc)
                if pause is None:
                    raise
            del response
            yield from again.wait(pause)
            response = yield from journey.redirected(request)
    except RequestError as exc:
        exc.retries = again.count
        raise
    response.retries = again.count
    return response


def _end_of_all(session: Session, request: Request) -> float | None:
    """Return the moment when the total timeout is over; it begins now, and holds for all exchanges."""
    limits = request.extensions.get("timeout")
    try:
        total = limits.get("total") if limits else None
    except AttributeError:
        raise no_limits(limits) from None
    return None if total is None else session.clock() + total


class Journey:
    """One request of the user that takes more than one exchange, as a rule."""

    __slots__ = (
        "_answered", "_exchange", "_follow_redirects", "_history", "_redirects", "_sensitive", "_session"
    )  # fmt: skip

    def __init__(
        self,
        session: Session,
        follow_redirects: bool,
        ends: float | None,
        exchange: Callable[[Request], Operation[Response]] | None = None,
    ) -> None:
        self._session = session
        self._follow_redirects = follow_redirects
        self._exchange = exchange or partial(_exchange, session, ends=ends)
        self._history: list[Response] = []
        #: Whether a server has answered: nobody may hear then that it has not seen what the user had sent.
        self._answered = False
        #: How many redirects were followed: the history has challenges of auth flows, too.
        self._redirects = 0
        #: Names of the fields that an auth flow added or changed: no other origin may see them.
        self._sensitive: set[str] = set()

    def authenticated(self, request: Request, auth: Auth) -> Operation[Response]:
        """Send the requests of an auth flow until it is content with the response."""
        step = step_of(auth, request)
        advanced = self._advanced(step, set(request.headers.raw))
        return or_let_go(advanced, step.ending, step.close)

    def _advanced(self, step: Step | Advance, before: set[tuple[bytes, bytes]]) -> Operation[Response]:
        yield from advance(step)
        if step.request is None:
            raise RuntimeError(f"{type(step.auth).__name__} yielded no request: nothing can be sent.")
        rounds = 0
        while True:
            rounds += 1
            if not hasattr(step.request, "headers"):
                raise TypeError(
                    f"{type(step.auth).__name__} yielded what is no Request, but {type(step.request).__name__}."
                )
            added = [name for name, value in step.request.headers.raw if (name, value) not in before]
            self._sensitive = {name.decode("ascii") for name in added}
            response = yield from self.redirected(step.request)
            step.response = response
            judging = judge(step, response)
            try:
                yield from or_close(response, judging)
            except RequestError as exc:
                exc.request_sent = True  # whatever the flow itself has failed to send
                raise
            if step.request is None:
                return response
            if rounds >= self._session.max_auth_rounds:
                raise LimitExceeded(
                    f"{type(step.auth).__name__} has made {rounds:,} requests and wants to make another "
                    f"(max_auth_rounds), {place(response.request)}; allow more with max_auth_rounds",
                    limit="max_auth_rounds",
                    request=response.request,
                )
            self._history.append(response)

    def redirected(self, request: Request, response: Response | None = None) -> Operation[Response]:
        """Send a request, unless its response is there, and the ones that redirects ask for."""
        try:
            return (yield from self._redirected(request, response))
        except RequestError as exc:
            if self._answered:
                exc.request_sent = True
            raise

    def _redirected(self, request: Request, response: Response | None) -> Operation[Response]:
        while True:
            if response is None:
                response = yield from self._exchange(request)
            self._answered = True
            if self._history:
                response.history = list(self._history)
            if not is_redirect_to_follow(response):
                return response
            if not self._follow_redirects:
                response.next_request = self._redirect(request, response, next_request)
                return response
            leaving = self._leave(request, response)
            request = yield from or_close(response, leaving)
            self._history.append(response)
            self._redirects += 1
            if self._redirects > self._session.max_redirects:
                raise TooManyRedirects(
                    f"More than {self._session.max_redirects} redirects were followed, "
                    f"{place(response.request)}; allow more with max_redirects",
                    request=response.request,
                )
            response = None

    def _leave(self, request: Request, response: Response) -> Operation[Request]:
        """Return the request that a redirect leads to, when its response is done with."""
        following = self._redirect(request, response, redirect)
        yield from drain(response)
        return following

    def _redirect(self, request: Request, response: Response, find: Callable[..., R]) -> R:
        sensitive = (*self._sensitive, *self._session.sensitive_headers)
        session = self._session
        following = find(request, response, sensitive=sensitive, allow_downgrade=session.allow_downgrade)
        if following is not None:
            set_cookies(following, self._session.store)
        return following


def _exchange(session: Session, request: Request, ends: float | None) -> Operation[Response]:
    """One request, one response, with cookies kept and hooks called (runs once per exchange)."""
    limits = session.limits
    if "limits" in request.extensions:
        limits = _own_limits(request)
    hooks = session.hooks
    if hooks["request"]:
        yield from _show(request, hooks["request"])
    if "proxy" in request.extensions:
        transport = session.transport_through(request.extensions["proxy"], request.url)
    else:
        transport = session.transport_for(request.url)
    transmitter = getattr(transport, "transmitter", None)
    if transmitter is not None:
        response: Response = yield from transmitter.transmit(request, ends)
    else:
        started = session.clock()
        if ends is None:
            response = yield from _carry(transport, request)
        else:
            response = yield from _carry_in_time(transport, request, Budget(request, session.clock, ends))
        response.clock_from(started, session.clock)
    response.default_encoding = session.default_encoding
    if limits is not DEFAULT_LIMITS:
        response._limits = limits
    if "set-cookie" in response.headers:
        with session.mutex:
            session.store.extract_cookies(response)
    if session.request_log.enabled(INFO):
        recording = _record(session.request_log, request, response)
        yield from or_close(response, recording)
    if hooks["response"]:
        showing = _show(response, hooks["response"])
        yield from or_close(response, showing)
    return response


def _own_limits(request: Request) -> Limits:
    limits = request.extensions["limits"]
    if not isinstance(limits, Limits):
        raise TypeError(f"The extension 'limits' is made by Limits(max_body=...) and such, not {limits!r}.")
    return limits


def _record(log: Log, request: Request, response: Response) -> Operation[Response]:
    from .masking import masked_url

    log.record(
        INFO,
        'HTTP Request: %s %s "%s %d %s"',
        request.method,
        masked_url(request.url),
        response.http_version,
        response.status_code,
        response.reason_phrase,
    )
    yield from ()
    return response


def _carry(transport: Any, request: Request) -> Operation[Response]:
    """Have a custom transport carry the request."""
    carried = Transmit(transport, request)
    try:
        yield carried
    except RequestError as exc:
        if exc._request is None:
            exc.request = request
        raise
    response = carried.response
    if not isinstance(response, Response):
        raise TypeError(
            f"A transport returns a httpure.Response; {type(transport).__name__} returned "
            f"{'None' if response is None else f'a {type(response).__module__}.{type(response).__name__}'}."
        )
    response.request = request
    return response


def _carry_in_time(transport: Any, request: Request, budget: Budget) -> Operation[Response]:
    """As `_carry`; the transport, which begins to count anew, is told what is left of the total timeout.

    It is told so on the request itself and not on a copy, as it may read the body into it, or leave a note for a hook.
    """
    left = budget.left()
    left.lend(request)
    try:
        return (yield from _carry(transport, request))
    finally:
        left.take_back(request)


def _show(message: Request | Response, hooks: list[Callable[..., Any]]) -> Operation[bool]:
    try:
        for hook in hooks:
            yield Call(hook, message)
    except RequestError as exc:
        exc._of_a_hook = True
        if isinstance(message, Response):
            exc.request_sent = True  # whatever the hook has failed to send: this request was answered
        raise
    return True
