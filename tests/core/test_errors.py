from __future__ import annotations

import copy
import pickle

import pytest

from httpure_core import errors
from httpure_core.errors import (
    CookieConflict,
    HTTPError,
    HTTPStatusError,
    InvalidURL,
    ReadTimeout,
    RemoteProtocolError,
    RequestError,
    RequestNotRead,
    ResponseNotRead,
    StreamClosed,
    StreamConsumed,
    StreamError,
)
from httpure_core.models.request import Request
from httpure_core.models.response import Response

REQUEST = Request("GET", "https://example.org/")

TREE = {
    "HTTPError": "Exception",
    "RequestError": "HTTPError",
    "TransportError": "RequestError",
    "TimeoutException": "TransportError",
    "ConnectTimeout": "TimeoutException",
    "ReadTimeout": "TimeoutException",
    "WriteTimeout": "TimeoutException",
    "PoolTimeout": "TimeoutException",
    "NetworkError": "TransportError",
    "ConnectError": "NetworkError",
    "ReadError": "NetworkError",
    "WriteError": "NetworkError",
    "CloseError": "NetworkError",
    "ProtocolError": "TransportError",
    "LocalProtocolError": "ProtocolError",
    "RemoteProtocolError": "ProtocolError",
    "ProxyError": "TransportError",
    "UnsupportedProtocol": "TransportError",
    "DecodingError": "RequestError",
    "LimitExceeded": "RequestError",
    "TooManyRedirects": "LimitExceeded",
    "HeadTooLarge": "LimitExceeded",
    "BodyTooLarge": "LimitExceeded",
    "ResolveError": "ConnectError",
    "TLSError": "ConnectError",
    "CertificateError": "TLSError",
    "HTTPStatusError": "HTTPError",
    "InvalidURL": "Exception",
    "CookieConflict": "Exception",
    "StreamError": "RuntimeError",
    "StreamConsumed": "StreamError",
    "StreamClosed": "StreamError",
    "ResponseNotRead": "StreamError",
    "RequestNotRead": "StreamError",
}

REQUEST_ERRORS = [name for name in TREE if issubclass(getattr(errors, name), RequestError)]


def test_the_tree_is_as_drawn() -> None:
    assert {name: getattr(errors, name).__base__.__name__ for name in errors.__all__} == TREE


def test_what_is_exported_is_all_there_is() -> None:
    defined = {name for name, value in vars(errors).items() if isinstance(value, type) and name != "Any"}
    assert set(errors.__all__) == defined
    assert sorted(errors.__all__) == errors.__all__


@pytest.mark.parametrize("name", TREE)
def test_every_error_says_what_it_means(name: str) -> None:
    assert getattr(errors, name).__doc__


@pytest.mark.parametrize("name", REQUEST_ERRORS)
def test_request_errors_have_a_message_and_a_request(name: str) -> None:
    error = getattr(errors, name)("what happened", request=REQUEST)
    assert str(error) == "what happened"
    assert error.request is REQUEST


@pytest.mark.parametrize("error", [HTTPError("what happened"), RequestError("what happened")])
def test_an_error_without_a_request_says_so(error: HTTPError) -> None:
    with pytest.raises(RuntimeError, match="raised without a request"):
        _ = error.request


def test_the_request_can_be_told_later() -> None:
    error = ReadTimeout("what happened")
    error.request = REQUEST
    assert error.request is REQUEST


def test_a_status_error_has_both_sides() -> None:
    response = Response(500, request=REQUEST)
    error = HTTPStatusError("what happened", request=REQUEST, response=response)
    assert (error.request, error.response) == (REQUEST, response)


@pytest.mark.parametrize("name", REQUEST_ERRORS)
@pytest.mark.parametrize("request_", [None, REQUEST])
def test_request_errors_survive_pickling(name: str, request_: Request | None) -> None:
    kind = getattr(errors, name)
    again = pickle.loads(pickle.dumps(kind("what happened", request=request_)))
    assert type(again) is kind
    assert str(again) == "what happened"
    if request_ is None:
        with pytest.raises(RuntimeError):
            _ = again.request
    else:
        assert again.request.url == REQUEST.url


def test_a_status_error_survives_pickling_and_copying() -> None:
    class Refused(HTTPStatusError):
        pass

    response = Response(500, request=REQUEST, text="broken")
    error = HTTPStatusError("what happened", request=REQUEST, response=response)
    again = pickle.loads(pickle.dumps(error))
    assert str(again) == "what happened"
    assert again.request.url == REQUEST.url
    assert (again.response.status_code, again.response.text) == (500, "broken")
    assert type(copy.copy(Refused("what happened", request=REQUEST, response=response))) is Refused


class Refused(HTTPStatusError):
    """As an SDK has its own: made of other things, and knowing more."""

    def __init__(self, response: Response) -> None:
        super().__init__("refused", request=response.request, response=response)
        self.code = response.json()["code"]


def test_a_subclass_of_a_status_error_survives_pickling_too() -> None:
    error = Refused(Response(403, request=REQUEST, json={"code": 7}))
    for again in (pickle.loads(pickle.dumps(error)), copy.copy(error), copy.deepcopy(error)):
        assert type(again) is Refused
        assert (str(again), again.args, again.code) == ("refused", ("refused",), 7)
        assert again.response.json() == {"code": 7}
        assert again.request.url == REQUEST.url


@pytest.mark.parametrize(
    "error",
    [
        ReadTimeout("what happened"),
        HTTPStatusError("what happened", request=REQUEST, response=Response(500)),
    ],
)
def test_what_was_added_to_an_error_survives_pickling(error: HTTPError) -> None:
    error.add_note("while fetching the list")
    assert pickle.loads(pickle.dumps(error)).__notes__ == ["while fetching the list"]


@pytest.mark.parametrize(
    "error", [InvalidURL("why"), CookieConflict("why"), StreamError("why"), HTTPError("why")]
)
def test_the_others_survive_pickling(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again)) == (type(error), "why")


@pytest.mark.parametrize(
    ("kind", "remedy"),
    [
        (StreamConsumed, r"\.read\(\)"),
        (StreamClosed, "inside the `with` block"),
        (ResponseNotRead, r"\.aread\(\)"),
        (RequestNotRead, r"\.aread\(\)"),
    ],
)
def test_stream_errors_say_what_to_do(kind: type[StreamError], remedy: str) -> None:
    with pytest.raises(kind, match=remedy):
        raise kind
    assert str(kind("another message")) == "another message"
    assert str(pickle.loads(pickle.dumps(kind()))) == str(kind())


def test_one_clause_catches_what_belongs_together() -> None:
    with pytest.raises(errors.TransportError):
        raise RemoteProtocolError("what happened")
    assert not issubclass(StreamError, HTTPError)
