"""The public surface: the same names and signatures in every colour, and nothing imported before it is needed."""

from __future__ import annotations

import importlib
import inspect
import os
import pickle
import re
import subprocess
import sys
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from pathlib import Path
from types import FunctionType, ModuleType
from typing import Any

import pytest

import httpure
from httpure import sockets

from .fresh import ROOT, fresh

METHODS = ("get", "options", "head", "post", "put", "patch", "delete")
FUNCTIONS = (*METHODS, "request")
COLOURED = [importlib.import_module(f"httpure.{name}") for name in ("asyncio", "trio")]
PACKAGES = [sockets, *COLOURED]

coloured = pytest.mark.parametrize("package", COLOURED, ids=lambda package: package.__name__)
each = pytest.mark.parametrize("package", PACKAGES, ids=lambda package: package.__name__)


def parameters(function: Any) -> list[tuple[str, Any, Any, Any]]:
    """What can be given, how, by default what, and of which type; `self` left out."""
    return [
        (p.name, p.kind, p.default, p.annotation)
        for p in inspect.signature(function).parameters.values()
        if p.name != "self"
    ]


@each
def test_packages_have_the_same_names(package: ModuleType) -> None:
    assert package.__all__ == sockets.__all__ == sorted(sockets.__all__)
    assert {*FUNCTIONS, "stream", "Client", "Backend"} == set(package.__all__)
    assert all(getattr(package, name) is not None for name in package.__all__)
    for name in package.__all__:
        assert name == "Backend" or hasattr(httpure, name)


@each
def test_entry_points_name_the_backends(package: ModuleType) -> None:
    """A backend can be made without arguments, and says its name."""
    assert package.Backend().name == package.__name__.removeprefix("httpure.")


def test_the_blocking_package_is_httpure_itself() -> None:
    for name in (*FUNCTIONS, "stream", "Client"):
        assert getattr(sockets, name) is getattr(httpure, name)


def words(function: object) -> str:
    """The docstring without its example, which is blocking or not."""
    return re.sub(r"\n\n>>> .*?(?=\n\n|\Z)", "", inspect.getdoc(function) or "", flags=re.DOTALL)


@coloured
def test_functions_of_the_async_packages(package: ModuleType) -> None:
    for name in FUNCTIONS:
        function = getattr(package, name)
        assert inspect.iscoroutinefunction(function)
        assert parameters(function) == parameters(getattr(httpure, name))
        assert inspect.signature(function).return_annotation == "Response"
        assert words(function) == words(getattr(httpure, name))
    assert parameters(package.stream) == parameters(httpure.stream)
    manager = package.stream("GET", "http://example.org")
    assert isinstance(manager, AbstractAsyncContextManager)
    assert isinstance(httpure.stream("GET", "http://example.org"), AbstractContextManager)
    assert issubclass(package.Client, httpure.AsyncClient)
    assert parameters(package.Client) == parameters(httpure.AsyncClient)


def test_two_colours_of_client() -> None:
    """Same methods, same parameters, same defaults; only what is awaited differs."""
    renamed = {"close": "aclose"}
    for name in (*FUNCTIONS, "send", "close", "stream", "build_request"):
        blocking = getattr(httpure.Client, name)
        waiting = getattr(httpure.AsyncClient, renamed.get(name, name))
        assert parameters(blocking) == parameters(waiting), name
        assert not inspect.iscoroutinefunction(blocking)
        assert inspect.iscoroutinefunction(waiting) == (name not in ("stream", "build_request"))
        assert blocking.__doc__
        assert waiting.__doc__
    public = {name for name in dir(httpure.Client) if not name.startswith("_")} - {"close"}
    assert public == {name for name in dir(httpure.AsyncClient) if not name.startswith("_")} - {"aclose"}


def test_constructors_of_both_colours() -> None:
    def names(function: Any) -> list[tuple[str, Any, Any]]:
        return [(name, kind, default) for name, kind, default, _ in parameters(function)]

    assert names(httpure.Client) == names(httpure.AsyncClient)
    assert names(httpure.HTTPTransport) == names(httpure.AsyncHTTPTransport)
    assert all(kind is inspect.Parameter.KEYWORD_ONLY for _, kind, _ in names(httpure.Client))
    documented = (httpure.Client.__doc__ or "") + (httpure.AsyncClient.__doc__ or "")
    for name, _, _ in names(httpure.Client):
        assert f"`{name}`" in documented, name


@pytest.mark.parametrize("name", METHODS)
def test_functions_are_what_the_client_has(name: str) -> None:
    """The functions take what the method takes, and what belongs to a client of one request."""
    function = {p[0]: p for p in parameters(getattr(httpure, name))}
    method = {p[0]: p for p in parameters(getattr(httpure.Client, name))}
    assert set(function) - set(method) == {"verify", "trust_env"}
    assert set(method) - set(function) == {"extensions"}
    for shared in set(function) & set(method) - {"auth", "follow_redirects", "proxy", "timeout"}:
        assert function[shared] == method[shared]


