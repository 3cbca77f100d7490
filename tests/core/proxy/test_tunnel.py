"""CONNECT: what is asked, what may be answered, and where the tunnel begins."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from httpure_core.contracts import Fields
from httpure_core.limits import DEFAULT_LIMITS, Limits
from httpure_core.models.request import Request
from httpure_core.proxy.tunnel import MAX_HEAD_SIZE, MAX_REFUSAL, Tunnel
from tests.core.test_nested_layers import Inside

OK = b"HTTP/1.1 200 Connection established\r\n\r\n"
REFUSED = b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 3\r\n\r\nno!"


def tunnel(*answer: bytes) -> Tunnel:
    machine = Tunnel(b"example.org:443", [])
    for piece in answer:
        machine.receive_data(piece)
    return machine


def test_what_is_asked() -> None:
    machine = Tunnel(
        b"example.org:443", [(b"Proxy-Authorization", b"Basic eA=="), (b"X-A", b"1"), (b"X-A", b"2")]
    )
    assert machine.data_to_send() == (
        b"CONNECT example.org:443 HTTP/1.1\r\nHost: example.org:443\r\n"
        b"Proxy-Authorization: Basic eA==\r\nX-A: 1\r\nX-A: 2\r\n\r\n"
    )


def test_a_host_of_the_users() -> None:
    machine = Tunnel(b"example.org:443", [(b"host", b"other")])
    assert machine.data_to_send() == b"CONNECT example.org:443 HTTP/1.1\r\nhost: other\r\n\r\n"


@pytest.mark.parametrize("field", [(b"X\r\nY", b"1"), (b"X", b"1\r\nY: 2"), (b"X", b"\0"), (b"", b"1")])
def test_fields_that_cannot_be_sent(field: tuple[bytes, bytes]) -> None:
    with pytest.raises(ValueError, match=r"proxy's headers cannot be sent over HTTP/1\.1: "):
        Tunnel(b"example.org:443", [field])


@pytest.mark.parametrize("value", [b"hush ", b"\thush", b"\0hush"])
def test_an_error_does_not_show_the_value_of_a_field(value: bytes) -> None:
    with pytest.raises(ValueError, match="the value of header 'proxy-authorization' begins") as caught:
        Tunnel(b"example.org:443", [(b"X", b"fine"), (b"Proxy-Authorization", value)])
    assert "hush" not in str(caught.value)


@pytest.mark.parametrize("field", [(b"Content-Length", b"5"), (b"transfer-encoding", b"chunked")])
def test_there_is_no_body(field: tuple[bytes, bytes]) -> None:
    """A proxy that does not expect one would take it for the first bytes in the tunnel."""
    with pytest.raises(ValueError, match="CONNECT has none"):
        Tunnel(b"example.org:443", [field])


@pytest.mark.parametrize(
    "head",
    [
        OK,
        b"HTTP/1.0 200 OK\r\n\r\n",
        b"HTTP/1.1 204 No Content\r\n\r\n",
        b"HTTP/1.1 299\r\nServer: x\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n" * DEFAULT_LIMITS.max_informational + OK,
        # RFC 9110 section 9.3.6: there is no body, whatever the fields say.
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
    ],
)
@pytest.mark.parametrize("early", [b"", b"HTTP/1.1 200 OK\r\n\r\nthe server speaks first"])
def test_success(head: bytes, early: bytes) -> None:
    machine = tunnel(head + early)
    assert (machine.established, machine.failure, machine.signal.ready) == (True, None, True)
    assert machine.refusal is None
    machine.attach(inside := Inside())
    machine.receive_data(b"+")
    assert inside.got == early + b"+"


@pytest.mark.parametrize(
    ("answer", "why"),
    [
        (REFUSED, "it answered 403 Forbidden: 'no!'"),
        (b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n", "it answered 502 Bad Gateway"),
        (b"HTTP/1.1 301 \r\nContent-Length: 1\r\n\r\nx", "it answered 301"),
        (
            b"HTTP/1.1 407 Who?\r\nContent-Length: 0\r\n\r\n",
            "it answered 407 Who?; give user name and password with Proxy(url, auth=...)",
        ),
        (
            REFUSED.replace(b"no!", b"\xc3\xbc\x1b[0m\r\n\t \xff").replace(b"h: 3", b"h: 11"),
            "it answered 403 Forbidden: 'ü [0m \ufffd'",
        ),
        (
            REFUSED.replace(b"no!", b"x " * 150).replace(b"h: 3", b"h: 300"),
            f"it answered 403 Forbidden: '{'x ' * 100}…'",
        ),
        (REFUSED.replace(b"text/plain", b"text/html"), "it answered 403 Forbidden"),
        (REFUSED.replace(b"Content-Type: text/plain\r\n", b""), "it answered 403 Forbidden"),
        (b"HTTP/1.1 100 Continue\r\n\r\n" + REFUSED, "it answered 403 Forbidden: 'no!'"),
    ],
)
def test_refusals(answer: bytes, why: str) -> None:
    machine = tunnel(answer)
    assert (machine.failure, machine.established, machine.signal.ready) == (why, False, True)
    assert machine.refusal is not None


def test_a_refusal_is_waited_for() -> None:
    machine = tunnel(REFUSED[:-1])
    assert machine.failure is None
    assert machine.refusal is not None
    machine.receive_data(REFUSED[-1:])
    assert machine.failure == "it answered 403 Forbidden: 'no!'"


def test_a_refusal_that_ends_with_the_connection() -> None:
    machine = tunnel(b"HTTP/1.0 403 Forbidden\r\nContent-Type: TEXT/plain; charset=x\r\n\r\nno", b"!")
    machine.receive_eof()
    assert machine.failure == "it answered 403 Forbidden: 'no!'"


def test_a_refusal_whose_body_breaks() -> None:
    machine = tunnel(b"HTTP/1.1 403 Forbidden\r\nTransfer-Encoding: chunked\r\n\r\nxyz\r\n")
    assert machine.failure == "it answered 403 Forbidden"


def test_a_refusal_as_a_response() -> None:
    machine = tunnel(REFUSED.replace(b"HTTP/1.1", b"HTTP/1.0"))
    assert machine.refusal is not None
    response = machine.refusal.response(request := Request("GET", "https://example.org/"))
    assert (response.status_code, response.reason_phrase, response.http_version) == (
        403,
        "Forbidden",
        "HTTP/1.0",
    )
    assert (response.text, response.headers["content-type"]) == ("no!", "text/plain")
    assert response.request is request
    assert response.is_closed


def test_a_refusal_that_cannot_be_decoded() -> None:
    machine = tunnel(REFUSED.replace(b"Content-Type: text/plain", b"Content-Encoding: gzip"))
    assert machine.refusal is not None
    assert machine.refusal.response(Request("GET", "https://example.org/")).content == b""


def test_a_refusal_is_read_to_a_limit() -> None:
    machine = tunnel(b"HTTP/1.1 403 Forbidden\r\n\r\n", b"x" * (MAX_REFUSAL - 1))
    assert machine.failure is None
    machine.receive_data(b"xyz")
    assert machine.failure == "it answered 403 Forbidden"
    assert machine.refusal is not None
    assert len(machine.refusal.body) == MAX_REFUSAL


BROKEN = [
    b"HTTP/1.1 2000 OK\r\n\r\n",
    b"HTTP/1.1 200 OK\r\nno field\r\n\r\n",
    b"HTTP/1.1 200 OK\r\n: no name\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\n\r\n",
]

TOO_LARGE = {
    "max_informational": b"HTTP/1.1 100 Continue\r\n\r\n" * (DEFAULT_LIMITS.max_informational + 1),
    "max_fields": b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * (DEFAULT_LIMITS.max_fields + 1) + b"\r\n",
    "max_head_size": b"HTTP/1.1 200 OK\r\nX: " + b"y" * MAX_HEAD_SIZE + b"\r\n\r\n",
}


@pytest.mark.parametrize("answer", BROKEN, ids=range(len(BROKEN)))
def test_what_is_no_answer(answer: bytes) -> None:
    machine = tunnel(answer)
    assert machine.failure is not None
    assert machine.failure.startswith("its answer is not valid HTTP/1.1: ")
    assert (machine.established, machine.refusal) == (False, None)
    assert machine.failure == tunnel(*(answer[i : i + 1] for i in range(len(answer)))).failure


@pytest.mark.parametrize(("limit", "answer"), TOO_LARGE.items(), ids=TOO_LARGE)
@pytest.mark.parametrize("size", [1000, 2**20])
def test_an_answer_beyond_a_limit(limit: str, answer: bytes, size: int) -> None:
    machine = tunnel(*(answer[start : start + size] for start in range(0, len(answer), size)))
    assert machine.failure is not None and machine.failure.startswith("its answer is too large: the ")
    assert f"Limits({limit}=...)" in machine.failure
    assert not machine.established


def test_limits_of_ones_own() -> None:
    answer = b"HTTP/1.1 200 OK\r\nA: b\r\nC: d\r\n\r\n"
    for limits, good in ((Limits(max_fields=2), True), (Limits(max_fields=1), False)):
        machine = Tunnel(b"a:1", [], limits=limits)
        machine.receive_data(answer)
        assert machine.established is good
    machine = Tunnel(b"a:1", [], limits=Limits(max_head_size=2**20))
    machine.receive_data(TOO_LARGE["max_head_size"])
    assert "and 65,536 are allowed" in str(machine.failure), "whatever the limits of responses are"


@pytest.mark.parametrize("cut", [0, 5])
def test_bytes_before_we_begin_are_no_origins(cut: int) -> None:
    """RFC 9110 section 9.3.6: with TLS it is for us to speak first, so these are the proxy's own."""
    machine = Tunnel(b"a:443", [], client_first=True)
    machine.receive_data(OK + b"early"[: 5 - cut])
    if cut:
        assert machine.established
        machine.receive_data(b"early")
        inner = Inside()
        machine.attach(inner)
        assert inner.got == b"" and "before we had begun" in str(inner.ends[0])
    else:
        assert "it sent bytes through the tunnel before we had begun to use it" in str(machine.failure)
        assert not machine.established


