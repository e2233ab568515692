"""ChooseBuild and AwaitBuild: the build that is deployed, made by whoever comes first."""

from __future__ import annotations

from vr.server.builds.choosing import image_of, usable_build
from vr.server.builds.running import log_tail
from vr.server.events.kinds import Kind
from vr.server.jobs import wake
from vr.server.models import App, Build, BuildStatus, StepKind
from vr.server.swarming.journal import Journal
from vr.server.swarming.problems import DispatchFailed

_LOG_TAIL = 8000


def choose(app: App, tag: str) -> Build:
    """The newest usable build of the tag, or a new one that waits to be built.

    Raises CannotBuild if the app's stack has no image.
    """
    image = image_of(app)
    found = usable_build(app, image, tag)
    return found or Build.objects.create(app=app, tag=tag, image=image)


def wait(build: Build, journal: Journal) -> None:
    """Tell that the build is under way and make sure that somebody does it."""
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
        message = f"{build} is built" if has_waited else f"{build} was built before"
        with journal.step(StepKind.BUILD, message):
            return
    with journal.step(StepKind.BUILD, f"{build} could not be built"):
        raise DispatchFailed(
            f"The build of {build} failed: {build.error}", details=log_tail(build, _LOG_TAIL)
        )
