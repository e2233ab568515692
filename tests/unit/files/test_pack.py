"""Packing: the same content gives the same bytes."""

from __future__ import annotations

import hashlib
import os
import tarfile
from pathlib import Path

from vr.files.pack import pack
from vr.files.unpack import unpack


def make_tree(folder: Path, *, backwards: bool = False) -> Path:
    names = ["z", "b/inner", "b-c", "hidden/.dot"]
    for name in reversed(names) if backwards else names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (folder / "run").write_text("#!/bin/sh\n")
    (folder / "run").chmod(0o755)
    os.link(folder / "z", folder / "y")
    (folder / "dangling").symlink_to("/nowhere")
    return folder


def test_equal_content_gives_equal_bytes(tmp_path: Path) -> None:
    one = make_tree(tmp_path / "one")
    two = make_tree(tmp_path / "two", backwards=True)
    for path in two.rglob("*"):
        if path.is_file():
            os.utime(path, (1, 1))
    first, second = tmp_path / "1.tgz", tmp_path / "2.tgz"
    assert pack(one, first) == pack(two, second)
    assert first.read_bytes() == second.read_bytes()


def test_the_md5_is_that_of_the_file(tmp_path: Path) -> None:
    tarball = tmp_path / "x.tgz"
    found = pack(make_tree(tmp_path / "tree"), tarball)
    assert found == hashlib.md5(tarball.read_bytes()).hexdigest()


def test_what_was_packed_is_unpacked_again(tmp_path: Path) -> None:
    pack(make_tree(tmp_path / "tree"), tmp_path / "x.tgz")
    unpack(tmp_path / "x.tgz", tmp_path / "out")
    out = tmp_path / "out"
    assert (out / "b/inner").read_text() == "b/inner"
    assert os.access(out / "run", os.X_OK)
    assert (out / "y").samefile(out / "z")
    assert (out / "dangling").readlink() == Path("/nowhere")


def test_names_are_relative_sorted_and_owned_by_root(tmp_path: Path) -> None:
    pack(make_tree(tmp_path / "tree"), tmp_path / "x.tgz")
    with tarfile.open(tmp_path / "x.tgz") as archive:
        entries = archive.getmembers()
    assert [entry.name for entry in entries] == [
        *("b", "b/inner", "b-c", "dangling", "hidden", "hidden/.dot", "run", "y", "z")
    ]
    assert {(entry.uid, entry.gid, entry.uname) for entry in entries} == {(0, 0, "")}


def test_excluded_folders_go_with_their_content_and_fifos_are_left_out(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    os.mkfifo(tree / "pipe")
    pack(tree, tmp_path / "x.tgz", exclude=lambda path: path == "b")
    with tarfile.open(tmp_path / "x.tgz") as archive:
        names = archive.getnames()
    assert "b/inner" not in names and "pipe" not in names and "b-c" in names


def test_images_keep_times(tmp_path: Path) -> None:
    tree = make_tree(tmp_path / "tree")
    os.utime(tree / "run", (1_000_000_000, 1_000_000_000))
    pack(tree, tmp_path / "x.tgz", kind="image")
    unpack(tmp_path / "x.tgz", tmp_path / "out", kind="image")
    assert (tmp_path / "out/run").stat().st_mtime == 1_000_000_000
