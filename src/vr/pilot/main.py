"""`vpilot` and `containerpilot`: the command line, and every exit code but the application's."""

from __future__ import annotations

import os
import sys
import time

from vr.pilot.errors import ConfigError
from vr.pilot.flags import USAGE, BadFlags, parse_flags

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Sequence

    from vr.pilot.flags import Options

FAILED, BAD_USAGE, BUG = 1, 2, 70


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; returns its exit code."""
    try:
        options = parse_flags(sys.argv[1:] if arguments is None else arguments)
    except BadFlags as error:
        sys.stderr.write(f"{error}\n{USAGE}")
        return BAD_USAGE
    if options.help:
        sys.stderr.write(USAGE)
        return 0
    if options.version:
        from vr.pilot.version import GIT_HASH, VERSION

        print(f"Version: {VERSION}\nGitHash: {GIT_HASH}")
        return 0
    environ = dict(os.environ)
    source = environ.get("CONTAINERPILOT", "") if options.config is None else options.config
    try:
        if options.template:
            return show_template(source, options.out, environ)
        return fly(source, options, environ)
    except ConfigError as error:
        from vr.pilot.log import default_line, write_line

        write_line(2, default_line(time.time(), str(error), {}))
        return FAILED


def show_template(source: str, out: str, environ: dict[str, str]) -> int:
    """`-template`: write the rendered configuration and start nothing."""
    from vr.pilot.load import FILE, read_source, rendered

    text = rendered(read_source(source), environ)
    data = text.encode("utf-8", "surrogateescape")
    if out == "-":
        sys.stdout.buffer.write(data)
        sys.stdout.buffer.flush()
        return 0
    if not out.startswith(FILE) or out == FILE:
        raise ConfigError([f"Could not write config: -out must be - or file://PATH, got {out!r}"])
    path = out[len(FILE) :]
    try:
        write_file(path, data)
    except (OSError, ValueError) as error:
        raise ConfigError([f"Could not write config: {error}"]) from None
    return 0


def write_file(path: str, data: bytes) -> None:
    """Beside and renamed, mode 0644; a device or a pipe is written to as it is."""
    if os.path.exists(path) and not os.path.isfile(path):
        with open(path, "wb") as file:
            file.write(data)
        return
    beside = f"{path}.{os.getpid()}.tmp"
    try:
        with open(beside, "wb") as file:
            file.write(data)
        os.chmod(beside, 0o644)
        os.replace(beside, path)
    except BaseException:
        if os.path.exists(beside):
            os.unlink(beside)
        raise


def fly(source: str, options: Options, environ: dict[str, str]) -> int:
    """Run the pilot to its exit code; raises ConfigError if it can't start."""
    from vr.pilot.load import load
    from vr.pilot.log import Log
    from vr.pilot.loop import Loop
    from vr.pilot.pilot import Pilot, announce
    from vr.pilot.processes import Processes
    from vr.pilot.stats import Stats
    from vr.pilot.world import World

    loaded = load(source, environ)
    loop = Loop()
    log = Log()
    loop.on_crash = lambda error: log.error(f"internal error, please report it: {error!r}")
    processes = Processes(loop)
    world = World(loop, log, processes, Stats(processes), environ)
    pilot = Pilot(world, source, loaded.config, options.words)
    pilot.install_signals()
    announce(world, loaded.config, loaded.shown)
    try:
        return loop.run(pilot.run())
    except ConfigError:
        raise
    except Exception:
        import traceback

        traceback.print_exc()
        print("This is a bug in the pilot, not in your configuration.", file=sys.stderr)
        return BUG


if __name__ == "__main__":
    sys.exit(main())
