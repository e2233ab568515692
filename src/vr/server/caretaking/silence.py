"""Telling of hosts that nothing is heard of any more: once when that begins, once when it ends."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime

from django.db import transaction

from vr.events.procs import HostState
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.models import Host
from vr.text.durations import duration
from vr.text.plurals import counted

# After the server itself was away, hosts get the time to be heard before they are called silent.
_GRACE_SECONDS = 4.0


class Silences:
    """What one process noticed of silent hosts: its own first looks at each."""

    def __init__(self) -> None:
        self._noticed: dict[str, float] = {}

    def tell(self, states: Mapping[str, HostState]) -> None:
        """Announce hosts that fell silent, and those heard of again, since the last round."""
        now = time.time()
        rows = Host.objects.filter(name__in=states, active=True)
        for name, silent_since in rows.values_list("name", "silent_since"):
            state = states[name]
            if not state.is_silent(now):
                self._noticed.pop(name, None)
                if silent_since is not None:
                    _tell_back(name, silent_since)
            elif state.seen is not None and silent_since is None:
                first = self._noticed.setdefault(name, time.monotonic())
                if time.monotonic() - first >= _GRACE_SECONDS:
                    _tell_silent(state)


def _tell_silent(state: HostState) -> None:
    assert state.seen is not None
    since = datetime.fromtimestamp(state.seen, tz=UTC)
    with transaction.atomic():
        if not Host.objects.filter(name=state.host, silent_since=None).update(silent_since=since):
            return
        announce(
            f"{state.host} is silent",
            f"Nothing was heard of {state.host} since {since:%Y-%m-%d %H:%M:%S} UTC. Whether its "
            f"{counted(len(state.procs), 'proc')} still run is unknown. Look at it: "
            f"vr hosts check {state.host}",
            kind=Kind.HOST_SILENT,
            resource_uri=f"/api/v1/hosts/{state.host}/",
        )


def _tell_back(name: str, since: datetime) -> None:
    with transaction.atomic():
        now = datetime.now(UTC)
        changed = {"silent_since": None, "back_since": now}
        if not Host.objects.filter(name=name, silent_since=since).update(**changed):
            return
        lasted = duration((now - since).total_seconds())
        announce(
            f"{name} is back",
            f"{name} is heard of again, after {lasted}.",
            kind=Kind.HOST_BACK,
            resource_uri=f"/api/v1/hosts/{name}/",
        )
