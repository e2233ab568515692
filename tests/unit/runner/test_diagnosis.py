"""vrun doctor's judgements on hosts that we have not got."""

from __future__ import annotations

from vr.container.host import HostFeatures
from vr.runner import diagnosis
from vr.runner.diagnosis import Verdict

GOOD = HostFeatures(v1=frozenset(), v2=frozenset({"memory", "cpu", "pids"}), swap_accounting=True)
BARE = HostFeatures(v1=frozenset({"cpu"}), v2=frozenset(), swap_accounting=False)


def test_old_kernels_and_lxc_are_problems() -> None:
    assert diagnosis.kernel("6.1.0-18-amd64").verdict is Verdict.OK
    assert diagnosis.kernel("4.9.0").verdict is Verdict.PROBLEM
    assert diagnosis.lxc("5.0.2").verdict is Verdict.OK
    assert diagnosis.lxc("2.0.7").verdict is Verdict.PROBLEM
    assert "apt install lxc" in diagnosis.lxc(None).remedy


def test_missing_kernel_features_are_problems() -> None:
    assert diagnosis.overlayfs("nodev\toverlay\n").verdict is Verdict.OK
    assert diagnosis.overlayfs("nodev\ttmpfs\n").verdict is Verdict.PROBLEM
    assert diagnosis.seccomp("kill_process errno log").verdict is Verdict.OK
    assert diagnosis.seccomp(None).verdict is Verdict.PROBLEM
    found = diagnosis.namespaces({"mnt", "pid", "ipc", "uts", "cgroup"})
    assert (found.verdict, found.found) == (Verdict.PROBLEM, "missing: net")


def test_a_host_that_runs_procs_may_still_be_unable_to_make_images() -> None:
    assert diagnosis.image_making("6.1.0-18-amd64", "96365\n").verdict is Verdict.OK
    old = diagnosis.image_making("5.10.0", "0\n")
    assert old.verdict is Verdict.WARNING
    assert "5.12" in old.remedy and "max_user_namespaces" in old.remedy
    assert "CONFIG_USER_NS" in diagnosis.image_making("6.1.0", None).remedy


def test_limits_that_would_not_hold_are_named() -> None:
    assert {f.verdict for f in diagnosis.cgroups(GOOD, can_kill=True)} == {Verdict.OK}
    bare = {f.subject: f for f in diagnosis.cgroups(BARE, can_kill=False)}
    assert "mem_limit is not enforced" in bare["cgroup memory"].remedy
    assert "pids_limit is not enforced" in bare["cgroup pids"].remedy
    assert bare["cgroup cpu"].verdict is Verdict.OK
    assert bare["devices"].verdict is Verdict.PROBLEM
    assert "swapaccount=1" in bare["swap accounting"].remedy


def test_missing_programs_come_with_their_packages() -> None:
    found = {f.subject: f for f in diagnosis.programs({"bash"}, setpriv_resets_env=False)}
    assert found["programs"].remedy == "Install lxc util-linux."
    assert found["zstd"].verdict is Verdict.WARNING
    assert found["setpriv"].verdict is Verdict.PROBLEM


def test_a_root_folder_that_cannot_hold_containers_is_a_problem() -> None:
    assert diagnosis.root_folder("/apps", "ext4", {"rw"}).verdict is Verdict.OK
    for path, kind, options in (
        ("/a:b", "ext4", set()),
        ("/apps", "overlay", set()),
        ("/apps", "nfs4", set()),
        ("/apps", "ext4", {"noexec"}),
    ):
        assert diagnosis.root_folder(path, kind, options).verdict is Verdict.PROBLEM


def test_full_disks_taken_ports_and_missing_users_are_warnings() -> None:
    assert diagnosis.disk(10 << 30, None).verdict is Verdict.OK
    assert "vrun gc" in diagnosis.disk(1 << 20, None).remedy
    assert diagnosis.disk(10 << 30, 5).verdict is Verdict.WARNING
    fine = diagnosis.ports((32768, 60999), "", set())
    assert [f.verdict for f in fine] == [Verdict.OK, Verdict.OK]
    wide, taken = diagnosis.ports((1024, 65535), "", {5432})
    assert "ip_local_reserved_ports=5000-5999" in wide.remedy
    assert "5432" in taken.found
    assert diagnosis.ports((1024, 65535), "5000-5999", set())[0].verdict is Verdict.OK
    assert "useradd" in diagnosis.users({"root"}, {"nogroup"}).remedy
