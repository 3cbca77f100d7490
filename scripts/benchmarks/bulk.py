"""The workloads of large bodies, and of what connections and waiting requests hold in memory."""

from __future__ import annotations

from .workloads import HTTPX_LIKE, KIB, Load, Workload

MB = 1_000_000
BLOCKING = (*HTTPX_LIKE, "urllib3", "http.client", "niquests", "pycurl")
ASYNCIO = (*HTTPX_LIKE, "aiohttp", "niquests")
#: niquests is urllib3 with more around it, and http.client has no multipart; urllib3 encodes all of it in memory.
TRANSFERS = {
    ("download", "blocking"): (*HTTPX_LIKE, "urllib3", "http.client", "pycurl", "floor"),
    ("send", "blocking"): (*HTTPX_LIKE, "urllib3", "http.client", "pycurl"),
    ("upload", "blocking"): (*HTTPX_LIKE, "pycurl"),
}
TITLES = {"download": "download", "send": "upload from a file", "upload": "multipart upload of a file"}


def _body(face: str, name: str, what: str, path: str, size: int, turn: tuple[int, int]) -> Workload:
    task = "fetch" if path == "/chunked" else "document"
    return Workload(
        f"{face}-{name}",
        f"{face} GET {what}, warm",
        Load(face, task, size=size),
        BLOCKING if face == "blocking" else ASYNCIO,
        path=f"{path}/{size}",
        turn=turn,
        warm_up=2,
        unit="ms",
    )


def _transfer(task: str, face: str) -> Workload:
    clients = TRANSFERS.get((task, face), (*HTTPX_LIKE, "aiohttp") if face == "asyncio" else HTTPX_LIKE)
    return Workload(
        f"{task}-{face}",
        f"{face} {TITLES[task]}, 100 MB",
        Load(face, task),
        clients,
        path=f"/{task}",
        turn=(100 * MB, 100 * MB),
        warm_up=64 * KIB,
        unit="ms",
    )


def _http2_download(face: str) -> Workload:
    return Workload(
        f"http2-download-{face}",
        f"{face} download of 100 MB (quick: 20 MB) over HTTP/2",
        Load(face, "download", http2=True),
        HTTPX_LIKE,
        rival="httpx2",
        path="/download",
        turn=(100 * MB, 20 * MB),
        warm_up=64 * KIB,
        unit="ms",
    )


def _held(name: str, what: str, load: Load, count: tuple[int, int], path: str = "/1k") -> Workload:
    return Workload(
        f"memory-{name}",
        f"memory of each {what} (asyncio, {count[0]:,}; quick: {count[1]:,}), given back what can be",
        load,
        ("httpure", "httpx2", "aiohttp"),
        path=path,
        turn=count,
        warm_up=10,
        turns=1,
        unit="KiB",
    )


WORKLOADS = (
    *(
        _body(face, *row)
        for row in (
            ("gzip-json", "1 MB of JSON, gzip, parsed", "/gzip", MB, (10, 4)),
            ("json-10m", "10 MB of JSON, parsed", "/json", 10 * MB, (1, 1)),
            ("chunked-10m", "10 MB in chunks of 8 to 64 KiB", "/chunked", 10 * MB, (10, 4)),
        )
        for face in ("blocking", "asyncio")
    ),
    *(_transfer(task, face) for task in TITLES for face in ("blocking", "asyncio", "trio")),
    _http2_download("blocking"),
    _http2_download("asyncio"),
    _held("idle", "idle connection", Load("asyncio", "hold", pool=2000), (1000, 300)),
    _held("idle-tls", "idle TLS connection", Load("asyncio", "hold", pool=2000, tls=True), (1000, 300)),
    # Behind a response that is long enough not to be over before it is read.
    _held(
        "queued",
        "request that waits",
        Load("asyncio", "hold", pool=1, queued=True),
        (10_000, 2_000),
        f"/download/{10 * MB}",
    ),
)
