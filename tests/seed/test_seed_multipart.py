"""The Clients page's "Multipart file encoding": as printed, then every form of a file that it describes."""

from __future__ import annotations

import io
import tracemalloc
from pathlib import Path
from typing import Any, NamedTuple

import pytest

import httpure

from ..running import on_each_loop
from ..servers import bodies

XLS = b"\xd0\xcf\x11\xe0 no real spreadsheet"
PNG = b"\x89PNG\r\n\x1a\n\x00"
SPARSE = 64 * 1024 * 1024


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The working directory, with the files that the page opens."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "report.xls").write_bytes(XLS)
    (tmp_path / "foo.png").write_bytes(PNG)
    (tmp_path / "bar.png").write_bytes(PNG + b"bar")
    return tmp_path


def parts_of(r: httpure.Response) -> list[tuple[str, str | None, str | None, str]]:
    """(field, file name, content type, hash) of each part as the server saw it."""
    return [
        (part["name"], part["filename"], part["headers"].get("content-type"), part["sha256"])
        for part in r.json()["parts"]
    ]


def test_file_as_printed(secure_httpbin: str) -> None:
    files = {"upload-file": ("report.xls", open("report.xls", "rb"), "application/vnd.ms-excel")}  # noqa: SIM115
    r = httpure.post(f"{secure_httpbin}/post", files=files)
    files["upload-file"][1].close()
    assert '"files": {\n    "upload-file": "' in r.text
    assert parts_of(r) == [
        ("upload-file", "report.xls", "application/vnd.ms-excel", bodies.block_sha256(XLS))
    ]


def test_text_field_as_printed(secure_httpbin: str) -> None:
    files = {"upload-file": (None, "text content", "text/plain")}
    r = httpure.post(f"{secure_httpbin}/post", files=files)
    assert r.json()["files"] == {}
    assert r.json()["form"] == {"upload-file": "text content"}


def test_several_files_as_printed(secure_httpbin: str) -> None:
    files = [
        ("images", ("foo.png", open("foo.png", "rb"), "image/png")),  # noqa: SIM115
        ("images", ("bar.png", open("bar.png", "rb"), "image/png")),  # noqa: SIM115
    ]
    r = httpure.post(f"{secure_httpbin}/post", files=files)
    for _, (_, file, _) in files:
        file.close()
    assert parts_of(r) == [
        ("images", "foo.png", "image/png", bodies.block_sha256(PNG)),
        ("images", "bar.png", "image/png", bodies.block_sha256(PNG + b"bar")),
    ]


@on_each_loop
async def test_async_file(http: Any, secure_httpbin: str) -> None:
    with open("report.xls", "rb") as file:
        files = {"upload-file": ("report.xls", file, "application/vnd.ms-excel")}
        r = await http.post(f"{secure_httpbin}/post", files=files)
    assert parts_of(r) == [
        ("upload-file", "report.xls", "application/vnd.ms-excel", bodies.block_sha256(XLS))
    ]


@on_each_loop
async def test_async_text_field(http: Any, secure_httpbin: str) -> None:
    files = {"upload-file": (None, "text content", "text/plain")}
    r = await http.post(f"{secure_httpbin}/post", files=files)
    assert r.json()["files"] == {}
    assert r.json()["form"] == {"upload-file": "text content"}


@on_each_loop
async def test_async_several_files(http: Any, secure_httpbin: str) -> None:
    with open("foo.png", "rb") as foo, open("bar.png", "rb") as bar:
        files = [
            ("images", ("foo.png", foo, "image/png")),
            ("images", ("bar.png", bar, "image/png")),
        ]
        r = await http.post(f"{secure_httpbin}/post", files=files)
    assert [part[1] for part in parts_of(r)] == ["foo.png", "bar.png"]


class Case(NamedTuple):
    """A value of `files=`, made anew for each request, and what the server must see of it."""

    value: Any
    filename: str | None
    content_type: str | None
    content: bytes


