"""A container as LXC configuration: pure text."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from vr.container.host import HostFeatures, group_folder, v1_controllers
from vr.container.lxc import render, unsupported_limits
from vr.container.network import PrivateNetwork
from vr.container.spec import Container, Limits, Mount
from vr.errors import VelociraptorError

V1 = HostFeatures(frozenset({"memory", "pids", "cpu", "devices"}), frozenset(), True)
V2 = HostFeatures(frozenset(), frozenset({"memory", "pids", "cpu"}), True)
CONTAINER = Container(
    name="shop-v1-prod-1a2b3c4d-web-5000",
    lowers=(Path("/l/build"), Path("/l/image")),
    upper=Path("/p/rootfs"),
    uid=12001,
    gid=12002,
    limits=Limits(memory=256 << 20, memsw=512 << 20, cpus=1.5, pids=100, nofile=1024),
)


def config(container: Container = CONTAINER, features: HostFeatures = V1) -> list[str]:
    return render(container, seccomp=Path("/p/seccomp"), features=features).splitlines()


def test_the_root_is_an_overlay_with_the_top_layer_first() -> None:
    assert config()[0] == "lxc.rootfs.path = overlayfs:/l/build:/l/image:/p/rootfs"


def test_without_layers_the_upper_is_the_root() -> None:
    assert config(replace(CONTAINER, lowers=()))[0] == "lxc.rootfs.path = dir:/p/rootfs"


def test_a_proc_has_no_privileges() -> None:
    lines = config()
    for line in [
        "lxc.init.uid = 12001",
        "lxc.init.gid = 12002",
        "lxc.cap.keep = none",
        "lxc.no_new_privs = 1",
        "lxc.rootfs.options = nosuid,nodev",
        "lxc.seccomp.profile = /p/seccomp",
        "lxc.monitor.signal.pdeath = SIGTERM",
        "lxc.cgroup.devices.deny = a",
    ]:
        assert line in lines
    assert not any("environment" in line for line in lines)


def test_provisioning_keeps_what_packages_need_and_no_more() -> None:
    lines = config(replace(CONTAINER, role="provision", uid=0, gid=0, lowers=()))
    (kept,) = [line for line in lines if line.startswith("lxc.cap.keep")]
    assert "chown" in kept and "setuid" in kept
    for power in ("sys_admin", "sys_module", "mknod", "net_admin", "sys_ptrace", "dac_read"):
        assert power not in kept
    assert "lxc.seccomp.profile = /p/seccomp" in lines


def test_provisionings_root_is_nobody_on_the_host_but_its_files_are_roots() -> None:
    lines = config(replace(CONTAINER, role="provision", uid=0, gid=0, lowers=()))
    assert "lxc.idmap = u 0 1879048192 65536" in lines
    assert "lxc.idmap = g 0 1879048192 65536" in lines
    assert "lxc.rootfs.options = idmap=container" in lines
    assert not any(line.startswith("lxc.idmap") for line in config())


WHOLE_PROC = """\
lxc.rootfs.path = overlayfs:/l/build:/l/image:/p/rootfs
lxc.rootfs.options = nosuid,nodev
lxc.console.path = none
lxc.pty.max = 64
lxc.init.uid = 12001
lxc.init.gid = 12002
lxc.init.cwd = /
lxc.monitor.signal.pdeath = SIGTERM
lxc.prlimit.core = 0
lxc.cap.keep = none
lxc.no_new_privs = 1
lxc.net.0.type = none
lxc.seccomp.profile = /p/seccomp
lxc.cgroup.devices.deny = a
lxc.cgroup.devices.allow = c 1:3 rwm
lxc.cgroup.devices.allow = c 1:5 rwm
lxc.cgroup.devices.allow = c 1:7 rwm
lxc.cgroup.devices.allow = c 1:8 rwm
lxc.cgroup.devices.allow = c 1:9 rwm
lxc.cgroup.devices.allow = c 5:0 rwm
lxc.cgroup.devices.allow = c 5:2 rwm
lxc.cgroup.devices.allow = c 136:* rwm
lxc.prlimit.nofile = 1024
lxc.cgroup.memory.limit_in_bytes = 268435456
lxc.cgroup.memory.memsw.limit_in_bytes = 536870912
lxc.cgroup.pids.max = 100
lxc.cgroup.cpu.cfs_period_us = 100000
lxc.cgroup.cpu.cfs_quota_us = 150000
lxc.mount.auto = proc:mixed sys:ro
lxc.mount.entry = tmpfs dev/shm tmpfs rw,nosuid,nodev,noexec,size=67108864,mode=1777,create=dir 0 0
lxc.mount.entry = tmpfs tmp tmpfs rw,nosuid,nodev,size=67108864,mode=1777 0 0
"""
WHOLE_PROVISIONING = """\
lxc.rootfs.path = dir:/p/rootfs
lxc.rootfs.options = idmap=container,ro
lxc.uts.name = h1
lxc.console.path = none
lxc.pty.max = 64
lxc.init.uid = 0
lxc.init.gid = 0
lxc.init.cwd = /
lxc.monitor.signal.pdeath = SIGTERM
lxc.prlimit.core = 0
lxc.cap.keep = chown dac_override fowner fsetid kill setgid setuid setfcap \
net_bind_service sys_chroot
lxc.idmap = u 0 1879048192 65536
lxc.idmap = g 0 1879048192 65536
lxc.net.0.type = empty
lxc.seccomp.profile = /p/seccomp
lxc.cgroup2.devices.deny = a
lxc.cgroup2.devices.allow = c 1:3 rwm
lxc.cgroup2.devices.allow = c 1:5 rwm
lxc.cgroup2.devices.allow = c 1:7 rwm
lxc.cgroup2.devices.allow = c 1:8 rwm
lxc.cgroup2.devices.allow = c 1:9 rwm
lxc.cgroup2.devices.allow = c 5:0 rwm
lxc.cgroup2.devices.allow = c 5:2 rwm
lxc.cgroup2.devices.allow = c 136:* rwm
lxc.cgroup2.memory.max = 67108864
lxc.cgroup2.memory.swap.max = 0
lxc.cgroup2.pids.max = 5
lxc.mount.auto = proc:mixed
lxc.mount.entry = tmpfs dev/shm tmpfs rw,nosuid,nodev,noexec,size=67108864,mode=1777,create=dir 0 0
lxc.mount.entry = tmpfs tmp tmpfs rw,nosuid,nodev,size=1024,mode=1777 0 0
"""


def test_a_procs_container_is_told_this_and_nothing_else() -> None:
    assert "\n".join(config()) + "\n" == WHOLE_PROC


def test_a_provisioning_container_is_told_this_and_nothing_else() -> None:
    container = Container(
        name="provision-x",
        lowers=(),
        upper=Path("/p/rootfs"),
        uid=0,
        gid=0,
        role="provision",
        network="none",
        read_only=True,
        host_name="h1",
        limits=Limits(memsw=64 << 20, pids=5, tmp_size=1024),
    )
    assert "\n".join(config(container, V2)) + "\n" == WHOLE_PROVISIONING


def test_without_limits_none_is_told() -> None:
    lines = config(replace(CONTAINER, limits=Limits(pids=None, tmp_size=None)))
    assert not any("cgroup.cpu" in line or "cgroup.pids" in line for line in lines)
    assert not any("memory" in line or "nofile" in line or " tmp " in line for line in lines)


@pytest.mark.parametrize("features", [V1, V2])
def test_memory_alone_says_nothing_of_swap(features: HostFeatures) -> None:
    lines = config(replace(CONTAINER, limits=Limits(memory=4096)), features)
    assert [line.split(" = ")[1] for line in lines if "memory" in line] == ["4096"]


def test_the_least_of_a_cpu_is_what_the_kernel_takes() -> None:
    lines = config(replace(CONTAINER, limits=Limits(cpus=0.001)))
    assert "lxc.cgroup.cpu.cfs_quota_us = 1000" in lines
    lines = config(replace(CONTAINER, limits=Limits(cpus=0.02)))
    assert "lxc.cgroup.cpu.cfs_quota_us = 2000" in lines


def test_limits_on_cgroup_v1() -> None:
    lines = config()
    assert "lxc.cgroup.memory.limit_in_bytes = 268435456" in lines
    assert "lxc.cgroup.memory.memsw.limit_in_bytes = 536870912" in lines
    assert "lxc.cgroup.pids.max = 100" in lines
    assert "lxc.cgroup.cpu.cfs_quota_us = 150000" in lines
    assert "lxc.prlimit.nofile = 1024" in lines
    assert not any(line.startswith("lxc.cgroup2") for line in lines)


def test_limits_on_cgroup_v2() -> None:
    lines = config(features=V2)
    assert "lxc.cgroup2.memory.max = 268435456" in lines
    assert "lxc.cgroup2.memory.swap.max = 268435456" in lines
    assert "lxc.cgroup2.cpu.max = 150000 100000" in lines
    assert "lxc.cgroup2.devices.deny = a" in lines
    assert not any(line.startswith("lxc.cgroup.") for line in lines)


def test_what_the_host_lacks_is_left_out_and_told() -> None:
    bare = HostFeatures(frozenset({"memory"}), frozenset(), swap_accounting=False)
    lines = config(features=bare)
    assert not any("pids" in line or "memsw" in line for line in lines)
    told = " ".join(unsupported_limits(CONTAINER.limits, bare))
    assert "'pids'" in told and "'cpu'" in told and "swap" in told
    assert unsupported_limits(CONTAINER.limits, V1) == []
    nothing = HostFeatures(frozenset(), frozenset(), swap_accounting=True)
    for limits in (Limits(memory=1, pids=None), Limits(memsw=1, pids=None)):
        assert unsupported_limits(limits, nothing) == [
            "This host has no cgroup controller 'memory'; its limit is not enforced."
        ]


def test_apparmor_without_lxcs_profile_does_not_keep_containers_from_starting() -> None:
    assert "lxc.apparmor.profile = unconfined" in config(features=replace(V2, lsm_ready=False))
    assert not any("apparmor" in line for line in config(features=V2))


def test_mounts_never_ask_lxc_to_create_a_target() -> None:
    mounts = (
        Mount(Path("/srv/my data"), "/data"),
        Mount(Path("/srv/w"), "/w", read_only=False),
        Mount(Path("/srv/X\\Y\tZ"), "/X/y"),
    )
    lines = config(replace(CONTAINER, mounts=mounts))
    assert r"lxc.mount.entry = /srv/my\040data data none bind,ro,nosuid,nodev 0 0" in lines
    assert "lxc.mount.entry = /srv/w w none bind,rw 0 0" in lines
    assert r"lxc.mount.entry = /srv/X\134Y\011Z X/y none bind,ro,nosuid,nodev 0 0" in lines
    creating = [line for line in lines if "create=" in line]
    assert len(creating) == 1 and " dev/shm " in creating[0]


def test_a_line_break_in_a_path_cannot_begin_a_new_key() -> None:
    evil = Mount(Path("/srv/x\nlxc.hook.pre-mount = /bin/sh"), "/x")
    with pytest.raises(VelociraptorError, match="line break"):
        config(replace(CONTAINER, mounts=(evil,)))
    for host_name in ("a\nb", "a\rb", "a\0b", " a", "a "):
        with pytest.raises(VelociraptorError, match="line break, or begins or ends with a blank"):
            config(replace(CONTAINER, host_name=host_name))


def test_layers_whose_path_overlayfs_cannot_express_are_refused() -> None:
    for path in (Path("/a:b/rootfs"), Path("/a,b/rootfs")):
        with pytest.raises(VelociraptorError, match="':' or ','"):
            config(replace(CONTAINER, upper=path))
        with pytest.raises(VelociraptorError, match="':' or ','"):
            config(replace(CONTAINER, lowers=(path,)))


def test_an_upper_in_memory_is_mounted_by_a_hook() -> None:
    upper = Path("/p/it's/upper")
    lines = config(replace(CONTAINER, upper=upper, upper_size=1024))
    assert [line for line in lines if line.startswith("lxc.hook")] == [
        "lxc.hook.version = 1",
        "lxc.hook.pre-mount = mount -t tmpfs -o size=1024,mode=0755,nosuid,nodev tmpfs "
        """'/p/it'"'"'s'""",
    ]


def test_an_upper_on_a_disk_of_its_own_is_mounted_by_a_hook() -> None:
    lines = config(replace(CONTAINER, upper=Path("/p/disk/upper"), upper_disk=Path("/p/d.ext4")))
    assert [line for line in lines if line.startswith("lxc.hook")] == [
        "lxc.hook.version = 1",
        "lxc.hook.pre-mount = mount -t ext4 -o loop,discard,noatime,nosuid,nodev /p/d.ext4 /p/disk",
    ]


def test_names_and_roles_are_checked() -> None:
    with pytest.raises(ValueError, match="not a container name"):
        replace(CONTAINER, name="a/b")
    with pytest.raises(ValueError, match="never runs as root"):
        replace(CONTAINER, uid=0)
    with pytest.raises(ValueError, match="no layers"):
        replace(CONTAINER, role="provision")


def test_controllers_are_read_from_the_mount_table() -> None:
    mounts = (
        "tmpfs /sys/fs/cgroup tmpfs rw 0 0\n"
        "cgroup /sys/fs/cgroup/cpu,cpuacct cgroup rw,cpu,cpuacct 0 0\n"
        "cgroup /sys/fs/cgroup/memory cgroup rw,relatime,memory 0 0\n"
        "cgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n"
    )
    assert v1_controllers(mounts) == {"cpu", "cpuacct", "memory"}


def test_kills_for_want_of_memory_are_counted_where_the_host_counts_them() -> None:
    v1_host = "9:name=systemd:/init.scope\n4:memory:/rig/h1\n0::/\n"
    v2_host = "0::/init.scope\n"
    assert group_folder(v1_host, "memory") == Path("/sys/fs/cgroup/memory/rig/h1")
    assert group_folder(v2_host, "") == Path("/sys/fs/cgroup")
    assert group_folder(v2_host, "memory") is None
    for features, group in ((V1, "/sys/fs/cgroup/memory"), (V2, "/sys/fs/cgroup")):
        known = replace(features, memory_group=Path(group))
        text = render(CONTAINER, seccomp=Path("/p/s"), features=known, oom_report=Path("/p/oom"))
        (hook,) = [line for line in text.splitlines() if line.startswith("lxc.hook.stop")]
        assert f"{group}/lxc.payload.{CONTAINER.name}/memory." in hook and "/p/oom" in hook
    known = replace(V1, memory_group=Path("/sys/fs/cgroup/memory"))

    def has_hook(container: Container, features: HostFeatures, report: Path | None) -> bool:
        text = render(container, seccomp=Path("/p/s"), features=features, oom_report=report)
        return "lxc.hook.stop" in text

    for limits in (Limits(memory=4096), Limits(memsw=4096)):
        assert has_hook(replace(CONTAINER, limits=limits), known, Path("/p/oom"))
    assert not has_hook(replace(CONTAINER, limits=Limits()), known, Path("/p/oom"))
    assert not has_hook(CONTAINER, known, None)
    assert not has_hook(CONTAINER, V1, Path("/p/oom"))


def test_a_private_network_is_a_veth_pair_that_our_script_completes() -> None:
    own = replace(CONTAINER, network=PrivateNetwork("10.214.0.1", "10.214.0.2", 5000))
    text = render(own, seccomp=Path("/p/s"), features=V2, network_script=Path("/p p/network"))
    assert "lxc.net.0.type = veth\n" in text
    assert "lxc.net.0.script.up = '/p p/network' up\n" in text
    assert "lxc.net.0.type = none" in config()
