"""Digest against the examples of the RFCs and an independent server."""

from __future__ import annotations

import copy
import hashlib
import pickle
import threading
from collections.abc import Iterator
from typing import Any
from urllib.request import parse_http_list

import pytest

from httpure_core import ambient
from httpure_core.auth import DigestAuth, digest
from httpure_core.content.streams import SyncByteStream
from httpure_core.errors import LocalProtocolError, ProtocolError, RemoteProtocolError
from httpure_core.models.request import Request
from httpure_core.models.response import Response
from tests.backends.fresh import fresh

URL = "http://www.example.org/dir/index.html"
HASHES = {"MD5": "md5", "SHA": "sha1", "SHA-256": "sha256", "SHA-512": "sha512", "SHA-512-256": "sha512_256"}


def escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace('"', '\\"')


class Server:
    """Answers a request: 401 with its challenge, 200 if the answer is right. Written from RFC 7616 alone."""

    def __init__(
        self, user: bytes = b"Mufasa", password: bytes = b"Circle of Life", **challenge: str
    ) -> None:
        self.user, self.password = user, password
        self.challenge = {"realm": "all@example.org", "nonce": "first", **challenge}
        self.counts: list[int] = []
        self.seen: list[dict[str, str]] = []

    def field(self) -> str:
        return "Digest " + ", ".join(f'{name}="{escaped(value)}"' for name, value in self.challenge.items())

    def __call__(self, request: Request) -> Response:
        header = request.headers.get("Authorization")
        if header and self.is_right(request, header):
            return Response(200, request=request)
        return Response(401, headers={"WWW-Authenticate": self.field()}, request=request)

    def is_right(self, request: Request, header: str) -> bool:
        scheme, _, rest = header.partition(" ")
        assert scheme == "Digest"
        fields = {}
        for item in parse_http_list(rest):
            name, _, value = item.partition("=")
            fields[name] = (
                value[1:-1].replace('\\"', '"').replace("\\\\", "\\") if value[:1] == '"' else value
            )
        self.seen.append(fields)
        if fields["nonce"] != self.challenge["nonce"]:
            return False
        algorithm = self.challenge.get("algorithm", "MD5").upper()

        def h(data: bytes) -> bytes:
            return hashlib.new(HASHES[algorithm.removesuffix("-SESS")], data).hexdigest().encode()

        nonce = fields["nonce"].encode()
        ha1 = h(self.user + b":" + self.challenge["realm"].encode() + b":" + self.password)
        if algorithm.endswith("-SESS"):
            ha1 = h(ha1 + b":" + nonce + b":" + fields["cnonce"].encode())
        target = request.extensions.get("target", request.url.raw_path)
        assert fields["uri"].encode() == target
        a2 = request.method.encode() + b":" + target
        if fields.get("qop") == "auth-int":
            a2 += b":" + h(request.content)
        parts = [ha1, nonce]
        if "qop" in fields:
            self.counts.append(int(fields["nc"], 16))
            parts += [fields["nc"].encode(), fields["cnonce"].encode(), fields["qop"].encode()]
        assert fields.get("opaque") == self.challenge.get("opaque")
        return fields["response"].encode() == h(b":".join([*parts, h(a2)]))


def send(auth: DigestAuth, request: Request, *servers: Any) -> Response:
    """Drive the flow; the servers answer in turn, the last one for ever."""
    flow = auth.sync_auth_flow(request)
    outgoing = next(flow)
    for server in (*servers, *servers[-1:] * 3):
        response: Response = server(outgoing)
        try:
            outgoing = flow.send(response)
        except StopIteration:
            return response
    raise AssertionError("asks too often")


def mufasa() -> DigestAuth:
    return DigestAuth("Mufasa", "Circle of Life")