def test_bytes_behind_our_own_are_the_origins() -> None:
    machine = Tunnel(b"a:443", [], client_first=True)
    machine.receive_data(OK)
    inner = Inside()
    machine.attach(inner)
    machine.receive_data(b"hello")
    assert inner.got == b"hello"


def test_another_protocol_than_the_tunnel() -> None:
    machine = Tunnel(b"a:1", [(b"Connection", b"Upgrade"), (b"Upgrade", b"x")])
    machine.receive_data(b"HTTP/1.1 101 Switching Protocols\r\n\r\n")
    assert machine.failure == (
        "its answer is not valid HTTP/1.1: 101 Switching Protocols, which nobody asked for"
    )


def test_as_many_fields_as_allowed() -> None:
    assert tunnel(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * DEFAULT_LIMITS.max_fields + b"\r\n").established


@pytest.mark.parametrize(
    "answer", [b"SSH-2.0", b"\x15\x03\x01", b"\r\nHTTP/1.1 200 OK\r\n\r\n", b"HTTP/2 200\r\n"]
)
def test_what_is_no_http(answer: bytes) -> None:
    """Said at once, and not when a blank line comes at last."""
    assert (
        tunnel(answer).failure
        == tunnel(*(bytes([byte]) for byte in answer)).failure
        == "its answer is not HTTP/1.1"
    )


