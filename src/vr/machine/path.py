"""Where programs are looked for.

The pilot, which imports nothing of ours, and scripts that are not generated have their own.
"""

from __future__ import annotations

from collections.abc import Mapping

SYSTEM_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""The PATH of everything that must not depend on its caller's: containers, root's own commands."""


def path_with_system(env: Mapping[str, str]) -> str:
    """The PATH of `env`, then the system's: sudo and cron often leave out the sbin folders."""
    return f"{env['PATH']}:{SYSTEM_PATH}" if env.get("PATH") else SYSTEM_PATH
