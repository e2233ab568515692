"""What was measured, in Prometheus' words. Pure. docs/reference/metrics.md lists them."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Protocol

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, HistogramMetricFamily
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from vr import __version__
from vr.server.metrics.reading import Measured, Procs
from vr.server.metrics.tally import Durations


class _Found(Collector):
    def __init__(self, families: Iterable[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def text(measured: Measured) -> bytes:
    """The page, in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Found(list(families(measured))))
    return generate_latest(registry)


def families(measured: Measured) -> Iterator[Metric]:
    """Every family, with its samples; those of procs and hosts are left out while Redis is away,
    as nothing is known of them."""
    yield _gauge("info", "The version of this server.", {(__version__,): 1.0}, ["version"])
    is_known = measured.procs is not None
    yield _gauge("redis_up", "Whether Redis tells what hosts pushed.", {(): float(is_known)})
    if measured.procs is not None:
        yield from _of_procs(measured.procs)
    yield _by_swarm("swarm_size", "How many procs a swarm wants.", measured.wanted)
    yield _by_swarm(
        "uptests_failing_procs",
        "Procs whose last uptests between dispatches failed.",
        measured.failing,
    )
    yield _by_swarm(
        "unrouted_procs", "Procs that left their pool as their uptests fail.", measured.unrouted
    )
    yield _durations(
        "dispatch_duration_seconds", "Dispatches that ended, by outcome.", measured.dispatches
    )
    yield _durations("build_duration_seconds", "Builds that ended, by outcome.", measured.builds)
    queues = measured.queues.items()
    yield _gauge(
        "queue_waiting",
        "Work that waits for a worker.",
        {(kind,): float(queue.waiting) for kind, queue in queues},
        ["kind"],
    )
    yield _gauge(
        "queue_age_seconds",
        "How long the oldest of it has waited; 0 if nothing waits.",
        {(kind,): queue.age for kind, queue in queues},
        ["kind"],
    )
    yield _gauge(
        "under_way",
        "Work that has not ended, waiting or not.",
        {(kind,): float(count) for kind, count in measured.under_way.items()},
        ["kind"],
    )


def _of_procs(procs: Procs) -> Iterator[Metric]:
    yield _gauge(
        "procs",
        "Procs by swarm and state, as hosts last said; unknown on silent hosts.",
        {
            (swarm, state): float(count)
            for swarm, states in procs.states.items()
            for state, count in states.items()
        },
        ["swarm", "state"],
    )
    yield _by_swarm(
        "proc_restarts", "Restarts of the procs that are there, all together.", procs.restarts
    )
    yield _gauge("strays", "Procs of no swarm, but called like ours.", {(): float(procs.strays)})
    yield _gauge(
        "hosts",
        "Hosts by whether they are heard of.",
        {
            ("silent",): float(procs.silent),
            ("heard",): float(len(procs.silences) - procs.silent),
        },
        ["state"],
    )
    yield _gauge(
        "host_silence_seconds",
        "How long ago a host was last heard of; absent if it never was.",
        {(host,): age for host, age in procs.silences.items() if age is not None},
        ["host"],
    )


class _Number(Protocol):
    def __float__(self) -> float: ...


def _by_swarm(name: str, about: str, values: Mapping[str, _Number]) -> Metric:
    found = {(swarm,): float(value) for swarm, value in values.items()}
    return _gauge(name, about, found, ["swarm"])


def _gauge(
    name: str,
    about: str,
    values: Mapping[tuple[str], float]
    | Mapping[tuple[str, str], float]
    | Mapping[tuple[()], float],
    labels: Iterable[str] = (),
) -> Metric:
    family = GaugeMetricFamily(f"velociraptor_{name}", about, labels=list(labels))
    for of, value in sorted(values.items()):
        family.add_metric(list(of), value)
    return family


def _durations(name: str, about: str, values: Mapping[str, Durations]) -> Metric:
    family = HistogramMetricFamily(f"velociraptor_{name}", about, labels=["outcome"])
    for outcome, durations in sorted(values.items()):
        family.add_metric([outcome], durations.buckets(), durations.sum)
    return family
