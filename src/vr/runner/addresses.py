"""Which container on this host has which private addresses: one link per /30, made atomically.

The network is VR_PRIVATE_NETWORK, 10.214.0.0/16 by default: room for 16,384 containers. Two
VR_ROOTs on one host need different ones.
"""

from __future__ import annotations

import os
import subprocess
from ipaddress import IPv4Network

from vr.container.network import PrivateNetwork, script
from vr.errors import InvalidInput, VelociraptorError
from vr.files.folders import private_folder
from vr.paths import Root

DEFAULT_NETWORK = "10.214.0.0/16"
_BLOCK = 4


def claim(root: Root, name: str, port: int | None) -> PrivateNetwork:
    """Addresses for the container `name`: those that it has, or free ones.

    Raises InvalidInput for a bad VR_PRIVATE_NETWORK, VelociraptorError if all are taken.
    """
    network = private_network()
    private_folder(root.networks)
    for number, owner in sorted(_claims(root).items()):
        if owner == name:
            return _block(network, number, port)
    for number in range(network.num_addresses // _BLOCK):
        try:
            (root.networks / str(number)).symlink_to(name)
        except FileExistsError:
            continue
        return _block(network, number, port)
    raise VelociraptorError(
        f"All private addresses of {network} are taken.",
        hint="Tear down procs with network: private, run vrun gc, or widen VR_PRIVATE_NETWORK.",
    )


def release(root: Root, name: str) -> None:
    """Take down what a container with these addresses left on the host, and free them."""
    for number, owner in _claims(root).items():
        if owner == name:
            _free(root, number)


def release_abandoned(root: Root) -> list[str]:
    """Free the addresses of containers whose folders are gone; returns these names."""
    names = []
    for number, owner in _claims(root).items():
        proc = root.procs / owner
        if not proc.exists() and not any(root.procs.glob(f"*/twins/{owner}")):
            _free(root, number)
            names.append(owner)
    return names


def private_network() -> IPv4Network:
    """The network to take addresses from; raises InvalidInput if it is none."""
    text = os.environ.get("VR_PRIVATE_NETWORK") or DEFAULT_NETWORK
    try:
        return IPv4Network(text)
    except ValueError as error:
        problem = f"must be an IPv4 network like {DEFAULT_NETWORK}: {error}"
        raise InvalidInput("VR_PRIVATE_NETWORK", [problem]) from None


def _claims(root: Root) -> dict[int, str]:
    if not root.networks.is_dir():
        return {}
    return {int(link.name): os.readlink(link) for link in root.networks.iterdir()}  # noqa: PTH115


def _free(root: Root, number: int) -> None:
    text = script(_block(private_network(), number, None))
    subprocess.run(["/bin/sh", "-s", "down"], input=text, text=True, check=False)
    (root.networks / str(number)).unlink(missing_ok=True)


def _block(network: IPv4Network, number: int, port: int | None) -> PrivateNetwork:
    first = number * _BLOCK
    return PrivateNetwork(str(network[first + 1]), str(network[first + 2]), port)
