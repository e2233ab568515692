"""ChooseBuild and AwaitBuild: the build that is deployed, made by whoever comes first."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import cast

from django.db import transaction

from vr.errors import Unwanted, VelociraptorError
from vr.hosts.crews import Crew
from vr.repo import Kind as RepositoryKind
from vr.repo import find_commit
from vr.server.builds.choosing import image_of, usable_build
from vr.server.builds.running import output_tail
from vr.server.events.kinds import Kind
from vr.server.jobs import wake
from vr.server.jobs.sliced import Sliced
from vr.server.models import App, Build, BuildStatus, StepKind
from vr.server.swarming.journal import Journal
from vr.server.swarming.problems import Cancelled, DispatchFailed

_LOG_TAIL = 8000
# Repositories that don't answer hold threads for as long as they may.
_ASKING = Crew("ask")


def look_up(
    app: App, tag: str, note: Callable[[str], object], check: Callable[[], None]
) -> Sliced[str]:
    """The commit that the tag or branch is at now; "" if the newest build of it is good enough.

    It is if it was uploaded, if the tag is its commit's hash, and, which `note` is told, if the
    repository can't be asked or has no such name any more. Raises CannotBuild if the app's stack
    has no image, and what `check` raises meanwhile.
    """
    newest = usable_build(app, image_of(app), tag)
    if newest is not None and (not newest.revision or newest.revision.startswith(tag)):
        return ""
    try:
        commit = yield from _ask_repository(app, tag, check)
        problem = f"The repository of {app} has no tag or branch {tag!r}."
    except Cancelled:
        raise
    except VelociraptorError as error:
        commit, problem = "", str(error)
    if newest is not None and not commit:
        note(f"{problem} What was built before is taken: {newest}, of commit {newest.revision}.")
    return commit


def _ask_repository(app: App, tag: str, check: Callable[[], None]) -> Sliced[str]:
    url, kind = app.source_url, cast(RepositoryKind, app.repo_type)
    is_over = threading.Event()

    def stop() -> None:
        if is_over.is_set():
            raise Unwanted("Nobody waits for the repository's answer any more.")

    job = _ASKING.begin(lambda name: find_commit(url, name, kind, check=stop), [tag])
    try:
        (commit,) = yield from job.watched(check)
    finally:
        is_over.set()
    return commit


def choose(app: App, tag: str, commit: str) -> Build:
    """The newest usable build of the tag, of `commit` if that is known, or a new one that waits
    to be built.

    Raises CannotBuild if the app's stack has no image.
    """
    image = image_of(app)
    found = usable_build(app, image, tag, commit=commit)
    return found or Build.objects.create(app=app, tag=tag, image=image, revision=commit)


def wait(build: Build, journal: Journal) -> None:
    """Tell that the build is under way and make sure that somebody does it."""
    with transaction.atomic():
        is_first_time = not journal.has(StepKind.BUILD)
        with journal.step(StepKind.BUILD, f"building {build}") as step:
            step.leave_open()
        if is_first_time:
            journal.event(
                f"{journal.swarm} waits for a build",
                f"{journal.swarm} goes on when {build} is built.",
                kind=Kind.BUILD_AWAITED,
            )
    if build.status == BuildStatus.PENDING:
        wake.now(wake.RUN_BUILD, build.pk)


def finish(build: Build, journal: Journal) -> None:
    """Close the step of a build that has ended; raises DispatchFailed if it failed."""
    has_waited = journal.has(StepKind.BUILD)
    if build.status != BuildStatus.FAILED:
        commit = f", of commit {build.revision[:12]}" if build.revision else ""
        message = f"{build} is built" if has_waited else f"{build} was built before{commit}"
        with journal.step(StepKind.BUILD, message):
            return
    with journal.step(StepKind.BUILD, f"{build} could not be built"):
        raise DispatchFailed(
            f"The build of {build} failed: {build.error}", details=output_tail(build, _LOG_TAIL)
        )
