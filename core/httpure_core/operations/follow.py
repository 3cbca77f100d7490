"""What a user means by "send this request": auth, redirects, cookies and event hooks around each exchange."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from ..auth import Auth
from ..content.streams import SyncByteStream
from ..contracts import Clock, Mutex
from ..effects import Advance, Call, Operation, Read, Transmit
from ..errors import DecodingError, RequestError, TooManyRedirects
from ..redirects import is_redirect_to_follow, next_request, redirect
from .budget import place

if TYPE_CHECKING:
    from ..models.cookies import Cookies
    from ..models.request import Request
    from ..models.response import Response
    from ..models.url import URL

__all__ = ["Session", "follow", "read_whole"]

#: The body of a redirect or challenge is read up to this size; a longer one is not worth its connection.
MAX_DRAINED = 64 * 1024


class Session(Protocol):
    """What `follow` needs of a client."""

    clock: Clock
    #: Guards the cookies while a response changes them.
    mutex: Mutex
    max_redirects: int
    default_encoding: str | Callable[[bytes], str]

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


def follow(
    session: Session, request: Request, auth: Auth | None, follow_redirects: bool, read: bool
) -> Operation[Response]:
    """Send a request and return the response that the user gets, read to its end if `read` is True.

    Raises RequestError and what hooks, auth flows and bodies of the user raise.
    """
    journey = Journey(session, request, follow_redirects)
    if auth is None:
        response = yield from journey.redirected(request)
    else:
        response = yield from journey.authenticated(request, auth)
    if read:
        yield from read_whole(response)
    return response


class Journey:
    """One request of the user and all the exchanges that it takes."""

    __slots__ = ("_ends", "_follow_redirects", "_history", "_sensitive", "_session")

    def __init__(self, session: Session, request: Request, follow_redirects: bool) -> None:
        self._session = session
        self._follow_redirects = follow_redirects
        self._history: list[Response] = []
        #: Names of the fields that an auth flow added: no other origin may see them.
        self._sensitive: set[str] = set()
        limits = request.extensions.get("timeout")
        total = limits.get("total") if limits else None
        self._ends: float | None = None if total is None else session.clock() + total

    def authenticated(self, request: Request, auth: Auth) -> Operation[Response]:
        """Send the requests of an auth flow until it is content with the response."""
        step = Step(auth, request) if _is_pure(auth) else Advance(auth, request)
        before = set(request.headers)
        try:
            yield from _advance(step)
            if step.request is None:
                raise RuntimeError(f"{type(auth).__name__} yielded no request: nothing can be sent.")
            while True:
                self._sensitive = set(step.request.headers) - before
                response = yield from self.redirected(step.request)
                try:
                    step.response = response
                    yield from _advance(step)
                    if step.request is None:
                        return response
                    yield from _drain(response)
                except BaseException:
                    _discard(response)
                    raise
                self._history.append(response)
        finally:
            step.close()

    def redirected(self, request: Request) -> Operation[Response]:
        """Send a request, and the ones that redirects ask for."""
        while True:
            response = yield from self._exchange(request)
            try:
                if self._history:
                    response.history = list(self._history)
                if not is_redirect_to_follow(response):
                    return response
                following = self._redirect(request, response)
                if not self._follow_redirects or following is None:
                    response.next_request = following
                    return response
                yield from _drain(response)
            except BaseException:
                _discard(response)
                raise
            self._history.append(response)
            if len(self._history) > self._session.max_redirects:
                raise TooManyRedirects(
                    f"More than {self._session.max_redirects} redirects were followed, {place(request)}; "
                    "allow more with max_redirects",
                    request=request,
                )
            request = following

    def _redirect(self, request: Request, response: Response) -> Request | None:
        find = redirect if self._follow_redirects else next_request
        following = find(request, response, sensitive=self._sensitive)
        if following is not None and self._session.store:
            self._session.store.set_cookie_header(following)
        return following

    def _exchange(self, request: Request) -> Operation[Response]:
        """One request, one response, with cookies kept and hooks called (runs once per exchange)."""
        session = self._session
        hooks = session.hooks
        for hook in hooks["request"]:
            yield Call(hook, request)
        transport = session.transport_for(request.url)
        started = session.clock()
        transmitter = getattr(transport, "transmitter", None)
        if transmitter is not None:
            response: Response = yield from transmitter.transmit(request, self._ends)
        else:
            response = yield from _carry(transport, request)
            response.clock_from(started, session.clock)
        response.default_encoding = session.default_encoding
        if "set-cookie" in response.headers:
            with session.mutex:
                session.store.extract_cookies(response)
        for hook in hooks["response"]:
            try:
                yield Call(hook, response)
            except BaseException:
                _discard(response)
                raise
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
    response: Response = carried.response
    response.request = request
    return response


def read_whole(response: Response) -> Operation[Response]:
    """Read a response to its end into `content`. On any error it is closed."""
    body = getattr(response.stream, "incoming", None)
    if body is None or response.is_stream_consumed:
        yield Read(response)
        return response
    try:
        raw = yield from body.read_all()
        response.absorb(raw)
        return response
    except RequestError as exc:
        exc.request = response.request
        raise
    finally:
        body.close()


def _drain(response: Response) -> Operation[Response]:
    """Read a response that the user will see only in `history`, if that is cheap."""
    body = getattr(response.stream, "incoming", None)
    if response.is_closed:
        return response
    if body is None:
        yield Read(response)
        return response
    raw = yield from body.drain(MAX_DRAINED)
    try:
        response.absorb(raw)
    except DecodingError:
        response.is_closed = True  # its content cannot be had, and nobody asked for it
    return response


def _discard(response: Response) -> None:
    """Let go of a response that nobody gets. An async stream of a custom transport cannot be closed at once."""
    body = getattr(response.stream, "incoming", None)
    if body is not None:
        body.close()
        response.is_closed = True
    elif isinstance(response.stream, SyncByteStream):
        response.close()


class Step:
    """As the effect `Advance`, for an auth flow that is pure: it needs no driver and is stepped right here."""

    __slots__ = ("auth", "flow", "request", "response")

    def __init__(self, auth: Auth, request: Request) -> None:
        self.auth = auth
        self.request: Any = request
        self.response: Any = None
        self.flow: Any = None

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
