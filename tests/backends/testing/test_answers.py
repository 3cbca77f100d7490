"""What scripted servers answer, and what goes wrong: seen by a blocking client, over both versions of HTTP."""

from __future__ import annotations

import asyncio
import gzip
from collections.abc import Iterator

import pytest

import httpure
from httpure import testing

URL = "https://api.test"


@pytest.fixture(params=[False, True], ids=["http1", "http2"])
def http2(request: pytest.FixtureRequest) -> bool:
    return bool(request.param)


@pytest.fixture
def world() -> Iterator[testing.World]:
    with testing.world(seed=1) as running:
        yield running


@pytest.fixture
def server(world: testing.World, http2: bool) -> testing.Server:
    return world.serve(URL, http2=http2)


@pytest.fixture
def client(world: testing.World, http2: bool) -> Iterator[httpure.Client]:
    with httpure.Client(base_url=URL, http2=http2) as made:
        yield made


def test_the_whole_client_is_there(server: testing.Server, client: httpure.Client, http2: bool) -> None:
    server.answer(200, json={"ok": True}, headers={"X-Color": "blue"})
    response = client.post("/pens?n=1", json=[1], headers={"X-Team": "red"})
    assert response.json() == {"ok": True}
    assert response.headers["x-color"] == "blue"
    assert response.http_version == ("HTTP/2" if http2 else "HTTP/1.1")
    (request,) = server.requests
    assert (request.method, str(request.url), request.json()) == ("POST", f"{URL}/pens?n=1", [1])
    assert request.headers["X-Team"] == "red"
    assert (request.http_version, request.connection, request.whole) == (response.http_version, 1, True)
    assert request.text == "[1]"


def test_answers_come_in_order_and_then_otherwise(server: testing.Server, client: httpure.Client) -> None:
    server.answer(500, times=2)
    server.answer(httpure.Response(201, text="made"))
    server.otherwise(lambda request: testing.Answer(200, text=request.url.path))
    assert [client.get("/a").status_code for _ in range(3)] == [500, 500, 201]
    assert [client.get(path).text for path in ("/b", "/c")] == ["/b", "/c"]
    assert server.connections == 1


def test_redirects_and_cookies(server: testing.Server, client: httpure.Client) -> None:
    server.answer(302, headers=[("Location", "/there"), ("Set-Cookie", "a=1"), ("Set-Cookie", "b=2")])
    server.answer(200)
    response = client.get("/here", follow_redirects=True)
    assert [each.url.path for each in server.requests] == ["/here", "/there"]
    assert server.requests[1].headers["Cookie"] == "a=1; b=2"
    assert len(response.history) == 1


def test_content_codings_are_left_alone(server: testing.Server, client: httpure.Client) -> None:
    packed = gzip.compress(b"hello")
    server.answer(200, content=packed, headers={"Content-Encoding": "gzip"})
    server.answer(httpure.Response(200, content=packed, headers={"Content-Encoding": "gzip"}))
    assert [client.get("/").content for _ in range(2)] == [b"hello", b"hello"]


@pytest.mark.parametrize(("method", "status"), [("HEAD", 200), ("GET", 204), ("GET", 304)])
def test_without_a_body(server: testing.Server, client: httpure.Client, method: str, status: int) -> None:
    server.answer(status, text="" if status != 200 else "not sent")
    server.answer(200, text="next")
    assert client.request(method, "/").content == b""
    assert client.get("/").text == "next"


def test_informational_chunks_and_trailers(server: testing.Server, client: httpure.Client) -> None:
    server.answer(
        200,
        content=[b"one ", b"", b"two"],
        trailers={"X-Sum": "3"},
        informational=[102, (103, {"Link": "</a>"})],
    )
    hints: list[int] = []
    response = client.get("/", extensions={"on_informational": lambda each: hints.append(each.status_code)})
    assert response.text == "one two"
    assert response.trailers["x-sum"] == "3"


def test_delay_and_pauses_cost_virtual_time(
    world: testing.World, server: testing.Server, client: httpure.Client
) -> None:
    server.answer(200, content=[b"a", b"b", b"c"], delay=10.0, pause=1.0)
    with client.stream("GET", "/", timeout=20) as response:
        assert world.now == 10.0
        seen = [(piece, world.now) for piece in response.iter_raw()]
    assert seen == [(b"a", 10.0), (b"b", 11.0), (b"c", 12.0)]


