"""`make attack`: every attack on a private stack, and whether the stack holds.

Each attack begins with its harmless twin, which must be accepted: else nothing is known.
ATTACKS="a_link_stops_the_stack two_apps_have_one_uid" picks some.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable

from attack.apps import APPS
from attack.asking import NotTried, make_user
from attack.neighbours import NEIGHBOURS
from attack.pushes import PUSHES, deploy_probes
from attack.strangers import STRANGERS
from attack.users import SHARED, USERS
from support.ports import free_port
from support.stack import Stack, running_stack

ATTACKS: tuple[Callable[[Stack], str], ...] = (*STRANGERS, *USERS, *PUSHES, *APPS, *NEIGHBOURS)
"""Each gives what is not held, as a sentence; empty if all is."""


def main() -> int:
    """Print a line for each attack; 1 if one of them is not held, else 0."""
    lost = 0
    chosen = os.environ.get("ATTACKS", "").split()
    # With other hosts Redis listens at TCP, too.
    others = {"VR_HOSTS_ADDRESS": "127.0.0.1", "VR_HOSTS_REDIS_PORT": str(free_port())}
    with running_stack(procs=100, VR_VOLUME_ROOTS=SHARED, **others) as stack:
        make_user(stack)
        deploy_probes(stack)
        for attack in ATTACKS:
            if chosen and attack.__name__ not in chosen:
                continue
            verdict, why = _verdict(attack, stack)
            lost += verdict != "held"
            name = attack.__name__.replace("_", " ")
            print(f"{verdict}: {name}" + (f": {why}" if why else ""), flush=True)
    return 1 if lost else 0


def _verdict(attack: Callable[[Stack], str], stack: Stack) -> tuple[str, str]:
    try:
        found = attack(stack)
    except NotTried as refused:
        return "NOT TRIED", f"its harmless twin is refused: {refused}"
    except Exception as error:
        return "NOT TRIED", f"{type(error).__name__}: {error}"
    return ("NOT HELD", found) if found else ("held", "")


if __name__ == "__main__":
    sys.exit(main())
