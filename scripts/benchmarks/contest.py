"""Interleaved rounds: every client takes its turn (A B C), then all again, so that drift meets all alike."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from statistics import median
from typing import NamedTuple

from .bodies import write_upload
from .contestants import Contestant, Fresh, Pace, Sample, Standing
from .servers import Site
from .workloads import BULK, Load, Workload


class Result(NamedTuple):
    """What one client did in one workload: the median of its turns, or the worst where that is what counts."""

    client: str
    version: str
    figure: float | None
    low: float | None
    high: float | None
    per_second: float | None
    #: Of transfers: the median of the CPU time in ms, and the most memory added in MB.
    cpu: float | None
    memory: float | None
    samples: list[Sample]
    missing: str | None
    fault: str | None


Results = dict[str, list[Result]]


def hold(
    workloads: Iterable[Workload], clients: set[str], pace: Pace, site: Site, folder: Path
) -> Iterator[tuple[Workload, list[Result]]]:
    """Run the workloads, one after another, and yield each with what its clients did."""
    for workload in workloads:
        with ExitStack() as stack:
            contestants = [
                stack.enter_context(closing(contestant))
                for contestant in _contestants(workload, clients, pace, site, folder)
            ]
            _play(contestants, pace)
        base = _baseline(contestants)
        yield workload, [_result(contestant, base) for contestant in contestants]


def _contestants(
    workload: Workload, clients: set[str], pace: Pace, site: Site, folder: Path
) -> Iterator[Contestant]:
    statements = dict(workload.fresh)
    load = _placed(workload, pace, site, folder)
    for client in workload.clients:
        if clients and client not in clients and client != workload.baseline:
            continue
        if statements:
            yield Fresh(workload, client, pace, statements[client])
        else:
            yield Standing(workload, client, pace, load)


def _placed(workload: Workload, pace: Pace, site: Site, folder: Path) -> Load:
    """Return the workload's load with the addresses of this run; write the files that it uploads."""
    load = workload.load
    if load.task in ("send", "upload") or (load.task == "download" and load.http2):
        assert workload.turn is not None
        for size in (workload.warm_up, workload.turn[pace.quick]):
            write_upload(folder, size)
    plain = site.transfers if workload.path.split("/")[1] in BULK else site.requests
    site_url = {
        (False, False): plain,
        (False, True): site.tls,
        (True, False): site.http2,
        (True, True): site.http2_tls,
    }[load.http2, load.tls]
    echo = f"{site.transfers}/echo" if load.posts else ""
    ca = str(folder / "authority.pem") if load.tls else ""
    return load._replace(url=site_url + workload.path, echo=echo, folder=str(folder), ca=ca)


def _play(contestants: list[Contestant], pace: Pace) -> None:
    for contestant in contestants:
        contestant.prepare()
    for turn in range(pace.rounds):
        for contestant in contestants:
            if contestant.playing and turn < contestant.workload.turns:
                contestant.take_turn()


def _baseline(contestants: list[Contestant]) -> float:
    """Return the figure that is taken off all others."""
    for contestant in contestants:
        if contestant.client == contestant.workload.baseline and contestant.samples:
            return median(_figures(contestant))
    return 0.0


def _figures(contestant: Contestant) -> list[float]:
    return [sample.figure for sample in contestant.samples if sample.figure is not None]


def _result(contestant: Contestant, base: float) -> Result:
    workload = contestant.workload
    taken_off = 0.0 if contestant.client == workload.baseline else base
    figures = [figure - taken_off for figure in _figures(contestant)]
    rates = [sample.per_second for sample in contestant.samples if sample.per_second is not None]
    summary = max if workload.worst else median
    return Result(
        client=contestant.client,
        version=contestant.version,
        figure=summary(figures) if figures else None,
        low=min(figures, default=None),
        high=max(figures, default=None),
        per_second=median(rates) if rates else None,
        cpu=median(cpu) if (cpu := [sample.cpu for sample in contestant.samples if sample.cpu]) else None,
        # Memory once taken is kept, and only the first turn shows it.
        memory=max(
            (sample.memory for sample in contestant.samples if sample.memory is not None), default=None
        ),
        samples=contestant.samples,
        missing=contestant.missing,
        fault=contestant.fault,
    )
