"""The Clients page's "Monitoring upload progress": a generator as body, as printed, both colours."""

from __future__ import annotations

import io
import random
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
from tqdm import tqdm

import httpure

from ..running import on_each_loop
from ..servers import bodies

TOTAL = 2 * 1024 * 1024


@pytest.fixture(autouse=True)
def expected() -> str:
    """The hash of what `gen()` is going to send."""
    random.seed(7)
    return bodies.block_sha256(random.Random(7).randbytes(TOTAL))


def gen(bars: list[Any]) -> Iterator[bytes]:
    """
    this is a complete example with generated random bytes.
    you can replace `io.BytesIO` with real file object.
    """
    total = TOTAL
    with tqdm(ascii=True, unit_scale=True, unit="B", unit_divisor=1024, total=total) as bar:
        bars.append(bar)
        with io.BytesIO(random.randbytes(total)) as f:
            while data := f.read(1024):
                yield data
                bar.update(len(data))


async def agen(bars: list[Any]) -> AsyncIterator[bytes]:
    """The same for the async clients."""
    total = TOTAL
    with tqdm(ascii=True, unit_scale=True, unit="B", unit_divisor=1024, total=total) as bar:
        bars.append(bar)
        with io.BytesIO(random.randbytes(total)) as f:
            while data := f.read(1024):
                yield data
                bar.update(len(data))


@pytest.mark.slow
def test_upload_progress(secure_httpbin: str, expected: str) -> None:
    bars: list[Any] = []
    r = httpure.post(f"{secure_httpbin}/post", content=gen(bars))
    assert r.headers["X-Body-Sha256"] == expected
    assert r.json()["headers"]["Transfer-Encoding"] == "chunked"
    assert bars[0].n == TOTAL


@pytest.mark.slow
@on_each_loop
async def test_async_upload_progress(http: Any, secure_httpbin: str, expected: str) -> None:
    bars: list[Any] = []
    r = await http.post(f"{secure_httpbin}/post", content=agen(bars))
    assert r.headers["X-Body-Sha256"] == expected
    assert r.json()["headers"]["Transfer-Encoding"] == "chunked"
    assert bars[0].n == TOTAL


def test_generator_is_pulled_as_the_upload_goes(httpbin: str) -> None:
    """With a length given beforehand, the body is not chunked, and still streams."""
    pulled = []

    def content() -> Iterator[bytes]:
        for number in range(5):
            pulled.append(number)
            yield b"12345"

    request = httpure.Request("POST", f"{httpbin}/post", content=content(), headers={"Content-Length": "25"})
    assert pulled == []
    with httpure.Client() as client:
        seen = client.send(request).json()
    assert pulled == [0, 1, 2, 3, 4]
    assert seen["data"] == "12345" * 5
    assert "Transfer-Encoding" not in seen["headers"]
