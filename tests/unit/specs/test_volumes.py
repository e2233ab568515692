"""Volumes: which folders of the host apps may have, and where in a container."""

from __future__ import annotations

import pytest

from vr.specs.volumes import (
    DEFAULT_VOLUME_ROOTS,
    clean_mount_point,
    host_folder_problem,
    is_within,
    kept_folder_problems,
    lies_in_one,
    mount_point_problem,
    outside_problems,
    volume_problems,
)


def test_pairs_of_absolute_paths_are_fine() -> None:
    pairs = [("/srv/a", "/data"), ("/srv/b c", "/data/inner"), ("/srv/a", "/tmpfiles")]
    assert volume_problems(pairs) == []


def test_each_problem_is_told_with_its_pair() -> None:
    pairs = [
        ("/srv/a", "/data"),
        ("srv", "data"),
        ("/srv/../etc", "/x/../y"),
        ("/srv/a ", "/data/"),
        ("/srv/\x07", "/b\x07"),
        ("/srv/a", "/tmp"),
    ]
    assert volume_problems(pairs) == [
        "pair 2: the host folder 'srv' is no absolute path",
        "pair 2: the mount point 'data' is not absolute; write it with a leading '/'",
        "pair 3: the host folder '/srv/../etc' is no absolute path",
        "pair 3: the mount point '/x/../y' contains '..'",
        "pair 4: the host folder '/srv/a ' holds control characters, or blanks at an end",
        "pair 4: the mount point '/data/' is that of pair 1, too",
        "pair 5: the host folder '/srv/\\x07' holds control characters, or blanks at an end",
        "pair 5: the mount point '/b\\x07' holds control characters, or blanks at an end",
        "pair 6: the mount point '/tmp' lies in /tmp, which is each proc's own",
    ]


@pytest.mark.parametrize("reserved", ["/proc", "/sys", "/dev"])
def test_nothing_is_mounted_where_the_kernel_is(reserved: str) -> None:
    for target in (reserved, f"{reserved}/x", f"/.{reserved}//x"):
        told = f"the mount point {target!r} lies in {reserved}, which is the kernel's"
        assert mount_point_problem(target) == told
    assert mount_point_problem(f"{reserved}x") is None
    assert mount_point_problem("/./") == "the mount point '/' would hide the whole container"
    assert mount_point_problem("/a ") == (
        "the mount point '/a ' holds control characters, or blanks at an end"
    )


@pytest.mark.parametrize("kept", ["/proc", "/sys", "/dev", "/etc", "/run", "/var/run", "/boot"])
def test_what_is_the_hosts_own_is_no_apps(kept: str) -> None:
    inside = f"{kept}/x"
    assert (
        host_folder_problem(inside)
        == f"the host folder {inside!r} lies in {kept}, which is no app's"
    )
    assert host_folder_problem(kept)
    assert host_folder_problem(f"{kept}x") is None


def test_a_folder_that_holds_what_is_the_hosts_own_is_no_apps() -> None:
    assert host_folder_problem("/var") == "the host folder '/var' holds /var/run, which is no app's"
    assert host_folder_problem("/") == "the host folder '/' holds /proc, which is no app's"
    assert host_folder_problem("/", ["/srv"]) == "the host folder '/' holds /srv, which is no app's"
    assert host_folder_problem("/srv/x", ["/srv/x/y"]) is not None
    assert host_folder_problem("/srv/x", []) is None


def test_kept_folders_are_told_with_their_pair() -> None:
    found = kept_folder_problems([("/srv", "/a"), ("//etc/./ssl/", "/b")])
    assert found == ["pair 2: the host folder '/etc/ssl' lies in /etc, which is no app's"]


def test_folders_outside_of_the_roots_are_told_with_the_roots() -> None:
    pairs = [("/srv/a", "/a"), ("/data/b", "/b"), ("/srvx", "/c"), ("//data/", "/d")]
    assert outside_problems(pairs, ["/srv/", "/data"]) == [
        "pair 3: the host folder '/srvx' lies in none of VR_VOLUME_ROOTS (/srv/, /data); "
        "only admins may use others"
    ]
    assert "(which is empty)" in outside_problems([("/srv", "/a")], [])[0]


def test_the_root_of_all_holds_all_and_a_folder_lies_in_itself() -> None:
    assert lies_in_one("/srv", [DEFAULT_VOLUME_ROOTS]) and lies_in_one("/any", ["/"])
    assert not lies_in_one("/sr", [DEFAULT_VOLUME_ROOTS])
    assert is_within("/a/b", "/a") and is_within("/a", "/a")
    assert not is_within("/ab", "/a") and not is_within("/", "/a")


def test_paths_are_cleaned_of_slashes_and_dots() -> None:
    assert clean_mount_point("//a/./b//") == "/a/b"
    assert clean_mount_point("/") == "/"
