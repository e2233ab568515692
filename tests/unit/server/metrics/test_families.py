"""What Prometheus reads of what was measured."""

from __future__ import annotations

from collections import Counter

from prometheus_client.parser import text_string_to_metric_families

from vr.events.procs import HostState, proc_object
from vr.server.metrics.families import text
from vr.server.metrics.reading import Measured, Procs, Queue, procs_of
from vr.server.metrics.tally import Durations
from vr.server.procs.ownership import Claims
from vr.server.procs.survey import Survey

NOW = 1_000_000.0


def samples(measured: Measured) -> dict[tuple[str, ...], float]:
    """(name, label values in order of the labels' names) → value."""
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text(measured).decode())
        for sample in family.samples
    }


def measured(procs: Procs | None) -> Measured:
    durations = Durations((1.0, 10.0))
    durations.add(4.0)
    return Measured(
        procs=procs,
        wanted={"local/shop-prod-web": 3},
        dispatches={"succeeded": durations},
        builds={"failed": Durations((1.0,))},
        queues={"dispatch": Queue(2, 7.5)},
        under_way={"dispatch": 3},
        failing={"local/shop-prod-web": 1},
        unrouted={},
    )


def test_all_that_is_measured_is_told() -> None:
    found = samples(
        measured(
            Procs(
                {"local/shop-prod-web": Counter(running=2)},
                {"local/shop-prod-web": 5},
                4,
                {"one": 3.0, "two": None},
                1,
            )
        )
    )
    expected = {
        ("velociraptor_redis_up",): 1,
        ("velociraptor_procs", "running", "local/shop-prod-web"): 2,
        ("velociraptor_proc_restarts", "local/shop-prod-web"): 5,
        ("velociraptor_strays",): 4,
        ("velociraptor_hosts", "silent"): 1,
        ("velociraptor_hosts", "heard"): 1,
        ("velociraptor_host_silence_seconds", "one"): 3,
        ("velociraptor_swarm_size", "local/shop-prod-web"): 3,
        ("velociraptor_uptests_failing_procs", "local/shop-prod-web"): 1,
        ("velociraptor_dispatch_duration_seconds_bucket", "1.0", "succeeded"): 0,
        ("velociraptor_dispatch_duration_seconds_bucket", "10.0", "succeeded"): 1,
        ("velociraptor_dispatch_duration_seconds_count", "succeeded"): 1,
        ("velociraptor_dispatch_duration_seconds_sum", "succeeded"): 4,
        ("velociraptor_build_duration_seconds_count", "failed"): 0,
        ("velociraptor_queue_waiting", "dispatch"): 2,
        ("velociraptor_queue_age_seconds", "dispatch"): 7.5,
        ("velociraptor_under_way", "dispatch"): 3,
    }
    assert {key: found.get(key) for key in expected} == expected
    assert ("velociraptor_host_silence_seconds", "two") not in found


def test_while_redis_is_away_nothing_is_said_of_procs_and_hosts() -> None:
    found = samples(measured(None))
    assert found[("velociraptor_redis_up",)] == 0
    assert not any(key[0] in {"velociraptor_procs", "velociraptor_hosts"} for key in found)
    assert found[("velociraptor_queue_waiting", "dispatch")] == 2


def test_procs_on_silent_hosts_are_unknown() -> None:
    info = {"name": "shop-v1-prod-1a2b3c4d-web-5000", "statename": "RUNNING"}
    states = {
        "heard": HostState("heard", NOW - 1, [proc_object("heard", info)]),
        "silent": HostState("silent", NOW - 500, [proc_object("silent", info)]),
    }
    procs = [proc for state in states.values() for proc in state.procs]
    found = procs_of(Survey(states, Claims(), {1: procs}, [], []), {1: "local/shop-prod-web"}, NOW)
    assert found.states == {"local/shop-prod-web": Counter(running=1, unknown=1)}
    assert found.silent == 1
    assert found.silences == {"heard": 1.0, "silent": 500.0}
