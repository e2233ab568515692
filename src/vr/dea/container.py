"""An instance's container: its own user, its limits, the droplet as its home."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from vr.container.spec import Container, Limits, Mount
from vr.dea.config import BindMount
from vr.dea.environment import INSIDE
from vr.dea.folders import InstanceFolder, container_name
from vr.dea.instance import Instance

_PROCESSES = 512
_MEMORY_FACTOR = 1.125


def app_container(
    instance: Instance,
    folder: InstanceFolder,
    lowers: tuple[Path, ...],
    mounts: Sequence[Mount],
    bind_mounts: Sequence[BindMount] = (),
) -> Container:
    """Only the droplet's folder, /tmp and /dev/shm can be written to.

    Disk use as a whole has no limit here: it is watched (see life.py).
    """
    limits = instance.message.limits
    binds = tuple(
        Mount(Path(each.src_path), each.dst_path or each.src_path) for each in bind_mounts
    )
    return Container(
        name=container_name(instance.id),
        lowers=lowers,
        upper=folder.upper,
        uid=instance.uid,
        gid=instance.uid,
        mounts=(
            *mounts,
            *binds,
            Mount(folder.droplet, INSIDE, read_only=False),
            # Buildpacks write down that the app is in /app.
            Mount(folder.droplet / "app", "/app", read_only=False),
        ),
        limits=Limits(
            memory=int(limits.mem * _MEMORY_FACTOR * (1 << 20)),
            pids=_PROCESSES,
            nofile=limits.fds,
        ),
        cwd=INSIDE,
        read_only=True,
    )


def start_command(port: int | None, disk: int) -> list[str]:
    """Run the droplet's startup script; `$@` in there gets `-p PORT` if there is one.

    No file may grow larger than twice the `disk` limit (MB), or 1 GB.
    """
    largest = min(2 * disk, 1024) << 10
    script = f'umask 077; ulimit -f {largest}; cd "$HOME" && exec ./startup "$@"'
    return ["/bin/bash", "-c", script, "startup", *(["-p", str(port)] if port else [])]
