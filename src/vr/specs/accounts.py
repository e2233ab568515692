"""Which user ids of a host apps may run with (docs/reference/proc-yaml.md)."""

from __future__ import annotations

from collections.abc import Collection

DEFAULT_HOST_UIDS = "200000-265535"
_FIRST_OF_PEOPLE = 1000


def parse_uids(text: str) -> range:
    """The ids of a text such as 200000-265535; raises ValueError for another text."""
    low, dash, high = text.partition("-")
    if not (dash and text.isascii() and low.isdigit() and high.isdigit()):
        raise ValueError
    return range(int(low), int(high) + 1)


def uid_problem(name: str, uid: int, *, allowed: Collection[str], of_apps: range) -> str | None:
    """Why no app may run as the account `name` with the id `uid`, as a sentence; None if it may.

    `allowed` are the service accounts of VR_RUN_AS, `of_apps` the ids that apps are given.
    """
    if uid == 0:
        return "an app can't run as root; name another user"
    if uid < _FIRST_OF_PEOPLE and name not in allowed:
        return (
            f"{name!r} is a service's account (its id, {uid}, is below {_FIRST_OF_PEOPLE}); "
            "name another user, or let apps have it by VR_RUN_AS"
        )
    if uid in of_apps:
        return f"{name!r} has the id {uid}, which VR_HOST_UIDS keeps for apps; name another user"
    return None
