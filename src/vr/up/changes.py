"""What a running stack lacks to be as it is wanted. Pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass

BACKGROUND = ("beat", "worker", "builder", "stager")
"""What works on its own account: it stops before the database changes, and begins after."""
OURS = ("web", "beat", "worker", "builder", "stager", "proc_publisher")
"""What runs our code, as its stamp tells."""
REREADING = ("nginx",)
"""What reads its configuration again, and is replaced only if that isn't enough."""
SERVER = ("web", "beat", "worker", "builder")
"""What reads and writes the database."""


@dataclass(frozen=True)
class Changes:
    """Names of parts, in the order in which they are started."""

    # They run, with other code or configuration.
    replaced: tuple[str, ...] = ()
    # They don't run.
    started: tuple[str, ...] = ()
    # They are not wanted any more.
    removed: tuple[str, ...] = ()

    @property
    def touched(self) -> tuple[str, ...]:
        return self.replaced + self.started

    @property
    def concern_the_database(self) -> bool:
        return any(name in SERVER for name in self.touched)

    def __bool__(self) -> bool:
        return bool(self.replaced or self.started or self.removed)


def changes(
    wanted: Mapping[str, str],
    running: Mapping[str, str],
    known: Collection[str],
    altered: Collection[str],
    moving: Collection[str] = (),
) -> Changes:
    """`wanted` has the stamps of the parts that are to run, in the order of their starts, and
    `running` those of the parts that do.

    `known` are the parts that supervisord has, running or not; `altered` those whose section in
    its configuration differs from what it goes by. `moving` are those whose port is to be
    another address's, which nothing can take while it runs.
    """
    return Changes(
        replaced=tuple(
            name
            for name, stamp in wanted.items()
            if name in running
            and (
                name in moving
                or (name in altered and name not in REREADING)
                or (name in OURS and running[name] != stamp)
            )
        ),
        started=tuple(name for name in wanted if name not in running),
        removed=tuple(sorted(name for name in known if name not in wanted)),
    )


def older(wanted_code: str, codes: Mapping[str, str]) -> tuple[str, ...]:
    """The parts that run other code of ours than `wanted_code`, of those with these codes."""
    return tuple(name for name, code in codes.items() if code != wanted_code)
