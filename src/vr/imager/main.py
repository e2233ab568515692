"""`vimage build|shell FILE`, `vimage base OUTPUT`, `vimage stack FILE`: make OS images."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from vr import __version__
from vr.errors import VelociraptorError, run_main


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    return run_main(lambda: _run(_parser().parse_args(arguments)))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vimage", description="Make OS images by running a script in a container of a base."
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    build = commands.add_parser("build", help="make the image: leaves NAME.tar.gz and NAME.log")
    shell = commands.add_parser("shell", help="open a root shell where the script would run")
    stack = commands.add_parser(
        "stack", help="make base and image unless they are kept; prints the image's path and MD5"
    )
    for command in (build, shell):
        command.add_argument("file", type=Path, help="image.yaml")
    stack.add_argument("file", type=Path, nargs="?", help="image.yaml (the bundled stack's)")
    build.add_argument("--output", type=Path, default=Path(), help="folder for the results")
    stack.add_argument("--cache", type=Path, help="where they are kept")
    base = commands.add_parser(
        "base", help="make a base image of this machine's distribution, by its apt configuration"
    )
    base.add_argument("output", type=Path, help="the tarball to make (.tar.gz)")
    return parser


def _steps_only(output: bytes) -> None:
    """Show where it is, not the thousands of lines of apt; those are in the image's log."""
    for line in output.splitlines():
        if line.startswith(b"-----> "):
            print(line.decode(errors="replace"), file=sys.stderr, flush=True)


def _run(options: argparse.Namespace) -> int:
    # What is unpacked here is for other users to read, whatever the caller keeps for itself.
    os.umask(0o022)
    if os.geteuid() != 0:
        raise VelociraptorError("vimage makes system files and starts containers: it must be root.")
    from vr.imager import base, pipeline, stack, stack_cache
    from vr.specs.image import load_spec

    if options.command == "base":
        base.make_base(options.output, base.plan_base(), log=sys.stdout.buffer)
        return 0
    spec = load_spec(options.file or stack_cache.bundled_file())
    if options.command == "shell":
        return pipeline.shell(spec)
    if options.command == "build":
        pipeline.build(spec, options.output, log=sys.stdout.buffer)
        return 0
    made = stack.ensure_stack(spec, options.cache or stack_cache.CACHE, log=_steps_only)
    print(f"{made.tarball} {made.md5}")
    return 0
