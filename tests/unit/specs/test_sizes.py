"""Sizes as people write them."""

from __future__ import annotations

import pytest

from vr.specs.sizes import parse_size, show_size


@pytest.mark.parametrize(
    ("text", "size"),
    [("64M", 64 << 20), ("1G", 1 << 30), ("1.5g", 3 << 29), ("512 KiB", 512 << 10), ("7", 7)],
)
def test_units(text: str, size: int) -> None:
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["", "M", "-1M", "1 M M", "1e3"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match="is no size"):
        parse_size(text)


@pytest.mark.parametrize(
    ("size", "text"),
    [(0, "0"), (700, "700"), (64 << 20, "64M"), (3 << 30, "3G"), (1 << 40, "1T"), (1550, "1.5K")],
)
def test_sizes_are_shown_as_they_are_written(size: int, text: str) -> None:
    assert show_size(size) == text
