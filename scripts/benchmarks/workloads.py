"""What a workload is made of. The rows are in `small` and `bulk`, all of them in `suite.WORKLOADS`."""

from __future__ import annotations

from typing import Any, NamedTuple

from .bodies import body_of, sketch_of

KIB = 1024
HTTPX_LIKE = ("httpure", "httpx", "httpx2")

#: Tasks whose turn is one transfer of so many bytes instead of so many requests.
TRANSFERS = ("download", "send", "upload")
#: The first part of the paths that the bulk server serves.
BULK = ("download", "chunked", "json", "gzip", "send", "upload")


class Load(NamedTuple):
    """What one client process is asked to do; it travels to the process as JSON."""

    #: blocking, asyncio, uvloop (asyncio on another loop) or trio.
    face: str
    #: The client's method, `<face>_<task>`: fetch, document, one_shot, construct, download, send, upload or hold.
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
    #: Count the Python frames that run.
    counted: bool = False

    @property
    def expected(self) -> Any:
        """What each response must bring: a body, or a parsed document that equals a sketch."""
        return sketch_of(self.size) if self.task == "document" else body_of(self.size)


class Workload(NamedTuple):
    """One row of the bench."""

    name: str
    title: str
    load: Load
    clients: tuple[str, ...]
    #: Whom the others are set against in the table, beside the floor and the rivals of the bars.
    rival: str = ""
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
