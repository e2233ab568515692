"""Finding a container's processes by cgroup."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

from vr.container.cgroups import bases, kill, processes


def test_bases_of_a_hybrid_host_begin_with_the_hierarchy_that_kills() -> None:
    text = "8:pids:/\n4:memory:/rig/h1\n2:cpu,cpuacct:/\n1:name=systemd:/init.scope\n0::/rig/h1\n"
    assert bases(text, unified_beside_v1=True) == [
        Path("/sys/fs/cgroup/unified/rig/h1"),
        Path("/sys/fs/cgroup/pids"),
        Path("/sys/fs/cgroup/memory/rig/h1"),
        Path("/sys/fs/cgroup/cpu,cpuacct"),
        Path("/sys/fs/cgroup/systemd"),
    ]


def test_the_base_of_a_v2_host_leaves_systemds_own_scope() -> None:
    assert bases("0::/init.scope\n", unified_beside_v1=False) == [Path("/sys/fs/cgroup")]


def test_only_this_containers_groups_count(tmp_path: Path) -> None:
    groups = {
        "lxc.payload.web-1": 1,
        "lxc.payload.web-1-3": 2,
        "lxc.payload.web-10": 3,
        "lxc.payload.web-1-UPabc": 4,
        "lxc.monitor.web-1": 5,
    }
    for name, pid in groups.items():
        (tmp_path / name).mkdir()
        (tmp_path / name / "cgroup.procs").write_text(f"{pid}\n")
    assert processes("web-1", [tmp_path]) == {1, 2}


def test_a_group_that_is_just_going_away_is_no_error(tmp_path: Path) -> None:
    group = tmp_path / "lxc.payload.web"
    # As the kernel does with a group that was removed a moment ago, this refuses to be written.
    (group / "cgroup.kill").mkdir(parents=True)
    (group / "cgroup.procs").write_text("4194304\n")
    going = threading.Timer(0.05, shutil.rmtree, [group])
    going.start()
    kill("web", [tmp_path])
    going.join()
