"""Private networks as text: unique names, valid scripts, nothing but the port comes in."""

from __future__ import annotations

import subprocess
from pathlib import Path

from vr.container.network import PrivateNetwork, lxc_lines, network_script, resolver, script
from vr.machine.path import SYSTEM_PATH

WEB = PrivateNetwork("10.214.0.1", "10.214.0.2", 5001)


def test_the_interface_is_called_after_its_address_and_fits_the_kernels_15_characters() -> None:
    assert WEB.interface == "vrp0ad60001"
    assert PrivateNetwork("255.255.255.253", "255.255.255.254").interface == "vrpfffffffd"


def test_lxc_gets_both_ends_and_the_script() -> None:
    assert dict(lxc_lines(WEB, "'/a b/network'")) == {
        "lxc.net.0.type": "veth",
        "lxc.net.0.flags": "up",
        "lxc.net.0.name": "eth0",
        "lxc.net.0.veth.pair": "vrp0ad60001",
        "lxc.net.0.ipv4.address": "10.214.0.2/30",
        "lxc.net.0.ipv4.gateway": "10.214.0.1",
        "lxc.net.0.script.up": "'/a b/network' up",
    }


RULES = """\
*nat
-A POSTROUTING -s 10.214.0.2/32 ! -o vrp0ad60001 TAG -j MASQUERADE
-A POSTROUTING -s 127.0.0.0/8 -o vrp0ad60001 TAG -j MASQUERADE
-A PREROUTING -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 5001 TAG TO_THE_APP
-A OUTPUT -p tcp -m addrtype --dst-type LOCAL -m tcp --dport 5001 TAG TO_THE_APP
-A PREROUTING -p udp -m addrtype --dst-type LOCAL -m udp --dport 5001 TAG TO_THE_APP
-A OUTPUT -p udp -m addrtype --dst-type LOCAL -m udp --dport 5001 TAG TO_THE_APP
COMMIT
*filter
-I FORWARD 1 -o vrp0ad60001 TAG -j DROP
-I FORWARD 1 -o vrp0ad60001 -m conntrack --ctstate RELATED,ESTABLISHED,DNAT TAG -j ACCEPT
-I FORWARD 1 -i vrp0ad60001 ! -o vrp+ TAG -j ACCEPT
COMMIT
"""


def test_out_goes_all_and_in_comes_the_port_alone() -> None:
    text = script(WEB).replace('-m comment --comment "vrp0ad60001"', "TAG")
    text = text.replace("-j DNAT --to-destination 10.214.0.2:5001", "TO_THE_APP")
    assert text.split("<<RULES\n")[1].split("RULES\n")[0] == RULES


def test_the_script_is_the_containers_own() -> None:
    assert network_script(Path("/p/generated")) == Path("/p/generated/network")
    assert script(WEB).startswith(f"#!/bin/sh\nPATH={SYSTEM_PATH}\ninterface=vrp0ad60001\n")


def test_the_script_is_valid_and_tags_each_rule() -> None:
    text = script(WEB)
    checked = subprocess.run(["/bin/sh", "-n"], input=text, text=True, capture_output=True)
    assert (checked.returncode, checked.stderr) == (0, "")
    rules = [line for line in text.splitlines() if line.startswith(("-A", "-I"))]
    assert len(rules) == 9
    assert all('--comment "vrp0ad60001"' in rule for rule in rules)
    assert sum("--to-destination 10.214.0.2:5001" in rule for rule in rules) == 4
    assert "DNAT" not in script(PrivateNetwork("10.0.0.1", "10.0.0.2")).split("*filter")[0]


def test_a_resolver_on_the_hosts_loopback_is_replaced_by_what_it_asks(tmp_path: Path) -> None:
    upstream = tmp_path / "resolv.conf"
    assert resolver("nameserver 127.0.0.53\n", upstream=upstream) is None
    upstream.write_text("nameserver 192.0.2.1\n")
    assert resolver("# x\nnameserver 127.0.0.53\noptions y\n", upstream=upstream) == upstream
    assert resolver("nameserver ::1\nnameserver 127.0.0.53\n", upstream=upstream) == upstream
    assert resolver("nameserver ::1\nnameserver 192.0.2.9\n", upstream=upstream) is None
    assert resolver("nameserver 192.0.2.9\n", upstream=upstream) is None
    assert resolver("", upstream=upstream) is None
