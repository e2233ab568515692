"""The commands vrun and vrun_precise. Imports are late: a start must not wait for Python."""

from __future__ import annotations

import argparse
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from vr.errors import run_main

if TYPE_CHECKING:
    from vr.runner.setup import Variant

_COMMANDS = {
    "setup": "fetch and unpack what is missing, and write the container's files",
    "run": "run the app in the foreground until it ends; gives its exit code",
    "uptest": "run the app's uptests; prints a JSON array and nothing else",
    "shell": "open bash in a container like the proc's",
    "teardown": "remove everything that setup and run made",
}


def main() -> None:
    """vrun: procs in an OS image."""
    sys.exit(run_main(lambda: _dispatch("vrun", sys.argv[1:])))


def main_precise() -> None:
    """vrun_precise: procs in the host's own system, read-only."""
    sys.exit(run_main(lambda: _dispatch("vrun_precise", sys.argv[1:])))


def _dispatch(variant: Variant, argv: list[str]) -> int:
    arguments = _parser(variant).parse_args(argv)
    # What is unpacked here is for other users to read, whatever the caller keeps for itself.
    os.umask(0o022)
    file: Path = arguments.file
    wait: float = arguments.wait
    from vr.paths import Root

    root = Root.from_env()
    if arguments.command == "setup":
        from vr.runner.setup import setup

        setup(file, root=root, variant=variant, wait=wait)
    elif arguments.command == "run":
        from vr.runner.run import run

        run(file, root=root, wait=wait)
    elif arguments.command == "uptest":
        from vr.runner.uptest import to_json, uptest

        print(to_json(uptest(file, root=root)))
    elif arguments.command == "shell":
        from vr.runner.shell import shell

        return shell(file, root=root)
    else:
        from vr.runner.teardown import teardown

        teardown(file, root=root, wait=wait)
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    from vr import __version__

    commands = "\n".join(f"  {name:9} {text}" for name, text in _COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog=program,
        description=f"Run one proc, described by a proc.yaml, in a container.\n\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("command", choices=_COMMANDS, metavar="COMMAND")
    parser.add_argument("file", type=Path, metavar="FILE", help="the proc's YAML file")
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="how long to wait while another command holds the file (default: not at all)",
    )
    return parser


def _seconds(text: str) -> float:
    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86400:
        raise argparse.ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds
