"""Giving strays to swarms: then somebody looks after them, and the next dispatch keeps or replaces
them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from django.core.exceptions import ValidationError
from django.db import transaction

from vr.errors import InvalidInput
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.models import Host, Release, Swarm
from vr.server.procs import ownership, ports
from vr.server.procs.ownership import Unowned
from vr.server.procs.survey import Survey, survey
from vr.server.records import changes
from vr.server.swarming.asking import dispatch_with_procs
from vr.server.swarming.problems import SwarmBusy
from vr.server.swarming.proc_actions import unknown
from vr.specs.names import ProcName


def adopt(host: Host, proc: str, swarm: Swarm | None = None, *, user: Any) -> Swarm:
    """Make the stray named `proc` on `host` the proc of `swarm`; returns its swarm.

    Without `swarm` it goes to the one that is called like it. Where there is none, one is made of
    the release that the proc runs, with as many procs as run it in the host's squad; its pool is
    for people to say. Neither touches what runs. What is the swarm's already stays so.

    Raises InvalidInput for a proc that is no stray or can't be given away, UnknownProc, SwarmBusy
    while a dispatch deals with the swarm's procs.
    """
    where = f"stray {proc} on {host.name}"
    name = ProcName.parse(proc)
    if name is None:
        raise InvalidInput(where, ["is not one of Velociraptor's; only its procs can be adopted"])
    known = survey()
    if all((one["host"], one["name"]) != (host.name, proc) for one in known.strays):
        owner = _owner(host, proc)
        if owner is None:
            raise unknown(host, proc)
        if swarm not in {None, owner}:
            raise InvalidInput(where, [f"is no stray: it is a proc of {owner.name}"])
        with transaction.atomic():
            _give(host, name, owner, where)
        return owner
    with transaction.atomic():
        swarm = swarm or _namesake(name, where) or _made_for(host, name, known, where, user)
        if swarm.app.name != name.app:
            raise InvalidInput(
                where, [f"is of the app {name.app}, and {swarm.name} of {swarm.app.name}"]
            )
        if busy := dispatch_with_procs(swarm):
            raise SwarmBusy(busy)
        _give(host, name, swarm, where)
        user_did(user, Kind.USER_ADOPTED, f"{proc} on {host.name} for {swarm.name}")
    return swarm


def _owner(host: Host, proc: str) -> Swarm | None:
    owner = ownership.read_claims(host.name).owner(host.name, proc)
    if isinstance(owner, Unowned):
        return None
    return Swarm.objects.select_related("app").filter(pk=owner).first()


def _namesake(name: ProcName, where: str) -> Swarm | None:
    found = Swarm.objects.select_related("app", "squad").filter(
        app__name=name.app, config_name=name.config, proc_name=name.proc
    )
    if len(found) > 1:
        squads = ", ".join(sorted(swarm.squad.name for swarm in found))
        raise InvalidInput(
            where, [f"could be of {found[0].name} in the squads {squads}; say which"]
        )
    return found[0] if found else None


def _made_for(host: Host, name: ProcName, known: Survey, where: str, user: Any) -> Swarm:
    """A new swarm that wants what runs."""
    release = (
        Release.objects.select_related("build__app")
        .filter(build__app__name=name.app, build__tag=name.version, hash=name.hash)
        .order_by("-id")
        .first()
    )
    problems = []
    if release is None:
        problems.append(
            f"runs a release that is not known any more ({name.app}-{name.version}-{name.hash}): "
            "add a swarm of that app, config and proc name, or remove the proc"
        )
    if host.squad is None:
        problems.append(f"is on a host without a squad: put {host.name} into one")
    if release is None or problems:
        raise InvalidInput(where, problems)
    swarm = Swarm(
        app=release.build.app,
        tag=name.version,
        config_name=name.config,
        proc_name=name.proc,
        squad=host.squad,
        size=_count_like(host, name, known),
        release=release,
        **release.settings(),
    )
    try:
        swarm.full_clean()
    except ValidationError as error:
        raise InvalidInput(where, error.messages) from None
    changes.save(swarm, user=user, write=swarm.save)
    return swarm


def _count_like(host: Host, name: ProcName, known: Survey) -> int:
    """How many strays of the host's squad run the same release under the same names."""
    like = [
        one
        for one in known.strays
        if known.claims.squads.get(one["host"]) == host.squad_id
        and (parsed := ProcName.parse(one["name"])) is not None
        and replace(parsed, port=name.port) == name
    ]
    return len(like)


def _give(host: Host, name: ProcName, swarm: Swarm, where: str) -> None:
    if name.port:
        try:
            ports.give_to(swarm, host, name.port, str(name))
        except ports.PortTaken as taken:
            raise InvalidInput(where, [f"can't be adopted: port {taken}"]) from None
    if _owner(host, str(name)) != swarm:
        # Whose it is goes by its name alone.
        raise InvalidInput(where, [f"has no port by which {swarm.name} could own it; remove it"])
