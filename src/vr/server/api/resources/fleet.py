"""Where it runs: hosts and their squads (api-v1.md 4)."""

from __future__ import annotations

from vr.server import models
from vr.server.api import procs
from vr.server.api.fields import Computed, Flag, Link, Links, Text
from vr.server.api.filters import Through
from vr.server.api.resource import Resource

HOSTS: Resource = Resource(
    name="hosts",
    noun="host",
    model=models.Host,
    key="name",
    fields=(
        Text(name="name"),
        Flag(name="active"),
        Link(name="squad", to=lambda: SQUADS),
        Computed(name="procs_uri", value=lambda host, _: f"{HOSTS.uri(host)}procs/"),
        Computed(name="procs", value=procs.of_host, shape="array"),
        Computed(name="heard_from", value=procs.heard_from, shape="object"),
    ),
    filters={"name": "name", "active": "active"},
    order=("name",),
    select=("squad",),
)


SQUADS: Resource = Resource(
    name="squads",
    noun="squad",
    model=models.Squad,
    key="name",
    fields=(Text(name="name"), Links(name="hosts", to=lambda: HOSTS, full=True)),
    filters={"name": "name", "hosts": Through(lambda: HOSTS)},
    order=("name",),
    prefetch=("hosts__squad",),
)
