"""Images made in real containers, from the tests' base image."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from vr import imager
from vr.container.spec import FIRST_PROVISION_ID
from vr.errors import VelociraptorError
from vr.files.checksums import ChecksumMismatch
from vr.imager import ProvisioningFailed
from vr.paths import Root
from vr.specs.image import ImageSpec

VIMAGE = str(Path(sys.executable).with_name("vimage"))


def entries(folder: Path) -> dict[str, tarfile.TarInfo]:
    with tarfile.open(folder / "test_new.tar.gz") as archive:
        return {entry.name: entry for entry in archive}


def test_the_script_runs_as_root_with_the_files_environment(made: Path) -> None:
    log = (made / "test_new.log").read_text()
    assert "as 0 with a 'quoted' $value in /root" in log


def test_the_scripts_root_is_an_ordinary_user_of_the_host(made: Path) -> None:
    assert f"mapped 0 to {FIRST_PROVISION_ID}\n" in (made / "test_new.log").read_text()


def test_a_folder_that_this_user_may_not_enter_is_named(made: Path, tmp_path: Path) -> None:
    tmp_path.chmod(0o700)
    spec = ImageSpec(
        base_image_url=str(made / "test_new.tar.gz"),
        base_image_name="test_base",
        new_image_name="test_new",
        script_url=str(made / "provision.sh"),
    )
    with pytest.raises(VelociraptorError, match="can't be made below") as error:
        imager.build(spec, tmp_path, root=Root(tmp_path / "apps"))
    assert "chmod o+x" in error.value.hint


def test_the_image_keeps_owners_modes_and_links(made: Path) -> None:
    found = entries(made)
    shared = found["srv/shared"]
    assert (shared.uid, shared.gid, shared.mode) == (1, 8, 0o2755)
    assert found["srv/link"].linkname == "/nowhere"
    assert found["usr/bin/passwd"].mode & 0o4000
    assert found["tmp"].mode == 0o1777


def test_nothing_of_the_making_stays_in_the_image(root: Root, made: Path) -> None:
    found = entries(made)
    assert "srv/provision.sh" in found
    assert not {"provision.sh", ".start", "tmp/trash", "etc/velociraptor-ca.crt"} & found.keys()
    assert [path for path in root.imager.iterdir() if path.is_dir()] == []


def test_a_failing_script_says_why_and_leaves_no_image(
    root: Root, made: Path, tmp_path: Path
) -> None:
    script = tmp_path / "fail.sh"
    script.write_text("#!/bin/sh\necho no such package: raptor\nexit 4\n")
    spec = ImageSpec(
        base_image_url=str(made / "test_new.tar.gz"),
        base_image_name="test_base",
        new_image_name="test_new",
        script_url=str(script),
    )
    with pytest.raises(ProvisioningFailed) as error:
        imager.build(spec, tmp_path, root=root)
    assert "ended with status 4" in error.value.message
    assert "no such package: raptor" in error.value.details
    assert not (tmp_path / "test_new.tar.gz").exists()
    assert "no such package" in (tmp_path / "test_new.log").read_text()


def test_a_script_that_never_ends_or_eats_memory_is_ended(
    root: Root, made: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = tmp_path / "eat.sh"
    spec = ImageSpec(
        base_image_url=str(made / "test_new.tar.gz"),
        base_image_name="test_base",
        new_image_name="test_new",
        script_url=str(script),
    )
    script.write_text("#!/bin/sh\nsleep 1000\n")
    monkeypatch.setenv("VR_BUILD_SECONDS", "1")
    with pytest.raises(ProvisioningFailed, match="still running after 1 seconds"):
        imager.build(spec, tmp_path, root=root)
    monkeypatch.delenv("VR_BUILD_SECONDS")
    script.write_text("#!/bin/bash\nx=x; while :; do x=$x$x; done\n")
    monkeypatch.setenv("VR_BUILD_LIMITS", "mem_limit=64M,memsw_limit=64M")
    with pytest.raises(ProvisioningFailed, match="for want of memory; the limit is 64M"):
        imager.build(spec, tmp_path, root=root)


def test_a_base_with_another_checksum_is_refused(root: Root, tmp_path: Path) -> None:
    base = tmp_path / "base.tar"
    with tarfile.open(base, "w"):
        pass
    spec = ImageSpec(
        base_image_url=str(base),
        base_image_name="test_base",
        base_image_md5="0" * 32,
        new_image_name="test_new",
        script_url=str(base),
    )
    with pytest.raises(ChecksumMismatch):
        imager.build(spec, tmp_path, root=root)


def test_a_missing_script_is_named(root: Root, tmp_path: Path) -> None:
    spec = ImageSpec(
        base_image_url="/nowhere/base.tar.gz",
        base_image_name="test_base",
        new_image_name="test_new",
        script_url=str(tmp_path / "missing.sh"),
    )
    with pytest.raises(VelociraptorError, match=r"missing\.sh can't be read"):
        imager.build(spec, tmp_path, root=root)


def test_the_command_opens_a_shell_in_the_base(root: Root, made: Path, tmp_path: Path) -> None:
    (tmp_path / "provision.sh").write_text("#!/bin/sh\necho provisioned\n")
    file = tmp_path / "image.yaml"
    file.write_text(
        f"base_image_url: {made}/test_new.tar.gz\nbase_image_name: test_base\n"
        "new_image_name: test_new\nscript_url: provision.sh\n"
    )
    done = subprocess.run(
        [VIMAGE, "shell", file],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "VR_ROOT": str(root.path)},
        input="/provision.sh; id -u; exit 5\n",
        capture_output=True,
        text=True,
        check=False,
    )
    assert (done.returncode, done.stdout) == (5, "provisioned\n0\n")


def test_the_command_explains_a_bad_file(tmp_path: Path) -> None:
    (tmp_path / "image.yaml").write_text("new_image_name: a/b\n")
    done = subprocess.run(
        [VIMAGE, "build", tmp_path / "image.yaml"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert "script_url: is missing" in done.stderr
    assert "can't be the name of a file" in done.stderr
