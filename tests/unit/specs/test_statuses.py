"""Lists of HTTP statuses."""

from __future__ import annotations

import pytest

from vr.specs.statuses import parse_statuses


def test_none_named_means_any_below_500() -> None:
    assert parse_statuses(" ") == set(range(100, 500))


def test_single_ones_and_ranges_add_up() -> None:
    assert parse_statuses("200-202, 404,599") == {200, 201, 202, 404, 599}
    assert parse_statuses("100-100") == {100}


@pytest.mark.parametrize("bad", ["99", "600", "202-200", "x", "200-", "200-600", "2000", "20x"])
def test_anything_else_is_told(bad: str) -> None:
    told = f"'{bad}' is no HTTP status or range of them, as in 200-399,401"
    with pytest.raises(ValueError, match=f"^{told}$"):
        parse_statuses(f"200, {bad}")


def test_nothing_between_commas_is_no_status() -> None:
    with pytest.raises(ValueError, match="'' is no HTTP status"):
        parse_statuses("200,,201")
