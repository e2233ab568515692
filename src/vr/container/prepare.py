"""The files that a container starts from: its mount points, its filter, its configuration."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path

from vr.container.host import HostFeatures, host_features
from vr.container.lxc import render
from vr.container.mountpoints import make_mount_points
from vr.container.network import PrivateNetwork, network_script, script
from vr.container.oom_count import oom_report
from vr.container.seccomp import profile
from vr.container.spec import Container
from vr.files.atomic import write_atomic


@dataclass(frozen=True)
class Prepared:
    """A container that can be started from `conf`."""

    conf: Path
    added_to_root: tuple[Path, ...]
    """Mount points made in the root itself, when it has no layers: to be removed afterwards."""


def prepare(
    container: Container,
    folder: Path,
    *,
    conf_name: str = "container.lxc",
    features: HostFeatures | None = None,
    sync: bool = True,
) -> Prepared:
    """Write everything that LXC needs into `folder`; repeatable.

    Without `sync` for one start only: what a failing machine leaves then is not to be used.

    The configuration appears last and complete: from a half-written one LXC would run on the
    host's own root. Raises BadMount and VelociraptorError.
    """
    seccomp = folder / "seccomp"
    write_atomic(seccomp, profile(), sync=sync)
    private = ("/tmp",) if container.limits.tmp_size is not None else ()
    if container.lowers:
        points = folder / "mounts"
        points.mkdir(exist_ok=True, mode=0o755)
        mounts, _made = make_mount_points(
            points, container.lowers, container.mounts, private=("/proc", "/sys", *private)
        )
        ready = replace(container, lowers=(points, *container.lowers), mounts=mounts)
        added: list[Path] = []
    else:
        mounts, added = make_mount_points(
            container.upper, (), container.mounts, private=("/proc", "/sys", *private)
        )
        ready = replace(container, mounts=mounts)
    if isinstance(container.network, PrivateNetwork):
        write_atomic(network_script(folder), script(container.network), mode=0o700, sync=sync)
    conf = folder / conf_name
    text = render(
        ready,
        seccomp=seccomp,
        features=features or host_features(),
        oom_report=oom_report(folder),
        network_script=network_script(folder),
    )
    write_atomic(conf, text, mode=0o600, sync=sync)
    return Prepared(conf, tuple(added))
