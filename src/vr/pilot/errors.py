"""What can go wrong, as far as somebody outside of the pilot can mend it."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence


class PilotError(Exception):
    """Shown as one message, never as a traceback."""


class ConfigError(PilotError):
    """The configuration is wrong: every problem found, in the order of evaluation.

    Each problem is one message that begins with the path of its value in the JSON document.
    """

    def __init__(self, problems: Sequence[str]) -> None:
        self.problems = tuple(problems)
        if len(self.problems) == 1:
            message = self.problems[0]
        else:
            message = "\n".join(
                [f"{len(self.problems)} problems in the configuration:"]
                + [f"  - {problem}" for problem in self.problems]
            )
        super().__init__(message)


class CannotStart(PilotError):
    """A program could not be started. `code` is the exit code that shells use for it."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.code = code


class DiscoveryError(PilotError):
    """Consul or etcd did not answer, or answered with an error."""


class NotRegistered(DiscoveryError):
    """A heartbeat for a service that Consul or etcd does not know (any more)."""
