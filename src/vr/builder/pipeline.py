"""From a build spec to a slug (reference: runner-builder.md, section 6).

The compile runs in a container of the app's image, as a user without rights; everything it may
write lies in the workspace, which goes away with the build.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec

from vr.builder import environment, pip_config, slug
from vr.builder.buildpacks import Buildpack, default_references, obtain
from vr.builder.cache import BuildCache, cache_key
from vr.builder.untrusted import read_text
from vr.builder.workspace import BUILD_GID, BUILD_UID, Workspace, workspace
from vr.container.launch import ContainerTimeout, host_mounts
from vr.container.output import OutputLog, Sink, run_logged
from vr.container.spec import Container, Limits, Mount
from vr.errors import InvalidInput, VelociraptorError
from vr.files.atomic import write_atomic
from vr.files.pack import pack
from vr.paths import Root
from vr.repo import Source, checkout
from vr.runner.images import ensure_image
from vr.runner.interactive import interact
from vr.specs.build import BuildResult, BuildSpec, dump_result

TIMEOUT = 3600.0
TARBALL, RESULT, COMPILE_LOG = "build.tar.gz", "build_result.yaml", "compile.log"

_SCRIPT = Path(__file__).with_name("builder.sh")


class NoBuildpack(VelociraptorError):
    """None of the buildpacks applies to the app."""


class CompileFailed(VelociraptorError):
    """The buildpack ran, but not to its end; `details` holds the end of its output."""


@dataclass(frozen=True)
class Prepared:
    """Everything a compile needs, in place."""

    space: Workspace
    container: Container
    env: dict[str, str]
    packs: tuple[Buildpack, ...]
    revision: str
    image_md5: str


def build(
    spec: BuildSpec,
    output: Path,
    *,
    root: Root | None = None,
    log: Sink | None = None,
    timeout: float = TIMEOUT,
    debug: bool = False,
) -> BuildResult:
    """Build the app; leave build.tar.gz, build_result.yaml and compile.log in `output`.

    `log` gets the output as it comes. The compile may last `timeout` seconds; `debug` makes
    buildpacks trace what they do. Raises NoBuildpack, CompileFailed, and what fetching the app,
    the buildpacks and the image raises; then there is no new tarball and no new result.
    """
    root = root or Root.from_env()
    output.mkdir(parents=True, exist_ok=True)
    say = OutputLog(log)
    try:
        with prepared(spec, root, say, debug=debug) as job:
            say.keep_in(output / COMPILE_LOG)
            try:
                pack_used, release = _compile(job, say, timeout)
            except NoBuildpack:
                (output / COMPILE_LOG).unlink()
                raise
            result = _finish(spec, job, pack_used, release, output, say)
            _caches(spec, root).save(cache_key(pack_used.reference, job.image_md5), job.space.cache)
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


@contextmanager
def prepared(
    spec: BuildSpec, root: Root, say: OutputLog, *, debug: bool = False
) -> Iterator[Prepared]:
    """Fetch app, buildpacks and image, and lay them out for the container."""
    image, image_md5 = _image(spec, root, say)
    source = Source(spec.app_repo_url)
    with workspace(root.builder / "work", spec.app_name, f"{spec.app_name}-{source.md5}") as space:
        say.step(f"Fetching {spec.app_name} {spec.version} from {source.public_url}")
        fetched = checkout(
            spec.app_repo_url,
            spec.version,
            spec.app_repo_type,
            space.app,
            clones=root.builder / "repo",
        )
        say.step(f"{spec.version} is commit {fetched.revision}")
        packs = _obtain_packs(spec, root, space)
        _restore_caches(spec, root, space, packs, image_md5)
        for name, value in spec.env.items():
            (space.env / name).write_text(value)
            (space.env / name).chmod(0o600)
        script = space.upper / "builder.sh"
        script.write_bytes(_SCRIPT.read_bytes())
        script.chmod(0o755)
        space.hand_over()
        passed = _passed_through()
        env = environment.script_environment(spec, fetched.revision, passed, debug=debug)
        env |= _candidates(spec, space, packs)
        yield Prepared(
            space, _container(space, image, passed), env, packs, fetched.revision, image_md5
        )


def _image(spec: BuildSpec, root: Root, say: OutputLog) -> tuple[Path, str]:
    if not spec.image_url or not spec.image_name:
        raise InvalidInput(
            f"the build of {spec.app_name}",
            ["image_url: is missing; a build needs the OS image that the app will run in"],
            hint="Give image_url and image_name of an image made by vimage.",
        )
    say.step(f"Using the image {spec.image_name}")
    contents = ensure_image(root, spec.image_url, spec.image_name, spec.image_md5)
    # Images are kept by content, in a folder called by its checksum.
    return contents, contents.parent.name


def _obtain_packs(spec: BuildSpec, root: Root, space: Workspace) -> tuple[Buildpack, ...]:
    if spec.buildpack_url:
        references: tuple[str, ...] = (spec.buildpack_url,)
    else:
        references = spec.buildpack_urls or default_references()
    return tuple(
        obtain(
            reference,
            space.buildpack(number, Source.parse(reference).basename),
            clones=root.builder / "buildpacks",
        )
        for number, reference in enumerate(references)
    )


def _candidates(spec: BuildSpec, space: Workspace, packs: tuple[Buildpack, ...]) -> dict[str, str]:
    folders = [space.inside(candidate.folder) for candidate in packs]
    if spec.buildpack_url:
        return {"BUILDPACK_DIR": folders[0]}
    return {"BUILDPACK_DIRS": ":".join(folders)}


def _caches(spec: BuildSpec, root: Root) -> BuildCache:
    md5 = Source(spec.app_repo_url).md5
    return BuildCache(root.builder / "cache" / f"{spec.app_name}-{md5}")


def _restore_caches(
    spec: BuildSpec, root: Root, space: Workspace, packs: tuple[Buildpack, ...], image_md5: str
) -> None:
    caches = _caches(spec, root)
    for candidate in packs:
        key = cache_key(candidate.reference, image_md5)
        caches.restore(key, space.kept_cache(candidate.folder))


def _passed_through() -> dict[str, str]:
    patterns = environment.passed_patterns(os.environ.get("VR_BUILD_PASS_ENV", ""))
    host = {**pip_config.read_host_settings(), **os.environ}
    return environment.passed_through(host, patterns)


def _container(space: Workspace, image: Path, passed: dict[str, str]) -> Container:
    certificates = tuple(
        Mount(Path(path), path, is_file=True, optional=True)
        for path in sorted(environment.certificate_files(passed))
    )
    return Container(
        name=space.container_name,
        lowers=(image,),
        upper=space.upper,
        uid=BUILD_UID,
        gid=BUILD_GID,
        mounts=(*host_mounts(), *certificates),
        # Compilers fill /tmp with more than a tmpfs should hold.
        limits=Limits(tmp_size=None),
        cwd=space.inside(space.app),
    )


def _compile(job: Prepared, say: OutputLog, timeout: float) -> tuple[Buildpack, dict[str, Any]]:
    """Run builder.sh; returns the buildpack it used and what its bin/release said."""
    space = job.space
    argv = ["/builder.sh", space.inside(space.app), space.inside(space.cache)]
    try:
        code = run_logged(
            job.container, space.generated, argv, env=job.env, log=say, timeout=timeout
        )
    except ContainerTimeout as error:
        raise CompileFailed(
            f"The build was stopped. {error.message}",
            hint="Give it more time, or see in its log what it waits for.",
            details=say.tail(),
        ) from None
    stage = (read_text(space.result / "stage") or "").strip()
    if stage == "detect":
        raise _nothing_detected(job.packs)
    used = _used(job)
    if code or stage != "done" or used is None:
        raise CompileFailed(
            f"The buildpack's bin/{stage or 'compile'} ended with status {code}.",
            hint="`vbuild shell` opens a shell where it failed; the end of its output is above.",
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


def _finish(
    spec: BuildSpec,
    job: Prepared,
    used: Buildpack,
    release: dict[str, Any],
    output: Path,
    say: OutputLog,
) -> BuildResult:
    app = job.space.app
    commands, warnings = slug.process_types(app, release)
    for warning in warnings:
        say.warn(f"Procfile: {warning}")
    say.step(f"Process types: {', '.join(commands) or 'none'}")
    slug.clean(app)
    say.step("Packing the slug")
    # A result that tells of another tarball is worse than none.
    (output / RESULT).unlink(missing_ok=True)
    md5 = pack(app, output / TARBALL)
    result = BuildResult(
        **{
            **msgspec.structs.asdict(spec),
            "app_repo_url": spec.app_repo_url,
            "image_md5": job.image_md5,
            "buildpack_url": used.url,
            "buildpack_version": used.version,
            "build_md5": md5,
            "revision": job.revision,
            "release_data": release,
            "process_types": commands,
        }
    )
    # Readable for root only: the addresses and variables in it may hold credentials.
    write_atomic(output / RESULT, dump_result(result), mode=0o600)
    megabytes = (output / TARBALL).stat().st_size / 1e6
    say.step(f"Done: {TARBALL}, {megabytes:.1f} MB, md5 {md5}")
    return result
