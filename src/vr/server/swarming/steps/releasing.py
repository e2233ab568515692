"""MakeRelease: the build with the swarm's config; from here on it is known what is current."""

from __future__ import annotations

from vr.server.builds.choosing import check_proc_name, release_for
from vr.server.models import StepKind
from vr.server.swarming.run import Run


def make(run: Run) -> None:
    """Find or make the release; raises CannotDispatch for a proc that the app doesn't have."""
    build = run.dispatch.build
    assert build is not None
    with run.journal.step(StepKind.RELEASE, f"release of {build}") as step:
        check_proc_name(build, run.swarm.proc_name)
        release = release_for(run.swarm, build)
        run.dispatch.release = release
        run.lease.rows.update(release=release)
        step.say(f"release {release.hash}")
