"""Which procs are uptested when: each once an interval, spread, and never too many at once."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

from hypothesis import given, strategies

from vr.server.uptesting.schedule import (
    AGAIN_SECONDS,
    AT_ONCE,
    AT_ONCE_ON_HOST,
    Candidate,
    Job,
    due,
    last_moment,
    next_jobs,
)

EVERY = 900.0
NOW = 1_800_000_000.0
FLEET = [
    Candidate(host * 10 + number, f"host{host}", f"shop-v1-prod-1a2b3c4d-web-{5000 + number}", NOW)
    for host in range(20)
    for number in range(10)
]


def lived(seconds: float, every: float, step: float = 5.0) -> dict[int, list[float]]:
    """When each of the fleet was tested, if every test is run at once."""
    tested = {one.id: one.tested for one in FLEET}
    found: dict[int, list[float]] = {one.id: [] for one in FLEET}
    now = NOW
    while now < NOW + seconds:
        now += step
        seen = [Candidate(one.id, one.host, one.proc, tested[one.id]) for one in FLEET]
        for one in due(seen, now, every):
            tested[one.id] = now
            found[one.id].append(now)
    return found


def test_every_proc_is_tested_once_in_each_interval() -> None:
    found = lived(3 * EVERY, EVERY)
    assert {len(times) for times in found.values()} == {3}
    gaps = {round(later - sooner) for times in found.values() for sooner, later in _pairs(times)}
    assert gaps <= {895, 900, 905}


def test_tests_are_spread_over_the_interval() -> None:
    moments = Counter(time for times in lived(EVERY, EVERY).values() for time in times)
    # 200 procs, 180 looks: 1.1 at each on average.
    assert max(moments.values()) <= 7
    assert len(moments) > 100


@given(strategies.floats(0, 4e9), strategies.floats(1, 86400), strategies.text(max_size=20))
def test_the_last_moment_is_less_than_an_interval_ago(now: float, every: float, name: str) -> None:
    moment = last_moment("host", name, now, every)
    assert now - every - 1e-3 <= moment <= now + 1e-3


def test_nobody_is_tested_if_the_interval_is_zero_but_who_left_the_pool() -> None:
    left = Candidate(1, "one", "shop", NOW, is_unrouted=True)
    assert due([*FLEET, left], NOW + 10 * EVERY, 0) == [left]
    assert due([left], NOW + AGAIN_SECONDS - 1, 0) == []


def test_a_host_gets_one_at_a_time_and_the_fleet_so_many() -> None:
    waiting = [Job(one.id, one.host) for one in FLEET]
    chosen = next_jobs(waiting, Counter())
    assert len(chosen) == AT_ONCE
    assert set(Counter(job.host for job in chosen).values()) == {AT_ONCE_ON_HOST}
    assert next_jobs(waiting[:10], Counter({"host0": AT_ONCE_ON_HOST})) == []
    assert next_jobs(waiting, Counter({f"other{n}": 1 for n in range(AT_ONCE)})) == []


@given(
    strategies.lists(strategies.sampled_from("abcdef"), max_size=60),
    strategies.dictionaries(strategies.sampled_from("abcdef"), strategies.integers(0, 3)),
)
def test_who_waits_is_passed_over_only_for_a_busy_host(
    hosts: list[str], under_way: dict[str, int]
) -> None:
    waiting = [Job(number, host) for number, host in enumerate(hosts)]
    chosen = next_jobs(waiting, Counter(under_way))
    after = Counter(under_way) + Counter(job.host for job in chosen)
    assert sum(after.values()) <= max(AT_ONCE, sum(under_way.values()))
    if sum(after.values()) < AT_ONCE:
        left = [job for job in waiting if job not in chosen]
        assert all(after[job.host] >= AT_ONCE_ON_HOST for job in left)


def _pairs(times: list[float]) -> list[tuple[float, float]]:
    return list(pairwise(times))
