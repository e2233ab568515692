"""One image, made once, from which all tests here are told what making an image does."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.images import test_image as make_test_image
from vr import imager
from vr.files.checksums import file_md5
from vr.files.folders import private_folder
from vr.paths import Root
from vr.specs.image import ImageSpec


@pytest.fixture(scope="session")
def root() -> Iterator[Root]:
    """Not below pytest's own folders, which only root may enter: containers' roots must. Procs
    were set up there before, so that nobody else gets into `images`."""
    folder = Path(tempfile.mkdtemp(prefix="vr-imager-"))
    folder.chmod(0o755)
    root = Root(folder / "apps")
    root.path.mkdir()
    private_folder(root.images)
    yield root
    assert root.images.stat().st_mode & 0o077 == 0
    shutil.rmtree(folder)


@pytest.fixture(scope="session")
def made(root: Root, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder in which one image was made by a script that tries what packages do."""
    folder = tmp_path_factory.mktemp("image")
    script = folder / "provision.sh"
    script.write_text(
        "#!/bin/bash\nset -eu\n"
        'echo "as $(id -u) with $GREETING in $HOME"\n'
        "install -d -o daemon -g mail -m 2755 /srv/shared\n"
        "groupadd raptors; useradd -g raptors blue\n"
        "dpkg --configure -a; dpkg-reconfigure debconf 2>/dev/null || true\n"
        "echo trash >/tmp/trash\n"
        "ln -s /nowhere /srv/link\n"
        "touch /srv/$(basename $0)\n"
        "read -r inside outside _ </proc/self/uid_map\n"
        "echo mapped $inside to $outside >/dev/stdout\n"
        # What comes out is the base of further tests: let it be small.
        "rm -rf /usr/share/* /usr/lib/python3* /usr/lib/*/perl*\n"
    )
    spec = ImageSpec(
        base_image_url=str(make_test_image()),
        base_image_name="test_base",
        new_image_name="test_new",
        script_url=str(script),
        env={"GREETING": "a 'quoted' $value"},
    )
    seen: list[bytes] = []
    result = imager.build(spec, folder, root=root, log=seen.append)
    assert result.md5 == file_md5(result.tarball)
    assert b"".join(seen) == (folder / "test_new.log").read_bytes()
    return folder
