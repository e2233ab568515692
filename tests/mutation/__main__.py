"""`make mutants`: which changes of the pure rooms no test notices.

ROOMS="planner specs" picks rooms, SAMPLE=0.2 every fifth mutant. What can't be noticed, as nothing
that anybody sees changes, stands in equivalent.txt beside this.
"""

from __future__ import annotations

import os
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from mutation.mutants import Mutant, mutants_of
from mutation.rooms import ROOMS, SOURCES, Room
from mutation.trial import Outcome, outcome

_WANTED = 0.95
_LONGEST = 300.0


def main() -> int:
    """Print survivors and a table; 1 if a room's share of killed ones is too small, else 0."""
    chosen = os.environ.get("ROOMS", "").split() or [room.name for room in ROOMS]
    share = float(os.environ.get("SAMPLE", "1"))
    equivalent = _equivalent()
    counts = {room.name: _count(room, equivalent, share) for room in ROOMS if room.name in chosen}
    print(f"{'room':<12}{'mutants':>8}{'killed':>8}{'equivalent':>12}{'survived':>10}{'killed':>8}")
    enough = True
    for name, count in counts.items():
        killed, same, left = count["killed"], count["equivalent"], count["survived"]
        held = killed / max(1, killed + left)
        enough &= held >= _WANTED
        total = killed + same + left
        print(f"{name:<12}{total:>8}{killed:>8}{same:>12}{left:>10}{held:>8.1%}")
    return 0 if enough else 1


def _count(room: Room, equivalent: set[str], share: float) -> Counter[str]:
    count: Counter[str] = Counter()
    patience = _patience(room)
    for name, mutant in _picked(room, share):
        key = f"{name} {mutant.key}"
        if key in equivalent:
            count["equivalent"] += 1
            continue
        found, _ = outcome(room, name, mutant.source, patience)
        count[found.value] += 1
        if found is Outcome.SURVIVED:
            print(f"survived: line {mutant.line}: {key}", flush=True)
    return count


def _picked(room: Room, share: float) -> Iterator[tuple[str, Mutant]]:
    due = 0.0
    for name in room.modules:
        for mutant in mutants_of((SOURCES / name).read_text()):
            due += share
            if due >= 1:
                due -= 1
                yield name, mutant


def _patience(room: Room) -> float:
    """How long the room's tests may take, by how long they take for the module as it is."""
    name = room.modules[0]
    source = (SOURCES / name).read_text()
    found, took = outcome(room, name, source, _LONGEST)
    if found is not Outcome.SURVIVED:
        sys.exit(f"The tests of {room.name} fail by themselves: run them first.")
    return 10 + 10 * took


def _equivalent() -> set[str]:
    lines = (Path(__file__).parent / "equivalent.txt").read_text().splitlines()
    return {line for line in lines if line and not line.startswith("#")}


if __name__ == "__main__":
    sys.exit(main())
