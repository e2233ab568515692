"""Hosts, and what they last said of their procs."""

from __future__ import annotations

from vr.server import models
from vr.server.resources import procs
from vr.server.resources.fields import Computed, Flag, Text
from vr.server.resources.links import Link
from vr.server.resources.resource import Resource
from vr.server.resources.shapes import PATH, component

HOSTS: Resource = Resource(
    name="hosts",
    noun="host",
    about="Machines that run procs, and what they last said of them.",
    model=models.Host,
    key="name",
    fields=(
        Text(name="name"),
        Flag(name="active"),
        Link(name="squad", to="squads"),
        Computed(name="procs_uri", value=lambda host, _: f"{HOSTS.uri(host)}procs/", schema=PATH),
        Computed(name="procs", value=procs.of_host, schema=procs.PROCS),
        Computed(name="heard_from", value=procs.heard_from, schema=component("Heard")),
    ),
    filters={"name": "name", "active": "active"},
    order=("name",),
    select=("squad",),
)
