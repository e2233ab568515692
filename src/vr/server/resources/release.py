"""Releases: a build with the config that it runs with."""

from __future__ import annotations

from vr.server import models
from vr.server.resources.fields import Computed, Moment, Text
from vr.server.resources.links import Link
from vr.server.resources.proc_settings import proc_settings
from vr.server.resources.resource import Resource, Through


def _name_by_content(release: models.Release) -> None:
    """A release gets its hash once its build is done; until then it has none."""
    if release.build.is_usable:
        release.hash = release.compute_hash()


RELEASES = Resource(
    name="releases",
    noun="release",
    about="A build with the config that it runs with.",
    model=models.Release,
    fields=(
        Link(name="build", to="builds"),
        *proc_settings(),
        Text(name="hash", nullable=True, writable=False),
        Computed(name="compiled_name", value=lambda release, _: release.compiled_name),
        Moment(name="created"),
    ),
    filters={"build": Through("builds")},
    order=("-id",),
    select=("build__app", "build__image"),
    finish=_name_by_content,
)
