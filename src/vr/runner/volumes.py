"""A proc's volumes on this host: where their folders really are, and that an app may have them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from vr.container.spec import Mount
from vr.errors import InvalidInput
from vr.paths import DEFAULT_HOME, Root
from vr.specs.proc import ProcYaml
from vr.specs.volumes import DEFAULT_VOLUME_ROOTS, host_folder_problem, lies_in_one


def volume_mounts(proc: ProcYaml, root: Root, where: str) -> tuple[Mount, ...]:
    """The mounts, with links in the host folders followed now and not again at a start.

    Raises InvalidInput for folders that are the host's or Velociraptor's, links followed, and for
    those in VR_VOLUME_ROOTS whose links lead out of them: an app may have made the link.
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
    roots = _words(os.environ.get("VR_VOLUME_ROOTS", DEFAULT_VOLUME_ROOTS))
    real_roots = [str(Path(one).resolve()) for one in roots]
    for number, (source, _target) in enumerate(proc.volumes, 1):
        real = str(Path(source).resolve())
        if lies_in_one(source, roots) and not lies_in_one(real, real_roots):
            yield (
                f"volumes: pair {number}: the host folder {source!r} is a link to {real!r}, out of "
                "VR_VOLUME_ROOTS; name that folder there if apps may have it"
            )
        if problem := host_folder_problem(real) or host_folder_problem(real, own):
            yield f"volumes: pair {number}: {problem}"


def _words(text: str) -> list[str]:
    return [word.strip() for word in text.split(",") if word.strip()]