@pytest.mark.parametrize("split", [1, 7, [3, 20], "random"])
def test_any_split_brings_the_same(
    server: testing.Server, client: httpure.Client, split: int | list[int] | str
) -> None:
    server.answer(200, text="hello " * 20, split=split)
    server.answer(200, text="bye")
    assert client.get("/").text == "hello " * 20
    assert client.get("/").text == "bye"
    assert server.connections == 1


def test_split_really_splits(world: testing.World) -> None:
    world.serve("http://api.test").answer(200, text="x", split=[10, 30])
    httpure.get("http://api.test/")
    sizes = [line.split(": ")[1] for line in world.log if "received: " in line and "bytes" in line]
    assert sizes[:2] == ["10 bytes", "20 bytes"]


@pytest.mark.parametrize("after", [0, 1, 30, 100])
@pytest.mark.parametrize("fault", [testing.reset, testing.close])
def test_a_cut_answer_is_never_taken_for_a_whole_one(
    server: testing.Server, client: httpure.Client, fault: type[testing.Fault], after: int
) -> None:
    server.answer(200, text="x" * 200, fault=fault(after))
    with pytest.raises((httpure.ReadError, httpure.RemoteProtocolError)):
        client.post("/")
    server.answer(200, text="again")
    assert client.post("/").text == "again"
    assert server.connections == 2


def test_a_fault_behind_the_answer(server: testing.Server, client: httpure.Client) -> None:
    server.answer(200, text="all of it", fault=testing.reset(after=None))
    server.answer(200, text="more", fault=testing.close(after=10_000))
    server.answer(200)
    assert [client.get("/").text for _ in range(3)] == ["all of it", "more", ""]
    assert server.connections == 3


def test_a_stall_for_ever(world: testing.World, server: testing.Server, client: httpure.Client) -> None:
    server.answer(testing.stall(after=50))
    with pytest.raises(httpure.ReadTimeout):
        client.get("/", timeout=2.0)
    assert world.now == 2.0


def test_a_stall_for_a_while(world: testing.World, server: testing.Server, client: httpure.Client) -> None:
    server.answer(200, text="late", fault=testing.stall(after=5, seconds=4.0))
    assert client.get("/").text == "late"
    assert world.now == 4.0


def test_drips_outlive_every_read_timeout(
    world: testing.World, server: testing.Server, client: httpure.Client
) -> None:
    server.answer(200, content=b"x" * 100, fault=testing.drip(10, every=4.0))
    assert len(client.get("/").content) == 100
    assert world.now > 35


def test_close_is_announced(server: testing.Server, client: httpure.Client) -> None:
    server.answer(200, text="last", close=True)
    server.answer(200, text="first")
    assert [client.get("/").text for _ in range(2)] == ["last", "first"]
    assert server.connections == 2


def test_idle_connections_are_dropped(
    world: testing.World, server: testing.Server, client: httpure.Client
) -> None:
    server.otherwise(200)
    client.get("/")
    assert server.drop_idle() == 1
    client.get("/")
    assert server.drop_idle("reset") == 1
    assert server.drop_idle() == 0
    client.get("/")
    assert server.connections == 3
    with pytest.raises(ValueError, match='"close" or "reset"'):
        server.drop_idle("softly")


def test_hang_up_after_a_while(world: testing.World, server: testing.Server, client: httpure.Client) -> None:
    server.answer(200, hang_up=1.0)
    server.answer(200)
    client.get("/")
    world.wait(2.0)
    client.get("/")
    assert server.connections == 2


def test_early_answers(server: testing.Server, client: httpure.Client, http2: bool) -> None:
    server.answer(413, early=True, close=True)
    response = client.post("/", content=iter([b"x" * 70_000] * 5))
    assert response.status_code == 413
    assert not server.requests[0].whole or http2


def test_expectations_are_met(world: testing.World) -> None:
    server = world.serve("http://api.test")
    server.answer(200)
    httpure.post("http://api.test", content=b"x", headers={"Expect": "100-continue"})
    assert server.requests[0].content == b"x"


def test_goaway_has_the_request_sent_again(world: testing.World) -> None:
    server = world.serve(URL, http2=True)
    server.answer(testing.goaway())
    server.answer(200, text="done")
    with httpure.Client(http2=True) as client:
        assert client.post(URL, content=b"once").text == "done"
    assert server.connections == 2


