"""Ports of hosts: one owner each, from before its proc is deployed until it is retired."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from django.db import IntegrityError, transaction
from django.db.models import Q

from vr.server.models import Dispatch, Host, PortLease, Swarm


class PortTaken(Exception):
    """The port belongs to another proc; no port was leased. The message names it."""


def lease_to(dispatch: Dispatch, procs: Iterable[tuple[Host, int, str]]) -> None:
    """Lease ports to new procs, each given as host, port and full name, that `dispatch` places.

    All or none; those that it has leased already are fine. Raises PortTaken.
    """
    try:
        with transaction.atomic():
            for host, port, proc in procs:
                owner = {"swarm": dispatch.swarm, "dispatch": dispatch, "proc": proc}
                lease, is_new = PortLease.objects.get_or_create(
                    host=host, port=port, defaults=owner
                )
                if not is_new and lease.dispatch_id != dispatch.pk:
                    raise PortTaken(f"port {port} of {host} was taken meanwhile")
    except IntegrityError:
        raise PortTaken("a port was taken meanwhile") from None


def lease_alone(host: Host, port: int, proc: str) -> None:
    """Lease a port to a proc that no dispatch places. Raises PortTaken, naming the owner."""
    try:
        with transaction.atomic():
            PortLease.objects.create(host=host, port=port, proc=proc)
    except IntegrityError:
        owner = PortLease.objects.filter(host=host, port=port).first()
        raise PortTaken(
            f"{port} of {host} belongs to {owner.proc if owner else 'another'}"
        ) from None


def give_to(swarm: Swarm, host: Host, port: int, proc: str) -> None:
    """Lease a port to a proc that runs there already, for `swarm`. Raises PortTaken, naming the
    owner, if it is another proc's."""
    lease, _ = PortLease.objects.get_or_create(host=host, port=port, defaults={"proc": proc})
    if lease.proc != proc:
        raise PortTaken(f"{port} of {host} belongs to {lease.proc}")
    lease.swarm = swarm
    lease.save(update_fields=["swarm"])


def note_spawns(dispatch: Dispatch, spawns: Mapping[tuple[str, str], str]) -> None:
    """Remember which process each proc, given as host and full name, was seen with first; procs
    that `dispatch` did not place are passed over."""
    with transaction.atomic():
        for (host, proc), spawn in spawns.items():
            PortLease.objects.filter(
                dispatch=dispatch, host__name=host, proc=proc, spawn=""
            ).update(spawn=spawn)


def spawns_of(dispatch: Dispatch) -> dict[tuple[str, str], str]:
    """What `note_spawns` has noted of the procs that the dispatch placed."""
    leases = PortLease.objects.filter(dispatch=dispatch).exclude(spawn="")
    return {
        (host, proc): spawn
        for host, proc, spawn in leases.values_list("host__name", "proc", "spawn")
    }


def settle(dispatch: Dispatch) -> None:
    """The procs that the dispatch has placed are in service for good: its failure removes them no
    more."""
    PortLease.objects.filter(dispatch=dispatch).update(dispatch=None)


def hand_over(dispatch: Dispatch, successor: Dispatch) -> None:
    """The procs that the dispatch has placed are the successor's, whose failure removes them; how
    often they have started until now is forgotten."""
    PortLease.objects.filter(dispatch=dispatch).update(dispatch=successor, spawn="")


def leased_by(dispatch: Dispatch) -> set[tuple[str, int]]:
    """The (host, port)s of procs that the dispatch has placed."""
    leases = PortLease.objects.filter(dispatch=dispatch)
    return set(leases.values_list("host__name", "port"))


def leases_around(swarm: Swarm, hosts: Collection[Host]) -> list[PortLease]:
    """The leases of the swarm, wherever they are, and all leases of `hosts`, each with its host."""
    leases = PortLease.objects.filter(Q(swarm=swarm) | Q(host__in=hosts))
    return list(leases.select_related("host"))


def give_back(host: str, procs: Collection[str]) -> None:
    """End the leases of procs that are gone from `host`, if they had any."""
    PortLease.objects.filter(host__name=host, proc__in=procs).delete()
