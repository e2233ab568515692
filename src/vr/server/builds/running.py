"""Running builds: by vr.builder, into the file store, one worker per build."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from django.conf import settings
from django.db import connection, transaction
from django.db.models import F
from django.utils import timezone

from vr.container.output import BoundedLog
from vr.errors import VelociraptorError
from vr.paths import Root
from vr.repo.source import redact
from vr.server.answers import Unavailable
from vr.server.builds.wanted import Wanted
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.files import store
from vr.server.files.links import url_for_host
from vr.server.jobs import leases
from vr.server.jobs.leases import Lease, LeaseLost
from vr.server.models import Build, Buildpack, BuildStatus, Dispatch
from vr.server.models.build import OPEN
from vr.server.models.dispatch import OPEN as OPEN_DISPATCHES
from vr.specs.build import BuildResult, BuildSpec

log = logging.getLogger(__name__)

_ERROR_TAIL = 2000
_MOST_ATTEMPTS = 2
_DIED = (
    f"The worker died {_MOST_ATTEMPTS} times while it built this, which is not tried again: out of "
    "memory, killed, or brought down by the build. Make a new build of the version to try again."
)


def run(build_id: int) -> bool:
    """Build it, unless it has ended or another worker is at it; returns whether it was built
    or failed here.

    A build whose worker died begins anew, once: nothing of the first attempt is in the way.
    """
    with leases.hold(Build, build_id, OPEN) as lease:
        if lease is None:
            return False
        build = Build.objects.select_related("app__stack", "app__buildpack", "image").get(
            pk=build_id
        )
        try:
            if build.attempts < _MOST_ATTEMPTS:
                _run(build, lease)
            else:
                close(build, lease, BuildStatus.FAILED, _DIED)
        except LeaseLost:
            log.warning("build %s was taken over by another worker", build_id)
            return False
    return True


def excuse_own() -> None:
    """This worker was asked to end: should builds of its not end before, that is no death of
    theirs. They begin anew elsewhere, and it doesn't count."""
    try:
        rows = leases.own(Build.objects.filter(status=BuildStatus.STARTED, attempts__gt=0))
        rows.update(attempts=F("attempts") - 1)
    finally:
        connection.close()


def waiting_dispatches(build_id: int) -> list[int]:
    """The open dispatches that wait for the build."""
    return list(
        Dispatch.objects.filter(build=build_id, status__in=OPEN_DISPATCHES).values_list(
            "pk", flat=True
        )
    )


def log_tail(build: Build, length: int) -> str:
    """The end of the compile log; or why it can't be read now."""
    if not build.compile_log:
        return ""
    try:
        return store.end(build.compile_log, length)[0].decode(errors="replace").strip()
    except FileNotFoundError:
        return ""
    except Unavailable as error:
        return f"(Its log can't be read. {error})"


def output_tail(build: Build, length: int) -> str:
    """The end of the compile log of a build that failed, without the error, which stands in its
    row."""
    tail = log_tail(build, length + len(build.error) + 100)
    return tail.removesuffix(_last_words(build.error)).strip()


def _last_words(error: str) -> str:
    return f"error: {error}".strip()


def spec_of(build: Build, link: Callable[[str], str] = url_for_host) -> BuildSpec:
    """What vbuild is told: the app at the tag, in the image, with the app's buildpack or else
    the catalogue in order. `link` gives the image's address. Raises InvalidInput."""
    app, image = build.app, build.image
    packs = [] if app.buildpack else list(Buildpack.objects.order_by("order", "id"))
    values: dict[str, Any] = {
        "app_name": app.name,
        "app_repo_url": app.source_url,
        "app_repo_type": app.repo_type,
        "version": build.tag,
        "revision": build.revision,
        "buildpack_url": app.buildpack.source_url if app.buildpack else None,
        "buildpack_urls": tuple(pack.source_url for pack in packs),
    }
    if image is not None:
        values |= {
            "image_url": link(image.file),
            "image_name": image.name,
            "image_md5": image.md5,
            "heroku_stack": image.stack.heroku_stack,
        }
    return BuildSpec(**values)