@pytest.mark.parametrize("after", [0, 10])
def test_one_stream_fails_and_the_others_go_on(world: testing.World, after: int) -> None:
    server = world.serve(URL, http2=True)
    server.answer(testing.reset_stream(code=2, after=after))
    server.answer(200)
    with httpure.Client(http2=True) as client:
        with pytest.raises(httpure.RemoteProtocolError):
            client.post(URL)
        client.post(URL)
    assert server.connections == 1


def test_large_bodies_go_through_the_windows(server: testing.Server, client: httpure.Client) -> None:
    server.otherwise(lambda request: httpure.Response(200, content=request.content))
    body = bytes(range(256)) * 2000
    assert client.post("/", content=body).content == body


def test_bytes_are_sent_as_they_are(world: testing.World) -> None:
    server = world.serve("http://api.test")
    server.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok")
    server.answer(b"HTTP/1.1 200 OK\r\nContent-Length: 2, 3\r\n\r\nok")
    with httpure.Client() as client:
        assert client.get("http://api.test").text == "ok"
        with pytest.raises(httpure.RemoteProtocolError):
            client.get("http://api.test")


def test_prior_knowledge(world: testing.World) -> None:
    server = world.serve("http://api.test", http2=True)
    server.otherwise(200)
    for options in ({"http1": False, "http2": True}, {}):
        with httpure.Client(**options) as client:
            client.get("http://api.test")
    assert [each.http_version for each in server.requests] == ["HTTP/2", "HTTP/1.1"]


def test_what_cannot_be_answered() -> None:
    with pytest.raises(ValueError, match="no final status"):
        testing.Answer(100)
    with pytest.raises(ValueError, match="split is"):
        testing.Answer(200, split="often")
    with pytest.raises(TypeError, match="not with dict"):
        testing.Answer.of({})  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="after is -1"):
        testing.reset(-1)
    with pytest.raises(ValueError, match="must not be negative"):
        testing.stall(seconds=-1)
    with pytest.raises(ValueError, match="at least one byte"):
        testing.drip(0)
    assert repr(testing.reset(3)) == "<Fault reset after 3 bytes>"


@pytest.mark.parametrize("what", [testing.goaway(), testing.reset_stream()])
def test_http1_has_no_frames(what: testing.Fault) -> None:
    with pytest.raises(AssertionError, match="that is HTTP/2"), testing.world() as world:
        world.serve("http://api.test").answer(what)
        httpure.get("http://api.test")


def test_http2_has_no_bare_bytes() -> None:
    with pytest.raises(AssertionError, match="which has frames"), testing.world() as world:
        world.serve(URL, http2=True).answer(b"HTTP/1.1 200 OK\r\n\r\n")
        with httpure.Client(http2=True) as client:
            client.get(URL)


def test_streams_are_limited(world: testing.World) -> None:
    async def visit() -> None:
        async with httpure.AsyncClient(http2=True) as client:
            await client.get(URL)
            await asyncio.gather(client.get(URL), client.get(URL), client.get(URL))

    server = world.serve(URL, http2=True, max_streams=1)
    server.otherwise(lambda request: testing.Answer(200, delay=1))
    world.run(visit)
    assert world.now == 2.0
    assert server.connections == 3


def test_cancelled_streams_are_left_alone(world: testing.World) -> None:
    async def visit() -> None:
        async with httpure.AsyncClient(http2=True) as client:
            for delay in (0.5, 1.5):
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(delay):
                        await client.get(URL)
            await client.get(URL)

    server = world.serve(URL, http2=True)
    server.answer(200, content=[b"x"] * 3, delay=1, pause=1)
    server.answer(200, content=[b"x"] * 3, delay=1, pause=1)
    server.answer(200, delay=2)
    world.run(visit, on="asyncio")


def test_addresses_are_raced_in_coroutines(world: testing.World) -> None:
    async def visit() -> int:
        async with httpure.AsyncClient() as client:
            return (await client.get("http://api.test")).status_code

    server = world.serve("http://api.test", addresses=["2001:db8::1", "10.0.0.9"])
    server.ignore()
    server.otherwise(200)
    assert world.run(visit) == 200
    assert world.now < 1
