"""Which user ids of a host apps may run with."""

from __future__ import annotations

import pytest

from vr.specs.accounts import uid_problem

APPS = range(200_000, 200_010)


@pytest.mark.parametrize(
    ("uid", "word"),
    [(0, "root"), (1, "VR_RUN_AS"), (999, "VR_RUN_AS"), (200_000, "HOST"), (200_009, "HOST")],
)
def test_ids_of_root_services_and_other_apps_are_refused(uid: int, word: str) -> None:
    assert word in (uid_problem("games", uid, allowed=["mail"], of_apps=APPS) or "")


@pytest.mark.parametrize("uid", [1000, 65_534, 199_999, 200_010])
def test_ids_of_people_and_of_nobody_are_fine(uid: int) -> None:
    assert uid_problem("ada", uid, allowed=[], of_apps=APPS) is None


def test_a_service_may_be_allowed_but_neither_root_nor_another_app() -> None:
    assert uid_problem("www-data", 33, allowed=["www-data"], of_apps=APPS) is None
    assert uid_problem("root", 0, allowed=["root"], of_apps=APPS)
    assert uid_problem("x", 200_001, allowed=["x"], of_apps=APPS)
