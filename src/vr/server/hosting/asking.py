"""Work on hosts that users ask for: check, store, wake a worker. Returns at once."""

from __future__ import annotations

import json
from typing import Any

from django.db import IntegrityError, transaction

from vr.errors import Busy
from vr.server.answers import InUse
from vr.server.events.announcing import user_did
from vr.server.events.kinds import Kind
from vr.server.hosts import this_machine
from vr.server.jobs import wake
from vr.server.models import Host, HostJob, HostJobKind
from vr.server.records.guards import why_kept


def prepare(
    host: Host,
    *,
    user: Any,
    password: str = "",
    sudo_password: str = "",
    fingerprint: str = "",
    new_key: bool = False,
    activates: bool = False,
) -> HostJob:
    """Queue that `host` is made a host, or brought to the server's version.

    `password` signs in this once, to leave the server's key there; `sudo_password` likewise.
    `fingerprint` is what the host's key must have if none is pinned yet; `new_key` pins another.
    With `activates` the host gets procs from then on. Raises InUse for this very machine, Busy
    while other work on the host is under way.
    """
    if this_machine().is_called(host.name):
        raise InUse(
            f"{host.name} is the machine of the server itself, which `vr up` has prepared.",
            hint="Add other machines by their names.",
        )
    said = {
        "password": password,
        "sudo_password": sudo_password,
        "fingerprint": fingerprint,
        "new_key": new_key,
    }
    told = {key: value for key, value in said.items() if value}
    return _queue(
        host,
        HostJobKind.PREPARE,
        Kind.USER_PREPARED,
        user,
        passwords=json.dumps(told) if told else "",
        activates=activates,
    )


def check(host: Host, *, user: Any) -> HostJob:
    """Queue a look at the host: can it be reached, what runs there, can it run procs?"""
    return _queue(host, HostJobKind.CHECK, None, user)


def remove(host: Host, *, user: Any) -> HostJob:
    """Queue that all of ours is removed from the host, and the host itself then.

    Raises InUse while something still needs the host.
    """
    if reason := why_kept(host):
        raise InUse(f"The host {host.name} can't be removed: {reason}.")
    return _queue(host, HostJobKind.REMOVE, Kind.USER_REMOVED, user)


def _queue(host: Host, kind: HostJobKind, event: Kind | None, user: Any, **values: Any) -> HostJob:
    try:
        with transaction.atomic():
            job = HostJob.objects.create(host=host, name=host.name, kind=kind, **values)
            if event is not None:
                uri = f"/api/v1/hosts/{host.name}/"
                user_did(user, event, f"host {host.name}", resource_uri=uri)
            wake.after_commit(wake.HOST_JOB, job.pk)
    except IntegrityError:
        raise Busy(
            f"Something else is being done to {host.name}.",
            hint=f"Wait until that has ended: vr hosts jobs {host.name}",
        ) from None
    return job
