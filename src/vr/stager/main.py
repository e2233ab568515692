"""The command vstager: the service, its client, and a plugin alone."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from vr import __version__
from vr.bus.addresses import given_nats_uri
from vr.errors import FAILED, VelociraptorError, run_main


def main(arguments: Sequence[str] | None = None) -> int:
    """The entry point; returns the exit code."""
    given = list(sys.argv[1:] if arguments is None else arguments)
    if given[:1] == ["stage"]:
        return run_main(lambda: _stage(_stage_parser().parse_args(given[1:])))
    if given[:1] == ["plugin"]:
        return run_main(lambda: _plugin(_plugin_parser().parse_args(given[1:])))
    return run_main(lambda: _serve(_service_parser().parse_args(given)))


def _service_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vstager",
        description="Stage zipped apps into droplets, on request over NATS.",
        epilog="`vstager stage --help`: have a folder staged. `vstager plugin --help`: run one "
        "framework's plugin without any service.",
    )
    parser.add_argument("--version", action="version", version=__version__)
    parser.add_argument("-c", "--config", type=Path, help="stager.yml")
    parser.add_argument(
        "-s", "--sleep-interval", help=argparse.SUPPRESS
    )  # accepted and unused, as ever
    return parser


def _stage_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vstager stage", description="Have the app in a folder staged; writes the droplet."
    )
    parser.add_argument("app", type=Path, metavar="APP_DIR")
    parser.add_argument("--framework", help="instead of detecting it")
    parser.add_argument("--buildpack", metavar="URL", help="build with this Heroku buildpack")
    parser.add_argument("--command", help="start command, for standalone apps and buildpacks")
    parser.add_argument("--memory", type=int, default=512, metavar="MB")
    parser.add_argument(
        "--output", type=Path, default=Path("droplet.tgz"), help="the droplet (%(default)s)"
    )
    parser.add_argument(
        "--nats", default=given_nats_uri(os.environ), metavar="URI", help="%(default)s"
    )
    parser.add_argument("--queue", default="staging", help="%(default)s")
    parser.add_argument("--timeout", type=float, default=600, metavar="SECONDS")
    parser.add_argument(
        "--host", default="127.0.0.1", help="this machine's address, as stagers see it"
    )
    return parser


def _plugin_parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="vstager plugin",
        description="Stage source_dir into dest_dir of a YAML file, without any service. "
        "Commands run as the caller, without a container.",
    )
    parser.add_argument("framework")
    parser.add_argument("config", type=Path)
    return parser


def _serve(options: argparse.Namespace) -> int:
    from vr.stager.config import DEVELOPMENT, StagerConfig, parse_config
    from vr.stager.start import serve

    def load() -> StagerConfig:
        path = options.config
        folder = os.environ.get("CLOUD_FOUNDRY_CONFIG_PATH")
        if path is None and folder:
            path = Path(folder) / "stager.yml"
        if path is None:
            return parse_config(DEVELOPMENT, "the built-in configuration")
        from vr.specs.documents import load_mapping

        try:
            document = load_mapping(path)
        except VelociraptorError as error:
            raise _refused(f"Failed loading config from file '{path}'", error) from None
        return parse_config(document, str(path))

    try:
        serve(load())
    except _Refused as refused:
        print(refused, file=sys.stderr)
        return FAILED
    except VelociraptorError as error:
        what = "There was a problem validating the supplied config"
        print(_refused(what, error), file=sys.stderr)
        return FAILED
    return 0


class _Refused(Exception):
    """A configuration that can't be used, in the words of the original."""


def _refused(what: str, error: VelociraptorError) -> _Refused:
    hint = f"\nhint: {error.hint}" if error.hint else ""
    return _Refused(f"ERROR: {what}: {error.message}{hint}")


def _stage(options: argparse.Namespace) -> int:
    from vr.stager.stage_folder import properties_for, stage_folder

    properties = properties_for(
        options.app,
        options.framework,
        command=options.command,
        buildpack=options.buildpack,
        memory=options.memory,
    )
    stage_folder(
        options.app,
        options.output,
        nats_uri=options.nats,
        queue=options.queue,
        properties=properties,
        timeout=options.timeout,
        host=options.host,
        say=lambda line: print(line, flush=True),
    )
    return 0


def _plugin(options: argparse.Namespace) -> int:
    from vr.stager.stage_folder import run_plugin

    run_plugin(options.framework, options.config, print)
    return 0


if __name__ == "__main__":
    sys.exit(main())
