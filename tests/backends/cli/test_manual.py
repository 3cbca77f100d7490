"""`--help` teaches, in 80 columns; `--version` tells what a report of a bug should name."""

from __future__ import annotations

import shlex

import click
import pytest

import httpure
from httpure._cli.manual import EXAMPLES, GROUPS
from httpure._cli.options import OPTIONS

from .calling import Calling


@pytest.fixture
def help_text(httpure_cli: Calling) -> str:
    outcome = httpure_cli("--help")
    assert (outcome.code, outcome.err) == (0, "")
    return outcome.out


def test_it_fits(help_text: str) -> None:
    assert max(map(len, help_text.splitlines())) <= 80
    assert "\x1b" not in help_text


def test_every_option_has_its_place_and_says_what_it_does() -> None:
    listed = [name for names in GROUPS.values() for name in names]
    options = [option for option in OPTIONS if isinstance(option, click.Option)]
    assert len(set(listed)) == len(listed) == len(options) + 1  # and --help
    for option in options:
        assert set(option.opts) & set(listed)
        assert option.help and option.help.endswith(".")


@pytest.mark.parametrize("name", [name for names in GROUPS.values() for name in names])
def test_every_option_is_shown(help_text: str, name: str) -> None:
    assert f" {name} " in help_text or f" {name}\n" in help_text or f" {name}," in help_text


def test_httpx_s_options_are_all_there() -> None:
    known = {spelling for option in OPTIONS for spelling in option.opts}
    assert known >= {
        *("-m", "--method", "-p", "--params", "-c", "--content", "-d", "--data", "-f", "--files"),
        *("-j", "--json", "-h", "--headers", "--cookies", "--auth", "--proxy", "--timeout"),
        *("--follow-redirects", "--no-verify", "--http2", "--download", "-v", "--verbose"),
    }


@pytest.mark.parametrize("example", [example for _, example in EXAMPLES])
def test_the_examples_are_right(
    httpure_cli: Calling, example: str, monkeypatch: pytest.MonkeyPatch, tmp_path: object
) -> None:
    """They get as far as making a request; what it brings is of no matter."""
    name, *arguments = shlex.split(example.partition(" |")[0])
    assert name == "httpure"

    def sent(*_: object) -> httpure.Response:
        return httpure.Response(200)

    monkeypatch.chdir(str(tmp_path))
    with open("report.pdf", "wb"):
        pass
    monkeypatch.setattr("httpure._cli.call.carry_out", sent)
    assert httpure_cli(*arguments, input=b"password\n").code == 0


def test_errors_lead_to_help(httpure_cli: Calling) -> None:
    assert "Try 'httpure --help' for help." in httpure_cli().err


def test_version(httpure_cli: Calling) -> None:
    first, second = httpure_cli("--version").out.splitlines()
    assert first == f"httpure {httpure.__version__}"
    assert "Python 3." in second and "h11 0." in second and "h2 4." in second
