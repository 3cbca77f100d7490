"""The steps of an auth flow: which request it wants sent next, and what it makes of the response."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from ..auth import Auth
from ..effects import Advance, Operation, Read
from .reading import drain, read_whole

if TYPE_CHECKING:
    from ..models.request import Request
    from ..models.response import Response

__all__ = ["Step", "advance", "judge", "step_of"]


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


def step_of(auth: Auth, request: Request) -> Step | Advance:
    """Return an auth flow that has not begun: one that is pure is stepped in the core, others by a driver."""
    return Step(auth, request) if _is_pure(auth) else Advance(auth, request)


def advance(step: Step | Advance) -> Operation[Step | Advance]:
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


def judge(step: Step | Advance, response: Response) -> Operation[Response]:
    """Let the auth flow see the response; if it is not content with it, be done with it."""
    yield from advance(step)
    if step.request is not None:
        yield from drain(response)
    return response


def _is_pure(auth: Auth) -> bool:
    kind = type(auth)
    return kind.sync_auth_flow is Auth.sync_auth_flow and kind.async_auth_flow is Auth.async_auth_flow
