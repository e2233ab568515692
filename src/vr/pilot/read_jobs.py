"""The `tasks` and `coprocesses` of a configuration (docs/reference/pilot.md)."""

from __future__ import annotations

import re

from vr.pilot.config import Coprocess, PeriodicTask
from vr.pilot.shape import shown

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any

    from vr.pilot.shape import Section

TASK_KEYS = ("name", "command", "frequency", "timeout")
COPROCESS_KEYS = ("name", "command", "restarts")


def read_task(section: Section) -> PeriodicTask:
    command = _required_command(section, "task")
    name = section.text("name") or (command[0] if command else "")
    frequency = section.seconds("frequency")
    if section.raw("frequency") in (None, ""):
        section.problem("frequency", f"`frequency` is required in task {name}")
    timeout = section.seconds("timeout", frequency)
    return PeriodicTask(name, command, frequency or 1.0, timeout or 1.0)


def read_coprocess(section: Section) -> Coprocess:
    command = _required_command(section, "coprocess")
    name = section.text("name") or (command[0] if command else "")
    raw = section.raw("restarts")
    try:
        return Coprocess(name, command, parse_restarts(raw))
    except ValueError:
        section.problem(
            "restarts",
            f"Invalid 'restarts' field {shown(raw)}: accepts positive integers, "
            '"unlimited" or "never"',
        )
        return Coprocess(name, command, 0)


def parse_restarts(raw: Any) -> int | None:
    """How often after the first run; None is without limit. Raises ValueError."""
    if raw is None or raw == "never":
        return 0
    if raw == "unlimited":
        return None
    if isinstance(raw, str) and re.fullmatch(r"\d{1,9}", raw, re.ASCII):
        return int(raw)
    if isinstance(raw, (int, float)) and not isinstance(raw, bool) and 0 <= raw < 2**31:
        return int(raw)
    raise ValueError(raw)


def _required_command(section: Section, kind: str) -> tuple[str, ...]:
    command = section.command("command")
    if command is None and section.raw("command") in (None, "", []):
        section.problem("command", f"{kind} must have a `command`")
    return command or ()
