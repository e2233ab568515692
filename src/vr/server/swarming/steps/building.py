"""Build and AwaitBuild: the build that the dispatch deploys, made by whoever comes first."""

from __future__ import annotations

from django.db import transaction

from vr.server.builds.choosing import image_of, usable_build
from vr.server.events.kinds import Kind
from vr.server.jobs import wake
from vr.server.models import Build, BuildStatus, StepKind
from vr.server.swarming import tasks
from vr.server.swarming.problems import DispatchFailed
from vr.server.swarming.run import Run

_LOG_TAIL = 8000


def choose(run: Run) -> None:
    """Take the newest usable build of the tag, or make one and queue it."""
    app, tag = run.swarm.app, run.dispatch.tag
    image = image_of(app)
    with transaction.atomic():
        build = usable_build(app, image, tag)
        if build is None:
            build = Build.objects.create(app=app, tag=tag, image=image)
        run.dispatch.build = build
        run.lease.rows.update(build=build)


def wait(run: Run) -> None:
    """Tell that the build is under way and make sure that somebody does it."""
    build = run.dispatch.build
    assert build is not None
    is_first_time = not run.dispatch.steps.filter(kind=StepKind.BUILD).exists()
    with run.journal.step(StepKind.BUILD, f"building {build}") as step:
        step.leave_open()
    if is_first_time:
        run.journal.event(
            f"{run.swarm.name} waits for a build",
            f"{run.swarm.name} goes on when {build} is built.",
            kind=Kind.BUILD_AWAITED,
        )
    if build.status == BuildStatus.PENDING:
        wake.now(tasks.run_build, build.pk)


def finish(run: Run) -> None:
    """Close the step of a build that has ended; raises DispatchFailed if it failed."""
    from vr.server.builds.running import log_tail

    build = run.dispatch.build
    assert build is not None
    has_waited = run.dispatch.steps.filter(kind=StepKind.BUILD).exists()
    if build.status != BuildStatus.FAILED:
        message = f"{build} is built" if has_waited else f"{build} was built before"
        with run.journal.step(StepKind.BUILD, message):
            return
    with run.journal.step(StepKind.BUILD, f"{build} could not be built"):
        raise DispatchFailed(
            f"The build of {build} failed: {build.error}", details=log_tail(build, _LOG_TAIL)
        )
