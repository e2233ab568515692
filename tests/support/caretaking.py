"""A caretaker whose time the test tells, and procs that go down when the test says so."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.utils import timezone

from support.swarm_machine import HOST, Machine
from support.waiting import until
from vr.hosts.supervisor import Supervisor
from vr.server.caretaking import deeds, rounds
from vr.server.caretaking.mending import Deed
from vr.server.hosts import connect
from vr.server.jobs import wake
from vr.server.models import Event, PortLease, ProcHealth


@dataclass
class Caretaker:
    """Goes round when told, and does at once what it would have told workers to do."""

    machine: Machine
    asked: list[tuple[int, str]] = field(default_factory=list)

    @classmethod
    def make(cls, machine: Machine, monkeypatch: pytest.MonkeyPatch) -> Caretaker:
        caretaker = cls(machine)

        def send(task: str, *args: Any, **_: Any) -> None:
            if task == wake.CARE:
                caretaker.asked.append(args)  # type: ignore[arg-type]

        monkeypatch.setattr(wake, "now", send)
        return caretaker

    def go_round(self) -> list[str]:
        """One round with all that comes of it; returns the deeds done."""
        rounds.go_round()
        asked, self.asked[:] = list(self.asked), []
        for lease_id, deed in asked:
            deeds.carry_out(lease_id, Deed(deed))
        return [deed for _, deed in asked]

    def pass_time(self) -> None:
        """As if every pause were over."""
        past = timezone.now() - timedelta(seconds=1)
        ProcHealth.objects.exclude(due=None).update(due=past)

    def go_round_later(self) -> list[str]:
        """A round when all pauses are over; the first one of a trouble only begins a pause."""
        first = self.go_round()
        self.pass_time()
        return first + self.go_round()

    def health(self, proc: str) -> ProcHealth:
        return ProcHealth.objects.get(port_lease__proc=proc)

    def events(self, *tags: str) -> list[Event]:
        return [event for event in Event.objects.order_by("pk") if event.tags == list(tags)]


def depend(supervisor: Supervisor, root: Path, proc: str, database: Path) -> None:
    """Let a proc that runs depend on a file, which is made; without it Supervisor gives up at
    once."""
    database.touch()
    conf = root / "procs" / proc / "proc.conf"
    text = re.sub(
        "^command=(.*)$",
        rf'command=/bin/sh -c "test -e {database} && exec \1"',
        conf.read_text(),
        flags=re.MULTILINE,
    )
    conf.write_text(re.sub("startretries=.*", "startretries=0", text))
    supervisor.stop(proc)
    until(lambda: supervisor.remove(proc), f"{proc} is forgotten")
    supervisor.reload()
    supervisor.add(proc)


@dataclass
class Fragile:
    """A proc that Supervisor gives up at once when its database is away: a file of the test."""

    machine: Machine
    proc: str
    database: Path

    @classmethod
    def make(cls, machine: Machine, proc: str, database: Path) -> Fragile:
        """Let a proc that runs depend on the file, which is there."""
        depend(machine.supervisor, machine.root, proc, database)
        # It is the very proc that the dispatch tested, as far as this test is concerned.
        fragile = cls(machine, proc, database)
        fragile.until_state("RUNNING")
        until(lambda: connect(HOST).accepts(fragile.port), f"{proc} serves")
        PortLease.objects.filter(proc=proc).update(spawn="")
        return fragile

    @property
    def port(self) -> int:
        return int(self.proc.rpartition("-")[2])

    @property
    def node(self) -> str:
        return f"{HOST}:{self.port}"

    @property
    def state(self) -> str:
        info = self.machine.supervisor.get(self.proc)
        return str(info["statename"]) if info else "gone"

    def until_state(self, state: str) -> None:
        until(lambda: self.state == state, f"{self.proc} is {state}")

    def lose_database(self) -> None:
        """Its database goes, and so does the proc."""
        self.database.unlink(missing_ok=True)
        self.machine.supervisor.signal(self.proc, "KILL")
        self.until_state("FATAL")
