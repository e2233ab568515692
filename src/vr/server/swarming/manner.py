"""How a dispatch is to go: held before it is routed, tried with a few procs first, by batches."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from typing import Any

from django.conf import settings

from vr.server.models import Dispatch

_CANARY = re.compile(r"([0-9]{1,9})(%?)")
LONGEST_CANARY = 86400


@dataclass(frozen=True)
class Manner:
    """As somebody asks for it.

    `hold`: it waits before it is routed. `canary`: how many new procs are routed beside the old
    ones first, as `N` or `P%` of the size; empty: none. `canary_seconds`: for how long, None:
    VR_CANARY_SECONDS. `batch`: how many procs are replaced at a time, 0: all.
    """

    hold: bool = False
    canary: str = ""
    canary_seconds: int | None = None
    batch: int = 0

    @classmethod
    def of(cls, dispatch: Dispatch) -> Manner:
        """How a dispatch went."""
        return cls(
            hold=dispatch.hold,
            canary=str(dispatch.canary or ""),
            canary_seconds=dispatch.canary_seconds or None,
            batch=dispatch.batch,
        )

    def problems(self, size: int) -> list[str]:
        """Why a swarm of `size` procs can't go so."""
        found = []
        if self != AT_ONCE and size == 0:
            return ["size: is 0, so there is nothing to hold, to try or to do by batches"]
        if self.canary and not (
            _CANARY.fullmatch(self.canary) and 1 <= self._canaries(size) <= size
        ):
            found.append(
                f"canary: is {self.canary!r}, expected a number from 1 to {size}, or a percentage "
                "from 1% to 100%"
            )
        if self.canary_seconds is not None and not 1 <= self.canary_seconds <= LONGEST_CANARY:
            found.append(
                f"canary_seconds: is {self.canary_seconds}, expected 1 to {LONGEST_CANARY}"
            )
        if self.canary_seconds is not None and not self.canary:
            found.append("canary_seconds: is for a canary; say how many procs that is")
        largest = settings.LARGEST_SWARM
        if not 0 <= self.batch <= largest:
            found.append(f"batch: is {self.batch}, expected a whole number from 0 to {largest}")
        return found

    def columns(self, size: int) -> dict[str, Any]:
        """What is kept of it in the row of a dispatch to `size` procs."""
        canary = self._canaries(size) if self.canary else 0
        seconds = settings.CANARY_SECONDS if self.canary_seconds is None else self.canary_seconds
        return {
            "hold": self.hold,
            "canary": canary,
            "canary_seconds": seconds if canary else 0,
            "batch": self.batch,
        }

    @property
    def told(self) -> str:
        """What to add to a sentence about the dispatch."""
        words = [", to be held"] if self.hold else []
        words += [f", {self.canary} of it as canary"] if self.canary else []
        words += [f", by batches of {self.batch}"] if self.batch else []
        return "".join(words)

    def _canaries(self, size: int) -> int:
        """How many procs that is, a part of one being one."""
        match = _CANARY.fullmatch(self.canary)
        assert match is not None
        number = int(match[1])
        return math.ceil(size * number / 100) if match[2] else number


AT_ONCE = Manner()
