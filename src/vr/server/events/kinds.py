"""Every kind of event: its tags on the wire, how pages show it, and when it is sent.

An event is stored with its kind's tags, which clients of the API filter by; they never change.
A new kind is a member here and a line in docs/reference/streams.md#tags.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Literal

Tone = Literal["ok", "busy", "warn", "bad", "idle"]

HIDDEN = "hidden"
"""The tag of events that only wake readers: lists of events leave them out."""


@dataclass(frozen=True)
class _Facts:
    """`icon` is a name in static/vr/icons.svg, `tone` a colour class of the pages."""

    tags: tuple[str, ...]
    icon: str
    tone: Tone
    meaning: str


class Kind(Enum):
    """The kinds of events, by what has happened."""

    STEP_CHANGED = _Facts(("step", HIDDEN), "dot", "idle", "a step of a dispatch began or ended")
    SWARM_DONE = _Facts(("swarm", "deploy", "done"), "check", "ok", "a dispatch succeeded")
    SWARM_FAILED = _Facts(("failed", "swarm"), "alert", "bad", "a dispatch failed, and why")

    SWARM_CANCELLED = _Facts(
        ("cancelled", "swarm"), "cross", "idle", "a dispatch was cancelled, by whom"
    )

    SWARM_HELD = _Facts(
        ("held", "swarm"), "clock", "warn", "a version is tested, and waits for `vr route`"
    )
    BATCH_DONE = _Facts(("batch", "swarm"), "swarm", "busy", "a batch of procs was replaced")
    SWARM_REVERTED = _Facts(
        ("revert", "swarm"),
        "swarm",
        "warn",
        "a version failed between batches, and the one before is brought back",
    )

    BUILD_AWAITED = _Facts(("wait",), "clock", "idle", "a dispatch waits for its build")
    BUILD_STARTED = _Facts(("build",), "hammer", "busy", "a build began")
    BUILD_DONE = _Facts(("build", "success"), "hammer", "ok", "a build is there to be swarmed")
    BUILD_FAILED = _Facts(
        ("build", "failed"), "alert", "bad", "a build failed, with the end of its log"
    )

    PROCS_DEPLOYING = _Facts(("deploy",), "rocket", "busy", "procs are being set up on their hosts")
    DEPLOY_FAILED = _Facts(
        ("deploy", "failed"), "alert", "bad", "a proc that was deployed by hand could not be set up"
    )
    UPTESTS_PASSED = _Facts(("success", "uptest"), "shield", "ok", "all procs passed their uptests")
    UPTESTS_MISSING = _Facts(
        ("warning", "uptest"), "alert", "warn", "the app has no uptests, so nothing was tested"
    )
    UPTESTS_FAILED = _Facts(
        ("failed", "uptest"), "alert", "bad", "a proc failed its uptests, with their output"
    )
    UPTESTS_AGAIN = _Facts(
        ("success", "uptest", "again"), "shield", "ok", "a proc passes its uptests again"
    )
    POOL_ROUTED = _Facts(("route",), "route", "busy", "a pool was brought to its new nodes")
    PROCS_REMOVED = _Facts(("proc", "deleted"), "trash", "idle", "procs were removed from a host")
    REMOVAL_FAILED = _Facts(
        ("proc", "deleted", "failed"), "alert", "bad", "procs could not be removed from a host"
    )

    HOST_READY = _Facts(("host", "ready"), "server", "ok", "a machine was made a host")
    HOST_FAILED = _Facts(
        ("host", "failed"), "alert", "bad", "work on a host failed, with what it said"
    )
    POOL_MENDED = _Facts(
        ("route", "mend"),
        "route",
        "warn",
        "nodes left a pool that are lost, or none of its swarm's",
    )
    HOST_SILENT = _Facts(
        ("host", "silent"), "alert", "bad", "nothing is heard of a host any more, and since when"
    )
    HOST_BACK = _Facts(("host", "success"), "server", "ok", "a silent host is heard of again")
    HOST_DISK_FULL = _Facts(
        ("host", "disk", "failed"),
        "alert",
        "bad",
        "a host has little disk left, and gets no new procs",
    )
    HOST_DISK_FREE = _Facts(
        ("host", "disk", "success"), "server", "ok", "a host whose disk was full has room again"
    )
    HOST_REMOVED = _Facts(("host", "deleted"), "trash", "idle", "all of ours left a host")
    PROC_DOWN = _Facts(
        ("proc", "failed"), "alert", "bad", "a proc went down and is started again, with its log"
    )
    PROC_UNROUTED = _Facts(
        ("proc", "unrouted"), "alert", "bad", "a proc left its pool, as its uptests fail"
    )
    PROC_RESTARTING = _Facts(
        ("proc", "restarting"), "alert", "bad", "a proc began to restart again and again"
    )
    PROC_STEADY = _Facts(("proc", "steady"), "check", "ok", "a proc stays up that restarted so")
    PROC_OVER_DISK = _Facts(
        ("proc", "disk"), "alert", "bad", "a proc wrote more than its limit, and was stopped"
    )
    PROC_WELL = _Facts(("proc", "success"), "check", "ok", "a proc that had gone down is well")

    NOTICE_FAILED = _Facts(
        ("notice", "failed"), "alert", "warn", "a notifier could not be told of an event"
    )

    USER_ADDED = _Facts(("user", "add"), "user", "idle", "somebody added a record")
    USER_CHANGED = _Facts(("user", "change"), "user", "idle", "somebody changed a record")
    USER_REMOVED = _Facts(("user", "remove"), "user", "idle", "somebody removed a record")
    USER_BUILT = _Facts(("user", "build"), "hammer", "busy", "somebody asked for a build")
    USER_UPLOADED = _Facts(("user", "upload"), "user", "idle", "somebody uploaded a droplet")
    USER_SWARMED = _Facts(("user", "swarm"), "swarm", "busy", "somebody swarmed a version")
    USER_SCALED = _Facts(("user", "scale"), "user", "idle", "somebody changed a swarm's size")
    USER_RESCUED = _Facts(
        ("user", "rescue"),
        "user",
        "idle",
        "procs of a host that is lost or drained are placed on others, or what is too many is "
        "retired",
    )
    USER_CANCELLED = _Facts(
        ("user", "cancel"), "user", "idle", "somebody cancelled a dispatch or a build"
    )
    USER_ROUTED = _Facts(
        ("user", "route"), "user", "idle", "somebody had a version routed that was held"
    )
    USER_RETRIED = _Facts(
        ("user", "retry"), "swarm", "busy", "somebody tried a failed dispatch again"
    )
    USER_ROLLED_BACK = _Facts(
        ("user", "rollback"), "user", "idle", "somebody brought back an earlier release"
    )
    USER_DEPLOYED = _Facts(("user", "deploy"), "rocket", "busy", "somebody deployed a proc by hand")
    USER_UPTESTED = _Facts(
        ("user", "uptest"), "shield", "busy", "somebody asked for procs to be uptested"
    )
    USER_PREPARED = _Facts(
        ("user", "prepare"), "server", "busy", "somebody asked for a machine to be made a host"
    )
    USER_STARTED = _Facts(("user", "start"), "user", "idle", "somebody started a proc")
    USER_STOPPED = _Facts(("user", "stop"), "user", "idle", "somebody stopped a proc")
    USER_RESTARTED = _Facts(("user", "restart"), "user", "idle", "somebody restarted a proc")
    USER_DESTROYED = _Facts(("user", "destroy"), "trash", "idle", "somebody destroyed a proc")
    USER_ADOPTED = _Facts(("user", "adopt"), "user", "idle", "somebody gave a stray to a swarm")
    USER_FAILED = _Facts(
        ("user", "failed"), "alert", "bad", "Supervisor refused what somebody asked of a proc"
    )

    @property
    def tags(self) -> tuple[str, ...]:
        """What the event is tagged with, in this order."""
        return self.value.tags

    @property
    def icon(self) -> str:
        return self.value.icon

    @property
    def tone(self) -> Tone:
        return self.value.tone

    @property
    def meaning(self) -> str:
        """When it is sent, in lower case and without a full stop."""
        return self.value.meaning

    @property
    def action(self) -> str:
        """The action log's word for it; only kinds of what users do have one.

        Raises ValueError for others.
        """
        first, *rest = self.tags
        if first != "user":
            raise ValueError(f"{self} is nothing that a user does")
        return rest[0]

    @classmethod
    def of(cls, tags: Sequence[str]) -> Kind | None:
        """The kind of a stored event; None for one of another version of Velociraptor."""
        return _BY_TAGS.get(tuple(tags))


_BY_TAGS = {kind.tags: kind for kind in Kind}
