"""`vbuild build|shell FILE`: build an app from the command line, without any server."""

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
        prog="vbuild",
        description="Build an app with a buildpack in a container of its OS image.",
        epilog="Checkouts and caches are kept below $VR_ROOT/builder and may be deleted.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="build|shell")
    build = commands.add_parser(
        "build", help="build it: leaves build.tar.gz, build_result.yaml and compile.log"
    )
    build.add_argument("--output", type=Path, default=Path(), help="folder for the three files")
    build.add_argument("--timeout", type=float, help="seconds for the compile ($VR_BUILD_SECONDS)")
    build.add_argument("--debug", action="store_true", help="let buildpacks trace their commands")
    shell = commands.add_parser("shell", help="open a shell where the build would compile")
    for command in (build, shell):
        command.add_argument("file", type=Path, help="build.yaml, or a build_result.yaml")
    return parser


def _run(options: argparse.Namespace) -> int:
    # What is unpacked here is for other users to read, whatever the caller keeps for itself.
    os.umask(0o022)
    if os.geteuid() != 0:
        raise VelociraptorError("vbuild starts containers, for which it must be root.")
    from vr.builder import pipeline
    from vr.specs.build import load_spec

    spec = load_spec(options.file)
    if options.command == "shell":
        return pipeline.shell(spec, log=sys.stderr.buffer)
    pipeline.build(
        spec,
        options.output,
        log=sys.stdout.buffer,
        timeout=options.timeout,
        debug=options.debug,
    )
    return 0
