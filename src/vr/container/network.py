"""A network of a container's own: a veth pair, NAT outwards, the app's port forwarded inwards.

Everything here is text. LXC runs the script's `up` while it starts the container; `down` is for
whoever cleans up, since a killed LXC runs nothing. The interface goes with the container's
namespace; the rules carry its name, by which they are found again.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import IPv4Address
from pathlib import Path

from vr.machine.path import SYSTEM_PATH

_PREFIX = "vrp"


@dataclass(frozen=True)
class PrivateNetwork:
    """Both ends' IPv4 addresses, in a /30 of their own, and the port to forward from the host."""

    host: str
    address: str
    port: int | None = None

    @property
    def interface(self) -> str:
        """The host's end; called after the address, which is unique on the host."""
        return f"{_PREFIX}{int(IPv4Address(self.host)):08x}"


def network_script(folder: Path) -> Path:
    """Where the script lies in the folder of a container's generated files."""
    return folder / "network"


def lxc_lines(network: PrivateNetwork, script: str) -> Iterator[tuple[str, str]]:
    """LXC's keys and values; `script` is the network script as one shell word."""
    yield "lxc.net.0.type", "veth"
    yield "lxc.net.0.flags", "up"
    yield "lxc.net.0.name", "eth0"
    yield "lxc.net.0.veth.pair", network.interface
    yield "lxc.net.0.ipv4.address", f"{network.address}/30"
    yield "lxc.net.0.ipv4.gateway", network.host
    yield "lxc.net.0.script.up", f"{script} up"


def script(network: PrivateNetwork) -> str:
    """The script `network up|down`, for root on the host; both may be repeated."""
    return f"""\
#!/bin/sh
PATH={SYSTEM_PATH}
interface={network.interface}

remove_rules() {{
    for table in nat filter; do
        iptables-save -t "$table" | grep -e "--comment $interface " | sed 's/^-A/-D/' |
            {{ echo "*$table"; cat; echo COMMIT; }} | iptables-restore -w -n
    done
}}

case ${{1-}} in
up)
    ip address replace {network.host}/30 dev "$interface" || exit 1
    echo 1 >/proc/sys/net/ipv4/ip_forward
    # So that the host itself reaches the app at localhost, too.
    echo 1 >"/proc/sys/net/ipv4/conf/$interface/route_localnet"
    remove_rules
    iptables-restore -w -n <<RULES
{_rules(network)}RULES
    ;;
down)
    ip link delete "$interface" 2>/dev/null
    remove_rules
    ;;
esac
"""


def _rules(network: PrivateNetwork) -> str:
    """Out: whatever the host may reach. In: the forwarded port, answers, and nothing else."""
    name, inside = network.interface, network.address
    tag = f'-m comment --comment "{name}"'
    nat = [
        f"-A POSTROUTING -s {inside}/32 ! -o {name} {tag} -j MASQUERADE",
        f"-A POSTROUTING -s 127.0.0.0/8 -o {name} {tag} -j MASQUERADE",
    ]
    for protocol in ("tcp", "udp") if network.port else ():
        match = f"-p {protocol} -m addrtype --dst-type LOCAL -m {protocol} --dport {network.port}"
        target = f"-j DNAT --to-destination {inside}:{network.port}"
        nat += [f"-A {chain} {match} {tag} {target}" for chain in ("PREROUTING", "OUTPUT")]
    # Each goes in at the top, so the last one comes first.
    inwards = [
        f"-I FORWARD 1 -o {name} {tag} -j DROP",
        f"-I FORWARD 1 -o {name} -m conntrack --ctstate RELATED,ESTABLISHED,DNAT {tag} -j ACCEPT",
        f"-I FORWARD 1 -i {name} ! -o {_PREFIX}+ {tag} -j ACCEPT",
    ]
    lines = ["*nat", *nat, "COMMIT", "*filter", *inwards, "COMMIT"]
    return "".join(f"{line}\n" for line in lines)


def resolver(resolv_conf: str, *, upstream: Path) -> Path | None:
    """`upstream` if the host's resolv.conf only names a resolver on the host's own loopback.

    None: the text will do. `upstream` is systemd-resolved's list of the real ones.
    """
    servers = [
        words[1]
        for words in map(str.split, resolv_conf.splitlines())
        if words[:1] == ["nameserver"]
    ]
    local = all(server.startswith("127.") or server == "::1" for server in servers)
    return upstream if servers and local and upstream.exists() else None
