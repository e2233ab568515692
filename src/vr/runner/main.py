"""The commands vrun and vrun_precise. Imports are late: a start must not wait for Python."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse

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
    _main("vrun")


def main_precise() -> None:
    """vrun_precise: procs in the host's own system, read-only."""
    _main("vrun_precise")


def _main(variant: Variant) -> None:
    # Folders that apps must be able to read are made here, whatever the caller's umask.
    os.umask(0o022)
    _run_if_ready(sys.argv[1:])
    from vr.errors import run_main

    sys.exit(run_main(lambda: _dispatch(variant, sys.argv[1:])))


def _run_if_ready(argv: list[str]) -> None:
    """`run FILE` of a proc that is set up does not return; it needs no more of Python."""
    if len(argv) != 2 or argv[0] != "run":
        return
    from vr.runner import quick

    launcher = quick.find(argv[1], f"{os.environ.get('VR_ROOT') or '/apps'}/ready")
    if launcher:
        quick.become(launcher)


def _dispatch(variant: Variant, argv: list[str]) -> int:
    from pathlib import Path

    arguments = _parser(variant).parse_args(argv)
    file = Path(arguments.file)
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
    import argparse

    from vr import __version__

    commands = "\n".join(f"  {name:9} {text}" for name, text in _COMMANDS.items())
    parser = argparse.ArgumentParser(
        prog=program,
        description=f"Run one proc, described by a proc.yaml, in a container.\n\n{commands}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    parser.add_argument("command", choices=_COMMANDS, metavar="COMMAND")
    parser.add_argument("file", metavar="FILE", help="the proc's YAML file")
    parser.add_argument(
        "--wait",
        type=_seconds,
        default=0.0,
        metavar="SECONDS",
        help="how long to wait while another command holds the file (default: not at all)",
    )
    return parser


def _seconds(text: str) -> float:
    from argparse import ArgumentTypeError

    try:
        seconds = float(text)
    except ValueError:
        seconds = -1
    if not 0 <= seconds <= 86400:
        raise ArgumentTypeError(f"{text!r} is no number of seconds")
    return seconds
