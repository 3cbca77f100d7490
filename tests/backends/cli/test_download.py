"""Downloads: the file appears when it is whole, and what was begun can be continued."""

from __future__ import annotations

import errno
import gzip
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from httpure._cli.download import Download
from httpure._cli.partial import Partial
from tests.peers import CLOSE, Answer, Call, Peer, RealNetwork, Site, scripted

from .calling import Calling

DATA = bytes(range(256)) * 20
CUT = 1500
posix = pytest.mark.skipif(sys.platform == "win32", reason="no devices and pipes as here")


class Files:
    """Serves one file, with ranges. Before that, connections of which each sends CUT bytes only."""

    def __init__(self, network: RealNetwork) -> None:
        self.data = DATA
        self.fields = {"ETag": '"v1"', "Content-Type": "application/octet-stream"}
        self.ranges = True
        #: How much of what was asked for is sent.
        self.most = len(DATA)
        self.cuts = 0
        self._site = Site(self._answer)
        self.url = f"http://127.0.0.1:{network.listen(self._connect)}/file.bin"

    @property
    def calls(self) -> list[Call]:
        return self._site.calls

    @property
    def asked(self) -> tuple[str | None, str | None]:
        """Range and If-Range of the last call."""
        return self.calls[-1].field("range"), self.calls[-1].field("if-range")

    def _connect(self) -> Peer:
        if not self.cuts:
            return self._site()
        self.cuts -= 1
        fields = {**self.fields, "Content-Length": str(len(self.data))}
        head = "HTTP/1.1 200 OK\r\n" + "".join(f"{name}: {value}\r\n" for name, value in fields.items())
        return scripted([head.encode() + b"\r\n" + self.data[:CUT], CLOSE])()

    def _answer(self, call: Call) -> Answer:
        asked = call.field("range")
        validators = {self.fields.get("ETag"), self.fields.get("Last-Modified")}
        if asked is None or not self.ranges or call.field("if-range") not in validators:
            return Answer(200, self.data, list(self.fields.items()))
        first = int(asked.removeprefix("bytes=").removesuffix("-"))
        length = len(self.data)
        if first >= length:
            return Answer(416, b"no such range", [("Content-Range", f"bytes */{length}")])
        part = self.data[first : first + self.most]
        told = ("Content-Range", f"bytes {first}-{first + len(part) - 1}/{length}")
        return Answer(206, part, [*self.fields.items(), told])


@pytest.fixture
def files(network: RealNetwork) -> Files:
    return Files(network)


@pytest.fixture
def goal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path / "file.bin"


def names(goal: Path) -> list[str]:
    return sorted(path.name for path in goal.parent.iterdir())


def begin(httpure_cli: Calling, files: Files, *arguments: str) -> str:
    """Have a download cut, and return what was said."""
    files.cuts = 1
    outcome = httpure_cli(files.url, "--download", "file.bin", *arguments)
    assert outcome.code == 1
    return outcome.err


def test_download(httpure_cli: Calling, files: Files, goal: Path, backend: str) -> None:
    outcome = httpure_cli(files.url, "--download", "file.bin", "--backend", backend)
    assert outcome.code == 0
    assert goal.read_bytes() == DATA
    assert names(goal) == ["file.bin"]
    assert outcome.lines[0].startswith("HTTP/1.1 200")
    assert outcome.body == ""
    assert outcome.err == ""  # no progress bar, for standard error is no terminal
    assert files.calls[0].field("accept-encoding") == "identity"


def test_a_file_that_is_there_is_replaced(httpure_cli: Calling, files: Files, goal: Path) -> None:
    goal.write_bytes(b"old")
    assert httpure_cli(files.url, "--download", "file.bin").code == 0
    assert goal.read_bytes() == DATA


def test_an_error_is_shown_and_not_saved(httpure_cli: Calling, network: RealNetwork, goal: Path) -> None:
    goal.write_bytes(b"old")
    site = Site(lambda call: Answer(404, b"gone", [("Content-Type", "text/plain")]))
    outcome = httpure_cli(f"http://127.0.0.1:{network.listen(site)}", "--download", "file.bin")
    assert outcome.code == 1
    assert outcome.body == "gone\n"
    assert goal.read_bytes() == b"old"
    assert names(goal) == ["file.bin"]


def test_no_connection(httpure_cli: Calling, goal: Path) -> None:
    outcome = httpure_cli("http://127.0.0.1:1", "--download", "file.bin")
    assert outcome.code == 1
    assert outcome.err.startswith("ConnectError: ") and outcome.err.count("\n") == 1
    assert names(goal) == []


