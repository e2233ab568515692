"""Droplets as builds: what a stager made elsewhere is uploaded, converted, and swarmed."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from django.conf import settings
from django.db import transaction
from django.utils import timezone

from vr.builder import droplet
from vr.errors import InvalidInput
from vr.files.checksums import CHUNK
from vr.files.scratch import scratch
from vr.server.builds.choosing import image_of, usable_build
from vr.server.events.announcing import announce, user_did
from vr.server.events.kinds import Kind
from vr.server.files import store
from vr.server.models import App, Build, BuildStatus
from vr.specs.names import tag_problem

_TAG_LENGTH = 8


class Readable(Protocol):
    """As much of an uploaded file as is needed."""

    def read(self, size: int = ..., /) -> bytes: ...


@dataclass(frozen=True)
class Kept:
    """The build of an upload; `is_new` is False if the same one was there already."""

    build: Build
    is_new: bool


def keep_upload(
    app: App, upload: Readable, *, name: str, tag: str = "", runtime: str = "", user: Any
) -> Kept:
    """Make the uploaded droplet a build of `app` that can be swarmed at once.

    `name` is the file's, for messages. Without `tag` it is the first digits of the droplet's
    checksum. `runtime` is used instead of the one that the droplet names. Raises InvalidInput
    with every problem, CannotBuild if the app's stack has no image; then nothing is kept.
    """
    problem = tag_problem("tag", tag) if tag else None
    if problem:
        raise InvalidInput(f"build of {app.name}", [problem])
    image = image_of(app)
    started = timezone.now()
    with scratch(Path(settings.FILES_ROOT) / ".droplets", app.name) as folder:
        md5 = _spool(upload, folder / "droplet.tgz")
        made = droplet.convert(
            folder / "droplet.tgz",
            folder / "build.tar.gz",
            folder,
            name=name,
            runtime=runtime,
            runtimes=settings.RUNTIMES,
        )
        tag = tag or md5[:_TAG_LENGTH]
        known = usable_build(app, image, tag)
        if known is not None and known.is_usable and known.file_md5 == made.md5:
            return Kept(known, is_new=False)
        build = Build(app=app, tag=tag, image=image, status=BuildStatus.SUCCESS)
        build.start_time, build.end_time = started, timezone.now()
        build.file_md5 = made.md5
        build.file = f"builds/{app.name}-{tag}-{made.md5}.tar.gz"
        build.hash = build.compute_hash()
        build.process_types = made.process_types
        build.take_release_data(made.brings(app.name, tag))
        if made.info.build:
            build.buildpack_url = made.info.build.buildpack_url
            build.buildpack_version = made.info.build.buildpack_version
        store.put(build.file, folder / "build.tar.gz")
    _save(build, _log_of(made, name, md5), user)
    return Kept(build, is_new=True)


def _spool(upload: Readable, target: Path) -> str:
    """Copy the upload to the disk of the file store; returns its MD5."""
    digest = hashlib.md5(usedforsecurity=False)
    with target.open("xb") as file:
        while chunk := upload.read(CHUNK):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _log_of(made: droplet.DropletBuild, name: str, md5: str) -> str:
    """The compile log: how the droplet was staged, as far as it tells, and what became of it."""
    info = made.info
    words = [f"framework {info.framework or 'unknown'}"]
    if made.runtime:
        words.append(f"runtime {made.runtime}")
    return (
        f"{made.staging_log}"
        f"-----> Uploaded {name}, md5 {md5}: {', '.join(words)}\n"
        f"-----> Process types: {', '.join(made.process_types)}\n"
        f"-----> Build, md5 {made.md5}\n"
    )


def _save(build: Build, log: str, user: Any) -> None:
    """The row, its log and its events; the log's name needs the row's number."""
    with transaction.atomic():
        build.save()
        build.compile_log = f"builds/build_{build.pk}_compile.log"
        build.save(update_fields=["compile_log"])
        store.add_text(build.compile_log, log)
        address = f"/api/v1/builds/{build.pk}/"
        user_did(user, Kind.USER_UPLOADED, f"a droplet as {build}", resource_uri=address)
        announce(
            f"{build} uploaded",
            f"build {build.pk} of {build}",
            kind=Kind.BUILD_DONE,
            resource_uri=address,
        )