@pytest.mark.parametrize("algorithm", [*HASHES, *(f"{name}-sess" for name in HASHES), "sha-256", None])
@pytest.mark.parametrize("qop", ["auth", "auth-int", "auth,auth-int", "auth-int , AUTH", None])
def test_every_algorithm_and_qop(algorithm: str | None, qop: str | None) -> None:
    challenge = {"algorithm": algorithm, "qop": qop, "opaque": 'o"p\\q'}
    server = Server(**{name: value for name, value in challenge.items() if value is not None})
    request = Request("POST", URL + "?a=b", content=b"body")
    assert send(mufasa(), request, server).status_code == 200
    if qop is not None:
        assert server.seen[0]["qop"] == (
            "auth" if "auth" in qop.lower().replace(" ", "").split(",") else "auth-int"
        )


def test_the_examples_of_rfc_7616(monkeypatch: pytest.MonkeyPatch) -> None:
    # Section 3.9.1. The RFC writes its cnonce in base64; what is hashed is the text.
    cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ"

    class Fixed:
        def hex(self) -> str:
            return cnonce

    monkeypatch.setattr(ambient, "random_bytes", lambda size: Fixed())
    nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v"
    expected = {
        "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
        "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    }
    for algorithm, answer in expected.items():
        fields = {
            "realm": "http-auth@example.org",
            "nonce": nonce,
            "qop": "auth, auth-int",
            "algorithm": algorithm,
        }
        server = Server(**fields, opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS")
        assert send(mufasa(), Request("GET", URL), server).status_code == 200
        assert server.seen[0]["response"] == answer


def test_the_example_of_rfc_2069() -> None:
    # As corrected by erratum 749.
    server = Server(
        b"Mufasa", b"CircleOfLife", realm="testrealm@host.com", nonce="dcd98b7102dd2f0e8b11d0f600bfb0c093"
    )
    auth = DigestAuth("Mufasa", "CircleOfLife")
    assert send(auth, Request("GET", "http://www.nowhere.org/dir/index.html"), server).status_code == 200
    assert server.seen[0]["response"] == "1949323746fe6a43ef61f9606e7febea"
    assert "cnonce" not in server.seen[0] and "nc" not in server.seen[0]


def test_the_nonce_is_used_again_with_a_higher_count() -> None:
    auth, server = mufasa(), Server(qop="auth")
    for _ in range(3):
        assert send(auth, Request("GET", URL), server).status_code == 200
    assert server.counts == [1, 2, 3]
    server.challenge["nonce"] = "second"
    assert send(auth, Request("GET", URL), server).status_code == 200
    assert server.counts[-1] == 1


def test_a_session_keeps_its_cnonce() -> None:
    auth, server = mufasa(), Server(qop="auth", algorithm="MD5-sess")
    for _ in range(2):
        assert send(auth, Request("GET", URL), server).status_code == 200
    assert server.seen[0]["cnonce"] == server.seen[1]["cnonce"]
    assert len(server.seen[0]["cnonce"]) == 16


def test_a_nonce_is_for_one_origin_only() -> None:
    auth = mufasa()
    assert send(auth, Request("GET", URL), Server(qop="auth")).status_code == 200
    for url in ("http://evil.example/", "https://www.example.org/", "http://www.example.org:81/"):
        request = Request("GET", url)
        next(auth.auth_flow(request))
        assert "Authorization" not in request.headers


@pytest.mark.parametrize(
    ("domain", "covered", "not_covered"),
    [
        ("", ["/", "/dir/index.html", "/other"], []),
        (" ", ["/other"], []),
        ("/dir/", ["/dir/", "/dir/index.html?a=b"], ["/", "/dirt", "/other"]),
        ("/dir", ["/dir/x", "/dirt"], ["/other"]),
        ("http://www.example.org/a /b", ["/a", "/b/c"], ["/c"]),
        ("http://other.example/ /b", ["/b"], ["/a"]),
        ("http://www.example.org:81/ https://www.example.org/ http://x:y/", [], ["/", "/a"]),
        ("c", ["/dir/c"], ["/c"]),
    ],
)
def test_the_domain_says_where_the_nonce_is_answered_unasked(
    domain: str, covered: list[str], not_covered: list[str]
) -> None:
    auth, server = mufasa(), Server(qop="auth", domain=domain)
    assert send(auth, Request("GET", URL), server).status_code == 200
    for path in [*covered, *not_covered]:
        request = Request("GET", f"http://www.example.org{path}")
        next(auth.auth_flow(request))
        assert ("Authorization" in request.headers) is (path in covered)
        assert send(auth, Request("GET", f"http://www.example.org{path}"), server).status_code == 200
    assert "domain" not in server.seen[-1]


def test_a_challenge_of_another_origin_is_not_answered() -> None:
    def redirected(request: Request) -> Response:
        return Server(qop="auth")(Request("GET", "http://evil.example/"))

    assert send(mufasa(), Request("GET", URL), redirected).status_code == 401


def test_a_redirected_request_is_answered_where_it_was_challenged() -> None:
    server = Server(qop="auth")

    def redirected(request: Request) -> Response:
        return server(Request("GET", "http://www.example.org/moved"))

    assert send(mufasa(), Request("GET", URL), redirected, server).status_code == 200
    assert server.seen[0]["uri"] == "/moved"


def test_who_was_led_away_and_back_is_not_answered() -> None:
    server = Server(qop="auth")

    def redirected(request: Request) -> Response:
        again = Request("GET", "http://www.example.org/moved")
        again._to_stranger = True  # what another origin, on the way, has made of the first request
        return server(again)

    assert send(mufasa(), Request("GET", URL), redirected).status_code == 401
    assert server.seen == []
    request = Request("GET", URL)
    request._to_stranger = True  # but who gives the credentials for that very request means it
    assert send(mufasa(), request, redirected, server).status_code == 200


def test_a_response_that_knows_no_request() -> None:
    server = Server(qop="auth")

    def forgetful(request: Request) -> Response:
        return Response(401, headers={"WWW-Authenticate": server.field()})

    assert send(mufasa(), Request("GET", URL), forgetful, server).status_code == 200


def test_a_wrong_password_is_tried_once() -> None:
    server = Server(qop="auth", password=b"other")
    assert send(mufasa(), Request("GET", URL), server).status_code == 401
    assert len(server.seen) == 1


def test_a_stale_nonce_is_answered_once_more() -> None:
    server = Server(qop="auth", stale="TRUE", password=b"other")
    assert send(mufasa(), Request("GET", URL), server).status_code == 401
    assert len(server.seen) == 2


def test_a_nonce_that_ran_out_between_requests() -> None:
    auth, server = mufasa(), Server(qop="auth")
    assert send(auth, Request("GET", URL), server).status_code == 200
    server.challenge |= {"nonce": "second", "stale": "true"}
    assert send(auth, Request("GET", URL), server).status_code == 200
    assert len(server.seen) == 3


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"WWW-Authenticate": "Basic realm=x"},
        {"WWW-Authenticate": "Digest realm=x, nonce=y, algorithm=WHIRLPOOL"},
    ],
)
def test_a_401_that_cannot_be_answered_is_returned(headers: dict[str, str]) -> None:
    request = Request("GET", URL)
    assert (
        send(mufasa(), request, lambda request: Response(401, headers=headers, request=request)).status_code
        == 401
    )
    assert "Authorization" not in request.headers