def _run(build: Build, lease: Lease) -> None:
    build.status = BuildStatus.STARTED
    build.start_time = timezone.now()
    build.attempts += 1
    build.compile_log = f"builds/build_{build.pk}_compile.log"
    with transaction.atomic():
        _write(build, lease, ["status", "start_time", "attempts", "compile_log"])
        _announce(build, "started", Kind.BUILD_STARTED)
    folder = _scratch(build)
    try:
        with Wanted(lease) as wanted:
            wanted.check()
            result = _compile(build, folder, wanted.check)
            wanted.check()
        lease.check()
        _keep(build, result, folder)
    except LeaseLost:
        raise
    except VelociraptorError as error:
        close(build, lease, BuildStatus.FAILED, str(error), details=error.details)
    except Exception as error:
        log.exception("build %s", build.pk)
        close(build, lease, BuildStatus.FAILED, f"A bug in Velociraptor: {error!r}")
    else:
        close(build, lease, BuildStatus.SUCCESS)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _compile(build: Build, folder: Path, check: Callable[[], None]) -> BuildResult:
    """Build it here, or have the farm build it, as the settings say; raises what `check` raises
    meanwhile."""
    from vr import builder
    from vr.server.builds import farm
    from vr.server.builds.farm import links

    root = Root(Path(settings.VR_ROOT))
    with BoundedLog(store.new_log(build.compile_log)) as compile_log:
        match settings.BUILDER:
            case "local" if build.app.framework:
                raise VelociraptorError(
                    f"{build.app.name} is staged as {build.app.framework}, which only stagers do.",
                    hint="Set VR_BUILDER=nats, or clear the app's framework.",
                )
            case "local":
                return builder.build(
                    spec_of(build), folder, root=root, log=compile_log.write, check=check
                )
            case "nats":
                return farm.build(
                    spec_of(build, links.download),
                    folder,
                    framework=build.app.framework,
                    root=root,
                    log=compile_log.write,
                    check=check,
                )
    raise VelociraptorError(f"VR_BUILDER is {settings.BUILDER!r}.", hint="Set it to local or nats.")


def _keep(build: Build, result: BuildResult, folder: Path) -> None:
    """Move what came out into the file store and the row's fields."""
    name = f"builds/{build.app.name}-{build.tag}-{result.build_md5}.tar.gz"
    store.put(name, folder / "build.tar.gz")
    build.file = name
    build.file_md5 = result.build_md5
    build.hash = build.compute_hash()
    build.revision = result.revision
    build.buildpack_url = redact(result.buildpack_url or "")
    build.buildpack_version = result.buildpack_version
    build.take_release_data(result.release_data)
    build.process_types = result.process_types


def close(
    build: Build, lease: Lease, status: BuildStatus, error: str = "", details: str = ""
) -> None:
    """Mark the build as ended, tell its log and people. Raises LeaseLost.

    All at once: a build that has ended has also been told of, wherever its worker dies.
    """
    build.status, build.error, build.end_time = status, error, timezone.now()
    fields = [
        "status", "error", "end_time", "file", "file_md5", "hash", "revision", "buildpack_url",
        "buildpack_version", "release_data", "process_types", "env_yaml",
    ]  # fmt: skip
    lease.check()
    if status == BuildStatus.FAILED:
        if build.compile_log:
            _add_last_words(build, f"{details.rstrip()}\n{_last_words(error)}\n")
        what, kind = "failed", Kind.BUILD_FAILED
        said = f"{error}\n\n{output_tail(build, _ERROR_TAIL)}".strip()
    else:
        assert build.start_time is not None
        what, kind = "built", Kind.BUILD_DONE
        said = f"It took {(build.end_time - build.start_time).total_seconds():.1f} s."
    with transaction.atomic():
        _write(build, lease, fields)
        _announce(build, what, kind, said)


def _write(build: Build, lease: Lease, fields: Sequence[str]) -> None:
    if not lease.rows.update(**{field: getattr(build, field) for field in fields}):
        raise LeaseLost


def _add_last_words(build: Build, text: str) -> None:
    try:
        store.add_text(build.compile_log, text)
    except Unavailable as error:
        # That the build failed is told by its row and its event; perhaps it failed for this.
        log.warning("the log of build %s has no end: %s", build.pk, error)


def _announce(build: Build, what: str, kind: Kind, message: str = "") -> None:
    """Once for every dispatch that waits, with its trace id, or once without."""
    traces = Dispatch.objects.filter(pk__in=waiting_dispatches(build.pk))
    for trace_id in list(traces.values_list("trace_id", flat=True)) or [""]:
        announce(
            f"{build} {what}",
            message or f"build {build.pk} of {build}",
            kind=kind,
            trace_id=trace_id,
            resource_uri=f"/api/v1/builds/{build.pk}/",
        )


def _scratch(build: Build) -> Path:
    """An empty folder on the file store's disk, which has room for builds. What a killed worker
    left of the same build goes."""
    path = Path(settings.FILES_ROOT) / ".building" / str(build.pk)
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True, mode=0o700)
    return path
