"""What the client reads out of documents."""

from __future__ import annotations

from typing import Any

import pytest

from vr.client.documents import is_serving


def dispatch(status: str, *steps: tuple[str, str], error: str = "") -> Any:
    kinds = [{"kind": kind, "status": state} for kind, state in steps]
    return {"status": status, "error": error, "steps": kinds}


@pytest.mark.parametrize(
    ("found", "serves"),
    [
        (dispatch("running", ("route", "running")), False),
        (dispatch("running", ("route", "done"), ("settle", "running")), True),
        (dispatch("running", ("route", "done"), ("settle", "done")), True),
        (dispatch("running", ("route", "done"), ("drain", "running")), True),
        (dispatch("running", ("route", "done"), ("settle", "failed")), False),
        (dispatch("running", ("settle", "running"), error="it died"), False),
        (dispatch("succeeded", ("uptest", "done")), True),
        (
            dispatch("running", ("settle", "done")) | {"batch": 2, "batched": 0, "size": 4},
            False,
        ),
        (dispatch("running", ("settle", "done")) | {"batch": 2, "batched": 2, "size": 4}, True),
        (dispatch("failed", ("settle", "failed"), error="it died"), False),
    ],
)
def test_a_version_serves_from_its_route_on_unless_it_failed(found: Any, serves: bool) -> None:
    assert is_serving(found) is serves
