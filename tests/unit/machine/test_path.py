"""The PATH of what must not depend on its caller's."""

import pytest

from vr.machine.path import SYSTEM_PATH, path_with_system


@pytest.mark.parametrize(
    ("env", "path"),
    [
        ({"PATH": "/opt/bin"}, f"/opt/bin:{SYSTEM_PATH}"),
        # An empty part would mean the current folder.
        ({"PATH": ""}, SYSTEM_PATH),
        ({}, SYSTEM_PATH),
    ],
)
def test_the_callers_folders_come_first_then_the_systems(env: dict[str, str], path: str) -> None:
    assert path_with_system(env) == path
