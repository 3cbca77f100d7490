"""Closing what is async and the user's, when something passes: awaited by the task that it happens in, or not at all.

Streams of custom transports, auth flows, the iterators of bodies; on asyncio and trio. Warnings are errors here, so an
async generator that garbage collection finds unfinished on trio fails its test.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
import trio

import httpure
from tests.peers import Deaf, RealNetwork
from tests.running import on_each_loop

from .transports.loops import cancelled_after, cancelled_at_step, event, rounds, sleep

URL = "http://example.org/"


class Held(httpure.AsyncByteStream):
    """The stream of a response; says what is done to it. Reading raises, and closing waits, as the test wants it."""

    def __init__(
        self, closing: Callable[[], Any] = lambda: sleep(0), error: BaseException | None = None
    ) -> None:
        self.log: list[str] = []
        self.closing = closing
        self.error = error

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield b"piece"
        if self.error is not None:
            raise self.error

    async def aclose(self) -> None:
        self.log.append("begun")
        await self.closing()
        self.log.append("done")


class Handing(httpure.AsyncBaseTransport):
    """Hands the stream out."""

    def __init__(self, stream: Any) -> None:
        self.stream = stream

    async def handle_async_request(self, request: httpure.Request) -> httpure.Response:
        return httpure.Response(200, stream=self.stream)


class Silent(httpure.AsyncBaseTransport):
    """Never answers."""

    async def handle_async_request(self, request: httpure.Request) -> httpure.Response:
        await sleep(60)
        raise AssertionError


async def waiting_hook(response: httpure.Response) -> None:
    await sleep(60)


class Flow(httpure.Auth):
    """An auth flow that has something to wait for when it is closed."""

    def __init__(self, log: list[str]) -> None:
        self.log = log

    async def async_auth_flow(self, request: httpure.Request) -> Any:
        try:
            yield request
        finally:
            self.log.append("begun")
            await sleep(0)
            self.log.append("done")


# Cancellation


def test_a_task_of_trio_that_is_cancelled_is_left_in_no_queue() -> None:
    """Or trio crashes when the event is set at last, and finds a task in it that waits for something else."""

    async def main() -> None:
        parked = trio.Event()
        stream = Held(parked.wait)
        hooks = {"response": [waiting_hook]}
        async with httpure.AsyncClient(transport=Handing(stream), event_hooks=hooks) as client:
            assert await cancelled_after(0.01, lambda: client.get(URL))
            assert (stream.log, parked.statistics().tasks_waiting) == (["begun"], 0)
            parked.set()
            await rounds()

    trio.run(main)


def test_a_task_of_asyncio_that_is_cancelled_waits_for_the_closing() -> None:
    """As with any `finally`: the loop delivers a cancellation once."""

    async def main() -> None:
        parked = asyncio.Event()
        stream = Held(parked.wait)
        hooks = {"response": [waiting_hook]}
        async with httpure.AsyncClient(transport=Handing(stream), event_hooks=hooks) as client:
            task = asyncio.ensure_future(client.get(URL))
            await rounds()
            task.cancel()
            await rounds()
            assert (stream.log, task.done()) == (["begun"], False)
            parked.set()
            await asyncio.wait([task])
            assert (stream.log, task.cancelled()) == (["begun", "done"], True)

    asyncio.run(main())


@on_each_loop
async def test_a_scope_that_is_shielded_is_waited_for(http: Any) -> None:
    """What a stream wants to have done in any case is done, also on trio."""
    finished = event()

    async def closing() -> None:
        with trio.CancelScope(shield=True) if http.__name__.endswith("trio") else _nothing():
            await sleep(0.005)
            finished.set()

    async with http.Client(
        transport=Handing(Held(closing)), event_hooks={"response": [waiting_hook]}
    ) as client:
        assert await cancelled_after(0.01, lambda: client.get(URL))
        assert finished.is_set()


class _nothing:
    def __enter__(self) -> None: ...

    def __exit__(self, *reason: object) -> None: ...


@on_each_loop
async def test_an_auth_flow_is_closed_before_the_cancellation_comes_out(http: Any) -> None:
    log: list[str] = []
    async with http.Client(transport=Silent(), auth=Flow(log)) as client:
        assert await cancelled_after(0.005, lambda: client.get(URL))
        assert log == (["begun"] if http.__name__.endswith("trio") else ["begun", "done"])
        gc.collect()
        await rounds()


@on_each_loop
async def test_a_body_is_closed_before_the_cancellation_comes_out(http: Any) -> None:
    log: list[str] = []

    async def pieces() -> AsyncIterator[bytes]:
        try:
            while True:
                yield b"x" * 100_000
        finally:
            log.append("begun")
            await sleep(0)
            log.append("done")

    with RealNetwork() as network:
        url = f"http://127.0.0.1:{network.listen(Deaf, receive_buffer=4096)}"
        async with http.Client() as client:
            for files in (False, True):
                body: Any = {"files": {"f": httpure.Part(pieces())}} if files else {"content": pieces()}
                assert await cancelled_after(0.02, lambda body=body: client.post(url, **body))  # type: ignore[misc]
                assert log == (["begun"] if http.__name__.endswith("trio") else ["begun", "done"])
                log.clear()
                del body
                gc.collect()
                await rounds()
            assert client._transport.statistics == (0, 0, 0)


@on_each_loop
async def test_cancelling_at_every_step(http: Any) -> None:
    """Whatever was begun is ended when the cancellation has come out, and nothing is left to garbage collection."""
    opened: list[str] = []

    async def opening(name: str, thing: Any) -> Any:
        opened.append(name)
        try:
            await sleep(0)
            yield thing
            await sleep(0)
        finally:
            opened.remove(name)
            await sleep(0)

    class Opening(httpure.Auth):
        async def async_auth_flow(self, request: httpure.Request) -> Any:
            flow = opening("flow", request)
            try:
                async for each in flow:
                    yield each
            finally:
                await flow.aclose()

    class Stream(httpure.AsyncByteStream):
        def __init__(self) -> None:
            opened.append("stream")

        async def __aiter__(self) -> AsyncIterator[bytes]:
            await sleep(0)
            yield b"piece"

        async def aclose(self) -> None:
            opened.remove("stream")
            await sleep(0)

    class Transport(httpure.AsyncBaseTransport):
        async def handle_async_request(self, request: httpure.Request) -> httpure.Response:
            await request.aread()
            await sleep(0)
            return httpure.Response(200, stream=Stream())

    async def hook(response: httpure.Response) -> None:
        await sleep(0)

    async with http.Client(transport=Transport(), auth=Opening(), event_hooks={"response": [hook]}) as client:

        async def post() -> None:
            response = await client.post(URL, content=opening("body", b"x"))
            assert response.content == b"piece"

        number = 0
        while await cancelled_at_step(number, post):
            assert opened == []
            number += 1
        assert opened == []
        assert number > 5
    gc.collect()


# Errors and interrupts


@on_each_loop
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, KeyError])
async def test_what_a_hook_raises(http: Any, kind: type[BaseException]) -> None:
    stream, log = Held(), []  # type: ignore[var-annotated]

    async def hook(response: httpure.Response) -> None:
        raise kind("of the hook")

    async with http.Client(transport=Handing(stream), event_hooks={"response": [hook]}) as client:
        with pytest.raises(kind, match="of the hook"):
            await client.get(URL, auth=Flow(log))
    assert stream.log == log == ["begun", "done"]


@on_each_loop
@pytest.mark.parametrize("kind", [KeyboardInterrupt, SystemExit, KeyError])
async def test_what_a_stream_raises(http: Any, kind: type[BaseException]) -> None:
    """While the client reads it, and while the user does."""
    for streamed in (False, True):
        stream = Held(error=kind("of the stream"))
        async with http.Client(transport=Handing(stream)) as client:
            with pytest.raises(kind, match="of the stream"):
                if not streamed:
                    await client.get(URL)
                else:
                    response = await client.send(client.build_request("GET", URL), stream=True)
                    async for _ in response.aiter_raw():
                        pass
        assert stream.log == ["begun", "done"]


# Nobody is left


def test_a_coroutine_that_is_dropped() -> None:
    """What closes without waiting is closed. Nothing is stepped by hand; async generators are their loop's business."""
    log: list[str] = []

    class Quick(Held):
        def close(self) -> None:
            self.log.append("at once")

    async def main() -> None:
        for stream, expected in ((Held(), []), (Quick(), ["at once"])):
            hooks = {"response": [waiting_hook]}
            async with httpure.AsyncClient(transport=Handing(stream), event_hooks=hooks) as client:
                coroutine = client.get(URL, auth=Flow(log))
                coroutine.send(None)
                coroutine.close()
                del coroutine
                assert (stream.log, log) == (expected, [])
                await rounds()
                assert log == ["begun", "done"]
                log.clear()

    asyncio.run(main())
