"""Mount points: made in the container's own layer, never through a link."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from vr.container.mountpoints import BadMount, make_mount_points
from vr.container.spec import Mount


@pytest.fixture
def image(tmp_path: Path) -> Path:
    image = tmp_path / "image"
    (image / "etc").mkdir(parents=True)
    (image / "etc/hosts").touch()
    (image / "srv").mkdir(mode=0o750)
    (image / "escape").symlink_to("/etc")
    return image


@pytest.fixture
def layer(tmp_path: Path) -> Path:
    layer = tmp_path / "layer"
    layer.mkdir()
    return layer


@pytest.fixture
def data(tmp_path: Path) -> Path:
    data = tmp_path / "data"
    data.mkdir()
    return data


def test_what_exists_needs_no_mount_point(layer: Path, image: Path, data: Path) -> None:
    kept, made = make_mount_points(layer, [image], [Mount(data, "/srv")])
    assert made == [] and kept == (Mount(data, "/srv"),)
    assert not any(layer.iterdir())


def test_missing_targets_are_made_and_folders_keep_their_mode(
    layer: Path, image: Path, data: Path
) -> None:
    _kept, made = make_mount_points(layer, [image], [Mount(data, "/srv/a/b")])
    assert made == [layer / "srv", layer / "srv/a", layer / "srv/a/b"]
    assert stat.S_IMODE((layer / "srv").stat().st_mode) == 0o750
    again = make_mount_points(layer, [image], [Mount(data, "/srv/a/b")])[1]
    assert again == []


def test_file_targets(layer: Path, image: Path, tmp_path: Path) -> None:
    source = tmp_path / "file"
    source.touch()
    make_mount_points(layer, [image], [Mount(source, "/new/x.yaml", is_file=True)])
    assert (layer / "new/x.yaml").is_file()
    with pytest.raises(BadMount, match="is no file in there"):
        make_mount_points(layer, [image], [Mount(source, "/etc", is_file=True)])


@pytest.mark.parametrize("target", ["/escape", "/escape/sub"])
def test_a_link_of_the_image_is_never_followed(
    layer: Path, image: Path, data: Path, target: str
) -> None:
    with pytest.raises(BadMount, match="symbolic link"):
        make_mount_points(layer, [image], [Mount(data, target)])
    kept, _ = make_mount_points(layer, [image], [Mount(data, target, optional=True)])
    assert kept == ()


@pytest.mark.parametrize("target", ["/", "/proc/x", "/sys", "/dev/x", "/a/../etc", "relative"])
def test_reserved_and_climbing_targets_are_refused(
    layer: Path, image: Path, data: Path, target: str
) -> None:
    with pytest.raises(BadMount):
        make_mount_points(layer, [image], [Mount(data, target)])


def test_a_target_inside_another_volume_must_exist_there(
    layer: Path, image: Path, data: Path
) -> None:
    mounts = [Mount(data, "/data"), Mount(data, "/data/inner")]
    with pytest.raises(BadMount, match="does not exist"):
        make_mount_points(layer, [image], mounts)
    assert not (data / "inner").exists()
    (data / "inner").mkdir()
    assert make_mount_points(layer, [image], mounts)[0] == tuple(mounts)


def test_private_and_doubled_targets_are_refused(layer: Path, image: Path, data: Path) -> None:
    with pytest.raises(BadMount, match="is private"):
        make_mount_points(layer, [image], [Mount(data, "/tmp/x")], private=["/tmp"])
    with pytest.raises(BadMount, match="same mount point"):
        make_mount_points(layer, [image], [Mount(data, "/x"), Mount(data, "//x/")])


def test_a_missing_source_is_told_with_its_path(layer: Path, image: Path, data: Path) -> None:
    told = "^/nowhere, to be mounted at /x, does not exist on this host"
    for is_file, expected in ((False, "folder"), (True, "file")):
        with pytest.raises(BadMount, match=told) as caught:
            make_mount_points(layer, [image], [Mount(Path("/nowhere"), "/x", is_file=is_file)])
        assert caught.value.hint.startswith(f"Create the {expected}, readable")
    missing = Mount(Path("/nowhere"), "/x", optional=True)
    after = Mount(data, "/srv")
    assert make_mount_points(layer, [image], [missing, after])[0] == (after,)


def test_a_source_of_the_other_kind_is_told(layer: Path, image: Path, data: Path) -> None:
    (data / "file").touch()
    with pytest.raises(BadMount, match="file, to be mounted at /srv, is no folder"):
        make_mount_points(layer, [image], [Mount(data / "file", "/srv")])
    with pytest.raises(BadMount, match="data, to be mounted at /x, is no file"):
        make_mount_points(layer, [image], [Mount(data, "/x", is_file=True)])


def test_what_is_made_is_for_all_to_read_and_what_is_below_keeps_its_owner(
    layer: Path, image: Path, data: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    os.chown(image / "srv", 1234, 1235)
    mounts = [Mount(data, "/srv/new"), Mount(tmp_path / "file", "/x.yaml", is_file=True)]
    _kept, made = make_mount_points(layer, [image], mounts)
    assert made == [layer / "srv", layer / "srv/new", layer / "x.yaml"]
    found = {path.name: path.stat() for path in made}
    assert {name: stat.S_IMODE(one.st_mode) for name, one in found.items()} == {
        "srv": 0o750,
        "new": 0o755,
        "x.yaml": 0o644,
    }
    assert (found["srv"].st_uid, found["srv"].st_gid) == (1234, 1235)
    with pytest.raises(BadMount, match="mount point /etc/hosts: /etc/hosts is no folder in there"):
        make_mount_points(layer, [image], [Mount(data, "/etc/hosts")])


def test_mount_points_of_the_containers_own_file_systems_are_made(layer: Path, image: Path) -> None:
    assert make_mount_points(layer, [image], [], private=["/tmp"]) == ((), [layer / "tmp"])
    assert (layer / "tmp").is_dir()


def test_a_link_inside_another_volume_is_never_followed(
    layer: Path, image: Path, data: Path
) -> None:
    (data / "real").mkdir()
    (data / "link").symlink_to("real")
    mounts = [Mount(data, "/data"), Mount(data, "/data/link")]
    with pytest.raises(BadMount, match="/data/link leads through the link "):
        make_mount_points(layer, [image], mounts)
