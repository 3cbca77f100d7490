"""What must be reached: httpure's figures set against a number, or against rivals' in the same workload and run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

#: Figures by (workload, client); what was not measured is absent.
Figures = Mapping[tuple[str, str], float]


class Bar(NamedTuple):
    """The figure of `client` is at most `limit`, times the figure of the best rival where there are rivals.

    Less is better in every unit: a bar of "at least 0.9 times as fast" is one of at most 1 / 0.9 times the time.
    """

    workload: str
    limit: float
    #: Those whose lowest figure is the measure; empty: `limit` is in the workload's own unit.
    rivals: tuple[str, ...] = ()
    client: str = "httpure"
    #: The figure is at most `limit` more than the best rival's.
    beyond: bool = False
    #: The limit is put as a speed: at least `limit` times as fast as the best rival.
    speed: bool = False
    #: What of a transfer is meant: its time, or its "CPU" time in ms, or the "memory" that it added in MB.
    aspect: str = ""

    def value(self, figures: Figures) -> float | None:
        """Return what is compared with `limit`: a figure, difference or ratio; None if a part is missing."""
        measured = f"{self.workload} {self.aspect}".rstrip()
        figure = figures.get((measured, self.client))
        if not figure or not self.rivals:
            return figure
        met = [figures[measured, rival] for rival in self.rivals if (measured, rival) in figures]
        if not met or min(met) <= 0:
            return None
        if self.beyond:
            return figure - min(met)
        return min(met) / figure if self.speed else figure / min(met)

    def reached(self, value: float) -> bool:
        """Return whether a value is good enough."""
        return value >= self.limit if self.speed else value <= self.limit

    def demand(self, unit: str) -> str:
        """Return what must be, for people: "<= 0.75 x aiohttp"."""
        if not self.rivals:
            return (
                f"<= {self.limit:g} MB of memory" if self.aspect == "memory" else f"<= {self.limit:g} {unit}"
            )
        best = self.rivals[0] if len(self.rivals) == 1 else f"best of {', '.join(self.rivals)}"
        if self.speed:
            return f">= {self.limit:g} x as fast as {best}{' in CPU time' if self.aspect else ''}"
        return f"<= {self.limit:g} {unit} + {best}" if self.beyond else f"<= {self.limit:g} x {best}"


def _against(rival: str, limit: float, *workloads: str) -> tuple[Bar, ...]:
    return tuple(Bar(workload, limit, (rival,)) for workload in workloads)


def _gets(face: str) -> tuple[str, ...]:
    return tuple(f"{face}-get-{concurrency}" for concurrency in (1, 16, 128, 1000))


SMALL = (
    *_against("http.client", 1.0, "blocking-get", "blocking-post", "blocking-tls"),
    *_against("urllib3", 0.4, "blocking-get", "blocking-post"),
    *_against("http.client", 0.7, "blocking-fields"),
    *_against("aiohttp", 0.75, *_gets("asyncio"), "asyncio-post-16", *_gets("uvloop")),
    *_against("aiohttp", 0.9, "asyncio-fields-16"),
    *_against("aiohttp", 0.85, "asyncio-tls-16"),
    *_against("aiohttp", 0.6, "asyncio-100k-64"),
    *_against("aiohttp", 0.7, "asyncio-queue"),
    *_against("httpx2", 0.3, "trio-get-16", "trio-get-128"),
    *_against("pyqwest", 1.0, "trio-get-16", "trio-get-128"),
    *_against("httpx2", 0.35, "http2-asyncio-get-16", "http2-asyncio-get-100"),
    *(
        Bar(workload, 60, ("h2",), beyond=True)
        for workload in ("http2-asyncio-get-16", "http2-asyncio-get-100")
    ),
    *_against("http.client", 1.2, "one-shot"),
    *_against("httpx", 0.3, "import"),
    Bar("client-first", 0.2),
    Bar("asyncio-frames", 130),
)

#: The pure-Python rivals where bodies are large; aiohttp's parser is C, but what it does with a body is Python.
PURE = {
    "blocking": ("httpx2", "urllib3", "http.client"),
    "asyncio": ("httpx2", "aiohttp"),
    "trio": ("httpx2",),
}
TRANSFERS = {(task, face): PURE[face] for task in ("download", "send", "upload") for face in PURE}
TRANSFERS["upload", "blocking"] = ("httpx2",)  # the others have no multipart, or hold all of it in memory

BULK = (
    *(
        Bar(f"{face}-{what}", 1.0, PURE[face])
        for face in ("blocking", "asyncio")
        for what in ("gzip-json", "json-10m", "chunked-10m")
    ),
    *(
        Bar(f"{task}-{face}", 0.9, rivals, speed=True, aspect=aspect)
        for (task, face), rivals in TRANSFERS.items()
        for aspect in ("", "CPU")
    ),
    *(
        Bar(f"{task}-blocking", 0.7, ("pycurl",), speed=True, aspect=aspect)
        for task in ("download", "send", "upload")
        for aspect in ("", "CPU")
    ),
    *(Bar(f"{task}-{face}", 10, aspect="memory") for task, face in TRANSFERS),
    Bar("memory-idle", 15),
    Bar("memory-idle-tls", 60),
    Bar("memory-queued", 6),
    *(Bar(f"http2-download-{face}", 2, ("httpx2",), speed=True) for face in ("blocking", "asyncio")),
)

BARS = (*SMALL, *BULK)


def of(workload: str) -> list[Bar]:
    """Return the bars of one workload."""
    return [bar for bar in BARS if bar.workload == workload]