def test_redirects(httpure_cli: Calling, network: RealNetwork, goal: Path) -> None:
    site = Site(
        lambda call: Answer(302, fields=[("Location", "/there")]) if call.path == "/" else Answer(200, DATA)
    )
    url = f"http://127.0.0.1:{network.listen(site)}"
    outcome = httpure_cli(url, "--download", "file.bin", "--follow-redirects")
    assert outcome.code == 0
    assert goal.read_bytes() == DATA
    assert [line[:12] for line in outcome.lines if line.startswith("HTTP")] == [
        "HTTP/1.1 302",
        "HTTP/1.1 200",
    ]


def test_coded_bodies_are_decoded(httpure_cli: Calling, files: Files, goal: Path) -> None:
    """By a server that was not asked to, or by one that was."""
    files.data = gzip.compress(DATA)
    files.fields["Content-Encoding"] = "gzip"
    assert httpure_cli(files.url, "--download", "file.bin", "-h", "Accept-Encoding", "gzip").code == 0
    assert goal.read_bytes() == DATA
    assert [value for name, value in files.calls[0].fields if name == "accept-encoding"] == ["gzip"]


@pytest.mark.parametrize("status", [200, 204])
def test_empty_bodies(httpure_cli: Calling, network: RealNetwork, goal: Path, status: int) -> None:
    url = f"http://127.0.0.1:{network.listen(Site(lambda call: Answer(status)))}"
    assert httpure_cli(url, "--download", "file.bin").code == 0
    assert goal.read_bytes() == b""
    assert names(goal) == ["file.bin"]


# What was begun.


def test_resume(httpure_cli: Calling, files: Files, goal: Path, backend: str) -> None:
    goal.write_bytes(b"old")
    said = begin(httpure_cli, files, "--backend", backend)
    assert said.startswith("RemoteProtocolError: ")
    assert f"{CUT} of {len(DATA)} bytes are in {os.path.realpath(goal)}.part." in said
    assert "--resume" in said
    assert goal.read_bytes() == b"old"
    assert Path("file.bin.part").read_bytes() == DATA[:CUT]

    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume", "--backend", backend)
    assert (outcome.code, outcome.err) == (0, "")
    assert files.asked == (f"bytes={CUT}-", '"v1"')
    assert outcome.lines[0].startswith("HTTP/1.1 206")
    assert goal.read_bytes() == DATA
    assert names(goal) == ["file.bin"]


def test_resume_is_also_called_continue(httpure_cli: Calling, files: Files, goal: Path) -> None:
    begin(httpure_cli, files)
    assert httpure_cli(files.url, "--download", "file.bin", "--continue").code == 0
    assert len(files.calls[-1].body) == 0 and files.asked[0] == f"bytes={CUT}-"
    assert goal.read_bytes() == DATA


def test_resume_that_is_cut_again(httpure_cli: Calling, files: Files, goal: Path) -> None:
    """Here by a server that sends less than was asked for, as it may."""
    begin(httpure_cli, files)
    files.most = 1000
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume")
    assert outcome.code == 1
    assert outcome.err.startswith(
        f"Incomplete: The server sent only a part: {CUT + 1000} of {len(DATA)} bytes"
    )
    assert not goal.exists()
    files.most = len(DATA)
    assert httpure_cli(files.url, "--download", "file.bin", "--resume").code == 0
    assert files.asked[0] == f"bytes={CUT + 1000}-"
    assert goal.read_bytes() == DATA


def test_resume_with_nothing_begun(httpure_cli: Calling, files: Files, goal: Path) -> None:
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume")
    assert (outcome.code, outcome.err) == (0, "")
    assert files.asked == (None, None)
    assert goal.read_bytes() == DATA


def test_resume_of_what_has_changed(httpure_cli: Calling, files: Files, goal: Path) -> None:
    begin(httpure_cli, files)
    files.data, files.fields["ETag"] = DATA[::-1], '"v2"'
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume")
    assert outcome.code == 0
    assert "sends the whole file again" in outcome.err
    assert goal.read_bytes() == DATA[::-1]


def test_resume_from_a_server_without_ranges(httpure_cli: Calling, files: Files, goal: Path) -> None:
    begin(httpure_cli, files)
    files.ranges = False
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume")
    assert outcome.code == 0
    assert "sends the whole file again" in outcome.err
    assert goal.read_bytes() == DATA


