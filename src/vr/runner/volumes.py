"""A proc's volumes on this host: where their folders really are, and that an app may have them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vr.container.spec import Mount
from vr.errors import InvalidInput
from vr.paths import DEFAULT_HOME, Root
from vr.specs.proc import ProcYaml
from vr.specs.volumes import host_folder_problem


def volume_mounts(proc: ProcYaml, root: Root, where: str) -> tuple[Mount, ...]:
    """The mounts, with links in the host folders followed now and not again at a start.

    Raises InvalidInput for folders that are the host's or Velociraptor's, links followed.
    """
    if problems := list(_problems(proc, root)):
        raise InvalidInput(
            where, problems, hint="Give the app a folder of its own, such as /srv/APP."
        )
    return tuple(
        Mount(Path(source).resolve(), target, read_only=False) for source, target in proc.volumes
    )


def _problems(proc: ProcYaml, root: Root) -> Iterator[str]:
    home = Path(os.environ.get("VR_HOME") or DEFAULT_HOME)
    own = [str(path.resolve()) for path in (root.path, root.builder, home)]
    for number, (source, _target) in enumerate(proc.volumes, 1):
        real = str(Path(source).resolve())
        if problem := host_folder_problem(real) or host_folder_problem(real, own):
            yield f"volumes: pair {number}: {problem}"
