"""The commands vrun and vrun_precise. Imports are late: a start must not wait for Python."""

from __future__ import annotations

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import argparse
    from pathlib import Path

    from vr.paths import Root
    from vr.runner.setup import Variant

_DESCRIPTION = "Run procs, each described by a proc.yaml, in containers."
_FILE_COMMANDS = {
    "setup": "fetch and unpack what is missing, and write the container's files",
    "run": "run the app in the foreground until it ends; gives its exit code",
    "uptest": "run the app's uptests; prints a JSON array and nothing else",
    "shell": "open bash in a container like the proc's",
    "teardown": "remove everything that setup and run made",
}
_COMMANDS = (*_FILE_COMMANDS, "gc", "doctor")
_LOCKING = ("setup", "run", "teardown")


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
    from vr.runner import launcher_link

    launcher = launcher_link.find(argv[1], f"{os.environ.get('VR_ROOT') or '/apps'}/ready")
    if launcher:
        launcher_link.become(launcher)


def _dispatch(variant: Variant, argv: list[str]) -> int:
    _refuse_unknown(variant, argv)
    arguments = _parser(variant).parse_args(argv)
    from pathlib import Path

    from vr.paths import Root

    root = Root.from_env()
    if arguments.command == "gc":
        from vr.runner.housekeeping import gc

        gc(root, days=arguments.days, dry_run=arguments.dry_run)
        return 0
    if arguments.command == "doctor":
        from vr.runner.housekeeping import doctor

        return doctor(root, as_json=arguments.json)
    return _with_file(arguments, Path(arguments.file), root, variant)


def _refuse_unknown(program: str, argv: list[str]) -> None:
    """Scripts know the original's exit code of a command that it lacks: 1, where argparse has 2."""
    if not argv or argv[0].startswith("-") or argv[0] in _COMMANDS:
        return
    from difflib import get_close_matches

    from vr.errors import VelociraptorError

    near = get_close_matches(argv[0], _COMMANDS, n=1)
    raise VelociraptorError(
        f"{program} has no command {argv[0]!r}; it has {', '.join(_COMMANDS)}.",
        hint=f"Did you mean {near[0]}?" if near else "",
    )


def _with_file(arguments: argparse.Namespace, file: Path, root: Root, variant: Variant) -> int:
    if arguments.command == "setup":
        from vr.runner.setup import setup

        setup(file, root=root, variant=variant, wait=arguments.wait)
    elif arguments.command == "run":
        from vr.runner.run import run

        run(file, root=root, wait=arguments.wait)
    elif arguments.command == "uptest":
        from vr.runner.uptest import to_json, uptest

        print(to_json(uptest(file, root=root)))
    elif arguments.command == "shell":
        from vr.runner.shell import shell

        return shell(file, root=root)
    else:
        from vr.runner.teardown import teardown

        teardown(file, root=root, wait=arguments.wait)
    return 0


def _parser(program: str) -> argparse.ArgumentParser:
    import argparse

    from vr import __version__

    parser = argparse.ArgumentParser(prog=program, description=_DESCRIPTION)
    parser.add_argument("--version", action="version", version=f"%(prog)s {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, text in _FILE_COMMANDS.items():
        command = commands.add_parser(name, help=text, description=_sentence(text))
        command.add_argument("file", metavar="FILE", help="the proc's YAML file")
        if name in _LOCKING:
            command.add_argument(
                "--wait",
                type=_seconds,
                default=0.0,
                metavar="SECONDS",
                help="how long to wait while another command holds the file (default: not at all)",
            )
    text = "remove layers and downloads that no proc on this host needs"
    gc = commands.add_parser("gc", help=text, description=_sentence(text))
    gc.add_argument(
        "--days",
        type=_days,
        default=0.0,
        help="keep what was made or fetched so lately (default 0)",
    )
    gc.add_argument("--dry-run", action="store_true", help="only say what would be removed")
    text = "check whether this host can run procs, and say how to mend what it can't"
    doctor = commands.add_parser("doctor", help=text, description=_sentence(text))
    doctor.add_argument("--json", action="store_true", help="print the findings as a JSON array")
    return parser


def _sentence(text: str) -> str:
    return f"{text[0].upper()}{text[1:]}."


def _seconds(text: str) -> float:
    return _number(text, "seconds", 86400)


def _days(text: str) -> float:
    return _number(text, "days", 36500)


def _number(text: str, unit: str, most: float) -> float:
    from argparse import ArgumentTypeError

    try:
        number = float(text)
    except ValueError:
        number = -1
    if not 0 <= number <= most:
        raise ArgumentTypeError(f"{text!r} is no number of {unit}")
    return number
