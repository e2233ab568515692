"""A round of the caretaker: look, decide, remember, and wake who does it.

Only one worker makes it at a time. It does nothing slow itself, so that no proc waits for
another's; hosts that were silent are looked at last, and a few at a time.
"""

from __future__ import annotations

import random
import time
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime

import redis
from django.utils import timezone

from vr.events.procs import HostState
from vr.server.caretaking import disks, looking, loops, squads
from vr.server.caretaking.looking import Kept
from vr.server.caretaking.mending import Action, Deed, History, mend
from vr.server.caretaking.pool_care import PoolRounds
from vr.server.caretaking.silence import Silences
from vr.server.events.announcing import proc_board
from vr.server.jobs import leases, leaving, wake
from vr.server.jobs.leases import Lease, LeaseLost
from vr.server.models import Duty, Host, ProcHealth, ProcStatus
from vr.server.models.duty import OPEN
from vr.server.procs import health

NAME = "caretaking"
# What is not begun by then is for a later look.
DEED_SECONDS = 30.0
# Each test keeps a thread of a worker; dispatches need some, too.
_MOST_TESTS = 3
_SILENT_AT_ONCE = 8
_silences = Silences()
_pools = PoolRounds()


def go_round() -> None:
    """Look at all procs that are wanted and mend what differs; nothing if another worker does."""
    if leaving.is_leaving():
        return
    Duty.objects.get_or_create(name=NAME)
    with leases.hold(Duty, NAME, OPEN) as lease:
        if lease is None:
            return
        try:
            _go_round(lease)
        except LeaseLost:
            return


def _go_round(lease: Lease) -> None:
    kept = looking.read_wanted()
    hosts_of_procs = {one.host for one in kept}
    heard = _heard(sorted({*hosts_of_procs, *Host.objects.values_list("name", flat=True)}))
    if heard is not None:
        _silences.tell(heard)
        disks.tell_of_hosts(heard)
        squads.heal(heard)
        _pools.go()
    now = time.time()
    # While nobody can say which hosts are silent, all are asked.
    states = {host: heard[host] if heard else HostState(host, now) for host in hosts_of_procs}
    speaking, silent = _by_voice(states)
    # What is decided of hosts that answer must not wait for others.
    for hosts in (speaking, random.sample(silent, min(len(silent), _SILENT_AT_ONCE))):
        if hosts:
            _mend([one for one in kept if one.host in set(hosts)], hosts, lease)
    told = {host: states[host] for host in speaking}
    loops.tell(kept, told)
    disks.tell_of_procs(kept, told)


def _heard(hosts: Sequence[str]) -> dict[str, HostState] | None:
    """What the hosts last pushed; None while that can't be read."""
    try:
        return proc_board().read(hosts)
    except redis.RedisError:
        return None


def _by_voice(states: Mapping[str, HostState]) -> tuple[list[str], list[str]]:
    """The hosts that push what runs there, and those that have fallen silent."""
    now = time.time()
    silent = [host for host, state in states.items() if state.is_silent(now)]
    return [host for host in states if host not in silent], silent


def _mend(kept: Sequence[Kept], hosts: Sequence[str], lease: Lease) -> None:
    by_key = {one.wanted.key: one for one in kept}
    actions = mend(
        [one.wanted for one in kept],
        looking.look(hosts),
        {one.wanted.key: one.history for one in kept},
        time.time(),
    )
    tests = _MOST_TESTS - _tests_under_way()
    for action in actions:
        lease.check()
        if action.deed is Deed.TEST:
            tests -= 1
            if tests < 0:
                continue
        one = by_key[action.key]
        if _remember(one, action) and action.deed is not Deed.NOTHING:
            wake.now(wake.CARE, one.lease_id, action.deed.value, expires=DEED_SECONDS)


def _remember(one: Kept, action: Action) -> bool:
    """Store the action's history, unless it was changed since it was read."""
    row = health.row_of(one.lease_id)
    if row is None:
        return False
    before, after = one.history, action.history
    unchanged = ProcHealth.objects.filter(
        pk=row.pk,
        status=before.condition.value,
        spawn=before.spawn,
        tries=before.tries,
        is_stopped=False,
    )
    return bool(unchanged.update(**_columns(after)))


def _columns(history: History) -> dict[str, object]:
    due = None if history.due is None else datetime.fromtimestamp(history.due, tz=UTC)
    return {
        "status": history.condition.value,
        "spawn": history.spawn,
        "tries": history.tries,
        "due": due,
    }


def _tests_under_way() -> int:
    held = ProcHealth.objects.filter(status=ProcStatus.BACK, lease_until__gt=timezone.now())
    return held.exclude(lease_owner="").count()
