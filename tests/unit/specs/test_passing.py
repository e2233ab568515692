"""Times and sizes of pools."""

from __future__ import annotations

import pytest

from vr.specs.passing import LONGEST, Passing, bytes_of, check_header_size, check_size


def test_sizes_are_bytes_or_have_a_letter() -> None:
    assert [bytes_of(one) for one in ("512", "4k", "10M", "1g")] == [512, 4096, 10485760, 2**30]
    for good in ("1", "4k", "10M", "2G"):
        check_size(good)


@pytest.mark.parametrize(
    "bad", ["", "0", "-1", "1.5M", "10 M", "10MB", "x", "9" * 10, "1;", "1m\n"]
)
def test_anything_else_is_no_size(bad: str) -> None:
    with pytest.raises(ValueError, match="is no size, as in 512k or 10M"):
        check_size(bad)
    with pytest.raises(ValueError, match="is no size"):
        check_header_size(bad)


def test_headers_have_a_least_and_a_largest_size() -> None:
    for good in ("4k", "4096", "1M", "1024k"):
        check_header_size(good)
    for bad in ("4095", "3k", "2M", "1025k", "1g"):
        with pytest.raises(ValueError, match="is not from 4k to 1M"):
            check_header_size(bad)


def test_what_is_not_set_is_nothing() -> None:
    assert not Passing()
    for one in (Passing(read_timeout=1), Passing(body_size="1"), Passing(header_size="4k")):
        assert one


def test_sizes_have_up_to_nine_digits() -> None:
    check_size("9" * 9)
    assert bytes_of("999999999K") == 999_999_999 * 1024
    assert bytes_of("2m") == 2 << 20 and bytes_of("1G") == 1 << 30


def test_a_day_is_the_longest_silence() -> None:
    assert LONGEST == 24 * 60 * 60
