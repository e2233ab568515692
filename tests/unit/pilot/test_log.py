"""Log lines in the original's formats."""

from __future__ import annotations

import json
import time

import pytest

from vr.pilot import log
from vr.pilot.config import LogSettings

NOW = 1427333258.0


@pytest.fixture
def berlin(monkeypatch):
    monkeypatch.setenv("TZ", "Europe/Berlin")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


@pytest.mark.usefixtures("berlin")
def test_formats():
    assert log.default_line(NOW, "hello", {}) == "2015/03/26 02:27:38 hello"
    assert log.text_line(NOW, "warning", 'a "b"\nc', {"n": 8, "who": "x y"}) == (
        'time="2015-03-26T02:27:38+01:00" level=warning msg="a \\"b\\"\\nc" n=8 who="x y"'
    )
    line = log.json_line(NOW, "info", "hi", {"size": 10})
    assert line.startswith('{"level"')
    assert json.loads(line) == {
        "level": "info",
        "msg": "hi",
        "size": 10,
        "time": "2015-03-26T02:27:38+01:00",
    }
    assert log.coloured_line(3.2, "info", "hi", {}) == f"\x1b[34mINFO\x1b[0m[0003] {'hi':<44}"


def test_levels_and_outputs(capfd):
    logger = log.Log()
    logger.debug("not shown")
    logger.info("shown")
    logger.configure(LogSettings("error", "text", "stderr"))
    logger.warning("not shown")
    logger.error("bad \udc80 bytes")
    out, err = capfd.readouterr()
    assert out.endswith("shown\n")
    assert "not shown" not in out + err
    assert "level=error" in err


def test_a_closed_output_is_no_reason_to_fail():
    log.write_line(9999, "nobody reads this")
