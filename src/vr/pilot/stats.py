"""The pilot's own numbers, kept whether anybody asks for them or not."""

from __future__ import annotations

import os
import time

from vr.pilot.metrics import OWN_METRICS, Labelled, number

TYPE_CHECKING = False
if TYPE_CHECKING:
    from vr.pilot.processes import Processes


class Stats:
    def __init__(self, processes: Processes) -> None:
        self._processes = processes
        self._started = time.time()
        self.checks = Labelled()
        self.heartbeats = Labelled()
        self.changes = Labelled()
        self.instances = Labelled()
        self.reloads = Labelled()
        self.maintenance = Labelled()
        self.maintenance.set(0)

    def metrics(self) -> list[tuple[str, str, str, list[str]]]:
        """(name, help, type, samples) of each."""
        samples = {
            "containerpilot_checks_total": self.checks,
            "containerpilot_heartbeats_total": self.heartbeats,
            "containerpilot_backend_changes_total": self.changes,
            "containerpilot_backend_instances": self.instances,
            "containerpilot_reloads_total": self.reloads,
            "containerpilot_maintenance": self.maintenance,
        }
        lines = {name: labelled.samples(name) for name, labelled in samples.items()}
        for name, value in self._process().items():
            lines[name] = [f"{name} {number(value)}"]
        return [(name, *OWN_METRICS[name], found) for name, found in lines.items()]

    def _process(self) -> dict[str, float]:
        times = os.times()
        values = {
            "containerpilot_reaped_orphans_total": float(self._processes.orphans),
            "process_cpu_seconds_total": times.user + times.system,
            "process_start_time_seconds": self._started,
        }
        try:
            with open("/proc/self/statm", encoding="ascii") as file:
                pages = [int(word) for word in file.read().split()[:2]]
            size = os.sysconf("SC_PAGE_SIZE")
            values["process_virtual_memory_bytes"] = float(pages[0] * size)
            values["process_resident_memory_bytes"] = float(pages[1] * size)
            values["process_open_fds"] = float(len(os.listdir("/proc/self/fd")))
            values["process_max_fds"] = float(os.sysconf("SC_OPEN_MAX"))
        except (OSError, ValueError):
            pass  # no /proc here
        return values
