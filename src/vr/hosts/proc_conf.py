"""A proc's Supervisor configuration, as text (docs/reference/host-messages.md). Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass, replace

from vr.paths import ProcPaths

STOP_TIMEOUT = 10
# Supervisor's patience must outlast the runner's, which ends what ignores SIGTERM.
_MARGIN = 5


@dataclass(frozen=True)
class Rotation:
    """How much is kept of a proc's log: `bytes` in the file that is written, and as much in each
    of the `backups` before it."""

    bytes: int = 10_000_000
    backups: int = 3

    def kept_to(self, total: int) -> Rotation:
        """The same number of files, with at most `total` bytes in all of them."""
        return replace(self, bytes=total // (self.backups + 1))


ROTATION = Rotation()


def render(
    name: str,
    paths: ProcPaths,
    command: Sequence[str],
    *,
    stop_timeout: int = STOP_TIMEOUT,
    rotation: Rotation = ROTATION,
) -> str:
    """The text of `proc.conf`. `command` runs the container in the foreground.

    startsecs says when Supervisor calls a proc RUNNING; whether it is ready is found out by its
    port and its uptests. Many retries, as after a reboot an app's database may come up late.
    """
    return f"""\
[program:{name}]
command={_value(shlex.join(command))}
directory={_value(str(paths.folder))}
user=root
autostart=true
autorestart=true
startsecs=1
startretries=20
stopsignal=TERM
stopwaitsecs={stop_timeout + _MARGIN}
killasgroup=true
redirect_stderr=true
stdout_logfile={_value(str(paths.log))}
stdout_logfile_maxbytes={rotation.bytes}
stdout_logfile_backups={rotation.backups}
"""


def _value(text: str) -> str:
    """Supervisor expands `%(…)s` in values."""
    return text.replace("%", "%%")
