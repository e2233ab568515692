"""Private addresses: one owner each, found again, freed with what they left."""

from __future__ import annotations

from pathlib import Path

import pytest

from vr.errors import InvalidInput, VelociraptorError
from vr.paths import Root
from vr.runner.addresses import claim, private_network, release, release_abandoned


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Root:
    monkeypatch.setenv("VR_PRIVATE_NETWORK", "10.215.255.240/28")
    return Root(tmp_path)


def test_a_container_keeps_its_addresses_until_it_frees_them(root: Root) -> None:
    first, second = claim(root, "a", 5000), claim(root, "b", None)
    assert (first.host, first.address, first.port) == ("10.215.255.241", "10.215.255.242", 5000)
    assert second.address == "10.215.255.246"
    assert claim(root, "a", 5001).address == first.address
    release(root, "a")
    release(root, "a")
    assert claim(root, "c", None).address == first.address


def test_when_all_are_taken_it_says_so(root: Root) -> None:
    for number in range(4):
        claim(root, f"proc{number}", None)
    with pytest.raises(VelociraptorError, match="All private addresses"):
        claim(root, "one-more", None)


def test_those_of_containers_without_a_folder_are_freed(root: Root) -> None:
    (root.procs / "proc/twins/proc-UP1").mkdir(parents=True)
    for name in ("proc", "proc-UP1", "gone", "gone-UP2"):
        claim(root, name, None)
    assert sorted(release_abandoned(root)) == ["gone", "gone-UP2"]
    assert release_abandoned(root) == []


def test_a_bad_network_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VR_PRIVATE_NETWORK", "10.0.0.1/16")
    with pytest.raises(InvalidInput, match="VR_PRIVATE_NETWORK"):
        private_network()
