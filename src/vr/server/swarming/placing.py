"""Where new procs go: the least loaded hosts, on ports that nobody owns. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from vr.server.swarming.plan_types import Node, SeenHost


class NoRoom(Exception):
    """There is no host or no port left; the message is a sentence for people."""

    def __init__(self, reason: str, hint: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.hint = hint


def place(
    count: int,
    hosts: Sequence[SeenHost],
    current: Counter[str],
    ports: range,
    first_port: int = 0,
    squad: str = "the squad",
) -> tuple[Node, ...]:
    """Choose `count` nodes, one after the other on the host with the fewest current procs, then
    the fewest procs of all (docs/reference/release.md#placing).

    `current` counts the swarm's current procs by host. Ports are searched from `first_port` on,
    around the end of the range, so that a port that was just retired isn't taken again at once.
    Raises NoRoom. Hosts that don't answer are never chosen: unknown is not empty.
    """
    open_to_new = [host for host in hosts if host.active and host.answers and not host.draining]
    candidates = [host for host in open_to_new if not host.is_full]
    if not candidates:
        raise _all_full(open_to_new, squad) if open_to_new else _no_host(hosts, squad)
    load = {host.name: host.total for host in candidates}
    mine = Counter(current)
    free = {host.name: _free_ports(host, ports, first_port) for host in candidates}
    chosen: list[Node] = []
    for _ in range(count):
        open_hosts = [name for name, left in free.items() if left]
        if not open_hosts:
            raise NoRoom(
                f"All ports from {ports.start} to {ports.stop - 1} are taken on "
                f"{', '.join(sorted(load))}; {count} were needed.",
                "Widen VR_PORT_RANGE, retire procs that are not needed, or add a host.",
            )
        host = min(open_hosts, key=lambda name: (mine[name], load[name], name))
        chosen.append(Node(host, free[host].pop()))
        mine[host] += 1
        load[host] += 1
    return tuple(chosen)


def _free_ports(host: SeenHost, ports: range, first: int) -> list[int]:
    """Free ports, the next one to take last."""
    start = ports.index(first) if first in ports else 0
    turned = [*ports[start:], *ports[:start]]
    return [port for port in reversed(turned) if port not in host.taken_ports]


def _all_full(hosts: Sequence[SeenHost], squad: str) -> NoRoom:
    full = ", ".join(sorted(host.name for host in hosts))
    return NoRoom(
        f"The disk of each host of {squad} that takes new procs is nearly full: {full}.",
        "Make room there (vrun gc removes what no proc uses), or add another host. The caretaker "
        "notices within seconds.",
    )


def _no_host(hosts: Sequence[SeenHost], squad: str) -> NoRoom:
    silent = sorted(
        (host.name, host.problem) for host in hosts if host.active and not host.draining
    )
    if silent:
        told = "; ".join(f"{name} ({problem})" if problem else name for name, problem in silent)
        return NoRoom(
            f"No active host of {squad} answers: {told}.",
            "Look whether Supervisor runs there, or add another host.",
        )
    if draining := sorted(host.name for host in hosts if host.active):
        return NoRoom(
            f"All active hosts of {squad} are being drained: {', '.join(draining)}.",
            f"Add another host, or end it: vr hosts undrain {draining[0]}",
        )
    return NoRoom(
        f"{squad[0].upper()}{squad[1:]} has no active host.", "Add a host, or set one active."
    )
