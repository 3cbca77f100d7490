from __future__ import annotations

import datetime
import inspect
import pickle
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from httpure_core.content.streams import ByteStream, SyncByteStream, UnattachedStream
from httpure_core.errors import HTTPStatusError, ResponseNotRead, StreamClosed, StreamConsumed
from httpure_core.models.cookies import Cookies
from httpure_core.models.headers import Headers
from httpure_core.models.request import Request
from httpure_core.models.response import Response

REQUEST = Request("GET", "https://user:secret@example.org/")


def pieces() -> Iterator[bytes]:
    yield b"one "
    yield b"two"


class Incoming(SyncByteStream):
    """As the stream of a response that the core receives: something in it knows the time it took."""

    def __init__(self, elapsed: float | None) -> None:
        self.incoming = SimpleNamespace(elapsed=elapsed, trailers=[(b"X-Sum", b"1")] if elapsed else [])


def answer(status_code: int = 200, **arguments: Any) -> Response:
    return Response(status_code, request=REQUEST, **arguments)


class TestBody:
    @pytest.mark.parametrize(
        ("arguments", "content", "content_type"),
        [
            ({}, b"", None),
            ({"content": "\u00e9"}, b"\xc3\xa9", None),
            ({"content": b"abc"}, b"abc", None),
            ({"text": "\u00e9"}, b"\xc3\xa9", "text/plain; charset=utf-8"),
            ({"html": "<p>"}, b"<p>", "text/html; charset=utf-8"),
            ({"json": [1]}, b"[1]", "application/json"),
        ],
    )
    def test_in_memory(self, arguments: dict[str, Any], content: bytes, content_type: str | None) -> None:
        response = Response(200, **arguments)
        assert response.content == content
        assert response.headers.get("content-type") == content_type
        assert response.headers.get("content-length") == (str(len(content)) if content else None)
        assert response.is_closed
        assert response.is_stream_consumed
        assert response.num_bytes_downloaded == len(content)

    def test_own_headers_win(self) -> None:
        response = Response(200, headers={"Content-Type": "a/b", "Content-Length": "9"}, json=1)
        assert response.headers == {"Content-Type": "a/b", "Content-Length": "9"}

    def test_of_pieces_is_read_later(self) -> None:
        response = Response(200, content=pieces())
        assert response.headers == {"Transfer-Encoding": "chunked"}
        with pytest.raises(ResponseNotRead):
            response.content  # noqa: B018
        assert response.read() == b"one two"

    def test_of_pieces_with_a_length(self) -> None:
        response = Response(200, headers={"Content-Length": "7"}, content=pieces())
        assert response.headers == {"Content-Length": "7"}

    def test_stream_adds_no_header(self) -> None:
        response = Response(200, stream=ByteStream(b"abc"))
        assert response.headers.raw == []
        assert not response.is_closed
        assert response.read() == b"abc"

    def test_conflicting_arguments(self) -> None:
        with pytest.raises(TypeError, match="text"):
            Response(200, text="a", json=1)


