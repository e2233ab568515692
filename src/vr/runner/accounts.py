"""The account that runs a proc's app: names from proc.yaml, numbers for the kernel."""

from __future__ import annotations

import grp
import os
import pwd
from dataclasses import dataclass

from vr.errors import InvalidInput
from vr.specs.accounts import DEFAULT_HOST_UIDS, parse_uids, uid_problem
from vr.specs.proc import NOBODY


@dataclass(frozen=True)
class Account:
    name: str
    uid: int
    gid: int


def account(
    user: str | None, group: str | None, where: str, *, host_uid: int | None = None
) -> Account:
    """The account of these names (or numbers) on this host; `nobody` without a user.

    With `host_uid` it is one that only bears that name: this id, and a group of the same number.
    Without a group it is the user's own. Raises InvalidInput with every unknown name, and for
    root, services and ids of other apps: their processes could reach these, and be reached.
    """
    if host_uid is not None:
        return Account(user or NOBODY, host_uid, host_uid)
    problems = []
    uid, own_gid = _user(user or NOBODY)
    gid = _group(group) if group else own_gid
    if uid is None:
        problems.append(f"user: this host has no user {user!r}; create it with useradd")
    elif problem := uid_problem(user or NOBODY, uid, allowed=_allowed(), of_apps=_of_apps(where)):
        problems.append(f"user: {problem}")
    if group and gid is None:
        problems.append(f"group: this host has no group {group!r}; create it with groupadd")
    if problems or uid is None or gid is None:
        raise InvalidInput(where, problems)
    return Account(user or NOBODY, uid, gid)


def _allowed() -> list[str]:
    return [name.strip() for name in os.environ.get("VR_RUN_AS", "").split(",")]


def _of_apps(where: str) -> range:
    text = os.environ.get("VR_HOST_UIDS") or DEFAULT_HOST_UIDS
    try:
        return parse_uids(text)
    except ValueError:
        raise InvalidInput(where, [f"VR_HOST_UIDS is {text!r}, expected two ids"]) from None


def _user(name: str) -> tuple[int | None, int | None]:
    if name.isdigit():
        return int(name), int(name)
    try:
        entry = pwd.getpwnam(name)
    except KeyError:
        return None, None
    return entry.pw_uid, entry.pw_gid


def _group(name: str) -> int | None:
    if name.isdigit():
        return int(name)
    try:
        return grp.getgrnam(name).gr_gid
    except KeyError:
        return None
