"""vrun setup: everything that can be done ahead, so that a run is only an exec.

The launcher appears last and disappears first: its presence says that all else is complete, so a
setup that is killed anywhere is simply repeated or torn down.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from vr.container.host import host_features
from vr.container.launch import command, host_mounts, with_start_script
from vr.container.lxc import unsupported_limits
from vr.container.prepare import prepare
from vr.container.spec import Container, Mount, Network
from vr.errors import InvalidInput
from vr.files.atomic import write_atomic
from vr.files.locks import Lock
from vr.paths import ProcPaths, Root
from vr.runner import launcher_link, pilot, setup_record
from vr.runner.accounts import Account, account
from vr.runner.addresses import claim, release
from vr.runner.app import App, read_app
from vr.runner.builds import ensure_build
from vr.runner.environment import (
    APP_FOLDER,
    PROC_SCRIPT,
    SETTINGS_PATH,
    proc_script,
    resolve_env,
    settings_yaml,
)
from vr.runner.host_folders import host_skeleton, host_system_mounts
from vr.runner.identity import identity_mounts
from vr.runner.images import ensure_image
from vr.runner.launcher import launcher
from vr.runner.layers import leased
from vr.runner.limits import container_limits
from vr.runner.progress import download_progress, say
from vr.runner.volumes import volume_mounts
from vr.runner.writable_layer import Upper, make_app_folder, renew_upper, why_no_quota
from vr.specs.limits import LIMITS
from vr.specs.proc import ProcYaml, load
from vr.specs.sizes import parse_size

Variant = Literal["vrun", "vrun_precise"]


@dataclass(frozen=True)
class _Job:
    """One proc to be set up, and where."""

    proc: ProcYaml
    proc_yaml: Path
    paths: ProcPaths
    root: Root
    variant: Variant
    who: Account


def setup(
    proc_yaml: Path,
    *,
    root: Root,
    variant: Variant = "vrun",
    wait: float = 0,
    host_env: Mapping[str, str] | None = None,
) -> ProcPaths:
    """Make the proc of this file ready to run; repeatable. Returns where it lives.

    Raises Busy while another command works on the file or the proc runs, InvalidInput for what is
    wrong in the file, ChecksumMismatch, UnsafeArchive, BadMount and VelociraptorError.
    """
    with Lock(proc_yaml, wait=wait, create=False):
        proc = load(proc_yaml)
        _check_variant(proc, variant, proc_yaml)
        who = account(proc.user, proc.group, str(proc_yaml), host_uid=proc.host_uid)
        paths = root.proc(str(proc.name))
        paths.folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        paths.folder.chmod(0o700)  # whoever put proc.yaml there may have made it for all to read
        job = _Job(proc, proc_yaml.resolve(), paths, root, variant, who)
        with Lock(paths.folder, wait=wait):
            paths.launcher.unlink(missing_ok=True)
            try:
                _set_up(job, resolve_env(proc.env, os.environ if host_env is None else host_env))
            except BaseException:
                with contextlib.suppress(OSError):  # it was there before, and isn't empty
                    paths.folder.rmdir()
                raise
    say(f"{proc.name} is set up.")
    return paths


def _set_up(job: _Job, env: Mapping[str, str | None]) -> None:
    # Leases keep the layers from `vrun gc` until the proc's record names them.
    with leased(lambda: _system(job)) as system, leased(lambda: _build(job)) as build:
        under = _pilot(job, build, system)
        app = read_app(job.proc, job.proc_yaml, build, env, under)
        _write_private(job, app, under)
        held, watched = _disk_limits(job.proc)
        upper = renew_upper(job.paths, job.who, held)
        container = _container(job, (build, system), upper, under)
        limits = replace(container.limits, watched_disk=watched)
        container = replace(container, limits=limits)
        _write_launcher(job, container, app, under)


def _disk_limits(proc: ProcYaml) -> tuple[int | None, int | None]:
    """What the proc may write, in bytes: as its file system holds it to that, and as the host's
    publisher watches it."""
    if proc.disk_limit is None:
        return None, parse_size(proc.disk_watch) if proc.disk_watch else None
    limit = parse_size(proc.disk_limit)
    if why := why_no_quota():
        say(f"warning: disk_limit is watched only, no file system holds the app to it: {why}")
        return None, limit
    return limit, None


def _check_variant(proc: ProcYaml, variant: Variant, proc_yaml: Path) -> None:
    if variant == "vrun" and not proc.image_url:
        raise InvalidInput(
            str(proc_yaml),
            ["image_url: is missing; vrun runs procs in an image"],
            hint="Name an image, or use vrun_precise, which uses the host's own system.",
        )


def _system(job: _Job) -> Path:
    """The layer below the build: the image, or what the host's own system is mounted into."""
    if job.variant == "vrun_precise":
        return host_skeleton(job.root)
    proc = job.proc
    assert proc.image_url and proc.image_name  # _check_variant and the spec say so
    return ensure_image(
        job.root,
        proc.image_url,
        proc.image_name,
        proc.image_md5,
        sha256=proc.image_sha256,
        progress=download_progress("image"),
    )


