"""Buildpacks by reference: copies, identities, and what is no buildpack."""

import io
import tarfile
from pathlib import Path

import pytest

from vr.builder.buildpacks import bundled_folder, default_references, folder_hash, obtain
from vr.errors import VelociraptorError


def make_pack(folder: Path) -> Path:
    (folder / "bin").mkdir(parents=True)
    for name in ("detect", "compile"):
        (folder / "bin" / name).write_text("#!/bin/sh\n")
        (folder / "bin" / name).chmod(0o755)
    (folder / "vendor").symlink_to("/somewhere")
    return folder


def test_a_folder_is_copied_with_its_links_and_known_by_its_content(tmp_path: Path) -> None:
    pack = obtain(str(make_pack(tmp_path / "pack")), tmp_path / "copy", clones=tmp_path / "x")
    assert (pack.folder / "vendor").readlink() == Path("/somewhere")
    assert pack.url == f"{tmp_path}/pack#{folder_hash(tmp_path / 'pack')}"


def test_content_names_and_executable_bits_make_the_hash(tmp_path: Path) -> None:
    first = folder_hash(make_pack(tmp_path / "a"))
    assert folder_hash(make_pack(tmp_path / "b")) == first
    (tmp_path / "b/bin/detect").chmod(0o644)
    assert folder_hash(tmp_path / "b") != first


def test_a_result_names_the_very_buildpack_that_was_used(tmp_path: Path) -> None:
    make_pack(tmp_path / "pack")
    again = obtain(str(tmp_path / "pack"), tmp_path / "one", clones=tmp_path / "x").url
    assert obtain(again, tmp_path / "two", clones=tmp_path / "x").url == again
    (tmp_path / "pack/bin/compile").write_text("#!/bin/sh\necho changed\n")
    with pytest.raises(VelociraptorError, match="was asked for"):
        obtain(again, tmp_path / "three", clones=tmp_path / "x")


def test_archives_lose_their_wrapping_folder_and_get_executable_scripts(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "pack.tgz", "w:gz") as archive:
        for name in ("detect", "compile"):
            info = tarfile.TarInfo(f"pack-main/bin/{name}")
            info.size = 4
            archive.addfile(info, io.BytesIO(b"true"))
    pack = obtain(str(tmp_path / "pack.tgz"), tmp_path / "copy", clones=tmp_path / "x")
    assert (pack.folder / "bin/detect").stat().st_mode & 0o111 == 0o111


def test_what_is_no_buildpack_is_refused(tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(VelociraptorError, match=r"no bin/detect and no bin/compile"):
        obtain(str(tmp_path / "empty"), tmp_path / "copy", clones=tmp_path / "x")
    assert not (tmp_path / "copy").exists(), "nor is anything of it copied"


def test_scripts_without_executable_bit_are_named(tmp_path: Path) -> None:
    (make_pack(tmp_path / "pack") / "bin/compile").chmod(0o644)
    with pytest.raises(VelociraptorError, match="bin/compile of the buildpack"):
        obtain(str(tmp_path / "pack"), tmp_path / "copy", clones=tmp_path / "x")


def test_the_bundled_ones_are_buildpacks(tmp_path: Path) -> None:
    for number, reference in enumerate(default_references()):
        pack = obtain(reference, tmp_path / str(number), clones=tmp_path / "x")
        assert pack.reference == reference
    assert bundled_folder().name == "buildpacks"


def test_an_unknown_bundled_one_names_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(VelociraptorError) as error:
        obtain("bundled:cobol", tmp_path / "copy", clones=tmp_path / "x")
    assert "python, procfile" in error.value.hint
