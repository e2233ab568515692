"""Logs in files: the beginning as it comes, the end at the end, never more."""

from __future__ import annotations

from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from vr.container.output import BoundedLog


class Kept:
    """A file in memory that can be read after it was closed."""

    def __init__(self) -> None:
        self.text = b""

    def write(self, data: bytes) -> None:
        self.text += data

    def close(self) -> None:
        pass


def test_what_fits_is_written_as_it_comes(tmp_path: Path) -> None:
    path = tmp_path / "log"
    with BoundedLog(path.open("wb", buffering=0)) as log:
        log.write(b"one\n")
        assert path.read_bytes() == b"one\n"
    assert path.read_bytes() == b"one\n"


@given(st.lists(st.binary(max_size=30), max_size=20))
def test_beginning_and_end_are_kept_and_the_cut_is_told(chunks: list[bytes]) -> None:
    kept = Kept()
    with BoundedLog(kept, first=40, last=20) as log:  # type: ignore[arg-type]
        for chunk in chunks:
            log.write(chunk)
    whole = b"".join(chunks)
    assert kept.text.startswith(whole[:40])
    assert kept.text.endswith(whole[40:][-20:])
    left_out = max(0, len(whole) - 60)
    assert (b"%d bytes were left out" % left_out in kept.text) == (left_out > 0)
    assert len(kept.text) < 60 + 200
