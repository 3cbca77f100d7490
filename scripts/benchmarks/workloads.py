"""What is measured: one row per workload. A new workload is a row here, and a bar in `bars`."""

from __future__ import annotations

from typing import NamedTuple

from .bodies import body_of

KIB = 1024
HTTPX_LIKE = ("httpure", "httpx", "httpx2")
#: "floor" is h2 on bare sockets, "h2" the same without any I/O: both keep one connection.
HTTP2 = (*HTTPX_LIKE, "floor", "h2")
BLOCKING = (*HTTPX_LIKE, "urllib3", "http.client", "pycurl", "floor")
ASYNCIO = (*HTTPX_LIKE, "aiohttp", "floor")
#: httpx counts its idle connections once for each idle connection: about 24 ms a request at 128, minutes at 1,000.
MANY = tuple(name for name in ASYNCIO if name != "httpx")
TRIO = (*HTTPX_LIKE, "floor")

#: Tasks whose turn is one transfer of so many bytes instead of so many requests.
TRANSFERS = ("download", "upload")


class Load(NamedTuple):
    """What one client process is asked to do; it travels to the process as JSON."""

    #: blocking, asyncio or trio.
    face: str
    #: The client's method, `<face>_<task>`: fetch, one_shot, construct, download or upload.
    task: str
    url: str = ""
    #: Bytes of the response body.
    size: int = KIB
    #: POST `bodies.PAYLOAD` as JSON instead of GET.
    posts: bool = False
    #: Where a POST is echoed: the body is checked there once, before anything is measured.
    echo: str = ""
    concurrency: int = 1
    #: All requests are started at once and queue for the pool.
    queued: bool = False
    #: The most connections the client may hold.
    pool: int = 100
    #: Where the files to upload lie.
    folder: str = ""
    #: HTTP/2: agreed upon in TLS where there is an authority, else without asking.
    http2: bool = False
    #: Over TLS.
    tls: bool = False
    #: The file of the authority that has signed the server's certificate.
    ca: str = ""

    @property
    def expected(self) -> bytes:
        """The body that each response must have."""
        return body_of(self.size)


class Workload(NamedTuple):
    """One row of the bench."""

    name: str
    title: str
    load: Load
    clients: tuple[str, ...]
    #: The client that the others are set against in the table, beside the floor; none where empty.
    rival: str
    #: What is asked of the server; the bulk server serves transfers.
    path: str = "/1k"
    #: Size of a turn (requests or bytes) in full and in quick runs; None: what fits into a turn's time.
    turn: tuple[int, int] | None = None
    warm_up: int = 50
    #: The most turns of each client.
    turns: int = 1000
    #: Take the worst turn instead of the median: memory once taken is kept, and only the first turn shows it.
    worst: bool = False
    unit: str = "µs"
    #: (client, statements that a new interpreter runs each turn); empty: the standing worker takes the turns.
    #: `cpu()` is the CPU time of the process in seconds; the statements leave their result in `figure`.
    fresh: tuple[tuple[str, str], ...] = ()
    #: The client whose figure is taken off all others'.
    baseline: str = ""
    #: Workloads of one group are interleaved with each other; by default each is alone.
    group: str = ""


def _get(face: str, concurrency: int, clients: tuple[str, ...], rival: str, group: str = "") -> Workload:
    name = "blocking-get" if face == "blocking" else f"{face}-get-{concurrency}"
    load = Load(face, "fetch", concurrency=concurrency, pool=max(concurrency, 100))
    title = f"{face} GET 1 KiB, warm, concurrency {concurrency}"
    return Workload(name, title, load, clients, rival, warm_up=max(2 * concurrency, 50), group=group)


def _post(face: str, concurrency: int, clients: tuple[str, ...], rival: str) -> Workload:
    name = "blocking-post" if face == "blocking" else f"{face}-post-{concurrency}"
    load = Load(face, "fetch", posts=True, concurrency=concurrency)
    title = f"{face} POST 1 KiB JSON, warm, concurrency {concurrency}"
    return Workload(name, title, load, clients, rival, path="/post")


def _transfer(face: str, task: str, clients: tuple[str, ...]) -> Workload:
    kind = "multipart upload" if task == "upload" else "download"
    title = f"{face} {kind} of 1 GB (quick: 100 MB): memory added"
    return Workload(
        f"{task}-{face}",
        title,
        Load(face, task),
        clients,
        rival="",
        path=f"/{task}",
        turn=(1_000_000_000, 100_000_000),
        warm_up=64 * KIB,
        turns=3,
        worst=True,
        unit="MB",
    )


