"""What a container that was killed in its start leaves: LXC's monitor waits for it for ever."""

from __future__ import annotations

import os
import subprocess

from vr.container import cgroups


def test_a_monitor_without_its_container_is_ended_and_its_group_removed() -> None:
    name = f"vr-test-monitor-{os.getpid()}"
    # The first hierarchy will do: LXC makes the same group in each.
    group = cgroups.host_bases()[0] / f"lxc.monitor.{name}"
    group.mkdir()
    monitor = subprocess.Popen(["sleep", "60"])
    try:
        (group / "cgroup.procs").write_text(str(monitor.pid))
        cgroups.sweep(name)
        assert monitor.wait(10) == -9
        cgroups.sweep(name)
        assert not group.exists()
    finally:
        monitor.kill()
        monitor.wait()
        if group.exists():
            group.rmdir()
