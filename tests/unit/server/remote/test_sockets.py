"""The kernel's table of sockets."""

from __future__ import annotations

from vr.server.remote.sockets import listening_ports

TCP = """\
  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode
   0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000     0        0 1
   1: 0100007F:9C40 0100007F:1F90 01 00000000:00000000 00:00000000 00000000     0        0 2
"""
TCP6 = """\
  sl  local_address                         remote_address                        st tx_queue
   0: 00000000000000000000000001000000:1388 00000000000000000000000000000000:0000 0A 00000000
"""


def test_ports_that_are_listened_on_are_found_in_both_families() -> None:
    assert listening_ports([TCP, TCP6]) == {8080, 5000}


def test_a_machine_without_sockets_has_none() -> None:
    assert listening_ports(["header\n", ""]) == frozenset()