def _http2(
    face: str, concurrency: int, clients: tuple[str, ...], tls: bool = False, title: str = ""
) -> Workload:
    name = f"http2-{face}-get-{concurrency}{'-tls' if tls else ''}"
    load = Load(face, "fetch", concurrency=concurrency, http2=True, tls=tls)
    how = f"{face} GET 1 KiB over HTTP/2{' and TLS' if tls else ''}, warm, concurrency {concurrency}{title}"
    return Workload(name, how, load, clients, rival="httpx", warm_up=max(2 * concurrency, 50))


def _http2_download(face: str) -> Workload:
    return Workload(
        f"http2-download-{face}",
        f"{face} download of 100 MB (quick: 20 MB) over HTTP/2: time",
        Load(face, "download", http2=True),
        HTTPX_LIKE,
        rival="httpx",
        path="/download",
        turn=(100_000_000, 20_000_000),
        warm_up=64 * KIB,
        unit="ms",
    )


def _first(name: str, call: str) -> tuple[str, str]:
    module = call.rpartition(".")[0]
    return name, f"import {module}\nstart = cpu()\nclient = {call}()\nfigure = (cpu() - start) * 1e3"


IMPORTS = tuple(
    (name, f"{statement}\nfigure = cpu() * 1e3")
    for name, statement in (
        ("bare", "pass"),
        *((name, f"import {name}") for name in (*HTTPX_LIKE, "aiohttp", "urllib3", "http.client")),
    )
)
CONSTRUCTORS = (
    *(_first(name, f"{name}.Client") for name in HTTPX_LIKE),
    _first("urllib3", "urllib3.PoolManager"),
)
QUEUE_CLIENTS = ("httpure", "httpx", "aiohttp", "floor")

WORKLOADS = (
    _get("blocking", 1, BLOCKING, "urllib3"),
    _get("asyncio", 1, ASYNCIO, "aiohttp"),
    _get("asyncio", 16, ASYNCIO, "aiohttp"),
    _get("asyncio", 128, ASYNCIO, "aiohttp"),
    _get("asyncio", 1000, MANY, "aiohttp"),
    _get("trio", 16, TRIO, "httpx2"),
    _get("trio", 128, TRIO, "httpx2"),
    _get("asyncio", 100, QUEUE_CLIENTS, "aiohttp", group="queue"),
    Workload(
        "asyncio-queue",
        "asyncio, requests queued at once on 100 connections (10,000; quick: 2,000)",
        Load("asyncio", "fetch", queued=True),
        QUEUE_CLIENTS,
        rival="aiohttp",
        turn=(10_000, 2_000),
        warm_up=100,
        group="queue",
    ),
    _post("blocking", 1, BLOCKING, "urllib3"),
    _post("asyncio", 16, ASYNCIO, "aiohttp"),
    Workload(
        "asyncio-100k-64",
        "asyncio GET 100 KiB, concurrency 64",
        Load("asyncio", "fetch", size=100 * KIB, concurrency=64),
        ASYNCIO,
        rival="aiohttp",
        path="/100k",
        warm_up=128,
    ),
    Workload(
        "one-shot",
        "one-shot get over plain HTTP, a connection each",
        Load("blocking", "one_shot"),
        BLOCKING,
        rival="http.client",
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
        (*HTTPX_LIKE, "urllib3"),
        rival="httpx",
        warm_up=20,
        unit="ms",
    ),
    _transfer("blocking", "download", (*HTTPX_LIKE, "urllib3", "http.client", "pycurl")),
    _transfer("asyncio", "download", (*HTTPX_LIKE, "aiohttp")),
    _transfer("trio", "download", HTTPX_LIKE),
    _transfer("blocking", "upload", (*HTTPX_LIKE, "pycurl")),
    _transfer("asyncio", "upload", (*HTTPX_LIKE, "aiohttp")),
    _transfer("trio", "upload", HTTPX_LIKE),
    _http2("blocking", 1, HTTPX_LIKE),
    _http2("blocking", 16, HTTPX_LIKE, title=", a thread each"),
    _http2("asyncio", 1, HTTP2),
    _http2("asyncio", 16, HTTP2),
    _http2("asyncio", 100, HTTP2),
    _http2("asyncio", 16, HTTP2, tls=True),
    _http2("trio", 16, HTTPX_LIKE),
    _http2_download("blocking"),
    _http2_download("asyncio"),
)
