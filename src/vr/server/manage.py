"""`python -m vr.server.manage`: Django's management commands for the server."""

from __future__ import annotations

import os
import sys

from vr.errors import run_main


def main() -> int:
    """Run the command that the arguments name; returns the exit code."""
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "vr.server.settings")
    from django.core.management import execute_from_command_line

    return run_main(lambda: execute_from_command_line(sys.argv))


if __name__ == "__main__":
    sys.exit(main())