@pytest.mark.parametrize(
    ("error", "why"),
    [
        (None, "it closed the connection without an answer"),
        (OSError(5, "it broke"), "the connection was lost: it broke"),
    ],
)
@pytest.mark.parametrize("answer", [[], [b"HTTP/1.1 200"], [b"HTTP/1.1 100 Continue\r\n\r\n"]])
def test_an_end_without_an_answer(answer: list[bytes], error: OSError | None, why: str) -> None:
    machine = tunnel(*answer)
    machine.receive_eof(error)
    assert machine.failure == why


@given(
    stream=st.one_of(
        st.sampled_from([OK, REFUSED, *BROKEN[:4], b"HTTP/1.1 100 Continue\r\n\r\n" + OK]),
        st.binary(max_size=30).map(lambda rest: OK + rest),
        st.binary(max_size=30).map(lambda rest: b"HTTP/1.1 40" + rest),
        st.binary(max_size=30).map(lambda rest: REFUSED.replace(b"Content-Length: 3\r\n", b"") + rest),
        st.binary(max_size=30),
    ),
    cuts=st.lists(st.integers(0, 100), max_size=6),
)
def test_the_same_however_it_is_cut(stream: bytes, cuts: list[int]) -> None:
    def outcome(pieces: list[bytes]) -> tuple[object, ...]:
        machine = tunnel(*(piece for piece in pieces if piece))
        machine.receive_eof()
        machine.attach(inside := Inside())
        return machine.established, machine.failure, inside.got, inside.ends

    at = sorted({0, *cuts, len(stream)})
    assert outcome([stream]) == outcome([stream[a:b] for a, b in itertools.pairwise(at)])


