"""The one family of errors that users see, and the one place that decides exit codes."""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable, Sequence

USAGE = 2
FAILED = 1


class VelociraptorError(Exception):
    """Something a user can mend: shown as a sentence, never as a traceback.

    `message` says what is wrong, where, and what was expected; `hint` says what to do next.
    `details` is longer material to show below (the end of a log, a validator's output).
    """

    exit_code = FAILED

    def __init__(self, message: str, *, hint: str = "", details: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.details = details

    def __str__(self) -> str:
        return f"{self.message} {self.hint}".strip()


class InvalidInput(VelociraptorError):
    """A file or a request is wrong. Holds every problem found, not only the first.

    `where` is the file or object; each problem is one sentence that begins with its key.
    """

    exit_code = USAGE

    def __init__(self, where: str, problems: Sequence[str], *, hint: str = "") -> None:
        self.where = where
        self.problems = list(problems)
        if len(self.problems) == 1:
            message = f"{where}: {self.problems[0]}"
        else:
            lines = "".join(f"\n  - {problem}" for problem in self.problems)
            message = f"{where}: {len(self.problems)} problems:{lines}"
        super().__init__(message, hint=hint)


class Busy(VelociraptorError):
    """Another command holds the lock that this one needs."""


class Unwanted(VelociraptorError):
    """What is under way is not wanted any more: whatever runs for it is ended at once."""


def explain(error: VelociraptorError) -> str:
    """The text for a terminal: message, details, hint, each on lines of its own."""
    parts = [f"error: {error.message}"]
    if error.details:
        parts.append(error.details.rstrip())
    if error.hint:
        parts.append(f"hint: {error.hint}")
    return "\n".join(parts)


def run_main(command: Callable[[], int | None]) -> int:
    """Run a command-line entry point; returns its exit code.

    A user's mistake prints its sentence to stderr and gives the error's exit code (1, or 2 for
    invalid input). An interrupt gives 130. A bug keeps its traceback, with a line saying that
    it is one.
    """
    try:
        return command() or 0
    except VelociraptorError as error:
        print(explain(error), file=sys.stderr)
        return error.exit_code
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # Whoever read our output has gone; flushing at exit would raise again.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except Exception:
        traceback.print_exc()
        print("This is a bug in Velociraptor, not in your input.", file=sys.stderr)
        return 70
