"""Accounts: names from proc.yaml, numbers for the kernel."""

from __future__ import annotations

import pytest

from vr.errors import InvalidInput
from vr.runner.accounts import account


def test_names_numbers_and_the_default() -> None:
    assert account("nobody", "nogroup", "x") == account(None, None, "x")
    found = account("12001", "12002", "x")
    assert (found.uid, found.gid) == (12001, 12002)


@pytest.mark.parametrize("user", ["root", "0"])
def test_root_is_refused(user: str) -> None:
    with pytest.raises(InvalidInput, match="can't run as root"):
        account(user, None, "x")


def test_every_unknown_name_is_told() -> None:
    with pytest.raises(InvalidInput) as caught:
        account("no_such_user", "no_such_group", "x")
    assert len(caught.value.problems) == 2
