"""From a build spec to a slug (docs/reference/build-yaml.md).

The compile runs in a container of the app's image, as a user without rights; everything it may
write lies in the workspace, which goes away with the build.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec

from vr.builder import slug
from vr.builder.buildpacks import Buildpack
from vr.builder.preparation import Prepared, prepared
from vr.builder.untrusted import read_text
from vr.container.launch import ContainerTimeout
from vr.container.output import LimitReached, OutputLog, Sink, run_logged
from vr.errors import VelociraptorError
from vr.files.atomic import write_atomic
from vr.files.pack import pack
from vr.paths import Root
from vr.repo import Checkout, Source
from vr.runner.interactive import interact
from vr.runner.limits import build_seconds
from vr.specs.build import BuildResult, BuildSpec, dump_result

TARBALL, RESULT, COMPILE_LOG = "build.tar.gz", "build_result.yaml", "compile.log"


class NoBuildpack(VelociraptorError):
    """None of the buildpacks applies to the app."""


class CompileFailed(VelociraptorError):
    """The buildpack ran, but not to its end; `details` holds the end of its output."""


def build(
    spec: BuildSpec,
    output: Path,
    *,
    root: Root | None = None,
    log: Sink | None = None,
    timeout: float | None = None,
    debug: bool = False,
    check: Callable[[], None] = lambda: None,
) -> BuildResult:
    """Build the app; leave build.tar.gz, build_result.yaml and compile.log in `output`.

    `log` gets the output as it comes. The compile may last `timeout` seconds, those of
    VR_BUILD_SECONDS unless given, and use what VR_BUILD_LIMITS says; `debug` makes buildpacks
    trace what they do. `check` is called about once a second; the Unwanted that it raises ends
    the build. Raises NoBuildpack, CompileFailed, and what fetching the app, the
    buildpacks and the image raises; then there is no new tarball and no new result. An error has
    the end of the output with it unless that went to `log`.
    """
    root = root or Root.from_env()
    output.mkdir(parents=True, exist_ok=True)
    say = OutputLog(log, check=check)
    try:
        with prepared(spec, root, say, debug=debug) as job:
            say.keep_in(output / COMPILE_LOG)
            try:
                pack_used, release = _compile(job, say, timeout)
            except NoBuildpack:
                (output / COMPILE_LOG).unlink()
                raise
            except CompileFailed as error:
                if log is not None:
                    error.details = ""
                raise
            result = _slug(spec, job, pack_used, release, say)
            result = _pack(result, job.space.app, output, say)
            _keep_cache(job, pack_used, say)
    finally:
        say.close()
    return result


def compile_fetched(
    spec: BuildSpec,
    fetched: Checkout,
    target: Path,
    *,
    root: Root | None = None,
    log: Sink | None = None,
    timeout: float | None = None,
) -> BuildResult:
    """Build an app that was fetched elsewhere; leave the slug's files as the new folder `target`.

    They are those that `build` packs. The folder of `fetched` is used up, and the result's
    `build_md5` is empty: nothing is packed. Raises as `build` does.
    """
    say = OutputLog(log)
    try:
        with prepared(spec, root or Root.from_env(), say, fetched=fetched) as job:
            pack_used, release = _compile(job, say, timeout)
            result = _slug(spec, job, pack_used, release, say)
            shutil.move(job.space.app, target)
            _keep_cache(job, pack_used, say)
    finally:
        say.close()
    return result


def shell(spec: BuildSpec, *, root: Root | None = None, log: Sink | None = None) -> int:
    """A shell on this terminal exactly where a build would compile; nothing of it is kept.

    Returns the shell's exit code.
    """
    with prepared(spec, root or Root.from_env(), OutputLog(log)) as job:
        return interact(
            job.container, job.space.generated, env=job.env, prompt=f"build of {spec.app_name}"
        )


def _compile(
    job: Prepared, say: OutputLog, timeout: float | None
) -> tuple[Buildpack, dict[str, Any]]:
    """Run builder.sh; returns the buildpack it used and what its bin/release said."""
    space = job.space
    timeout = build_seconds() if timeout is None else timeout
    argv = ["/builder.sh", space.inside(space.app), space.inside(space.cache)]
    try:
        code = run_logged(
            job.container, space.generated, argv, env=job.env, log=say, timeout=timeout
        )
    except ContainerTimeout as error:
        raise CompileFailed(
            f"The build was stopped. {error.message}",
            hint="Give it more time (VR_BUILD_SECONDS), or see in its log what it waits for.",
            details=say.tail(),
        ) from None
    except LimitReached as error:
        raise CompileFailed(
            f"The build reached its limits. {error.message}",
            hint="Let it need less (fewer jobs at once), or widen VR_BUILD_LIMITS.",
            details=say.tail(),
        ) from None
    stage = (read_text(space.result / "stage") or "").strip()
    if stage == "detect":
        raise _nothing_detected(job.packs)
    used = _used(job)
    if not stage:
        raise CompileFailed("The build's container did not start.", details=say.tail())
    if code or stage != "done" or used is None:
        raise CompileFailed(
            f"The buildpack's bin/{stage} ended with status {code}.",
            hint="`vbuild shell` opens a shell where it failed; its output says why.",
            details=say.tail(),
        )
    return used, slug.parse_release(read_text(space.result / "release.yaml") or "")


def _used(job: Prepared) -> Buildpack | None:
    chosen = (read_text(job.space.result / "buildpack") or "").strip()
    return next((used for used in job.packs if job.space.inside(used.folder) == chosen), None)


def _nothing_detected(packs: tuple[Buildpack, ...]) -> NoBuildpack:
    tried = ", ".join(Source(candidate.reference).public_url for candidate in packs)
    return NoBuildpack(
        f"No buildpack applies to the app; tried: {tried}.",
        hint="Add what they look for (requirements.txt, Procfile) to the repository's root, "
        "or name another buildpack.",
    )


def _slug(
    spec: BuildSpec, job: Prepared, used: Buildpack, release: dict[str, Any], say: OutputLog
) -> BuildResult:
    """Make the compiled app a slug; returns what is known of it before it is packed."""
    app = job.space.app
    commands, warnings = slug.process_types(app, release)
    for warning in warnings:
        say.warn(f"Procfile: {warning}")
    say.step(f"Process types: {', '.join(commands) or 'none'}")
    slug.clean(app)
    return BuildResult(
        **{
            **msgspec.structs.asdict(spec),
            "app_repo_url": spec.app_repo_url,
            "image_md5": job.image_md5,
            "buildpack_url": used.url,
            "buildpack_version": used.version,
            "build_md5": "",
            "revision": job.revision,
            "release_data": release,
            "process_types": commands,
        }
    )


def _pack(result: BuildResult, app: Path, output: Path, say: OutputLog) -> BuildResult:
    say.step("Packing the slug")
    # A result that tells of another tarball is worse than none.
    (output / RESULT).unlink(missing_ok=True)
    result = msgspec.structs.replace(result, build_md5=pack(app, output / TARBALL))
    # Readable for root only: the addresses and variables in it may hold credentials.
    write_atomic(output / RESULT, dump_result(result), mode=0o600)
    megabytes = (output / TARBALL).stat().st_size / 1e6
    say.step(f"Done: {TARBALL}, {megabytes:.1f} MB, md5 {result.build_md5}")
    return result


def _keep_cache(job: Prepared, used: Buildpack, say: OutputLog) -> None:
    try:
        job.keep_cache(used)
    except (VelociraptorError, OSError) as error:
        # The slug is there; the next build is only slower.
        say.warn(f"The cache could not be kept: {error}")
