"""The command vdea: the agent, and a client that starts one droplet."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from vr import __version__
from vr.bus.addresses import given_nats_uri
from vr.errors import run_main


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["stop"]:
        return run_main(lambda: _stop(_stop_parser().parse_args(given[1:])))
    if given[:1] == ["start"]:
        return run_main(lambda: _start(_start_parser().parse_args(given[1:])))
    return run_main(lambda: _serve(_service_parser().parse_args(given)))


def _service_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vdea",
        description="Run droplets in containers, as told over NATS.",
        epilog="`vdea start --help`: have one droplet run. `vdea stop NAME`: end it.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("-c", "--config", type=Path, required=True, help="dea.yml")
    # Accepted as ever: instances are always secured, and folders of dead ones always removed.
    parser.add_argument("-s", "--secure", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--disable_dir_cleanup", action="store_true", help=argparse.SUPPRESS)
    return parser


def _start_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vdea start", description="Have a droplet run by a DEA; prints its address."
    )
    parser.add_argument("droplet", type=Path)
    parser.add_argument("--name", help="to stop it by; made up without")
    parser.add_argument("--uri", action="append", default=[], help="to register with the router")
    parser.add_argument("--runtime", help="instead of the one it was staged for")
    parser.add_argument("--memory", type=int, default=512, metavar="MB")
    parser.add_argument("--env", action="append", default=[], metavar="NAME=VALUE")
    _add_nats(parser)
    parser.add_argument("--timeout", type=float, default=90, metavar="SECONDS")
    return parser


def _stop_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="vdea stop", description="Stop a droplet's instances.")
    parser.add_argument("name", help="as `vdea start` printed it")
    _add_nats(parser)
    return parser


def _add_nats(parser: argparse.ArgumentParser) -> None:
    default = given_nats_uri(os.environ)
    parser.add_argument("--nats", default=default, metavar="URI", help="%(default)s")


def _serve(options: argparse.Namespace) -> int:
    from vr.dea.config import parse_config
    from vr.dea.start import serve
    from vr.specs.documents import load_mapping

    serve(parse_config(load_mapping(options.config), str(options.config)))
    return 0


def _start(options: argparse.Namespace) -> int:
    import asyncio

    from vr.dea.client import start_droplet

    name, address = asyncio.run(
        start_droplet(
            options.droplet,
            nats_uri=options.nats,
            name=options.name,
            uris=options.uri,
            runtime=options.runtime,
            memory=options.memory,
            env=options.env,
            timeout=options.timeout,
        )
    )
    print(address)
    print(f"stop it with: vdea stop {name}", file=sys.stderr)
    return 0


def _stop(options: argparse.Namespace) -> int:
    import asyncio

    from vr.dea.client import stop_droplet

    count = asyncio.run(stop_droplet(options.name, nats_uri=options.nats, timeout=1))
    print(f"{options.name}: {count} instance(s) stopped")
    return 0


if __name__ == "__main__":
    sys.exit(main())
