"""The options of the command, and what their values must be."""

from __future__ import annotations

from typing import Any

import click

from httpure_core.config.options import Proxy
from httpure_core.errors import InvalidURL

from . import jsontext
from .manual import version

__all__ = ["INTERRUPTED", "OPTIONS"]

#: The exit code after Ctrl-C.
INTERRUPTED = 130


def _json(context: click.Context, parameter: click.Parameter, value: str | None) -> bytes | None:
    try:
        return None if value is None else jsontext.compact(value).encode()
    except ValueError as error:
        raise click.BadParameter(f"This is no JSON: {error}.") from None


def _auth(
    context: click.Context, parameter: click.Parameter, value: tuple[str, str] | None
) -> tuple[str, str] | None:
    if not value or value[1] != "-":
        return value or None
    try:
        return value[0], click.prompt("Password", hide_input=True, err=True)
    except click.Abort:
        context.exit(INTERRUPTED)


def _timeout(context: click.Context, parameter: click.Parameter, value: float) -> float | None:
    if not value > 0:
        raise click.BadParameter("It must be more than 0 seconds; `inf` is for no limit.")
    return None if value == float("inf") else value


def _proxy(context: click.Context, parameter: click.Parameter, value: str | None) -> Proxy | None:
    try:
        return None if value is None else Proxy(value)
    except (InvalidURL, ValueError) as error:
        raise click.BadParameter(str(error)) from None


def _backend(context: click.Context, parameter: click.Parameter, value: str | None) -> Any:
    if value is None:
        return None
    from ..backends import find_backend

    try:
        return find_backend(value)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    except ImportError as error:
        raise click.BadParameter(f"The backend {value!r} cannot be loaded: {error}.") from None


def _version(context: click.Context, parameter: click.Parameter, value: bool) -> None:
    if value and not context.resilient_parsing:
        click.echo(version())
        context.exit()


OPTIONS: list[click.Parameter] = [
    click.Argument(["url"], metavar="URL"),
    click.Option(
        ["-m", "--method"],
        metavar="METHOD",
        help="GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS or any other. Without it: POST if there is a body, "
        "else GET.",
    ),
    click.Option(
        ["-p", "--params"],
        type=(str, str),
        multiple=True,
        metavar="NAME VALUE",
        help="Query parameter; can be repeated, as all of NAME VALUE.",
    ),
    click.Option(
        ["-h", "--headers"], type=(str, str), multiple=True, metavar="NAME VALUE", help="Header field."
    ),
    click.Option(["--cookies"], type=(str, str), multiple=True, metavar="NAME VALUE", help="Cookie."),
    click.Option(
        ["--auth"],
        type=(str, str),
        callback=_auth,
        metavar="USER PASS",
        help="Log in by Basic auth. `-` for PASS asks for it, so that it stays out of the shell's history.",
    ),
    click.Option(["-c", "--content"], metavar="TEXT", help="The text itself."),
    click.Option(
        ["-i", "--input"],
        type=click.File("rb"),
        metavar="FILE",
        help="A file, as it is; `-` is standard input.",
    ),
    click.Option(["-j", "--json"], callback=_json, metavar="TEXT", help="JSON."),
    click.Option(
        ["-d", "--data"], type=(str, str), multiple=True, metavar="NAME VALUE", help="Field of a form."
    ),
    click.Option(
        ["-f", "--files"],
        type=(str, click.File("rb")),
        multiple=True,
        metavar="NAME FILE",
        help="File of a form; `-` is standard input.",
    ),
    click.Option(["--follow-redirects"], is_flag=True, help="Go where redirects lead, 20 at most."),
    click.Option(
        ["--timeout"],
        type=float,
        default=5.0,
        callback=_timeout,
        metavar="SECONDS",
        help="How long each step may take: to connect, to send, to wait for the next bytes. 5 without it; "
        "`inf` for no limit.",
    ),
    click.Option(["--proxy"], callback=_proxy, metavar="URL", help="Send the request by this proxy."),
    click.Option(
        ["--no-verify"], is_flag=True, help="Trust any certificate. Somebody else may be answering."
    ),
    click.Option(["--http2"], is_flag=True, help="Speak HTTP/2 if the server does."),
    click.Option(
        ["--backend"],
        callback=_backend,
        metavar="NAME",
        help="What does the I/O: sockets, asyncio, trio, or another one that is installed.",
    ),
    click.Option(
        ["-b", "--body", "body_only"],
        is_flag=True,
        help="Show the body only; in a pipe or file, its bytes as they are.",
    ),
    click.Option(
        ["--download"],
        type=click.Path(),
        metavar="FILE",
        help="Save the body; `-` is standard output. FILE appears, or is replaced, when all is there; until "
        "then it is FILE.part.",
    ),
    click.Option(
        ["--resume", "--continue"],
        is_flag=True,
        help="Continue an unfinished --download, if the server's file has not changed.",
    ),
    click.Option(
        ["-v", "--verbose"],
        is_flag=True,
        help="Show connections, certificates and the request, with its passwords and cookies.",
    ),
    click.Option(
        ["--version"],
        is_flag=True,
        is_eager=True,
        expose_value=False,
        callback=_version,
        help="Show the version.",
    ),
]
