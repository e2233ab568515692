"""The machine that builds here are made on."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.build_machine import Machine
from support.images import test_image as make_test_image
from vr.paths import Root


@pytest.fixture(scope="session")
def image() -> Path:
    return make_test_image()


@pytest.fixture(scope="session")
def root(tmp_path_factory: pytest.TempPathFactory) -> Root:
    """Shared by all tests here, so that the image is unpacked once."""
    return Root(tmp_path_factory.mktemp("apps"))


@pytest.fixture
def machine(root: Root, image: Path, tmp_path: Path) -> Machine:
    return Machine(root, image, tmp_path)