CASES = {
    "2-tuple, str": Case(lambda: ("a.txt", "grüße"), "a.txt", "text/plain", "grüße".encode()),
    "2-tuple, bytes": Case(lambda: ("a.png", PNG), "a.png", "image/png", PNG),
    "2-tuple, file": Case(lambda: ("a.png", io.BytesIO(PNG)), "a.png", "image/png", PNG),
    "3-tuple, str": Case(lambda: ("a", "text", "text/x-own"), "a", "text/x-own", b"text"),
    "3-tuple, bytes": Case(lambda: ("a.txt", PNG, "image/png"), "a.txt", "image/png", PNG),
    "3-tuple, type None": Case(lambda: ("a.txt", b"t", None), "a.txt", "text/plain", b"t"),
    "4-tuple": Case(lambda: ("a.txt", b"t", "text/x-own", {"X-Part": "1"}), "a.txt", "text/x-own", b"t"),
    "unknown ending": Case(lambda: ("a.zzqq", b"t"), "a.zzqq", "application/octet-stream", b"t"),
    "no file name": Case(lambda: (None, "text"), None, None, b"text"),
    "no file name, bytes": Case(lambda: (None, b"\xff\x00"), None, None, b"\xff\x00"),
    "no file name, typed": Case(lambda: (None, "{}", "application/json"), None, "application/json", b"{}"),
    "odd file name": Case(lambda: ('a "b" ü.txt', b"t"), 'a "b" ü.txt', "text/plain", b"t"),
    "only a file": Case(lambda: io.BytesIO(PNG), "upload", "application/octet-stream", PNG),
    "only bytes": Case(lambda: PNG, "upload", "application/octet-stream", PNG),
    "only a str": Case(lambda: "text", "upload", "application/octet-stream", b"text"),
    "empty": Case(lambda: ("a.txt", b""), "a.txt", "text/plain", b""),
}


@pytest.fixture(params=CASES.values(), ids=CASES.keys())
def case(request: pytest.FixtureRequest) -> Case:
    return request.param


def assert_seen(case: Case, r: httpure.Response) -> None:
    (part,) = parts_of(r)
    assert part == ("field", case.filename, case.content_type, bodies.block_sha256(case.content))
    assert r.json()["headers"]["Content-Length"] == r.headers["X-Body-Size"]


def test_each_form_of_a_file(httpbin: str, case: Case) -> None:
    assert_seen(case, httpure.post(f"{httpbin}/post", files={"field": case.value()}))


@on_each_loop
async def test_async_each_form_of_a_file(http: Any, httpbin: str, case: Case) -> None:
    assert_seen(case, await http.post(f"{httpbin}/post", files={"field": case.value()}))


def test_headers_of_a_part(httpbin: str) -> None:
    files = {"field": ("a.txt", b"t", "text/x-own", {"X-Part": "1"})}
    (part,) = httpure.post(f"{httpbin}/post", files=files).json()["parts"]
    assert part["headers"]["x-part"] == "1"


def test_opened_file_gives_its_name(httpbin: str, folder: Path) -> None:
    with open(folder / "foo.png", "rb") as file:
        r = httpure.post(f"{httpbin}/post", files={"field": file})
    assert parts_of(r) == [("field", "foo.png", "image/png", bodies.block_sha256(PNG))]


def test_text_mode_file_is_refused(httpbin: str, folder: Path) -> None:
    with open(folder / "foo.png") as file, pytest.raises(TypeError):
        httpure.post(f"{httpbin}/post", files={"field": file})


def test_data_beside_files(httpbin: str) -> None:
    data = {"one": "1", "many": ["a", "b"], "number": 7}
    r = httpure.post(f"{httpbin}/post", data=data, files={"field": ("a.txt", b"t")})
    assert r.json()["form"] == {"one": "1", "many": ["a", "b"], "number": "7"}
    assert r.json()["files"] == {"field": "t"}


@on_each_loop
async def test_async_data_beside_files(http: Any, httpbin: str) -> None:
    data = {"one": "1", "many": ["a", "b"], "number": 7}
    r = await http.post(f"{httpbin}/post", data=data, files={"field": ("a.txt", b"t")})
    assert r.json()["form"] == {"one": "1", "many": ["a", "b"], "number": "7"}
    assert r.json()["files"] == {"field": "t"}


@pytest.fixture
def sparse(folder: Path) -> Path:
    """64 MiB that take no room on the disk."""
    with open(folder / "sparse.bin", "wb") as file:
        file.truncate(SPARSE)
    return folder / "sparse.bin"


def assert_streamed(r: httpure.Response) -> None:
    _, peak = tracemalloc.get_traced_memory()
    (part,) = r.json()["parts"]
    assert (part["filename"], part["size"]) == ("sparse.bin", SPARSE)
    assert part["sha256"] == bodies.block_sha256(bytes(SPARSE))
    assert peak < 8 * 1024 * 1024


@pytest.mark.slow
def test_large_file_streams(httpbin: str, sparse: Path) -> None:
    tracemalloc.start()
    try:
        with open(sparse, "rb") as file:
            assert_streamed(httpure.post(f"{httpbin}/post", files={"file": file}))
    finally:
        tracemalloc.stop()


@pytest.mark.slow
@on_each_loop
async def test_async_large_file_streams(http: Any, httpbin: str, sparse: Path) -> None:
    tracemalloc.start()
    try:
        with open(sparse, "rb") as file:
            assert_streamed(await http.post(f"{httpbin}/post", files={"file": file}))
    finally:
        tracemalloc.stop()
