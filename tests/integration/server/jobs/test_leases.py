"""Leases: one worker at a time, and the dead are succeeded."""

from __future__ import annotations

import subprocess
import threading
import time
from contextlib import ExitStack
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection, transaction
from django.utils import timezone

from support.waiting import until
from vr.server.jobs import leases
from vr.server.models import App, Build

OPEN = ("pending", "started")


@pytest.fixture
def build(transactional_db: None) -> Build:
    app = App.objects.create(name="shop", repo_url="x")
    return Build.objects.create(app=app, tag="v1")


def lease_out(build: Build, owner: str, seconds: float = 60) -> None:
    until = timezone.now() + timedelta(seconds=seconds)
    Build.objects.filter(pk=build.pk).update(lease_owner=owner, lease_until=until)


def can_be_taken(build: Build) -> bool:
    with leases.hold(Build, build.pk, OPEN) as lease:
        return lease is not None


def owner_of(pid: int) -> str:
    return f"{leases._machine()}:{pid}:{leases._start_time(pid)}:x"


def test_a_held_lease_keeps_others_out_and_is_given_back(build: Build) -> None:
    with leases.hold(Build, build.pk, OPEN) as lease:
        assert lease is not None
        lease.check()
        assert not can_be_taken(build)
    assert can_be_taken(build)


def test_of_many_at_once_one_gets_it(build: Build) -> None:
    got: list[bool] = []
    start, stop = threading.Barrier(6), threading.Barrier(6)

    def work() -> None:
        try:
            start.wait()
            with leases.hold(Build, build.pk, OPEN) as lease:
                got.append(lease is not None)
                stop.wait()
        finally:
            connection.close()

    threads = [threading.Thread(target=work) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert got.count(True) == 1


def test_what_has_ended_has_no_lease(build: Build) -> None:
    Build.objects.update(status="success")
    assert not can_be_taken(build)


def test_a_live_owner_is_left_alone_and_a_lapsed_one_is_not(build: Build) -> None:
    lease_out(build, "another-machine:1:1:x")
    assert not can_be_taken(build)
    lease_out(build, "another-machine:1:1:x", seconds=-1)
    assert can_be_taken(build)


def test_a_dead_process_of_this_machine_is_succeeded_at_once(build: Build) -> None:
    process = subprocess.Popen(["sleep", "100"])
    lease_out(build, owner_of(process.pid))
    assert not can_be_taken(build)
    process.kill()
    process.wait()
    assert can_be_taken(build)


def test_another_process_with_the_pid_of_a_dead_one_does_not_count_as_it(build: Build) -> None:
    process = subprocess.Popen(["sleep", "100"])
    lease_out(build, f"{leases._machine()}:{process.pid}:12345:x")
    assert can_be_taken(build)
    process.kill()
    process.wait()


def test_a_lease_is_renewed_while_it_is_held(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leases, "SECONDS", 0.5)
    monkeypatch.setattr(leases, "_RENEW_SECONDS", 0.1)
    with leases.hold(Build, build.pk, OPEN) as lease:
        assert lease is not None
        first = Build.objects.get().lease_until
        deadline = time.monotonic() + 10
        while Build.objects.get().lease_until < first + timedelta(seconds=1):
            assert time.monotonic() < deadline
            time.sleep(0.05)
        lease.check()


def test_who_lost_the_lease_learns_it_and_overwrites_nothing(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_RENEW_SECONDS", 0.05)
    with leases.hold(Build, build.pk, OPEN) as lease:
        assert lease is not None
        lease_out(build, "another-machine:1:1:x")
        deadline = time.monotonic() + 10
        with pytest.raises(leases.LeaseLost):
            while time.monotonic() < deadline:
                lease.check()
                time.sleep(0.02)
        assert lease.rows.update(error="mine") == 0
    assert Build.objects.get().lease_owner == "another-machine:1:1:x"


def test_many_leases_share_a_thread_and_each_loses_its_own(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leases, "_RENEW_SECONDS", 0.05)
    others = [Build.objects.create(app=build.app, tag=f"w{number}") for number in range(20)]
    before = threading.active_count()
    with ExitStack() as stack:
        held = [stack.enter_context(leases.hold(Build, one.pk, OPEN)) for one in [build, *others]]
        assert threading.active_count() == before + 1
        lease_out(build, "another-machine:1:1:x")
        assert held[0] is not None
        until(lambda: is_lost(held[0]), "the first is lost")
        assert not any(map(is_lost, held[1:]))
    assert threading.active_count() == before
    assert not Build.objects.exclude(pk=build.pk).exclude(lease_owner="").exists()


def test_a_lease_within_a_transaction_ends_while_another_s_is_renewed(
    build: Build, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = threading.Event()

    def until_soon() -> Any:
        asked.set()  # the renewal, which waits for the transaction, is about to be written
        return timezone.now() + timedelta(seconds=leases.SECONDS)

    other = Build.objects.create(app=build.app, tag="w1")
    with leases.hold(Build, other.pk, OPEN) as held:
        monkeypatch.setattr(leases, "_RENEW_SECONDS", 0.05)
        with transaction.atomic():
            with leases.hold(Build, build.pk, OPEN) as lease:
                assert lease is not None
                monkeypatch.setattr(leases, "_until", until_soon)
                assert asked.wait(20)
            assert held is not None
        held.check()
        assert Build.objects.get(pk=build.pk).lease_owner == ""


def is_lost(lease: leases.Lease | None) -> bool:
    assert lease is not None
    try:
        lease.check()
    except leases.LeaseLost:
        return True
    return False
