"""Which address an interface specification chooses."""

from __future__ import annotations

import pytest

from vr.pilot.interfaces import DEFAULT, Address, BadSpec, NoMatch, choose

# The README's sample, in no order.
SAMPLE = [
    Address.parse(name, text)
    for name, text in [
        ("lo", "127.0.0.1"),
        ("lo", "::1"),
        ("eth2", "fdc6:238c:c4bc::1"),
        ("eth2", "10.1.0.200"),
        ("eth1", "10.0.0.200"),
        ("eth1", "10.0.0.100"),
        ("eth0", "192.168.1.100"),
        ("eth0", "10.2.0.1"),
        ("br-lan.5@x", "172.17.0.1"),
    ]
]


@pytest.mark.parametrize(
    ("specs", "expected"),
    [
        ("eth0", "10.2.0.1"),
        ("eth0:inet", "10.2.0.1"),
        ("eth0[1]", "192.168.1.100"),
        ("10.0.0.0/8", "10.2.0.1"),
        ("10.0.0.0/16", "10.0.0.100"),
        ("10.0.77.88/16", "10.0.0.100"),
        ("10.1.0.0/16", "10.1.0.200"),
        ("192.168.1.100/32", "192.168.1.100"),
        ("::1/128", "::1"),
        ("inet", "172.17.0.1"),
        ("inet6", "fdc6:238c:c4bc::1"),
        ("lo", "127.0.0.1"),
        ("lo:inet6", "::1"),
        ("lo[0]", "::1"),
        ("127.0.0.0/8", "127.0.0.1"),
        ("::/0", "fdc6:238c:c4bc::1"),
        ("eth3 fdc6:238c:c4bc::/48 inet", "fdc6:238c:c4bc::1"),
        ("eth0:inet6 eth0[2] eth1[1]", "10.0.0.200"),
        ("br-lan.5@x", "172.17.0.1"),
        ("eth9 static:192.168.1.7", "192.168.1.7"),
        ("static:fd00::7", "fd00::7"),
    ],
)
def test_the_first_specification_that_matches_wins(specs, expected):
    assert choose(specs.split(), SAMPLE) == expected


def test_addresses_of_the_loopback_are_nobodys_first():
    on_lo = [("lo", "127.0.0.1"), ("lo", "127.1.2.3"), ("lo", "::1")]
    others = [("w", "128.0.0.1"), ("x", "fd00::1"), ("y", "10.127.0.1")]
    found = [Address.parse(name, text) for name, text in on_lo + others]
    assert choose(["inet"], found) == "128.0.0.1"
    assert choose(["inet6"], found) == "fd00::1"
    assert choose(["inet"], found[4:]) == "10.127.0.1"
    with pytest.raises(NoMatch):
        choose(["inet", "inet6"], found[:3])


def test_by_default_it_is_eth0s_address():
    assert choose(DEFAULT, SAMPLE) == "10.2.0.1"


def test_an_index_of_any_length_is_only_too_large():
    with pytest.raises(NoMatch):
        choose([f"eth0[{'9' * 5000}]"], SAMPLE)


@pytest.mark.parametrize("spec", ["eth0[2]", "eth0:inet6", "eth9", "eth0[99999999999999]"])
def test_no_match_names_specifications_and_addresses(spec):
    with pytest.raises(NoMatch) as caught:
        choose([spec, "eth8"], SAMPLE[-3:])
    assert str(caught.value).splitlines() == [
        "None of the interface specifications were able to match",
        f"Specifications: [{spec}, eth8]",
        "Interfaces IPs: [br-lan.5@x:172.17.0.1, eth0:10.2.0.1, eth0:192.168.1.100]",
    ]


@pytest.mark.parametrize(
    "spec",
    [
        "",
        "!",
        "127.0.0.1",
        "eth0:inet5",
        "eth0[-1]",
        "eth0[x]",
        "10.0.0.0/33",
        "::/129",
        "static:x",
    ],
)
def test_what_is_no_specification_is_refused(spec):
    with pytest.raises(BadSpec, match="Unable to parse interface spec:"):
        choose(["inet", spec], SAMPLE)


def test_all_bad_specifications_are_reported_together():
    with pytest.raises(BadSpec) as caught:
        choose(["!", "inet", "?"], SAMPLE)
    assert str(caught.value).splitlines() == [
        "Unable to parse interface spec: !",
        "Unable to parse interface spec: ?",
    ]


def test_this_machines_addresses_are_found():
    from vr.pilot.netlink import addresses

    assert choose(["lo"], addresses()) == "127.0.0.1"