@pytest.mark.parametrize("status", [200, 403, 500])
def test_other_answers_end_the_flow(status: int) -> None:
    assert (
        send(mufasa(), Request("GET", URL), lambda request: Response(status, request=request)).status_code
        == status
    )


@pytest.mark.parametrize(
    ("field", "problem"),
    [
        ('Digest realm="x", qop="auth"', "no nonce"),
        ('Digest nonce="x"', "no realm"),
        ("Digest", "no realm"),
        ('Digest realm="x", qop="auth,au', "no nonce"),
        ('Digest realm="x", nonce="y", qop="magic"', "'magic'"),
    ],
)
def test_a_malformed_challenge_is_the_servers_fault(field: str, problem: str) -> None:
    request = Request("GET", URL)
    with pytest.raises(RemoteProtocolError, match=problem) as caught:
        send(
            mufasa(),
            request,
            lambda request: Response(401, headers={"WWW-Authenticate": field}, request=request),
        )
    assert isinstance(caught.value, ProtocolError) and caught.value.request is request


@pytest.mark.parametrize("separate", [False, True])
def test_the_strongest_challenge_is_chosen(separate: bool) -> None:
    challenges = [
        "Digest algorithm=SHA-256",
        "Basic realm=x",
        'Digest realm="all@example.org", nonce="first", qop="auth", algorithm=MD5',
        'Digest realm="all@example.org", nonce="first", qop="auth", algorithm=SHA-256-sess',
        'Digest realm="all@example.org", nonce="first", qop="auth", algorithm=SHA-256',
        'Digest realm="all@example.org", nonce="first", qop="auth", algorithm=SHA',
    ]
    fields = challenges if separate else [", ".join(challenges)]
    server = Server(qop="auth", algorithm="SHA-256-sess")

    def many(request: Request) -> Response:
        return Response(401, headers=[("WWW-Authenticate", field) for field in fields], request=request)

    assert send(mufasa(), Request("GET", URL), many, server).status_code == 200
    assert server.seen[0]["algorithm"] == "SHA-256-sess"


