"""What a user means by "send this request": auth, redirects, cookies and event hooks around each exchange."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

from ..auth import Auth
from ..contracts import Clock, Log, Mutex
from ..effects import Advance, Call, Operation, Read, Transmit
from ..errors import RequestError, TooManyRedirects
from ..models.cookies import set_cookies
from ..models.response import Response
from ..redirects import is_redirect_to_follow, next_request, redirect
from .budget import Budget, no_limits, place
from .closing import or_close, or_let_go
from .report import INFO

if TYPE_CHECKING:
    from ..models.cookies import Cookies
    from ..models.request import Request
    from ..models.url import URL

__all__ = ["Session", "follow", "read_whole"]

R = TypeVar("R", "Request", "Request | None")

#: The body of a redirect or challenge is read up to this size; a longer one is not worth its connection.
MAX_DRAINED = 64 * 1024


class Session(Protocol):
    """What `follow` needs of a client."""

    clock: Clock
    max_redirects: int
    default_encoding: str | Callable[[bytes], str]
    #: Gets a line for each exchange.
    request_log: Log

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
    if auth is not None:
        response = yield from Journey(session, follow_redirects, ends).authenticated(request, auth)
    else:
        response = yield from _exchange(session, request, ends)  # for most requests, this is all
        if is_redirect_to_follow(response):
            response = yield from Journey(session, follow_redirects, ends).redirected(request, response)
    if read and not _read_at_once(response):
        yield from read_whole(response)
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

    __slots__ = ("_ends", "_follow_redirects", "_history", "_sensitive", "_session")

    def __init__(self, session: Session, follow_redirects: bool, ends: float | None) -> None:
        self._session = session
        self._follow_redirects = follow_redirects
        self._ends = ends
        self._history: list[Response] = []
        #: Names of the fields that an auth flow added or changed: no other origin may see them.
        self._sensitive: set[str] = set()

    def authenticated(self, request: Request, auth: Auth) -> Operation[Response]:
        """Send the requests of an auth flow until it is content with the response."""
        step = Step(auth, request) if _is_pure(auth) else Advance(auth, request)
        advanced = self._advanced(step, set(request.headers.raw))
        return or_let_go(advanced, step.ending, step.close)

    def _advanced(self, step: Step | Advance, before: set[tuple[bytes, bytes]]) -> Operation[Response]:
        yield from _advance(step)
        if step.request is None:
            raise RuntimeError(f"{type(step.auth).__name__} yielded no request: nothing can be sent.")
        while True:
            added = [name for name, value in step.request.headers.raw if (name, value) not in before]
            self._sensitive = {name.decode("ascii") for name in added}
            response = yield from self.redirected(step.request)
            step.response = response
            judging = _judge(step, response)
            yield from or_close(response, judging)
            if step.request is None:
                return response
            self._history.append(response)

    def redirected(self, request: Request, response: Response | None = None) -> Operation[Response]:
        """Send a request, unless its response is there, and the ones that redirects ask for."""
        while True:
            if response is None:
                response = yield from _exchange(self._session, request, self._ends)
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
            if len(self._history) > self._session.max_redirects:
                raise TooManyRedirects(
                    f"More than {self._session.max_redirects} redirects were followed, "
                    f"{place(response.request)}; allow more with max_redirects",
                    request=response.request,
                )
            response = None

    def _leave(self, request: Request, response: Response) -> Operation[Request]:
        """Return the request that a redirect leads to, when its response is done with."""
        following = self._redirect(request, response, redirect)
        yield from _drain(response)
        return following

    def _redirect(self, request: Request, response: Response, find: Callable[..., R]) -> R:
        sensitive = (*self._sensitive, *self._session.sensitive_headers)
        following = find(request, response, sensitive=sensitive)
        if following is not None:
            set_cookies(following, self._session.store)
        return following


def _exchange(session: Session, request: Request, ends: float | None) -> Operation[Response]:
    """One request, one response, with cookies kept and hooks called (runs once per exchange)."""
    hooks = session.hooks
    for hook in hooks["request"]:
        yield Call(hook, request)
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


def _read_at_once(response: Response) -> bool:
    """As `read_whole`, of a body that is there, as small ones are: no need to wait. False where there may be."""
    body = getattr(response.stream, "incoming", None)
    raw = None if body is None or response.is_stream_consumed else body.arrived()
    if raw is None:
        return False
    response.absorb(raw)
    return True


def read_whole(response: Response) -> Operation[Response]:
    """Read a response to its end into `content`. On any error it is closed."""
    body = getattr(response.stream, "incoming", None)
    if body is None or response.is_stream_consumed:
        reading = _read(response)
        return (yield from or_close(response, reading))
    try:
        raw = yield from body.read_all()
        response.absorb(raw)
        return response
    except RequestError as exc:
        exc.request = response.request
        raise
    finally:
        body.close()


def _read(response: Response) -> Operation[Response]:
    yield Read(response)
    return response


def _show(response: Response, hooks: list[Callable[..., Any]]) -> Operation[Response]:
    for hook in hooks:
        yield Call(hook, response)
    return response


def _judge(step: Step | Advance, response: Response) -> Operation[Response]:
    """Let the auth flow see the response; if it is not content with it, be done with it."""
    yield from _advance(step)
    if step.request is not None:
        yield from _drain(response)
    return response


def _drain(response: Response) -> Operation[Response]:
    """Read a response that the user will see only in `history`, if that is cheap."""
    body = getattr(response.stream, "incoming", None)
    if response.is_closed:
        return response
    if body is None:
        yield Read(response, MAX_DRAINED)
    else:
        response.absorb_little((yield from body.drain(MAX_DRAINED)))
    return response


class Step:
    """As the effect `Advance`, for an auth flow that is pure: it needs no driver and is stepped right here."""

    __slots__ = ("auth", "flow", "request", "response")

    def __init__(self, auth: Auth, request: Request) -> None:
        self.auth = auth
        self.request: Any = request
        self.response: Any = None
        self.flow: Any = None

    def ending(self) -> None:
        """There is nothing that a driver would have to do."""

    def close(self) -> None:
        """End the flow."""
        if self.flow is not None:
            self.flow.close()


def _is_pure(auth: Auth) -> bool:
    kind = type(auth)
    return kind.sync_auth_flow is Auth.sync_auth_flow and kind.async_auth_flow is Auth.async_auth_flow


def _advance(step: Step | Advance) -> Operation[Step | Advance]:
    """Start the auth flow, or send it the response; its next request is None when the flow is over."""
    if isinstance(step, Advance):
        yield step
        return step
    auth = step.auth
    try:
        if step.flow is None:
            if auth.requires_request_body:
                yield Read(step.request)
            step.flow = auth.auth_flow(step.request)
            step.request = next(step.flow)
        else:
            if auth.requires_response_body and not step.response.is_closed:
                yield from read_whole(step.response)
            step.request = step.flow.send(step.response)
    except StopIteration:
        step.request = None
    return step