def _build(job: _Job) -> Path:
    """The layer with /app: the build, or an empty one of the proc's own."""
    proc, who = job.proc, job.who
    if proc.build_url:
        return ensure_build(
            job.root,
            proc.build_url,
            proc.build_md5,
            who.uid,
            who.gid,
            sha256=proc.build_sha256,
            progress=download_progress("build"),
        )
    layer = job.paths.folder / "empty"
    make_app_folder(layer, who)
    return layer


def _pilot(job: _Job, build: Path, system: Path) -> pilot.Pilot | None:
    """What the app runs under, if it asks for it."""
    where = str(job.proc_yaml)
    under = pilot.choose(job.proc.pilot, build / APP_FOLDER.lstrip("/"), where)
    if under:
        pilot.check_system(Path("/") if job.variant == "vrun_precise" else system, where)
    return under


def _container(
    job: _Job, lowers: tuple[Path, ...], upper: Upper, under: pilot.Pilot | None
) -> Container:
    proc, network = job.proc, _network(job)
    precise = job.variant == "vrun_precise"
    mounts = host_system_mounts(network) if precise else host_mounts(network=network)
    if proc.host_uid is not None:
        system = Path("/") if precise else lowers[-1]
        own = tuple(identity_mounts(system, _env_folder(job.paths), job.who))
        named = {mount.target for mount in own}
        mounts = (*(mount for mount in mounts if mount.target not in named), *own)
    volumes = volume_mounts(proc, job.root, str(job.proc_yaml))
    return Container(
        name=str(proc.name),
        lowers=lowers,
        upper=upper.layer,
        upper_disk=upper.disk,
        uid=job.who.uid,
        gid=job.who.gid,
        mounts=(*mounts, *_own_mounts(job, under), *volumes),
        limits=container_limits({key: getattr(proc, key) for key in LIMITS}),
        cwd="/",
        network=network,
        read_only=proc.read_only,
        host_name=pilot.host_name(str(proc.name)) if under else None,
    )


def _network(job: _Job) -> Network:
    name = str(job.proc.name)
    if job.proc.network == "private":
        return claim(job.root, name, job.proc.port or None)
    release(job.root, name)  # an earlier setup may have asked for one
    (job.paths.folder / "network").unlink(missing_ok=True)
    return "host"


def _write_launcher(job: _Job, container: Container, app: App, under: pilot.Pilot | None) -> None:
    proc, paths = job.proc, job.paths
    for warning in unsupported_limits(container.limits, host_features()):
        say(f"warning: {warning}")
    env, argv = app.start()
    ready = with_start_script(replace(container, cwd=APP_FOLDER), _env_folder(paths), env, argv)
    prepared = prepare(ready, paths.folder, conf_name=paths.lxc_conf.name)
    setup_record.save(paths, container)
    text = launcher(
        name=container.name,
        proc_yaml=job.proc_yaml,
        folder=paths.folder,
        command=command(container, prepared.conf),
        stop_timeout=proc.stop_timeout,
        memory=proc.mem_limit or proc.memsw_limit,
        # The pilot deregisters first, runs its hooks, and then stops the app.
        main_only=under is not None,
    )
    write_atomic(paths.launcher, text, mode=0o700)
    launcher_link.remember(job.proc_yaml, paths.launcher, job.root)


def _env_folder(paths: ProcPaths) -> Path:
    return paths.folder / "env"


def _write_private(job: _Job, app: App, under: pilot.Pilot | None) -> None:
    """What holds the app's secrets: readable for its user only."""
    proc = job.proc
    folder = _env_folder(job.paths)
    folder.mkdir(exist_ok=True, mode=0o700)
    owner = (job.who.uid, job.who.gid)
    script = proc_script(app.env, command=app.command, port=app.port)
    write_atomic(folder / "proc.sh", script, mode=0o500, owner=owner)
    settings = settings_yaml(proc.settings)
    write_atomic(folder / "settings.yaml", settings, mode=0o400, owner=owner)
    if under and under.inline is not None:
        write_atomic(folder / "containerpilot.json", under.inline, mode=0o400, owner=owner)


def _own_mounts(job: _Job, under: pilot.Pilot | None) -> Iterator[Mount]:
    folder = _env_folder(job.paths)
    yield Mount(folder / "proc.sh", PROC_SCRIPT, is_file=True)
    yield Mount(folder / "settings.yaml", SETTINGS_PATH, is_file=True)
    if under:
        yield Mount(pilot.ensure_archive(job.root), pilot.ARCHIVE_PATH, is_file=True)
        if under.inline is not None:
            yield Mount(folder / "containerpilot.json", pilot.INLINE_PATH, is_file=True)
