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


def test_every_unit_is_1024_of_the_one_before() -> None:
    assert [parse_size(f"1{unit}") for unit in ("", "K", "M", "G", "T")] == [
        1, 1 << 10, 1 << 20, 1 << 30, 1 << 40,
    ]  # fmt: skip
    assert [parse_size(text) for text in ("2KB", "2kib", " 2 k ", "2B")] == [2048, 2048, 2048, 2]


def test_the_largest_size_is_what_files_may_have() -> None:
    assert parse_size(str(1 << 62)) == 1 << 62
    for text in (str(1 << 63), "9" * 400):
        with pytest.raises(ValueError, match="is larger than any disk; write a size like 64M or"):
            parse_size(text)
    with pytest.raises(ValueError, match=r"^'x' is no size; write it like 64M or 1G$"):
        parse_size("x")


def test_sizes_are_shown_in_the_largest_unit_that_they_fill() -> None:
    sizes = (1, 1023, 1024, 1536, (1 << 20) - 1, 1 << 30)
    assert [show_size(size) for size in sizes] == ["1", "1023", "1K", "1.5K", "1024K", "1G"]
