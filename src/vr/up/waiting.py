"""Waiting for the stack: until its parts are healthy, until something has ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

from vr.errors import VelociraptorError
from vr.hosts.supervisor import Supervisor
from vr.up import health
from vr.up.config import Config
from vr.up.parts import Part, parts_of

UP_SECONDS = 60
# A part that keeps ending for so long won't mend itself; supervisord goes on trying longer.
HOPELESS_SECONDS = 5
_LOG_LINES = 25

Say = Callable[[str], None]


def until_healthy(config: Config, supervisord: Supervisor, say: Say) -> None:
    """Say each part that gets healthy, and return when all are.

    Raises VelociraptorError naming the parts that don't get so, with the end of their logs.
    """
    deadline = time.monotonic() + UP_SECONDS
    healthy: set[str] = set()
    failing_since: dict[str, float] = {}
    while True:
        parts = parts_of(supervisord) if supervisord.answers() else []
        found = health.check(config, parts)
        for one in found:
            if one.is_healthy and one.part not in healthy:
                healthy.add(one.part)
                say(f"{one.part} is up")
        sick = [one for one in found if not one.is_healthy]
        if not sick:
            return
        now = time.monotonic()
        for part in parts:
            if part.is_failing:
                failing_since.setdefault(part.name, now)
            elif part.is_running:
                failing_since.pop(part.name, None)
        hopeless = [
            one for one in sick if now - failing_since.get(one.part, now) > HOPELESS_SECONDS
        ]
        if hopeless or now > deadline:
            raise _not_healthy(config, hopeless or sick, parts)
        time.sleep(0.1)


def _not_healthy(config: Config, sick: list[health.Health], parts: list[Part]) -> VelociraptorError:
    logs = {part.name: part.logfile for part in parts}
    details = []
    for one in sick:
        log = Path(logs.get(one.part) or config.logs / "supervisord.log")
        details.append(f"--- {log} ---\n{tail(log)}")
    names = "; ".join(f"{one.part} {one.problem}" for one in sick)
    return VelociraptorError(
        f"Not healthy: {names}.",
        details="\n".join(details),
        hint="Mend what the logs say and run vr up again, or stop all with vr down.",
    )


def tail(path: Path) -> str:
    """The last lines of a log."""
    try:
        lines = path.read_text(errors="replace").splitlines()
    except OSError as error:
        return f"({error.strerror})"
    return "\n".join(lines[-_LOG_LINES:]) or "(empty)"


def until(condition: Callable[[], bool], seconds: float, problem: str) -> None:
    """Wait for the condition; raises VelociraptorError with the problem if it stays."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise VelociraptorError(
                f"After {seconds:.0f} seconds {problem}.",
                hint="vr status shows them; vr down may be repeated.",
            )
        time.sleep(0.05)