@pytest.mark.parametrize("length", [len(DATA) - 1, len(DATA) + 1])
def test_resume_from_a_server_that_overlooks_if_range(
    httpure_cli: Calling, files: Files, goal: Path, length: int, backend: str
) -> None:
    """It sends a range of another file: that is seen, and all is asked for."""
    begin(httpure_cli, files)
    files.data = DATA[::-1][:length].ljust(length)
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume", "--backend", backend)
    assert outcome.code == 0
    assert "does not continue the unfinished file" in outcome.err
    assert outcome.err.count("\n") == 1
    assert files.asked == (None, None)
    assert goal.read_bytes() == files.data


def test_resume_of_what_was_complete(httpure_cli: Calling, files: Files, goal: Path) -> None:
    """All but the last step was done: the server answers 416, and that is a success."""
    begin(httpure_cli, files)
    Path("file.bin.part").write_bytes(DATA)
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume")
    assert (outcome.code, outcome.err) == (0, "")
    assert outcome.lines[0].startswith("HTTP/1.1 416")
    assert outcome.body == ""
    assert goal.read_bytes() == DATA
    assert names(goal) == ["file.bin"]


def test_resume_of_more_than_there_is(httpure_cli: Calling, files: Files, goal: Path) -> None:
    begin(httpure_cli, files)
    Path("file.bin.part").write_bytes(DATA + b"more")
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume")
    assert outcome.code == 0
    assert files.asked == (None, None)
    assert goal.read_bytes() == DATA


def test_resume_that_ends_in_an_error_keeps_what_is_there(
    httpure_cli: Calling, files: Files, network: RealNetwork, goal: Path
) -> None:
    begin(httpure_cli, files)
    down = f"http://127.0.0.1:{network.listen(Site(lambda call: Answer(503, b'later')))}"
    for url in (down, "http://127.0.0.1:1"):
        assert httpure_cli(url, "--download", "file.bin", "--resume").code == 1
    assert Path("file.bin.part").read_bytes() == DATA[:CUT]
    assert httpure_cli(files.url, "--download", "file.bin", "--resume").code == 0
    assert goal.read_bytes() == DATA


def test_dates_are_validators(httpure_cli: Calling, files: Files, goal: Path) -> None:
    modified = "Sun, 22 Nov 2026 10:00:00 GMT"
    del files.fields["ETag"]
    files.fields |= {"Last-Modified": modified, "Date": "Sun, 22 Nov 2026 12:00:00 GMT"}
    begin(httpure_cli, files)
    assert httpure_cli(files.url, "--download", "file.bin", "--resume").code == 0
    assert files.asked == (f"bytes={CUT}-", modified)
    assert goal.read_bytes() == DATA


@pytest.mark.parametrize("tag", [None, 'W/"v1"'])
def test_without_a_strong_validator(httpure_cli: Calling, files: Files, goal: Path, tag: str | None) -> None:
    """Half of one file and half of another make none."""
    del files.fields["ETag"]
    if tag is not None:
        files.fields["ETag"] = tag
    said = begin(httpure_cli, files)
    assert "cannot be continued safely" in said
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume")
    assert outcome.code == 0
    assert "cannot be continued safely" in outcome.err
    assert files.asked == (None, None)
    assert goal.read_bytes() == DATA


def test_to_forget_resume_is_said(httpure_cli: Calling, files: Files, goal: Path) -> None:
    begin(httpure_cli, files)
    outcome = httpure_cli(files.url, "--download", "file.bin")
    assert outcome.code == 0
    assert "--resume would have continued it" in outcome.err
    assert goal.read_bytes() == DATA


@pytest.mark.parametrize(
    "arguments", [("-m", "POST"), ("-c", "x"), ("-c", "x", "-m", "GET"), ("-h", "Range", "bytes=0-")]
)
def test_what_cannot_be_asked_for_in_ranges(
    httpure_cli: Calling, files: Files, goal: Path, arguments: tuple[str, ...]
) -> None:
    assert "cannot be continued safely" in begin(httpure_cli, files, *arguments)
    outcome = httpure_cli(files.url, "--download", "file.bin", "--resume", *arguments)
    assert outcome.code == 2
    assert "--resume is for GET" in outcome.err


def test_a_range_of_ones_own(httpure_cli: Calling, files: Files, goal: Path) -> None:
    options = ("-h", "Range", "bytes=5000-", "-h", "If-Range", '"v1"')
    assert httpure_cli(files.url, "--download", "file.bin", *options).code == 0
    assert goal.read_bytes() == DATA[5000:]


