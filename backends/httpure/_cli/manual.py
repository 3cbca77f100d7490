"""`--help`, which teaches, and `--version`."""

from __future__ import annotations

import click

__all__ = ["ABOUT", "GROUPS", "Manual", "version"]

#: What it is for.
ABOUT = "Send an HTTP request and show the response."

#: The options, in the groups and the order in which people meet them.
GROUPS = {
    "Request": ("--method", "--params", "--headers", "--cookies", "--auth"),
    "Body (one of them, or --data with --files)": ("--content", "--input", "--json", "--data", "--files"),
    "Connection": ("--follow-redirects", "--timeout", "--proxy", "--no-verify", "--http2", "--backend"),
    "Output": ("--body", "--download", "--resume", "--verbose"),
    "Other": ("--version", "--help"),
}

EXAMPLES = (
    ("See what a server says", "httpure https://httpbin.org/get -p page 2 -p tag new"),
    ("Send JSON, then a form, then a file in a form", "httpure https://httpbin.org/post -j '{\"ok\": true}'"),
    ("", "httpure https://httpbin.org/post -d name ada -d name grace"),
    ("", "httpure https://httpbin.org/post -f report report.pdf"),
    ("Another method, with a field of your own", "httpure https://httpbin.org/put -m PUT -c hi -h X-Tag new"),
    ("Give the body alone to another program", "httpure https://httpbin.org/json --body | jq .slideshow"),
    ("Log in; `-` asks for the password", "httpure https://httpbin.org/basic-auth/me/pw --auth me -"),
    (
        "Save a large file, and go on after a lost connection",
        "httpure https://example.org/big.iso --download big.iso",
    ),
    ("", "httpure https://example.org/big.iso --download big.iso --resume"),
)

EXIT_CODES = (
    ("0", "The response is a success (2xx)."),
    ("1", "It is none, or there is no response: the name of the error says why."),
    ("2", "What you typed makes no request."),
    ("130", "You pressed Ctrl-C."),
)

ENVIRONMENT = (
    ("HTTP_PROXY, HTTPS_PROXY, ALL_PROXY, NO_PROXY", "Proxies, and hosts that need none."),
    ("SSL_CERT_FILE, SSL_CERT_DIR", "Certificate authorities to trust."),
    ("NO_COLOR, FORCE_COLOR", "No colours, or colours also in a pipe."),
)


class Manual(click.Command):
    """A command whose `--help` is in groups, with examples."""

    def format_usage(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the first line."""
        formatter.write_usage(ctx.command_path, "URL [OPTIONS]")

    def format_options(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the options."""
        known = {spelling: option for option in self.get_params(ctx) for spelling in option.opts}
        for title, names in GROUPS.items():
            records = [known[name].get_help_record(ctx) for name in names]
            with formatter.section(click.style(title, bold=True)):
                formatter.write_dl([record for record in records if record is not None], col_max=27)

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write examples, exit codes, and what of the environment counts."""
        with formatter.section(click.style("Examples", bold=True)):
            for purpose, example in EXAMPLES:
                if purpose:
                    formatter.write_text(f"# {purpose}")
                formatter.write(f"{'':>{formatter.current_indent}}{example}\n")
        with formatter.section(click.style("Exit codes", bold=True)):
            formatter.write_dl(EXIT_CODES)
        with formatter.section(click.style("Environment", bold=True)):
            formatter.write_dl(ENVIRONMENT, col_max=27)


def version() -> str:
    """Return what `--version` shows: ours first, then what a report of a bug should name."""
    import platform
    from importlib.metadata import version as version_of

    from httpure_core import __version__

    others = ", ".join(f"{name} {version_of(name)}" for name in ("h11", "h2"))
    return f"httpure {__version__}\nPython {platform.python_version()} on {platform.system()}, {others}"
