"""A container's output: to the watcher, to the file, its end for messages."""

import io
from pathlib import Path

from vr.container.output import OutputLog


def test_output_reaches_the_watcher_at_once_and_the_file_completely(tmp_path: Path) -> None:
    seen: list[bytes] = []
    log = OutputLog(seen.append)
    log.step("first")
    log.keep_in(tmp_path / "log")
    log.write(b"\xff second\n")
    log.close()
    assert seen == [b"-----> first\n", b"\xff second\n"]
    assert (tmp_path / "log").read_bytes() == b"-----> first\n\xff second\n"


def test_what_comes_before_there_is_a_file_is_bounded(tmp_path: Path) -> None:
    log = OutputLog()
    for _ in range(1000):
        log.write(b"early " * 1000)
    log.keep_in(tmp_path / "log")
    log.write(b"late\n")
    log.close()
    kept = (tmp_path / "log").read_bytes()
    assert len(kept) == (1 << 20) + len(b"late\n")
    assert kept.startswith(b"early ") and kept.endswith(b"late\n")


def test_a_stream_is_flushed(tmp_path: Path) -> None:
    raw = io.BytesIO()
    buffered = io.BufferedWriter(raw)  # type: ignore[arg-type]
    OutputLog(buffered).write(b"now")
    assert raw.getvalue() == b"now"


def test_the_tail_is_readable() -> None:
    log = OutputLog()
    for number in range(10_000):
        log.write(b"line %d\n" % number)
    log.write(b"10%\r50%\r100%\n\x1b[31mred\x1b[0m\n\n")
    assert log.tail(3) == "line 9999\n100%\nred"
