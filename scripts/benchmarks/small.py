"""The workloads of small requests, and of what comes before the first one.

httpx is missing where it would take minutes and tell nothing new: it counts its idle connections once for each idle
connection (24 ms a request at 128 of them, 7.7 ms for each that queues), and over HTTP/2 it is httpx2's equal. So is
httpx2 at 1,000 connections (5 to 11 ms a request).
"""

from __future__ import annotations

from .workloads import HTTPX_LIKE, KIB, Load, Workload

RUST = ("pyreqwest", "wreq")
BLOCKING = (*HTTPX_LIKE, "urllib3", "http.client", "niquests", "pycurl", *RUST, "floor")
ASYNCIO = (*HTTPX_LIKE, "aiohttp", "niquests", *RUST, "floor")
#: For what is measured at several places already.
FEWER_BLOCKING = ("httpure", "httpx2", "urllib3", "http.client", "pycurl", "pyreqwest", "floor")
FEWER_ASYNCIO = ("httpure", "httpx2", "aiohttp", *RUST, "floor")
TRIO = ("httpure", "httpx2", "pyqwest", "floor")
QUEUE = ("httpure", "httpx2", "aiohttp", "pyreqwest", "floor")
#: "floor" is h2 on bare sockets, "h2" the same without any I/O: both keep one connection.
HTTP2 = ("httpure", "httpx2", "floor", "h2")

#: Connections that are kept where no workload needs more.
POOL = 100


def _fetching(load: Load, clients: tuple[str, ...], what: str, name: str, path: str = "/1k") -> Workload:
    """Return a workload of requests one after another, by as many users as the concurrency says."""
    name = f"{load.face}-{name}" + (f"-{load.concurrency}" if load.face != "blocking" else "")
    face = "asyncio on uvloop" if load.face == "uvloop" else load.face
    title = f"{face} {what}, warm, concurrency {load.concurrency}"
    load = load._replace(pool=max(load.concurrency, POOL))
    return Workload(name, title, load, clients, path=path, warm_up=max(2 * load.concurrency, 50))


def _get(face: str, concurrency: int, clients: tuple[str, ...]) -> Workload:
    slow = {128: ("httpx",), 1000: ("httpx", "httpx2")}.get(concurrency, ())
    clients = tuple(name for name in clients if name not in slow)
    return _fetching(Load(face, "fetch", concurrency=concurrency), clients, "GET 1 KiB", "get")


def _post(face: str, concurrency: int, clients: tuple[str, ...]) -> Workload:
    load = Load(face, "fetch", posts=True, concurrency=concurrency)
    return _fetching(load, clients, "POST 1 KiB JSON", "post", "/post")


def _fields(face: str, concurrency: int, clients: tuple[str, ...]) -> Workload:
    load = Load(face, "fetch", concurrency=concurrency)
    return _fetching(load, clients, "GET 1 KiB with 60 response fields", "fields", "/fields")


def _tls(face: str, concurrency: int, clients: tuple[str, ...]) -> Workload:
    load = Load(face, "fetch", concurrency=concurrency, tls=True)
    return _fetching(load, clients, "GET 1 KiB over TLS", "tls")


def _http2(
    face: str, concurrency: int, clients: tuple[str, ...], tls: bool = False, title: str = ""
) -> Workload:
    name = f"http2-{face}-get-{concurrency}{'-tls' if tls else ''}"
    load = Load(face, "fetch", concurrency=concurrency, http2=True, tls=tls)
    how = f"{face} GET 1 KiB over HTTP/2{' and TLS' if tls else ''}, warm, concurrency {concurrency}{title}"
    return Workload(name, how, load, clients, rival="httpx2", warm_up=max(2 * concurrency, 50))


def _first(name: str, call: str) -> tuple[str, str]:
    module = MODULES.get(name, name)
    return name, f"import {module}\nstart = cpu()\nclient = {module}.{call}()\nfigure = (cpu() - start) * 1e3"


