"""What must be reached: figures of one run set against a number or against a rival in the same run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

#: Figures by (workload, client); what was not measured is absent.
Figures = Mapping[tuple[str, str], float]


class Bar(NamedTuple):
    """`client`'s figure in `workload` is at most `limit`, times the rival's figure where there is a rival.

    With `beyond` it is at most `limit` more than the rival's figure.
    """

    issue: int
    workload: str
    limit: float
    #: (workload, client) whose figure is the measure; None: `limit` is in the workload's own unit.
    rival: tuple[str, str] | None = None
    client: str = "httpure"
    beyond: bool = False

    def value(self, figures: Figures) -> float | None:
        """Return the ratio (or figure, or difference) that is compared with `limit`, None if a part is missing."""
        figure = figures.get((self.workload, self.client))
        if figure is None or self.rival is None:
            return figure
        measure = figures.get(self.rival)
        if not measure:
            return None
        return figure - measure if self.beyond else figure / measure


def _against(rival: str, limit: float, *workloads: str) -> tuple[Bar, ...]:
    return tuple(Bar(2, workload, limit, (workload, rival)) for workload in workloads)


HTTP2_GETS = ("http2-asyncio-get-16", "http2-asyncio-get-100")

BARS = (
    *_against("urllib3", 0.75, "blocking-get"),
    *_against("aiohttp", 1.6, "asyncio-get-16", "asyncio-get-128", "asyncio-get-1000"),
    *_against("httpx2", 0.5, "trio-get-16"),
    Bar(2, "asyncio-queue", 1.6, ("asyncio-get-100", "httpure")),
    *_against("httpx", 0.4, "import"),
    *(Bar(2, workload, 0.3) for workload in ("client-first", "client-again")),
    *_against("http.client", 1.5, "one-shot"),
    *(
        Bar(2, f"{task}-{face}", 20)
        for task in ("download", "upload")
        for face in ("blocking", "asyncio", "trio")
    ),
    *(Bar(4, workload, 0.4, (workload, "httpx")) for workload in HTTP2_GETS),
    *(Bar(4, workload, 60, (workload, "h2"), beyond=True) for workload in HTTP2_GETS),
    *(
        Bar(4, workload, 0.5, (workload, "httpx"))
        for workload in ("http2-download-blocking", "http2-download-asyncio")
    ),
)
