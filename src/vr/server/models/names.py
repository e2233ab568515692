"""Validators that let only names through that a host can use: parts of a proc's name, accounts."""

from __future__ import annotations

import contextlib
import pwd

from django.conf import settings
from django.core.exceptions import ValidationError

from vr.specs.accounts import uid_problem
from vr.specs.names import account_problem, part_problem, tag_problem


def validate_part(value: str) -> None:
    """Raises ValidationError if `value` can't be a part of a proc's name."""
    _check(part_problem("name", value))


def validate_tag(value: str) -> None:
    """Raises ValidationError if `value` can't be deployed as a version."""
    _check(tag_problem("version", value))


def validate_account(value: str) -> None:
    """Raises ValidationError if `value` can't be the name of a user account, or if it is one of a
    service on this machine; each host looks at its own again."""
    _check(account_problem("run_as", value))
    with contextlib.suppress(KeyError):
        uid = pwd.getpwnam(value).pw_uid
        if problem := uid_problem(value, uid, allowed=settings.RUN_AS, of_apps=settings.HOST_UIDS):
            raise ValidationError(problem)


def _check(problem: str | None) -> None:
    if problem:
        raise ValidationError(problem.partition(": ")[2])