def test_names_of_httpure() -> None:
    assert sorted(set(httpure.__all__)) == sorted(httpure.__all__)
    for name in httpure.__all__:
        assert getattr(httpure, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = httpure.nonsense


def test_classes_say_where_they_are_found() -> None:
    classes = [getattr(httpure, name) for name in httpure.__all__]
    for found in classes:
        if isinstance(found, type):
            assert found.__module__ == "httpure", found
            assert found.__doc__
    assert repr(httpure.Client) == "<class 'httpure.Client'>"
    assert {module.Client.__module__ for module in COLOURED} == {module.__name__ for module in COLOURED}


def test_values_survive_pickling() -> None:
    values = [
        httpure.URL("http://example.org/?a=1"),
        httpure.QueryParams({"a": "1"}),
        httpure.Headers({"A": "1"}),
        httpure.Timeout(5, read=None),
        httpure.Limits(max_connections=3),
        httpure.codes.NOT_FOUND,
    ]
    for value in values:
        assert pickle.loads(pickle.dumps(value)) == value
    cookies = pickle.loads(pickle.dumps(httpure.Cookies({"a": "1"})))
    assert dict(cookies) == {"a": "1"}
    error = pickle.loads(pickle.dumps(httpure.ConnectError("no")))
    assert isinstance(error, httpure.ConnectError) and str(error) == "no"


def test_everything_public_is_documented() -> None:
    for package in PACKAGES:
        assert package.__doc__
        for name in package.__all__:
            assert getattr(package, name).__doc__, name
    for name in httpure.__all__:
        value = getattr(httpure, name)
        if isinstance(value, type | FunctionType):
            assert value.__doc__, name


# What is imported when

UNWANTED = "{'ssl', '_ssl', 'asyncio', 'trio', 'certifi', 'http.cookiejar', 'dataclasses', 'email', 'h2'}"


@pytest.mark.slow
def test_import_of_httpure() -> None:
    assert fresh(f"import sys, httpure; print(sorted({UNWANTED} & set(sys.modules)))") == "[]"


#: What few programs need, or only later: `import httpure` takes a quarter longer with it.
LATE = (
    *("base64", "h11", "idna", "importlib.util", "json", "logging", "mimetypes", "threading", "zlib"),
    *("_async_client", "_duplex", "_errand", "_jar", "_netrc", "_tls", "_transports.mock", "_types_of_files"),
    *("auth.challenges", "auth.digest", "auth.netrc", "auth.proof", "config.resolving", "content.decode"),
    *(
        "content.files",
        "content.forms",
        "content.multipart",
        "content.parts",
        "content.text",
        "content.types",
    ),
    *("http1", "http2", "models.cookie_syntax", "models.links", "models.stages", "models.status"),
    *("operations.eyeballs", "operations.reported", "operations.resending", "proxy"),
)


@pytest.mark.slow
def test_import_of_httpure_is_no_more_than_is_needed() -> None:
    code = """if True:
        import sys
        before = set(sys.modules)
        import httpure
        names = (name.removeprefix("httpure.").removeprefix("httpure_core.") for name in set(sys.modules) - before)
        print(*sorted(names))
        print({*httpure.__all__} <= {*dir(httpure)}, httpure.AsyncClient, httpure.codes.OK, httpure.Part)
    """
    loaded, shown = fresh(code).splitlines()
    assert {*LATE} & {*loaded.split()} == set()
    assert shown == "True <class 'httpure.AsyncClient'> 200 <class 'httpure.Part'>"


def test_names_that_are_none() -> None:
    with pytest.raises(AttributeError, match="module 'httpure' has no attribute 'Nothing'"):
        _ = httpure.Nothing  # type: ignore[attr-defined]


@pytest.mark.slow
def test_making_and_closing_a_client_imports_no_tls() -> None:
    code = f"""if True:
        import sys, httpure
        with httpure.Client(base_url="https://example.org") as client:
            client.build_request("GET", "/")
        httpure.AsyncClient()
        print(sorted({UNWANTED} & set(sys.modules)))
    """
    assert fresh(code) == "[]"


@pytest.mark.slow
def test_tls_is_there_when_it_is_asked_for() -> None:
    code = """if True:
        import httpure, sys
        context = httpure.create_ssl_context()
        print(type(context).__name__, "ssl" in sys.modules)
    """
    assert fresh(code) == "SSLContext True"


@pytest.mark.slow
@pytest.mark.parametrize("name", ["sockets", "asyncio", "trio"])
def test_import_of_a_package(name: str) -> None:
    """Each package imports its own library and not the other one's; trio brings ssl with it, asyncio too."""
    other = {"sockets": "'asyncio', 'trio', 'ssl'", "asyncio": "'trio'", "trio": "'httpure.asyncio'"}[name]
    code = f"from httpure import {name} as http; import sys; print(sorted({{{other}}} & set(sys.modules)), http.get)"
    assert fresh(code).startswith("[] <")


# What type checkers see


@pytest.mark.slow
def test_typed_use(tmp_path: Path) -> None:
    """`mypy --strict` accepts what is right in `typed_use.py`, and finds every line that is marked as wrong."""
    file = ROOT / "tests" / "backends" / "typed_use.py"
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", "--config-file=", f"--cache-dir={tmp_path}", str(file)],
        capture_output=True,
        text=True,
        env=os.environ | {"MYPYPATH": os.pathsep.join([str(ROOT / "core"), str(ROOT / "backends")])},
        timeout=60,
    )
    found = {int(line.split(":")[1]) for line in done.stdout.splitlines() if ": error:" in line}
    lines = enumerate(file.read_text(encoding="utf-8").splitlines(), 1)
    assert found == {number for number, line in lines if "  # error" in line}, done.stdout + done.stderr