class TestHead:
    def test_defaults(self) -> None:
        response = Response(200)
        assert response.status_code == 200
        assert response.reason_phrase == "OK"
        assert response.http_version == "HTTP/1.1"
        assert response.extensions == {}
        assert response.history == []
        assert response.next_request is None
        assert response.default_encoding == "utf-8"

    def test_extensions_say_more(self) -> None:
        extensions = {"http_version": b"HTTP/2", "reason_phrase": b"Fine\xff"}
        response = Response(200, extensions=extensions)
        assert response.http_version == "HTTP/2"
        assert response.reason_phrase == "Fine"
        assert response.extensions == extensions
        assert response.extensions is not extensions

    def test_history_is_a_copy(self) -> None:
        history = [Response(302)]
        response = Response(200, history=history)
        assert response.history == history
        assert response.history is not history

    @pytest.mark.parametrize(
        ("status_code", "facts"),
        [
            (100, {"is_informational"}),
            (199, {"is_informational"}),
            (200, {"is_success"}),
            (299, {"is_success"}),
            (300, {"is_redirect"}),
            (399, {"is_redirect"}),
            (400, {"is_client_error", "is_error"}),
            (499, {"is_client_error", "is_error"}),
            (500, {"is_server_error", "is_error"}),
            (599, {"is_server_error", "is_error"}),
            (99, set()),
            (600, set()),
        ],
    )
    def test_kinds_of_status(self, status_code: int, facts: set[str]) -> None:
        names = ("informational", "success", "redirect", "client_error", "server_error", "error")
        response = Response(status_code)
        assert {f"is_{name}" for name in names if getattr(response, f"is_{name}")} == facts

    @pytest.mark.parametrize("status_code", [301, 302, 303, 307, 308])
    def test_redirect_location(self, status_code: int) -> None:
        assert Response(status_code, headers={"Location": "/"}).has_redirect_location
        assert not Response(status_code).has_redirect_location

    @pytest.mark.parametrize("status_code", [200, 201, 300, 304, 305])
    def test_other_locations(self, status_code: int) -> None:
        assert not Response(status_code, headers={"Location": "/"}).has_redirect_location

    @pytest.mark.parametrize(
        ("status_code", "shown"), [(200, "<Response [200 OK]>"), (404, "<Response [404 Not Found]>")]
    )
    def test_repr(self, status_code: int, shown: str) -> None:
        assert repr(Response(status_code)) == shown

    def test_request_and_url(self) -> None:
        response = Response(200)
        with pytest.raises(RuntimeError, match="has no request"):
            response.request  # noqa: B018
        with pytest.raises(RuntimeError, match="has no request"):
            response.url  # noqa: B018
        response.request = REQUEST
        assert response.request is REQUEST
        assert response.url is REQUEST.url

    def test_elapsed(self) -> None:
        response = Response(200)
        with pytest.raises(RuntimeError, match="read or closed"):
            response.elapsed  # noqa: B018
        response._elapsed_seconds = 1.5
        assert response.elapsed == datetime.timedelta(seconds=1.5)
        response.elapsed = datetime.timedelta(microseconds=123457)
        assert response.elapsed == datetime.timedelta(microseconds=123457)

    def test_elapsed_is_known_to_what_the_core_receives(self) -> None:
        response = Response(200, stream=Incoming(None))
        with pytest.raises(RuntimeError, match="read or closed"):
            response.elapsed  # noqa: B018
        response.stream = Incoming(0.25)
        assert response.elapsed == datetime.timedelta(seconds=0.25)
        assert pickle.loads(pickle.dumps(response)).elapsed == response.elapsed

    def test_trailers(self) -> None:
        response = Response(200, stream=Incoming(None))
        assert response.trailers == Headers()
        assert pickle.loads(pickle.dumps(response)).trailers == Headers()
        response.stream = Incoming(0.25)
        assert response.trailers is response.trailers
        assert response.trailers["x-sum"] == "1" and "x-sum" not in response.headers
        assert pickle.loads(pickle.dumps(response)).trailers == response.trailers
        response.trailers = {"X-Sum": "2"}
        assert response.trailers.raw == [(b"X-Sum", b"2")]
        assert Response(200, text="made by hand").trailers == Headers()

    def test_elapsed_by_a_clock(self) -> None:
        now = iter([12.0, 99.0])
        response = Response(200, content=pieces())
        response.clock_from(10.5, lambda: next(now))
        with pytest.raises(RuntimeError, match="read or closed"):
            pickle.loads(pickle.dumps(response)).elapsed  # noqa: B018
        response.read()
        response.close()
        assert response.elapsed == datetime.timedelta(seconds=1.5)

    def test_elapsed_of_a_closed_one(self) -> None:
        response = Response(200)
        response.clock_from(10.0, lambda: 12.0)
        assert response.elapsed == datetime.timedelta(seconds=2)

    def test_cookies(self) -> None:
        response = answer(headers=[("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
        assert dict(response.cookies) == {"a": "1", "b": "2"}
        assert response.cookies is response.cookies

    def test_cookies_that_no_client_would_keep(self) -> None:
        fields = ["a=1; Secure", "b=2; Domain=example.com", "__Host-c=3; Secure; Path=/", "d=4; Max-Age=0"]
        response = Response(
            200,
            headers=[("Set-Cookie", field) for field in fields],
            request=Request("GET", "http://example.org/"),
        )
        assert dict(response.cookies) == {"a": "1", "__Host-c": "3"}
        store = Cookies()
        store.extract_cookies(response)
        assert not store

    def test_links(self) -> None:
        header = "</2>; rel=next; title=x, </style>"
        assert Response(200, headers={"Link": header}).links == {
            "next": {"url": "/2", "rel": "next", "title": "x"},
            "/style": {"url": "/style"},
        }
        assert Response(200).links == {}


class TestRaiseForStatus:
    @pytest.mark.parametrize("status_code", [200, 204, 299])
    def test_success_returns_the_response(self, status_code: int) -> None:
        response = answer(status_code)
        assert response.raise_for_status() is response

    @pytest.mark.parametrize(
        ("status_code", "start"),
        [
            (101, "Informational response '101 Switching Protocols'"),
            (304, "Redirect response '304 Not Modified'"),
            (404, "Client error '404 Not Found'"),
            (503, "Server error '503 Service Unavailable'"),
            (600, "Invalid status code '600 '"),
        ],
    )
    def test_others_raise(self, status_code: int, start: str) -> None:
        response = answer(status_code)
        with pytest.raises(HTTPStatusError) as caught:
            response.raise_for_status()
        assert str(caught.value).splitlines() == [
            f"{start} for url 'https://user:[secure]@example.org/'",
            f"For more information check: https://developer.mozilla.org/en-US/docs/Web/HTTP/Status/{status_code}",
        ]
        assert caught.value.response is response
        assert caught.value.request is REQUEST

    @pytest.mark.parametrize(
        ("location", "shown"),
        [
            ("/next", "'/next'"),
            ("https://me:secret@other.example/", "'https://me:[secure]@other.example/'"),
            ("https://me:secret@[other/", "(not a valid URL)"),
            ("https://other.example/done?code=secret#token=secret", "'https://other.example/done'"),
            ("/" + "a" * 600, "'/" + "a" * 499 + "'..."),
        ],
    )
    def test_redirects_say_where(self, location: str, shown: str) -> None:
        with pytest.raises(HTTPStatusError) as caught:
            answer(302, headers={"Location": location}).raise_for_status()
        assert str(caught.value).splitlines()[1] == f"Redirect location: {shown}"
        assert "secret" not in str(caught.value)

    def test_the_query_is_not_shown(self) -> None:
        request = Request("GET", "https://example.org/path?key=secret#secret")
        with pytest.raises(HTTPStatusError, match=r"for url 'https://example\.org/path'\n"):
            Response(404, request=request).raise_for_status()

    @pytest.mark.parametrize("status_code", [101, 200, 304, 302])
    def test_only_errors_if_asked(self, status_code: int) -> None:
        response = answer(status_code)
        assert response.raise_for_status(errors_only=True) is response

    @pytest.mark.parametrize("status_code", [99, 400, 599, 600])
    def test_errors_are_errors_all_the_same(self, status_code: int) -> None:
        with pytest.raises(HTTPStatusError):
            answer(status_code).raise_for_status(errors_only=True)

    def test_needs_a_request(self) -> None:
        with pytest.raises(RuntimeError, match="has no request"):
            Response(200).raise_for_status()


class TestObject:
    def test_assemble_takes_the_parts_as_they_are(self) -> None:
        headers, stream, extensions = Headers({"a": "b"}), ByteStream(b"abc"), {"http_version": b"HTTP/2"}
        response = Response.assemble(404, headers, stream, REQUEST, extensions, "latin-1")
        assert repr(response) == "<Response [404 Not Found]>"
        assert response.headers is headers
        assert response.stream is stream
        assert response.request is REQUEST
        assert response.extensions is extensions
        assert response.default_encoding == "latin-1"
        assert response.history == []
        assert response.next_request is None
        assert not response.is_closed
        assert not response.is_stream_consumed
        assert response.num_bytes_downloaded == 0
        assert response.read() == b"abc"

    def test_assembled_ones_share_nothing(self) -> None:
        first, second = (Response.assemble(200, Headers(), ByteStream(b""), None, {}) for _ in "12")
        first.history.append(second)
        first.absorb(b"abc")
        assert second.history == []
        assert not second.is_closed

    def test_attributes_can_be_added(self) -> None:
        response = Response(200)
        response.note = "seen"  # type: ignore[attr-defined]
        assert vars(response)["note"] == "seen"

    def test_pickle(self) -> None:
        extensions = {"http_version": b"HTTP/2", "network_stream": pieces()}
        response = answer(
            headers={"Set-Cookie": "a=b"}, content=b"abc", extensions=extensions, history=[Response(302)]
        )
        response.elapsed = datetime.timedelta(seconds=1)
        assert response.cookies["a"] == "b"
        copy = pickle.loads(pickle.dumps(response))
        assert (copy.status_code, copy.headers, copy.content) == (200, response.headers, b"abc")
        assert copy.text == "abc"
        assert copy.url == response.url
        assert copy.extensions == {"http_version": b"HTTP/2"}
        assert copy.elapsed == response.elapsed
        assert len(copy.history) == 1
        assert copy.next_request is None
        assert copy.cookies["a"] == "b"
        assert copy.is_closed
        assert isinstance(copy.stream, UnattachedStream)
        assert copy.read() == b"abc"
        with pytest.raises(StreamConsumed):
            list(copy.iter_raw())

    def test_pickle_of_one_that_was_not_read(self) -> None:
        copy = pickle.loads(pickle.dumps(Response(200, content=pieces())))
        assert copy.is_closed
        with pytest.raises(ResponseNotRead):
            copy.content  # noqa: B018
        with pytest.raises(StreamClosed):
            copy.read()

    def test_signature_is_that_of_httpx(self) -> None:
        parameters = inspect.signature(Response).parameters
        assert list(parameters) == [
            *("status_code", "headers", "content", "text", "html", "json"),
            *("stream", "request", "extensions", "history", "default_encoding"),
        ]
        assert {p.kind for p in list(parameters.values())[1:]} == {inspect.Parameter.KEYWORD_ONLY}

    def test_stream_may_be_anything_that_iterates(self) -> None:
        class Own(SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                return iter([b"a", b"b"])

        assert Response(200, stream=Own()).read() == b"ab"
