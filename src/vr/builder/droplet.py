"""From a droplet to a build that procs run as any other (docs/reference/droplet.md#as-a-build).

A droplet that a buildpack made holds a slug: its `app/` becomes the build. Any other becomes the
build as a whole, with a script that starts it as a DEA would, so that nothing downstream has to
know of droplets. The same droplet and settings give the same bytes.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vr.builder import slug
from vr.builder.droplet_info import INFO_FILE, DropletInfo, parse_info
from vr.builder.droplet_start import (
    START,
    START_SCRIPT,
    environment,
    needs_runtime,
    start_script,
    started_by,
)
from vr.builder.untrusted import read_text
from vr.errors import InvalidInput, VelociraptorError
from vr.files.archives import Limits
from vr.files.pack import pack
from vr.files.unpack import unpack

FOLDERS = ("app", "logs", "tmp")
_STAGING_LOG = "logs/staging.log"
_UPTESTS = "app/uptests"


@dataclass(frozen=True)
class DropletBuild:
    """What came of a droplet: the tarball's MD5, and what a build's row tells."""

    md5: str
    process_types: dict[str, str]
    info: DropletInfo
    runtime: str = ""
    release_data: dict[str, Any] = field(default_factory=dict)
    staging_log: str = ""

    def brings(self, app: str, tag: str) -> dict[str, Any]:
        """The release data of the build of `app` at `tag`: what `bin/release` said or, for any
        other droplet, the variables that it expects."""
        if self.info.is_slug:
            return self.release_data
        return {"config_vars": environment(app, tag, self.runtime)}


def convert(
    droplet: Path,
    tarball: Path,
    work: Path,
    *,
    name: str,
    runtime: str = "",
    runtimes: Mapping[str, str] | None = None,
    limits: Limits | None = None,
) -> DropletBuild:
    """Make the build `tarball` of the file `droplet`, working in the folder `work`.

    `name` is what messages call the droplet. `runtime` is used instead of the one that the
    droplet names itself; `runtimes` are executables by runtime, and one that is not in there is
    called by its name. Raises InvalidInput with everything that is wrong with the droplet.
    """
    root = work / "droplet"
    try:
        # As an image: a slug's files keep their modes, so that its bytes are those of vbuild.
        unpack(droplet, root, kind="image", owner=(os.geteuid(), os.getegid()), limits=limits)
    except VelociraptorError as error:
        why = error.message.replace(str(droplet), "it").rstrip(".")
        raise InvalidInput(name, [f"{why}; a droplet is a tar.gz as `vstager` writes it"]) from None
    try:
        info, startup = _examined(root, name, runtime)
        log = _staging_log(root)
        if info.is_slug:
            return _slug(root / "app", tarball, info, name, log)
        return _whole(root, tarball, info, startup, runtimes or {}, log)
    finally:
        _remove(root)


def _examined(root: Path, name: str, runtime: str) -> tuple[DropletInfo, str]:
    """The staging information and the startup script; raises InvalidInput with all problems."""
    problems = [
        f"{folder}/: is missing; a droplet has the folders app, logs and tmp"
        for folder in FOLDERS
        if not (root / folder).is_dir() or (root / folder).is_symlink()
    ]
    startup, problem = _script(root)
    problems += problem
    info = DropletInfo()
    try:
        info = parse_info(read_text(root / INFO_FILE) or "", runtime)
    except InvalidInput as error:
        problems += [f"{INFO_FILE}: {each}" for each in error.problems]
    except VelociraptorError as error:
        problems.append(f"{INFO_FILE}: {error.message}")
    else:
        if needs_runtime(startup) and not info.runtime:
            problems.append(
                "runtime: is missing; startup needs one, and the droplet does not say which: "
                "name it (such as ruby)"
            )
    if problems:
        raise InvalidInput(name, problems)
    return info, startup


def _script(root: Path) -> tuple[str, list[str]]:
    try:
        startup = read_text(root / "startup")
    except VelociraptorError as error:
        return "", [f"startup: {error.message}"]
    if startup is None:
        return "", ["startup: is missing; it is the script that starts the app"]
    if not startup.startswith("#!"):
        return "", ["startup: is no script: its first line does not begin with #!"]
    return startup, []


def _staging_log(root: Path) -> str:
    try:
        return read_text(root / _STAGING_LOG) or ""
    except VelociraptorError as error:
        return f"(no staging log: {error.message})\n"


def _slug(app: Path, tarball: Path, info: DropletInfo, name: str, log: str) -> DropletBuild:
    """The build of a droplet whose `app/` is what a buildpack compiled for /app."""
    release = info.build.release_data if info.build else {}
    commands, _warnings = slug.process_types(app, release)
    if info.build is None and info.start_command:
        # The buildpack's own process types are not known, but this one is.
        commands.setdefault("web", info.start_command)
    slug.clean(app)
    return DropletBuild(pack(app, tarball), commands, info, release_data=release, staging_log=log)


def _whole(
    root: Path,
    tarball: Path,
    info: DropletInfo,
    startup: str,
    runtimes: Mapping[str, str],
    log: str,
) -> DropletBuild:
    """The build of any other droplet: all of it is /app, and the app itself is /app/app."""
    executable = runtimes.get(info.runtime, info.runtime)
    _write(root / "startup", started_by(startup, executable))
    _write(root / START_SCRIPT, start_script(info.runtime, executable))
    _write(root / "Procfile", f"web: {START}\n", mode=0o644)
    # What happened while staging or in an earlier life is none of the build's content.
    shutil.rmtree(root / "logs")
    (root / "logs").mkdir(mode=0o755)
    (root / "run.pid").unlink(missing_ok=True)
    uptests = root / "uptests"
    if (root / _UPTESTS).is_dir() and not os.path.lexists(uptests):
        uptests.symlink_to(_UPTESTS)
    return DropletBuild(
        pack(root, tarball), {"web": START}, info, runtime=info.runtime, staging_log=log
    )


def _write(path: Path, text: str, mode: int = 0o755) -> None:
    """A file of our own; whatever the droplet has there goes, be it a link or a folder."""
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    path.unlink(missing_ok=True)
    path.write_text(text)
    path.chmod(mode)


def _remove(root: Path) -> None:
    """Remove the droplet's files, also those in folders that their owner may not write to."""
    for parent, folders, _files in os.walk(root):
        for each in folders:
            if not (path := Path(parent, each)).is_symlink():
                path.chmod(0o700)
    shutil.rmtree(root)
