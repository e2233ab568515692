"""What an archive may contain, decided by name and type alone."""

from __future__ import annotations

import tarfile

import pytest

from vr.files.archives import Action, Gate, Limits, UnsafeArchive


def entry(
    name: str, kind: bytes = tarfile.REGTYPE, *, link: str = "", size: int = 0
) -> tarfile.TarInfo:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, link, size
    return info


def gate(kind: str = "build", **limits: int) -> Gate:
    return Gate("evil.tar.gz", kind, Limits(**limits))  # type: ignore[arg-type]


def test_ordinary_entries_keep_their_path() -> None:
    assert gate().admit(entry("./a/b.txt")) == (Action.FILE, "a/b.txt")
    assert gate().admit(entry("a/", tarfile.DIRTYPE)) == (Action.FOLDER, "a")
    assert gate().admit(entry("./", tarfile.DIRTYPE)) == (Action.FOLDER, "")


@pytest.mark.parametrize(
    ("bad", "why"),
    [
        (entry("/etc/cron.d/x"), ": its path is absolute: '/etc/cron.d/x'."),
        (entry("a/../../x"), "'..'"),
        (entry("x", tarfile.LNKTYPE, link="../../etc/passwd"), "'..'"),
        (entry("x", tarfile.LNKTYPE, link="/etc/shadow"), ": the hard link's target is absolute"),
        (entry("./"), "whole folder"),
    ],
)
def test_an_entry_that_leaves_the_folder_is_refused_by_name(bad: tarfile.TarInfo, why: str) -> None:
    with pytest.raises(UnsafeArchive) as caught:
        gate().admit(bad)
    said = str(caught.value)
    assert said.startswith(f"evil.tar.gz: the entry {bad.name!r} is refused: ") and why in said


@pytest.mark.parametrize("kind", ["build", "image"])
def test_writing_through_a_symbolic_link_is_refused_in_every_kind(kind: str) -> None:
    checked = gate(kind)
    checked.admit(entry("out", tarfile.SYMTYPE, link="/etc"))
    with pytest.raises(UnsafeArchive, match="goes through the symbolic link 'out'"):
        checked.admit(entry("out/passwd"))


def test_a_hard_link_through_a_symbolic_link_is_refused() -> None:
    checked = gate()
    checked.admit(entry("out", tarfile.SYMTYPE, link="/etc"))
    with pytest.raises(UnsafeArchive, match="goes through"):
        checked.admit(entry("x", tarfile.LNKTYPE, link="out/shadow"))


def test_a_hard_link_to_a_symbolic_link_is_one_itself() -> None:
    checked = gate()
    checked.admit(entry("one", tarfile.SYMTYPE, link="/etc"))
    checked.admit(entry("two", tarfile.LNKTYPE, link="one"))
    with pytest.raises(UnsafeArchive, match="'two'"):
        checked.admit(entry("two/passwd"))


def test_a_link_replaced_by_a_folder_is_a_folder() -> None:
    checked = gate()
    checked.admit(entry("a", tarfile.SYMTYPE, link="/etc"))
    checked.admit(entry("a", tarfile.DIRTYPE))
    assert checked.admit(entry("a/b")) == (Action.FILE, "a/b")


def test_a_link_replaced_by_a_file_is_no_link_any_more() -> None:
    checked = gate()
    checked.admit(entry("a", tarfile.SYMTYPE, link="/etc"))
    checked.admit(entry("a"))
    checked.admit(entry("b", tarfile.LNKTYPE, link="a"))
    assert checked.admit(entry("b/c")) == (Action.FILE, "b/c")


def test_writing_through_a_link_deep_in_the_archive_is_refused() -> None:
    checked = gate()
    checked.admit(entry("lib/python/out", tarfile.SYMTYPE, link="/etc"))
    assert checked.admit(entry("lib/python/outer/x"))[0] is Action.FILE
    with pytest.raises(UnsafeArchive, match="goes through the symbolic link 'lib/python/out'"):
        checked.admit(entry("lib/python/out/deep/passwd"))


def test_absolute_links_are_meant_inside_the_container() -> None:
    python = entry("venv/bin/python", tarfile.SYMTYPE, link="/usr/bin/python3")
    assert gate().admit(python)[0] is Action.SYMLINK
    assert gate("image").admit(entry("a", tarfile.SYMTYPE, link="../../b"))[0] is Action.SYMLINK


@pytest.mark.parametrize("kind", [tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE])
def test_device_nodes_and_fifos_are_left_out(kind: bytes) -> None:
    assert gate("image").admit(entry("dev/full", kind))[0] is Action.SKIP


def test_by_default_an_archive_may_have_8_gib_in_a_million_entries() -> None:
    whole = Gate("a", "build")
    whole.admit(entry("a", size=8 << 30))
    with pytest.raises(UnsafeArchive, match=r"more than 8589934592 bytes \(reached at 'b'\)"):
        whole.admit(entry("b", size=1))
    many = Gate("a", "build", entries=999_999)
    many.admit(entry("a"))
    with pytest.raises(UnsafeArchive, match="more than 1000000 entries"):
        many.admit(entry("b"))


def test_an_entry_of_less_than_nothing_does_not_make_room_for_others() -> None:
    with pytest.raises(UnsafeArchive, match="'x' is refused: it says that it has -1 bytes"):
        gate().admit(entry("x", size=-1))


def test_limits_hold() -> None:
    small = gate(size=100)
    small.admit(entry("a", size=60))
    with pytest.raises(UnsafeArchive, match="more than 100 bytes"):
        small.admit(entry("b", size=60))
    few = gate(entries=1)
    few.admit(entry("a"))
    with pytest.raises(UnsafeArchive, match="more than 1 entries"):
        few.admit(entry("b"))