@posix
def test_two_at_once(httpure_cli: Calling, files: Files, goal: Path) -> None:
    other = Partial(str(goal))
    other.begin('"v1"', None)
    other.write(b"other")
    try:
        outcome = httpure_cli(files.url, "--download", "file.bin")
    finally:
        other.finish()
    assert outcome.code == 1
    assert outcome.err == f"Error: {os.path.realpath(goal)}.part is being written by another process.\n"
    assert goal.read_bytes() == b"other"


def interrupting(error: BaseException) -> Callable[..., None]:
    real = Download.feed

    def feed(self: Download, data: bytes) -> None:
        real(self, data)
        raise error

    return feed


@pytest.mark.parametrize(
    ("error", "code", "words"),
    [
        (KeyboardInterrupt(), 130, "--resume"),
        (OSError(errno.ENOSPC, "No space left on device"), 1, "Error: No space left on device\n"),
    ],
)
def test_what_came_stays(
    httpure_cli: Calling,
    files: Files,
    goal: Path,
    monkeypatch: pytest.MonkeyPatch,
    backend: str,
    error: BaseException,
    code: int,
    words: str,
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr(Download, "feed", interrupting(error))
        outcome = httpure_cli(files.url, "--download", "file.bin", "--backend", backend)
    assert outcome.code == code
    assert words in outcome.err and "--resume" in outcome.err
    assert DATA.startswith(Path("file.bin.part").read_bytes())
    assert httpure_cli(files.url, "--download", "file.bin", "--resume", "--backend", backend).code == 0
    assert goal.read_bytes() == DATA


# Where it goes.


def test_to_standard_output(httpure_cli: Calling, files: Files, backend: str) -> None:
    outcome = httpure_cli(files.url, "--download", "-", "--backend", backend)
    assert outcome.code == 0
    assert outcome.raw == DATA
    assert outcome.err.startswith("HTTP/1.1 200")


def test_an_error_does_not_go_to_standard_output(httpure_cli: Calling, network: RealNetwork) -> None:
    site = Site(lambda call: Answer(404, b"gone", [("Content-Type", "text/plain")]))
    outcome = httpure_cli(f"http://127.0.0.1:{network.listen(site)}", "--download", "-")
    assert (outcome.code, outcome.raw) == (1, b"")
    assert outcome.err.endswith("\n\ngone\n")


@posix
def test_to_a_device(httpure_cli: Calling, files: Files) -> None:
    assert httpure_cli(files.url, "--download", "/dev/null").code == 0
    assert Path("/dev/null").is_char_device()


@posix
def test_to_a_full_device(httpure_cli: Calling, files: Files) -> None:
    outcome = httpure_cli(files.url, "--download", "/dev/full")
    assert outcome.code == 1
    assert outcome.err == "Error: No space left on device\n"


@posix
def test_to_a_named_pipe(httpure_cli: Calling, files: Files, goal: Path) -> None:
    os.mkfifo(goal)
    read: list[bytes] = []
    reader = threading.Thread(target=lambda: read.append(goal.read_bytes()))
    reader.start()
    assert httpure_cli(files.url, "--download", "file.bin").code == 0
    reader.join()
    assert read == [DATA]
    assert goal.is_fifo()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--download", "."), "is a directory"),
        (("--download", "no/such/file"), "is no directory"),
        (("--download", "file.bin", "-m", "head"), "has no body"),
        (("--download", "file.bin", "--body"), "only one of them"),
        (("--download", "-", "--resume"), "needs a file"),
        pytest.param(("--download", "/dev/null", "--resume"), "needs a file", marks=posix),
    ],
)
def test_what_makes_no_sense(
    httpure_cli: Calling, goal: Path, arguments: tuple[str, ...], words: str
) -> None:
    outcome = httpure_cli("http://127.0.0.1:1", *arguments)
    assert outcome.code == 2
    assert words in outcome.err


def test_into_a_folder_that_is_closed(
    httpure_cli: Calling, files: Files, goal: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(path: str, *_: Any) -> int:
        raise PermissionError(errno.EACCES, "Permission denied", path)

    monkeypatch.setattr("httpure._cli.partial.os.open", refuse)
    outcome = httpure_cli(files.url, "--download", "file.bin")
    assert outcome.code == 1
    assert outcome.err == f"Error: Permission denied: {os.path.realpath(goal)}.part\n"
