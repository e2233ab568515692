"""Logs for machines: a JSON object a line, that says which dispatch it is about."""

from __future__ import annotations

import json
import logging
import logging.config
from collections.abc import Iterator
from io import StringIO
from typing import Any

import pytest

from vr.hosts.crews import Crew
from vr.server.logs import JsonLines, json_logging, traced


@pytest.fixture
def said() -> Iterator[Any]:
    """What the logger `vr.tests` wrote, as objects."""
    stream = StringIO()
    handler = logging.StreamHandler(stream)
    handler.setFormatter(JsonLines())
    log = logging.getLogger("vr.tests")
    log.addHandler(handler)
    yield lambda: [json.loads(line) for line in stream.getvalue().splitlines()]
    log.removeHandler(handler)


def test_a_line_is_an_object_and_so_is_a_traceback(said: Any) -> None:
    log = logging.getLogger("vr.tests")
    log.warning("%s left\nlines", "two")
    try:
        raise ValueError("broken")
    except ValueError:
        log.exception("it ended")
    first, second = said()
    assert (first["level"], first["logger"], first["message"]) == (
        "warning",
        "vr.tests",
        "two left\nlines",
    )
    assert "trace_id" not in first
    assert "ValueError: broken" in second["exception"]


def test_the_dispatch_is_told_also_by_the_threads_that_work_for_it(said: Any) -> None:
    log = logging.getLogger("vr.tests")
    with traced("a" * 32):
        Crew("tests", size=4).do(lambda item: log.warning(item), ["one", "two", "three"])
    log.warning("after")
    traces = {one["message"]: one.get("trace_id") for one in said()}
    assert traces == {"one": "a" * 32, "two": "a" * 32, "three": "a" * 32, "after": None}


def test_the_configuration_is_one_that_logging_takes() -> None:
    root = logging.getLogger()
    before, level = list(root.handlers), root.level
    try:
        logging.config.dictConfig(json_logging())
        assert any(isinstance(one.formatter, JsonLines) for one in root.handlers)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
