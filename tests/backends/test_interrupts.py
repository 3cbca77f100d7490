"""Ctrl-C at each moment of a request: the client stays whole.

Python looks for signals when a function is entered, behind each call, and where a loop begins anew. Here, an interrupt
comes at each of these moments in turn, save within the pool's own bookkeeping; see "What is left" in
docs/inside/cancellation.md.
"""

from __future__ import annotations

import asyncio
import signal
import sys
import threading
from collections.abc import Callable
from inspect import CO_GENERATOR
from types import FrameType
from typing import Any

import pytest
import trio

import httpure
from tests.peers import Answer, Peer, RealNetwork, Site, scripted, with_tls
from tests.peers.http2 import Http2Site
from tests.peers.tls import authority

from .quick import Quick

#: Where an interrupt does harm, as nothing can be done at once there.
BOOKKEEPING = ("/pool.py", "/places.py", "/lanes.py")
#: Of the moments of a request, one of so many is tried: the first, by another test the second, and so on.
STEP = 3


class Interrupting:
    """Raises KeyboardInterrupt at one of the moments of this thread; the first one is 0."""

    def __init__(self, moment: int) -> None:
        self.moment = moment
        self.done = False

    def __enter__(self) -> Interrupting:
        sys.setprofile(self._look)
        return self

    def __exit__(self, *reason: object) -> None:
        sys.setprofile(None)

    def _look(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "c_call" or not _is_ours(frame):
            return
        if event == "return" and frame.f_code.co_flags & CO_GENERATOR:
            return  # so it is called when a generator yields, and then nobody looks for signals
        self.moment -= 1
        if self.moment < 0:
            sys.setprofile(None)
            self.done = True
            raise KeyboardInterrupt


def _is_ours(frame: FrameType | None) -> bool:
    """Whether an interrupt may come there: in the client, but neither in bookkeeping nor in a finalizer."""
    if frame is None or "httpure" not in frame.f_code.co_filename:
        return False
    while frame is not None:
        code = frame.f_code
        if code.co_name == "__del__" or code.co_filename.endswith(BOOKKEEPING):
            return False
        frame = frame.f_back
    return True


def whole(client: httpure.Client) -> bool:
    """Whether nobody has a place in the pool any more."""
    connections, idle, waiting = client._transport.statistics  # type: ignore[attr-defined]
    return bool(connections == idle and not waiting)


@pytest.mark.slow
@pytest.mark.skipif(sys.getprofile() is not None, reason="a profiler is there already")
@pytest.mark.parametrize("start", range(STEP))
@pytest.mark.parametrize("kind", ["http1", "tls", "http2"])
def test_at_each_moment_of_a_request(network: RealNetwork, kind: str, start: int) -> None:
    factories: dict[str, Callable[[], Peer]] = {
        "http1": Quick,
        "tls": with_tls(Quick),
        "http2": Http2Site(lambda ask: Answer(200, f"GET {ask.path} ".encode())),
    }
    url = f"http{'s' * (kind == 'tls')}://127.0.0.1:{network.listen(factories[kind])}"
    options: dict[str, Any] = {"http1": False, "http2": True} if kind == "http2" else {}
    limits = httpure.Limits(max_connections=1)
    moments = 0
    with httpure.Client(verify=authority().trusting, limits=limits, timeout=10, **options) as client:
        for moment in range(start, 100_000, STEP):
            interrupting = Interrupting(moment)
            try:
                with interrupting:
                    response = client.get(f"{url}/{moment}")
                    assert response.text == f"GET /{moment} "
                    del response
            except KeyboardInterrupt:
                pass
            assert whole(client), f"a place is lost at moment {moment}"
            assert client.get(f"{url}/next").text == "GET /next ", f"after moment {moment}"
            if not interrupting.done:
                break
            moments += 1
    assert moments > 50


class Ringing(Peer):
    """Has the process interrupted when it gets a request."""

    def receive_data(self, data: bytes) -> None:
        main = threading.main_thread().ident
        assert main is not None
        signal.pthread_kill(main, signal.SIGINT)


@pytest.mark.skipif(not hasattr(signal, "pthread_kill"), reason="this system has no such signals")
@pytest.mark.parametrize("run", [lambda main: asyncio.run(main()), trio.run], ids=["asyncio", "trio"])
@pytest.mark.parametrize("tls", [False, True], ids=["plain", "tls"])
def test_an_event_loop_is_interrupted(network: RealNetwork, run: Any, tls: bool) -> None:
    """Its end closes what was open; and the client goes on in the next loop, with its only place."""
    port = network.listen(with_tls(Ringing) if tls else Ringing)
    quick = f"http://127.0.0.1:{network.listen(Quick)}"
    client = httpure.AsyncClient(
        verify=authority().trusting, limits=httpure.Limits(max_connections=1), timeout=10
    )

    async def ask() -> None:
        await client.get(f"http{'s' * tls}://127.0.0.1:{port}")

    async def go_on() -> str:
        text = (await client.get(f"{quick}/x")).text
        await client.aclose()
        return text

    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        with pytest.raises(KeyboardInterrupt):
            run(ask)
        assert client._transport.statistics == (0, 0, 0)  # type: ignore[attr-defined]
        assert run(go_on) == "GET /x "
    finally:
        signal.signal(signal.SIGINT, before)


@pytest.mark.slow
def test_sixty_four_threads(network: RealNetwork) -> None:
    """One client; few places, two versions of HTTP, limits of time that strike, bodies that nobody wants."""

    def app(call: Any) -> Answer | None:
        kind = call.path.split("/")[1]
        body = call.path.encode() * (20_000 if kind == "left" else 1)
        return None if kind == "never" else Answer(200, body)  # type: ignore[return-value]

    never = f"http://127.0.0.1:{network.listen(scripted())}"
    urls = [
        f"http://127.0.0.1:{network.listen(Site(app))}",  # type: ignore[arg-type]
        f"https://127.0.0.1:{network.listen(_over_tls(Http2Site(app)))}",
    ]
    wrong: list[str] = []
    limits = httpure.Limits(max_connections=8)
    client = httpure.Client(http2=True, verify=authority().trusting, limits=limits, timeout=60)

    def use(user: int) -> None:
        for number in range(6):
            path, url = f"/{user}/{number}", urls[(user + number) % 2]
            try:
                if number == 2:
                    with client.stream("GET", f"{url}/left{path}") as response:
                        next(response.iter_raw())
                elif number == 4:
                    where = f"{url}/never" if url.startswith("https") else never
                    client.get(where, timeout=httpure.Timeout(60, read=0.001))
                    wrong.append(f"{path}: an answer")
                elif (answer := client.get(f"{url}{path}").text) != path:
                    wrong.append(f"{path}: {answer}")
            except httpure.ReadTimeout:
                if number != 4:
                    wrong.append(f"{path}: no answer")
            except Exception as exc:
                wrong.append(f"{path}: {exc!r}")

    with client:
        threads = [threading.Thread(target=use, args=[user]) for user in range(64)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert wrong == []
        assert whole(client)


def _over_tls(site: Http2Site) -> Callable[[], Peer]:
    from tests.peers.http2 import over_tls

    return over_tls(site)