# 407, and what we have to say to it.

ASKED = b"HTTP/1.1 407 Who?\r\nContent-Length: 2\r\n%b\r\n.."


def asked(*fields: bytes) -> bytes:
    return ASKED % b"".join(field + b"\r\n" for field in fields)


class Answers:
    """Says who it is, so many times."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.heard: list[Fields] = []

    def __call__(self, fields: Fields) -> Fields | None:
        self.heard.append(fields)
        return [(b"Proxy-Authorization", b"%d" % len(self.heard))] if len(self.heard) <= self.times else None


def challenged(*answers: bytes, times: int = 1) -> tuple[Tunnel, bytes]:
    machine = Tunnel(b"a:1", [], Answers(times))
    sent = machine.data_to_send()
    for answer in answers:
        machine.receive_data(answer)
        sent += machine.data_to_send()
    return machine, sent


ASKS = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\n\r\n"
ASKS_AGAIN = b"CONNECT a:1 HTTP/1.1\r\nHost: a:1\r\nProxy-Authorization: %d\r\n\r\n"


def test_asked_once_more_on_the_same_connection() -> None:
    machine, sent = challenged(asked(), OK + b"early")
    assert sent == ASKS + ASKS_AGAIN % 1
    assert (machine.established, machine.failure, machine.refusal, machine.again) == (True, None, None, False)
    machine.attach(inside := Inside())
    assert inside.got == b"early"


@given(cuts=st.lists(st.integers(1, 120), max_size=6))
def test_in_any_pieces(cuts: list[int]) -> None:
    answer = asked(b"X: y") + OK + b"early"
    places = [0, *sorted({cut for cut in cuts if cut < len(answer)}), len(answer)]
    machine = Tunnel(b"a:1", [], Answers(1))
    # What comes before the second question went out is not an answer to it; here, all of it comes after.
    first = len(asked(b"X: y"))
    for start, end in itertools.pairwise(sorted({*places, first})):
        machine.receive_data(answer[start:end])
    assert machine.established
    machine.attach(inside := Inside())
    assert inside.got == b"early"


def test_asked_as_often_as_there_is_something_to_say() -> None:
    machine, sent = challenged(asked(), asked(), asked(b"Proxy-Authenticate: Basic"), times=2)
    assert sent == ASKS + ASKS_AGAIN % 1 + ASKS_AGAIN % 2
    assert machine.failure == "it answered 407 Who?; it did not accept the user name and password"
    assert (machine.established, machine.again) == (False, False)
    assert machine.refusal is not None
    assert machine.refusal.body == b".."


@pytest.mark.parametrize(
    "answer",
    [
        asked(b"Connection: close"),
        b"HTTP/1.0 407 Who?\r\nContent-Length: 0\r\n\r\n",
        asked() + b"and something that nobody asked for",
        b"HTTP/1.1 407 Who?\r\nContent-Length: 100000\r\n\r\n" + b"." * MAX_REFUSAL,
    ],
)
def test_again_on_another_connection(answer: bytes) -> None:
    machine, sent = challenged(answer)
    assert sent == ASKS
    assert machine.again
    assert machine.failure is not None
    assert machine.failure.startswith("it answered 407 Who?")


@pytest.mark.parametrize("error", [None, ConnectionResetError(104, "Connection reset by peer")])
def test_again_after_a_body_that_ends_with_the_connection(error: OSError | None) -> None:
    machine, _ = challenged(b"HTTP/1.1 407 Who?\r\n\r\nyou?")
    assert machine.failure is None
    machine.receive_eof(error)
    assert machine.again


def test_again_if_the_proxy_leaves_without_having_said_so() -> None:
    machine, sent = challenged(asked())
    machine.receive_eof()
    assert sent.endswith(ASKS_AGAIN % 1)
    assert (machine.failure, machine.again) == ("it closed the connection without an answer", True)


@pytest.mark.parametrize("answer", [b"", b"HTT"])
def test_not_again_if_it_was_not_asked(answer: bytes) -> None:
    machine, _ = challenged(*[answer] * bool(answer))
    machine.receive_eof()
    assert not machine.again
    machine, _ = challenged(asked(), b"HTTP/1")
    machine.receive_eof()
    assert not machine.again


def test_another_refusal_is_the_last_word() -> None:
    machine, sent = challenged(asked(), REFUSED)
    assert sent == ASKS + ASKS_AGAIN % 1
    assert (machine.failure, machine.again) == ("it answered 403 Forbidden: 'no!'", False)
    assert machine.refusal is not None


def test_the_fields_of_the_challenge_are_handed_on() -> None:
    answers = Answers(0)
    machine = Tunnel(b"a:1", [], answers)
    machine.receive_data(asked(b"Proxy-Authenticate: Digest a=b"))
    assert (b"Proxy-Authenticate", b"Digest a=b") in answers.heard[0]
    assert not machine.again


def test_fields_that_cannot_be_sent_at_the_second_go() -> None:
    machine = Tunnel(b"a:1", [], lambda fields: [(b"Proxy-Authorization", b"\0hush")])
    machine.data_to_send()
    machine.receive_data(asked())
    assert machine.failure is not None
    assert "cannot be sent" in machine.failure
    assert "hush" not in machine.failure
    assert machine.data_to_send() == b""


@pytest.mark.parametrize(
    ("fields", "advice"),
    [
        ([], "give user name and password with Proxy(url, auth=...)"),
        ([b"Proxy-Authenticate: Basic"], "give user name and password with Proxy(url, auth=...)"),
        (
            [b"Proxy-Authenticate: NTLM", b"Proxy-Authenticate: Digest a=b"],
            "give user name and password with Proxy(url, auth=...)",
        ),
        (
            [b"Proxy-Authenticate: NTLM", b"proxy-authenticate: Negotiate"],
            "it asks for ntlm, negotiate, which is not spoken here",
        ),
    ],
)
def test_advice(fields: list[bytes], advice: str) -> None:
    assert tunnel(asked(*fields)).failure == f"it answered 407 Who?; {advice}"


def test_a_proxy_that_repeats_what_it_was_told() -> None:
    """Its text is told in errors, and the credentials must not be."""
    machine = Tunnel(b"a:1", [(b"Proxy-Authorization", b"Basic dXNlcjpwYXNz")])
    machine.receive_data(
        b"HTTP/1.1 403 not with dXNlcjpwYXNz\r\nContent-Type: text/plain\r\nContent-Length: 37\r\n\r\n"
        b"You said Basic dXNlcjpwYXNz, which is "
    )
    assert machine.failure == ("it answered 403 not with [secure]: 'You said Basic [secure], which is'")


@pytest.mark.parametrize(
    ("credentials", "said", "told"),
    [
        (b"Basic dXNlcjpwYXNz", b"no pass", "no [secure]"),  # user:pass
        (b"Basic dXNlcg==", b"no user", "no user"),  # no password
        (b"Digest username=user, response=abc", b"no response=abc", "no [secure]"),
    ],
)
def test_a_proxy_that_repeats_the_password(credentials: bytes, said: bytes, told: str) -> None:
    machine = Tunnel(b"a:1", [(b"Proxy-Authorization", credentials)])
    machine.receive_data(b"HTTP/1.1 403 %b\r\nContent-Length: 0\r\n\r\n" % said)
    assert machine.failure == f"it answered 403 {told}"