def test_without_md5_another_algorithm_serves(monkeypatch: pytest.MonkeyPatch) -> None:
    new = hashlib.new

    def fips(name: str, *arguments: Any, **options: Any) -> Any:
        if name == "md5":
            raise ValueError("unsupported hash type md5")
        return new(name, *arguments, **options)

    monkeypatch.setattr(hashlib, "new", fips)
    weak = 'Digest realm="all@example.org", nonce="first", qop="auth"'
    server = Server(qop="auth", algorithm="SHA-256")

    def both(request: Request) -> Response:
        return Response(401, headers={"WWW-Authenticate": f"{weak}, {server.field()}"}, request=request)

    assert send(mufasa(), Request("GET", URL), both, server).status_code == 200
    assert send(mufasa(), Request("GET", URL), Server(qop="auth")).status_code == 401


@pytest.mark.slow
def test_importing_needs_no_md5() -> None:
    """As on a machine in FIPS mode, where `hashlib.md5` is there and raises."""
    code = """
import hashlib

def refuse(*arguments, **options):
    raise ValueError("[digital envelope routines] unsupported")

new = hashlib.new
hashlib.md5 = refuse
hashlib.new = lambda name, *rest, **options: (refuse if "md5" in name.lower() else new)(name, *rest, **options)

import httpure

def app(request):
    if "Authorization" in request.headers:
        return httpure.Response(200)
    weak, strong = (f'Digest realm="a", nonce="b", algorithm={name}' for name in ("MD5", "SHA-256"))
    return httpure.Response(401, headers=[("WWW-Authenticate", weak), ("WWW-Authenticate", strong)])

client = httpure.Client(transport=httpure.MockTransport(app), auth=httpure.DigestAuth("a", "b"))
request = client.post("http://example.org/", files={"a": b"b"}).request
print("algorithm=SHA-256" in request.headers["Authorization"])
"""
    assert fresh(code) == "True"


def test_the_cookies_of_the_challenge_go_along() -> None:
    server = Server(qop="auth")

    def with_cookies(request: Request) -> Response:
        response = server(request)
        response.headers.update(
            [("Set-Cookie", "session=new; Path=/"), ("Set-Cookie", "x=1; Domain=evil.example")]
        )
        return response

    request = Request("GET", URL, headers={"Cookie": "mine=1; session=old"})
    assert send(mufasa(), request, with_cookies, server).status_code == 200
    assert request.headers["Cookie"] == "mine=1; session=new"

    def useless(request: Request) -> Response:
        response = server(request)
        response.headers["Set-Cookie"] = "x=1; Domain=evil.example"
        return response

    request = Request("GET", URL)
    assert send(mufasa(), request, useless, server).status_code == 200
    assert "Cookie" not in request.headers


