"""What `vrun uptest` printed, understood (docs/reference/vrun.md#uptests). Pure."""

from __future__ import annotations

import json
import math
from typing import Any

Result = dict[str, Any]
UPTESTER = "uptester"


def parse(status: int, stdout: str, stderr: str = "") -> list[Result]:
    """The results: {Name, Passed, Output, Duration} each, [] if the app has no uptests.

    A runner that failed, output that can't be read, or text before the array make a failed
    result named `uptester`: what isn't known to have passed has failed.
    """
    before, bracket, rest = stdout.partition("[")
    if status != 0 or not bracket:
        said = (stdout + stderr).strip()
        return [_failed(said or f"the runner ended with {status} and said nothing")]
    try:
        loaded = json.loads(bracket + rest)
    except RecursionError:
        return [_failed(f"unreadable results (nested too deeply): {stdout[:2000]}")]
    except ValueError as error:
        return [_failed(f"unreadable results ({error}): {stdout[:2000]}")]
    if not all(isinstance(item, dict) and "Passed" in item for item in loaded):
        return [_failed(f"not a list of results: {stdout[:2000]}")]
    results = [_result(item) for item in loaded]
    return [_failed(before.strip()), *results] if before.strip() else results


def have_passed(results: list[Result]) -> bool:
    """No uptests count as passed."""
    return all(result["Passed"] is True for result in results)


def describe_failures(results: list[Result]) -> str:
    """The failed ones with their output, for people."""
    return "\n".join(
        f"--- {result['Name']} ---\n{result['Output'].strip() or '(no output)'}"
        for result in results
        if result["Passed"] is not True
    )


def _result(item: Result) -> Result:
    return {
        "Name": _storable(item.get("Name", "?")),
        "Passed": item["Passed"] is True,
        "Output": _storable(item.get("Output", "")),
        "Duration": _seconds(item.get("Duration")),
    }


def _failed(output: str) -> Result:
    return {"Name": UPTESTER, "Passed": False, "Output": _storable(output), "Duration": None}


def _storable(value: Any) -> str:
    """The value as text that every database keeps: no NUL, no halves of characters."""
    text = str(value).replace("\0", "\ufffd")
    return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")


def _seconds(value: Any) -> float | None:
    """A duration; what is none, NaN and Infinity included, isn't known."""
    known = isinstance(value, (int, float)) and not isinstance(value, bool)
    try:
        return value if known and math.isfinite(value) else None
    except OverflowError:
        return None
