"""Which swarms are brought to their size again, as hosts were lost, drained or came back, or
could not be reached by a dispatch. Pure.

A swarm is rescued once for each silence of a host, again at growing intervals while that fails.
Once a host is back, what is too many by then is retired, and only then; that is tried again, too,
as a host that speaks may not be reached yet.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import takewhile

from vr.server.models import DispatchStatus

_RESCUE_PAUSE_SECONDS, _RETURN_PAUSE_SECONDS, _LONGEST_PAUSE_SECONDS = 60.0, 15.0, 600.0


@dataclass(frozen=True)
class HostVoice:
    """A host's silences; moments in unix time, None: it never was, or isn't. `draining`: its
    procs are to move to others. `is_heard`: it speaks at the moment, whatever was told of it."""

    silent_since: float | None = None
    back_since: float | None = None
    draining: bool = False
    is_heard: bool = True


@dataclass(frozen=True)
class Tried:
    """A dispatch of the swarm that has ended. `is_own`: no user asked for it."""

    created: float
    ended: float
    status: str
    size: int = 0
    is_own: bool = False


@dataclass(frozen=True)
class Placed:
    """A proc that has a port of a host. `is_serving`: it runs what its swarm serves."""

    host: str
    is_serving: bool


@dataclass(frozen=True)
class Flock:
    """A swarm with its procs, as far as they matter here. `rescue_after`: seconds of a host's
    silence, None: never. `tried`: its last dispatches, newest first."""

    id: int
    size: int
    rescue_after: float | None
    placed: Sequence[Placed]
    tried: Sequence[Tried] = ()


def rescue(flock: Flock, hosts: Mapping[str, HostVoice], now: float) -> str:
    """Why the swarm, of which no dispatch is open, is to be brought to its size; empty if not."""
    return (
        _for_lost(flock, hosts, now)
        or _for_returned(flock, hosts, now)
        or _for_drained(flock, hosts, now)
        or _for_left_over(flock, hosts, now)
    )


def may_have_left_over(placed: Sequence[Placed], size: int) -> bool:
    """Could the swarm have procs that it doesn't want? Nobody needs to know what was tried if
    not."""
    return len(placed) > size or any(not one.is_serving for one in placed)


def lost_hosts(flock: Flock, hosts: Mapping[str, HostVoice], now: float, after: float) -> list[str]:
    """The hosts of its serving procs that have been silent for `after` seconds, if these leave it
    with too few."""
    serving = [one.host for one in flock.placed if one.is_serving]
    lost = {
        name
        for name in serving
        if (since := hosts[name].silent_since) is not None and now - since >= after
    }
    left = sum(name not in lost for name in serving)
    return sorted(lost) if left < flock.size else []


def _for_lost(flock: Flock, hosts: Mapping[str, HostVoice], now: float) -> str:
    if flock.rescue_after is None:
        return ""
    lost = lost_hosts(flock, hosts, now, flock.rescue_after)
    if not lost:
        return ""
    begun = max(hosts[name].silent_since or 0.0 for name in lost)
    tried = [one for one in flock.tried if one.created > begun]
    if any(one.status == DispatchStatus.SUCCEEDED for one in tried):
        return ""
    if _is_pausing(tried, now, _RESCUE_PAUSE_SECONDS):
        return ""
    return f"Silent: {', '.join(lost)}. Its procs there are placed on other hosts."


def _for_returned(flock: Flock, hosts: Mapping[str, HostVoice], now: float) -> str:
    here = [one for one in flock.placed if hosts[one.host].silent_since is None]
    back = {one.host: since for one in here if (since := hosts[one.host].back_since) is not None}
    is_stale = any(one.host in back and not one.is_serving for one in here)
    if not back or not (is_stale or sum(one.is_serving for one in here) > flock.size):
        return ""
    tried = [one for one in flock.tried if one.created > max(back.values())]
    if _is_pausing(tried, now, _RETURN_PAUSE_SECONDS):
        return ""
    return f"Back: {', '.join(sorted(back))}. What is too many by now is retired."


def _for_drained(flock: Flock, hosts: Mapping[str, HostVoice], now: float) -> str:
    """A silent host is left to the squad's policy until it speaks: nothing there can be retired."""
    names = {one.host for one in flock.placed}
    drained = {n for n in names if hosts[n].draining and hosts[n].silent_since is None}
    # It isn't noted when draining began; what was tried long ago was tried for something else.
    tried = [one for one in flock.tried if now - one.ended < _LONGEST_PAUSE_SECONDS]
    if not drained or _is_pausing(tried, now, _RETURN_PAUSE_SECONDS):
        return ""
    return f"Drained: {', '.join(sorted(drained))}. Procs there move to other hosts."


def _for_left_over(flock: Flock, hosts: Mapping[str, HostVoice], now: float) -> str:
    """What a dispatch could not retire, as it did not reach the host, goes once that one is heard.

    A smaller size that was written down only, and not dispatched, makes nothing too many.
    """
    heard = {n for n, host in hosts.items() if host.is_heard and host.silent_since is None}
    here = [one for one in flock.placed if one.host in heard]
    done = next((one for one in flock.tried if one.status == DispatchStatus.SUCCEEDED), None)
    if done is None:
        return ""
    serving = [one.host for one in here if one.is_serving]
    left = {one.host for one in here if not one.is_serving}
    if len(serving) > max(flock.size, done.size):
        left |= set(serving)
    own = list(takewhile(lambda one: one.is_own, flock.tried))
    tried = own or flock.tried[:1]
    if not left or _is_pausing(tried, now, _RETURN_PAUSE_SECONDS):
        return ""
    return f"Left over on {', '.join(sorted(left))}: what is not wanted there is retired."


def _is_pausing(tried: Sequence[Tried], now: float, first: float) -> bool:
    """Is it too soon for another try, after those, newest first? Pauses double."""
    if not tried:
        return False
    pause = min(first * 2.0 ** (len(tried) - 1), _LONGEST_PAUSE_SECONDS)
    return now - tried[0].ended < pause
