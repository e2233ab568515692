"""`make attack`: every attack on a private stack, and whether the stack holds."""

from __future__ import annotations

import sys

from attack.attacks import ATTACKS
from support.stack import running_stack


def main() -> int:
    """Print a line for each attack; 1 if one of them is not held, else 0."""
    lost = 0
    with running_stack() as stack:
        for attack in ATTACKS:
            try:
                found = attack(stack)
            except Exception as error:
                found = f"it could not be tried: {type(error).__name__}: {error}"
            lost += bool(found)
            name = attack.__name__.replace("_", " ")
            print(f"NOT HELD: {name}: {found}" if found else f"held: {name}", flush=True)
    return 1 if lost else 0


if __name__ == "__main__":
    sys.exit(main())
