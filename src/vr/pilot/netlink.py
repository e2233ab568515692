"""The addresses of this machine's interfaces, asked of the kernel."""

from __future__ import annotations

import os
import socket
import struct

from vr.pilot.interfaces import Address

_RTM_GETADDR, _RTM_NEWADDR, _NLMSG_ERROR, _NLMSG_DONE = 22, 20, 2, 3
_REQUEST_DUMP = 0x301
_IFA_ADDRESS, _IFA_LOCAL = 1, 2
_HEADER = struct.Struct("=IHHII")
_ADDRESS = struct.Struct("=BBBBI")
_ATTRIBUTE = struct.Struct("=HH")


def addresses() -> list[Address]:
    """IPv4 and IPv6 addresses of all interfaces; raises OSError."""
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, socket.NETLINK_ROUTE) as sock:
        sock.settimeout(2)
        sock.bind((0, 0))
        length = _HEADER.size + _ADDRESS.size
        asked = _HEADER.pack(length, _RTM_GETADDR, _REQUEST_DUMP, 1, 0)
        sock.send(asked + _ADDRESS.pack(socket.AF_UNSPEC, 0, 0, 0, 0))
        found: list[Address] = []
        while True:
            done = _read_messages(sock.recv(65536), found)
            if done:
                return found


def _read_messages(data: bytes, found: list[Address]) -> bool:
    """Adds the addresses of one datagram; True at the end of the dump."""
    while len(data) >= _HEADER.size:
        length, kind, _, _, _ = _HEADER.unpack_from(data)
        if kind == _NLMSG_DONE:
            return True
        if kind == _NLMSG_ERROR:
            code = -struct.unpack_from("=i", data, _HEADER.size)[0]
            raise OSError(code, os.strerror(code))
        if kind == _RTM_NEWADDR:
            address = _read_address(data[_HEADER.size : length])
            if address is not None:
                found.append(address)
        data = data[_aligned(length) :]
    return False


def _read_address(body: bytes) -> Address | None:
    family, _, _, _, index = _ADDRESS.unpack_from(body)
    attributes = {}
    rest = body[_ADDRESS.size :]
    while len(rest) >= _ATTRIBUTE.size:
        length, kind = _ATTRIBUTE.unpack_from(rest)
        if length < _ATTRIBUTE.size:
            break
        attributes[kind] = rest[_ATTRIBUTE.size : length]
        rest = rest[_aligned(length) :]
    # On a point-to-point link the former is the other end.
    raw = attributes.get(_IFA_LOCAL) or attributes.get(_IFA_ADDRESS)
    if raw is None or family not in (socket.AF_INET, socket.AF_INET6):
        return None
    try:
        name = socket.if_indextoname(index)
    except OSError:
        return None  # it has gone meanwhile
    return Address.parse(name, socket.inet_ntop(family, raw))


def _aligned(length: int) -> int:
    return max((length + 3) & ~3, 4)
