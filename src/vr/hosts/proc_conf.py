"""A proc's Supervisor configuration, as text (docs/reference/host-messages.md). Pure."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from vr.paths import ProcPaths

STOP_TIMEOUT = 10
# Supervisor's patience must outlast the runner's, which ends what ignores SIGTERM.
_MARGIN = 5


def render(
    name: str, paths: ProcPaths, command: Sequence[str], *, stop_timeout: int = STOP_TIMEOUT
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
stdout_logfile_maxbytes=10000000
stdout_logfile_backups=1
"""


def _value(text: str) -> str:
    """Supervisor expands `%(…)s` in values."""
    return text.replace("%", "%%")
