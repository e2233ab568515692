"""Which user ids of a host apps may run with."""

from __future__ import annotations

import pytest

from vr.specs.accounts import DEFAULT_HOST_UIDS, parse_uids, uid_problem

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


def test_a_range_of_ids_holds_both_its_ends() -> None:
    assert parse_uids("5-7") == range(5, 8)
    assert parse_uids(DEFAULT_HOST_UIDS) == range(200_000, 265_536)


@pytest.mark.parametrize(
    "bad", ["", "5", "5-", "-7", "a-7", "5-b", "5-\u0663", "\u0663-5", "5 - 7"]
)
def test_what_is_no_range_of_ids(bad: str) -> None:
    with pytest.raises(ValueError):
        parse_uids(bad)


def test_refusals_say_what_to_do() -> None:
    def told(name: str, uid: int) -> str | None:
        return uid_problem(name, uid, allowed=[], of_apps=APPS)

    assert told("toor", 0) == "an app can't run as root; name another user"
    assert told("games", 5) == (
        "'games' is a service's account (its id, 5, is below 1000); "
        "name another user, or let apps have it by VR_RUN_AS"
    )
    assert told("x", 200_000) == (
        "'x' has the id 200000, which VR_HOST_UIDS keeps for apps; name another user"
    )
