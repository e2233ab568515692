"""Procs that were stopped as they wrote too much, and hosts with too little room, are told once."""

from __future__ import annotations

import time
from typing import Any

import pytest

from support.caretaking import Caretaker
from support.swarm_machine import HOST, Machine
from vr.events.disk import HostDisk, OverDisk, with_over_disk
from vr.events.procs import HostState, ProcBoard
from vr.hosts.stopping import stop
from vr.server.caretaking import disks
from vr.server.hosts import connect
from vr.server.models import Event, Host


def test_a_stopped_proc_is_told_once_and_neither_started_again_nor_routed(
    caretaker: Caretaker, machine: Machine, redis: Any
) -> None:
    first, *_ = machine.procs()
    over = OverDisk(5 << 30, 4 << 30, time.time())

    def push() -> None:
        infos = [
            with_over_disk(info, over if info["name"] == first else None)
            for info in machine.supervisor.all()
        ]
        ProcBoard(redis).replace(HOST, infos)
        caretaker.go_round()

    stop(connect(HOST), [first], timeout=20)
    for _ in range(3):
        push()
    [told] = caretaker.events("proc", "disk")
    assert told.title == "shop-prod-web: web wrote too much and was stopped"
    assert f"{first} on {HOST}: stopped by its host: it had written 5G, its limit is 4G" in (
        told.message
    )
    info = machine.supervisor.get(first)
    assert info is not None and info["statename"] == "STOPPED"


@pytest.fixture
def host(db: None, redis: Any, settings: Any) -> str:
    settings.FREE_DISK = 1 << 30
    return Host.objects.create(name="h1.example").name


def test_a_full_host_is_told_once_and_so_is_its_end(host: str) -> None:
    def say(megabytes: int | None) -> None:
        disk = None if megabytes is None else HostDisk(megabytes << 20, 100 << 30)
        disks.tell_of_hosts({host: HostState(host, time.time(), disk=disk)})

    for megabytes in (2000, 1000, 900, None, 1100):
        say(megabytes)
    [full] = Event.objects.all()
    assert full.title == f"{host} has little disk left"
    assert "1000M of 100G are free" in full.message and "1G are expected" in full.message
    assert Host.objects.get().disk_full_since is not None
    for _ in range(2):
        say(1300)
    assert [one.title for one in Event.objects.order_by("pk")][1:] == [f"{host} has disk again"]
    assert Host.objects.get().disk_full_since is None
