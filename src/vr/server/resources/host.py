"""Hosts, and what they last said of their procs."""

from __future__ import annotations

from typing import Any

from vr.hosts.remote.ssh import fingerprint
from vr.server import models
from vr.server.resources import procs
from vr.server.resources.fields import Answering, Computed, Flag, Moment, Number, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource, Through
from vr.server.resources.shapes import PATH, TEXT, component, list_of, or_null


def _steps(job: Any, _: Answering) -> list[dict[str, str]]:
    return [{"time": time, "message": message} for time, message in job.steps]


HOSTS: Resource = Resource(
    name="hosts",
    noun="host",
    about="Machines that run procs, and what they last said of them.",
    model=models.Host,
    key="name",
    fields=(
        Text(name="name"),
        Flag(name="active"),
        Flag(name="draining"),
        Link(name="squad", to="squads"),
        Text(name="address"),
        Text(name="ssh_user"),
        Number(name="ssh_port", whole=True),
        Text(name="release", nullable=True, writable=False),
        Moment(name="disk_full_since"),
        Computed(
            name="fingerprint",
            value=lambda host, _: fingerprint(host.host_key) if host.host_key else None,
            schema=or_null({**TEXT, "description": "of the SSH host key that is pinned"}),
        ),
        Computed(name="procs_uri", value=lambda host, _: f"{HOSTS.uri(host)}procs/", schema=PATH),
        Computed(name="procs", value=procs.of_host, schema=procs.PROCS),
        Computed(name="heard_from", value=procs.heard_from, schema=component("Heard")),
    ),
    filters={"name": "name", "active": "active"},
    order=("name",),
    select=("squad",),
)

HOST_JOBS: Resource = Resource(
    name="hostjobs",
    noun="host job",
    about="What was done to hosts as a whole: prepared, checked, removed.",
    model=models.HostJob,
    fields=(
        Link(name="host", to="hosts", writable=False),
        Text(name="name", writable=False),
        Text(name="kind", writable=False),
        Text(name="status", writable=False),
        Computed(
            name="steps",
            value=_steps,
            schema=list_of({"type": "object", "properties": {"time": TEXT, "message": TEXT}}),
        ),
        Text(name="error", writable=False),
        Text(name="output", writable=False),
        Moment(name="asked"),
        Moment(name="ended"),
    ),
    filters={"host": Through("hosts"), "kind": "kind", "status": "status"},
    order=("-id",),
    select=("host",),
    read_only=True,
)
