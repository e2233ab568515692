"""MakeRelease: the build with the swarm's config."""

from __future__ import annotations

from vr.server.models import Build, Release, StepKind, Swarm
from vr.server.swarming.journal import Journal
from vr.server.swarming.releases import check_proc_name, release_for


def make(swarm: Swarm, build: Build, journal: Journal) -> Release:
    """Find or make the release; raises CannotDispatch for a proc that the app doesn't have."""
    with journal.step(StepKind.RELEASE, f"release of {build}") as step:
        check_proc_name(build, swarm.proc_name)
        release = release_for(swarm, build)
        step.say(f"release {release.hash}")
    return release
