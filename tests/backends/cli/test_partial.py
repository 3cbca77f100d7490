"""The unfinished file: it becomes the file in one step, and nobody writes it with us."""

from __future__ import annotations

import json
import os
import sys
from contextlib import closing
from pathlib import Path

import pytest

from httpure._cli.partial import Busy, Partial
from httpure._cli.ranges import Known


@pytest.fixture
def goal(tmp_path: Path) -> Path:
    return tmp_path / "file.bin"


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def test_life(goal: Path) -> None:
    goal.write_bytes(b"old")
    partial = Partial(str(goal))
    partial.begin('"v1"', 5)
    partial.write(b"new")
    partial.flush()
    assert goal.read_bytes() == b"old"
    assert names(goal.parent) == ["file.bin", "file.bin.part", "file.bin.part.json"]
    partial.write(b"er")
    partial.finish()
    partial.close()
    assert goal.read_bytes() == b"newer"
    assert names(goal.parent) == ["file.bin"]


def test_it_is_continued(goal: Path) -> None:
    first = Partial(str(goal))
    first.begin('"v1"', 10)
    first.write(b"01234")
    first.close()
    second = Partial(str(goal))
    assert second.known() == Known(5, '"v1"', 10)
    second.proceed(5)
    second.write(b"56789")
    second.finish()
    assert goal.read_bytes() == b"0123456789"


def test_without_a_validator_nothing_is_known(goal: Path) -> None:
    partial = Partial(str(goal))
    partial.begin(None, 10)
    partial.write(b"01234")
    partial.close()
    assert partial.exists
    assert partial.known() is None


def test_an_empty_one_goes(goal: Path) -> None:
    partial = Partial(str(goal))
    partial.begin('"v1"', 10)
    partial.close()
    partial.close()
    assert names(goal.parent) == []


def test_what_was_begun_anew_is_not_known_by_the_old_validator(goal: Path) -> None:
    for validator in ('"v1"', None):
        partial = Partial(str(goal))
        partial.begin(validator, None)
        partial.write(b"x")
        partial.close()
    assert partial.known() is None


@pytest.mark.parametrize(
    "note",
    [
        b"",
        b"{",
        b"[]",
        b"{}",
        b'{"validator": 1, "length": 1}',
        b'{"validator": "x", "length": "1"}',
        b"\xff",
    ],
)
def test_notes_that_make_no_sense(goal: Path, note: bytes) -> None:
    Path(f"{goal}.part").write_bytes(b"01234")
    Path(f"{goal}.part.json").write_bytes(note)
    assert Partial(str(goal)).known() is None


def test_a_note_without_its_file(goal: Path) -> None:
    Path(f"{goal}.part.json").write_text(json.dumps({"validator": '"v1"', "length": 10}))
    assert Partial(str(goal)).known() is None


@pytest.mark.skipif(sys.platform == "win32", reason="no links, modes and locks as here")
class TestPosix:
    def test_two_at_once(self, goal: Path) -> None:
        first, second = Partial(str(goal)), Partial(str(goal))
        first.begin('"v1"', 10)
        first.write(b"01234")
        for begin in (lambda: second.begin('"v2"', 1), lambda: second.proceed(5)):
            with closing(second), pytest.raises(Busy, match="by another process"):
                begin()
        first.finish()
        assert goal.read_bytes() == b"01234"

    def test_one_that_another_process_went_on_with(self, goal: Path) -> None:
        first = Partial(str(goal))
        first.begin('"v1"', 10)
        first.write(b"01234")
        first.close()
        with closing(Partial(str(goal))) as second, pytest.raises(Busy, match="has changed"):
            second.proceed(4)

    def test_one_that_was_finished_while_we_opened_it(
        self, goal: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """We would hold the lock of what is the finished file by now, and empty it."""
        other = Partial(str(goal))
        other.begin('"v1"', 5)
        other.write(b"other")
        monkeypatch.setattr("fcntl.flock", lambda *_: other.finish() if not goal.exists() else None)
        partial = Partial(str(goal))
        partial.begin('"v1"', 4)
        assert goal.read_bytes() == b"other"
        partial.write(b"ours")
        partial.finish()
        assert goal.read_bytes() == b"ours"

    def test_the_mode_stays(self, goal: Path) -> None:
        goal.write_bytes(b"old")
        goal.chmod(0o640)
        partial = Partial(str(goal))
        partial.begin(None, None)
        partial.finish()
        assert goal.stat().st_mode & 0o777 == 0o640

    def test_a_link_stays(self, goal: Path, tmp_path: Path) -> None:
        link = tmp_path / "link"
        link.symlink_to(goal)
        partial = Partial(str(link))
        partial.begin(None, None)
        partial.write(b"data")
        partial.finish()
        assert link.is_symlink()
        assert goal.read_bytes() == b"data"

    @pytest.mark.parametrize("suffix", [".part", ".part.json"])
    def test_no_link_is_followed_to_write_elsewhere(self, goal: Path, tmp_path: Path, suffix: str) -> None:
        """In a folder where others may write, somebody could have put one there."""
        victim = tmp_path / "victim"
        victim.write_bytes(b"precious")
        os.symlink(victim, f"{goal}{suffix}")
        with closing(Partial(str(goal))) as partial:
            if suffix == ".part":
                with pytest.raises(OSError, match="symbolic link"):
                    partial.begin('"v1"', 1)
            else:
                partial.begin('"v1"', 1)
        assert victim.read_bytes() == b"precious"