def test_a_hidden_user_name() -> None:
    server = Server(qop="auth", userhash="true", algorithm="SHA-256")
    assert send(mufasa(), Request("GET", URL), server).status_code == 200
    assert server.seen[0]["userhash"] == "true"
    assert server.seen[0]["username"] == hashlib.sha256(b"Mufasa:all@example.org").hexdigest()


def test_user_names_beyond_ascii_and_with_quotes() -> None:
    server = Server("Jäsøn Doe".encode(), b"x", qop="auth")
    assert send(DigestAuth("Jäsøn Doe", "x"), Request("GET", URL), server).status_code == 200
    assert server.seen[0]["username*"] == "UTF-8''%4A%C3%A4%73%C3%B8%6E%20%44%6F%65"
    assert "username" not in server.seen[0]
    server = Server(b'a"b\\c', b"x", qop="auth")
    assert send(DigestAuth(b'a"b\\c', b"x"), Request("GET", URL), server).status_code == 200
    assert server.seen[0]["username"] == 'a"b\\c'


def test_the_target_on_the_wire_is_what_counts() -> None:
    request = Request("GET", URL, extensions={"target": b"/raw%7E"})
    assert send(mufasa(), request, Server(qop="auth")).status_code == 200


@pytest.mark.parametrize("target", ["/text", 5, b"/\xff"])
def test_a_target_that_is_none_is_the_transports_to_refuse(target: Any) -> None:
    request = Request("GET", URL, extensions={"target": target})
    challenge = 'Digest realm="r", nonce="n", qop="auth"'
    flow = mufasa().sync_auth_flow(request)
    next(flow)
    again = flow.send(Response(401, headers={"WWW-Authenticate": challenge}, request=request))
    uri = 'uri="/\xff"' if isinstance(target, bytes) else f'uri="{request.url.raw_path.decode()}"'
    assert uri in again.headers["Authorization"]


def test_auth_int_needs_a_body_in_memory() -> None:
    class Body(SyncByteStream):
        def __iter__(self) -> Iterator[bytes]:
            yield b"body"

    request = Request("POST", URL, stream=Body())
    with pytest.raises(LocalProtocolError, match=r"request\.read\(\)") as caught:
        send(mufasa(), request, Server(qop="auth-int"))
    assert caught.value.request is request
    request.read()
    assert send(mufasa(), request, Server(qop="auth-int")).status_code == 200


def test_old_nonces_are_forgotten() -> None:
    auth = mufasa()
    for port in range(1, digest._MAX_SESSIONS + 10):
        assert send(auth, Request("GET", f"http://example.org:{port}/"), Server()).status_code == 200
    assert len(auth._sessions) == digest._MAX_SESSIONS
    assert ("http", "example.org", 1) not in auth._sessions


def test_threads_never_use_a_count_twice() -> None:
    auth, server = mufasa(), Server(qop="auth")
    assert send(auth, Request("GET", URL), server).status_code == 200

    def work() -> None:
        for _ in range(50):
            send(auth, Request("GET", URL), server)

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(server.counts) == list(range(1, 202))


def test_copies_and_pickles_start_anew() -> None:
    auth = mufasa()
    assert send(auth, Request("GET", URL), Server(qop="auth")).status_code == 200
    for other in (copy.copy(auth), pickle.loads(pickle.dumps(auth))):
        request = Request("GET", URL)
        next(other.auth_flow(request))
        assert "Authorization" not in request.headers
        assert send(other, Request("GET", URL), Server(qop="auth")).status_code == 200


def test_user_name_and_password_are_text_or_bytes() -> None:
    with pytest.raises(TypeError, match="not NoneType"):
        DigestAuth("user", None)  # type: ignore[arg-type]