#: What must be imported for a client, where that is not the library's own name.
MODULES = {"pyreqwest": "pyreqwest.client"}
IMPORTED = (*HTTPX_LIKE, "aiohttp", "urllib3", "http.client", "niquests", "pycurl", *RUST)
IMPORTS = tuple(
    (name, f"{statement}\nfigure = cpu() * 1e3")
    for name, statement in (
        ("bare", "pass"),
        *((name, f"import {MODULES.get(name, name)}") for name in IMPORTED),
    )
)
CONSTRUCTORS = (
    *(_first(name, "Client") for name in HTTPX_LIKE),
    _first("urllib3", "PoolManager"),
    _first("niquests", "Session"),
    _first("pyreqwest", "SyncClientBuilder().build"),
)

WORKLOADS = (
    _get("blocking", 1, BLOCKING),
    *(_get("asyncio", concurrency, ASYNCIO) for concurrency in (1, 16, 128, 1000)),
    *(_get("uvloop", concurrency, FEWER_ASYNCIO) for concurrency in (1, 16, 128, 1000)),
    *(_get("trio", concurrency, TRIO) for concurrency in (16, 128)),
    _post("blocking", 1, BLOCKING),
    _post("asyncio", 16, ASYNCIO),
    _fields("blocking", 1, FEWER_BLOCKING),
    _fields("asyncio", 16, FEWER_ASYNCIO),
    _tls("blocking", 1, FEWER_BLOCKING),
    _tls("asyncio", 16, FEWER_ASYNCIO),
    Workload(
        "asyncio-100k-64",
        "asyncio GET 100 KiB, warm, concurrency 64",
        Load("asyncio", "fetch", size=100 * KIB, concurrency=64),
        FEWER_ASYNCIO,
        path="/100k",
        warm_up=128,
    ),
    Workload(
        "asyncio-queue",
        "asyncio, requests queued at once on 100 connections (10,000; quick: 2,000)",
        Load("asyncio", "fetch", queued=True, pool=POOL),
        QUEUE,
        turn=(10_000, 2_000),
        warm_up=100,
    ),
    _http2("blocking", 1, HTTPX_LIKE),
    _http2("blocking", 16, ("httpure", "httpx2"), title=", a thread each"),
    _http2("asyncio", 1, HTTP2),
    _http2("asyncio", 16, HTTP2),
    _http2("asyncio", 100, HTTP2),
    _http2("asyncio", 16, HTTP2[:3], tls=True),
    _http2("trio", 16, ("httpure", "httpx2")),
    Workload(
        "one-shot",
        "one-shot get over plain HTTP, a connection each",
        Load("blocking", "one_shot"),
        (*HTTPX_LIKE, "urllib3", "http.client", "niquests", "pycurl", "pyreqwest", "floor"),
        warm_up=20,
    ),
    Workload(
        "import",
        "import in a fresh interpreter: CPU time added over a bare one",
        Load("blocking", "import"),
        tuple(name for name, _ in IMPORTS),
        rival="httpx",
        unit="ms",
        fresh=IMPORTS,
        baseline="bare",
    ),
    Workload(
        "client-first",
        "Client(), the first of a fresh interpreter",
        Load("blocking", "construct"),
        tuple(name for name, _ in CONSTRUCTORS),
        rival="httpx",
        unit="ms",
        fresh=CONSTRUCTORS,
    ),
    Workload(
        "client-again",
        "Client() and close(), after the first",
        Load("blocking", "construct"),
        (*HTTPX_LIKE, "urllib3", "pyreqwest"),
        rival="httpx",
        warm_up=20,
        unit="ms",
    ),
    Workload(
        "asyncio-frames",
        "Python frames that run for a warm asyncio GET, the loop's own among them",
        Load("asyncio", "fetch", counted=True),
        (*HTTPX_LIKE, "aiohttp", "niquests", "floor"),
        turn=(200, 50),
        turns=1,
        unit="frames",
    ),
)
