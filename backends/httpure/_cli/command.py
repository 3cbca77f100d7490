"""The command itself: what was asked for, whether it can be, and the call that does it."""

from __future__ import annotations

import os
from typing import Any, NoReturn

import click

from httpure_core.errors import InvalidURL
from httpure_core.models.query import QueryParams
from httpure_core.models.url import URL

from .call import Call, Wishes
from .manual import ABOUT, Manual
from .options import OPTIONS
from .order import Body, Order
from .saving import is_plain

__all__ = ["main"]


@click.pass_context
def _command(context: click.Context, /, **given: Any) -> NoReturn:
    body = Body(given["content"], given["input"], given["data"], given["files"], given["json"])
    order = _order(given, body)
    resumable = _resumable(order, body)
    wishes = Wishes(given["body_only"], given["download"], given["resume"], given["verbose"])
    _check(order, wishes, resumable)
    context.exit(Call(order, wishes, resumable).run())


#: A click command: call it to run it with the arguments of the process. It ends in SystemExit.
main = Manual("httpure", callback=_command, params=OPTIONS, help=ABOUT)


def _order(given: dict[str, Any], body: Body) -> Order:
    method = given["method"] or ("POST" if body.given else "GET")
    request = {"method": method, "url": _url(given), **body.arguments(given["headers"])}
    if given["cookies"]:
        request["cookies"] = dict(given["cookies"])
    client: dict[str, Any] = {"timeout": given["timeout"], "verify": not given["no_verify"]}
    if given["http2"]:
        client["http2"] = True
    if given["proxy"] is not None:
        client["proxy"] = given["proxy"]
    return Order(client, request, given["auth"], given["follow_redirects"], given["backend"])


def _url(given: dict[str, Any]) -> URL:
    """Return the URL; the parameters come after those that it has."""
    try:
        url = URL(given["url"])
    except (InvalidURL, ValueError) as error:
        raise click.BadParameter(str(error), param_hint="URL") from None
    if not given["params"]:
        return url
    added = str(QueryParams(given["params"])).encode()
    return url.copy_with(query=url.query + b"&" + added if url.query else added)


def _resumable(order: Order, body: Body) -> bool:
    """Tell whether the rest of the answer can be asked for: ranges are for GET (RFC 9110 section 14.2)."""
    fields = {name.lower() for name, _ in order.request["headers"]}
    return order.request["method"].upper() == "GET" and not body.given and not fields & {"range", "if-range"}


def _check(order: Order, wishes: Wishes, resumable: bool) -> None:
    """Raise click.UsageError for options that contradict each other."""
    if wishes.download is None:
        if wishes.resume:
            raise click.UsageError("--resume continues a --download: say which FILE.")
        return
    if wishes.body_only:
        raise click.UsageError("--download saves the body, and --body shows it: only one of them can be.")
    if os.path.isdir(wishes.download):
        raise click.UsageError(
            f"--download needs the name of a file, and {wishes.download!r} is a directory."
        )
    folder = os.path.dirname(os.path.realpath(wishes.download))
    if not os.path.isdir(folder):
        raise click.UsageError(f"--download cannot write there: {folder!r} is no directory.")
    if order.request["method"].upper() == "HEAD":
        raise click.UsageError("The answer to HEAD has no body to --download.")
    if wishes.resume and not resumable:
        raise click.UsageError("--resume is for GET without a body, and without a Range of your own.")
    if wishes.resume and not is_plain(wishes.download):
        raise click.UsageError(f"--resume needs a file, and {wishes.download!r} is none.")
