"""The log of a reply: its form, and that it stays small enough to be sent."""

from __future__ import annotations

import json
from datetime import datetime

from vr.stager.line_log import LineLog
from vr.stager.task_log import TaskLog, failure, reply

MOMENT = datetime(2012, 11, 13, 22, 13, 8)


def test_lines_have_the_seeds_form() -> None:
    log = TaskLog()
    log.add("Setting up temporary directories", MOMENT)
    assert log.text() == "[2012-11-13 22:13:08] Setting up temporary directories\n"


def test_success_is_the_absence_of_an_error() -> None:
    assert json.loads(reply("i", "l")) == {"task_id": "i", "task_log": "l"}
    error = failure("Failed downloading app")
    assert json.loads(reply("i", "l", error))["error"] == (
        "Staging task failed:\n Failed downloading app"
    )


def test_a_flood_keeps_its_beginning_and_its_end() -> None:
    log = TaskLog()
    for number in range(50_000):
        log.add(f"{number} \x00\x01 \N{SNOWMAN}", MOMENT)
    text = log.text()
    assert "] 0 " in text and "] 49999 " in text and "lines left out" in text
    assert len(reply("i" * 32, text)) < 1 << 19


def test_one_endless_line_is_no_harm() -> None:
    log = TaskLog()
    log.add("x" * (2 << 20), MOMENT)
    log.add("end", MOMENT)
    assert log.text().endswith("] end\n") and len(log.text()) < 1 << 20


def test_output_becomes_lines() -> None:
    lines: list[str] = []
    log = LineLog(lines.append)
    for chunk in (b"one\ntw", b"o\r\n 10%\r 90%\n", b"\xff", b"last"):
        log.write(chunk)
    log.finish()
    assert lines == ["one", "two", " 90%", "\N{REPLACEMENT CHARACTER}last"]


def test_output_without_end_is_counted_only() -> None:
    lines: list[str] = []
    log = LineLog(lines.append)
    for _ in range(100):
        log.write(b"y" * 100_000)
        log.write(b"y\n" * 10_000)
    log.finish()
    assert sum(map(len, lines)) < 3 << 20
    assert lines[-1].endswith("more lines were printed)")
