"""One build by the farm: check out, zip, ask over NATS, follow, take what comes back."""

from __future__ import annotations

import asyncio
import logging
import re
import secrets
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
from django.conf import settings

from vr.builder import droplet
from vr.builder.pipeline import TARBALL
from vr.builder.preparation import fetch
from vr.container.output import OutputLog, Sink
from vr.errors import VelociraptorError
from vr.files.download import without_credentials
from vr.files.zip_folder import zip_folder
from vr.paths import Root
from vr.server.builds.farm import links
from vr.server.builds.farm.request import staging_request
from vr.specs.build import BuildResult, BuildSpec

log = logging.getLogger(__name__)


_REPOSITORIES = (".git", ".hg")
_PATIENCE_SECONDS = 5.0
_LOST_SECONDS = 8.0
"""Silence after which a stager counts as lost: longer than a restart of NATS takes."""
_PREFIX = re.compile(r"\AStaging task failed:\s*(?:Staging plugin failed:\s*)?")


class NotBuilt(VelociraptorError):
    """The farm answered with an error, or not at all."""


def build(
    spec: BuildSpec,
    output: Path,
    *,
    framework: str = "",
    root: Root,
    log: Sink,
    check: Callable[[], None] = lambda: None,
) -> BuildResult:
    """Have a stager build the app; leave build.tar.gz in `output`, a folder of the file store.

    With a `framework` it is staged as that instead of by the spec's buildpacks. `root` keeps the
    app's clone. `log` gets the lines as they come. Raises NotBuilt, what fetching the app raises,
    and the Unwanted that `check` raises, when the stager has been told to stop.
    """
    say = OutputLog(log, check=check)
    # Its name is good for this attempt alone: what comes too late finds no folder.
    attempt = output / secrets.token_hex(8)
    attempt.mkdir(mode=0o700)
    name = str(attempt.relative_to(settings.FILES_ROOT))
    fetched = fetch(spec, attempt / "app", root, say)
    # Buildpacks may ask the repository for a version, and vbuild leaves it out of the slug;
    # frameworks would make it a part of the droplet.
    skipped = _REPOSITORIES if framework else ()
    zip_folder(fetched.folder, attempt / links.APP, skipped=skipped)
    shutil.rmtree(fetched.folder)
    request = staging_request(
        spec,
        fetched.revision,
        framework=framework,
        download_uri=links.attempt(name, links.APP),
        upload_uri=links.attempt(name, links.DROPLET),
    )
    say.step(f"Asking the stagers of the queue {settings.NATS_QUEUE}")
    asyncio.run(_stage(request, say))
    return _taken(spec, fetched.revision, attempt, output, say)


async def _stage(request: dict[str, Any], say: OutputLog) -> None:
    from vr.bus.connection import connect
    from vr.stager.client import request_staging

    uri = settings.NATS_URI
    client = await connect(uri, name="velociraptor", log=log, patience=_PATIENCE_SECONDS)
    try:
        reply = await request_staging(
            client,
            settings.NATS_QUEUE,
            request,
            timeout=settings.FARM_SECONDS,
            lost_after=_LOST_SECONDS,
            on_line=lambda line: say.write(f"{line}\n".encode()),
            check=say.check,
        )
    finally:
        await client.close()
    if reply.unanswered:
        raise NotBuilt(
            f"No stager answers on {without_credentials(uri)}, queue {settings.NATS_QUEUE!r}.",
            hint="Start `vstager`, or build on the worker with VR_BUILDER=local.",
        )
    if reply.error:
        raise NotBuilt(_reason(reply.error))


def _reason(error: str) -> str:
    """The stager's reason, without what it says of itself first."""
    return _PREFIX.sub("", error).strip()


def _taken(
    spec: BuildSpec, revision: str, attempt: Path, output: Path, say: OutputLog
) -> BuildResult:
    """The droplet that was brought, as a build."""
    brought = attempt / links.DROPLET
    if not brought.is_file():
        raise NotBuilt("The stager said that it is done, but brought no droplet.")
    made = droplet.convert(
        brought,
        output / TARBALL,
        attempt,
        name="the stager's droplet",
        runtimes=settings.RUNTIMES,
    )
    told = made.info.build
    megabytes = (output / TARBALL).stat().st_size / 1e6
    say.step(f"Done: {TARBALL}, {megabytes:.1f} MB, md5 {made.md5}")
    return BuildResult(
        **{
            **msgspec.structs.asdict(spec),
            "buildpack_url": told.buildpack_url if told else "",
            "buildpack_version": told.buildpack_version if told else "",
            "build_md5": made.md5,
            "revision": revision,
            "release_data": made.brings(spec.app_name, spec.version),
            "process_types": made.process_types,
        }
    )
