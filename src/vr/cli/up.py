"""`vr up`, `vr down`, `vr status`: Velociraptor on this machine."""

from __future__ import annotations

import json
import os
import time

import click

from vr.up import lifecycle, service
from vr.up.config import Config
from vr.up.waiting import Say


def timed_say() -> Say:
    """Says lines on stderr, each with the seconds since now."""
    started = time.monotonic()

    def say(line: str) -> None:
        click.echo(f"{time.monotonic() - started:5.1f} s  {line}", err=True)

    return say


_AS_SERVICE = click.option("--as-service", is_flag=True, hidden=True, help="Called by systemd.")


@click.command()
@click.option("--systemd", "install", is_flag=True, help="And start it with the machine.")
@_AS_SERVICE
def up(install: bool, as_service: bool) -> None:
    """Start Velociraptor on this machine and wait until all parts are healthy.

    What runs already is brought to the code that is installed and to the settings of now, part by
    part, and no proc is stopped. With --systemd a unit is written and enabled, too; from then on
    vr up and vr down go by it.
    """
    if as_service:
        config = Config.from_env()
        lifecycle.up(config, timed_say())
    else:
        config = service.up(timed_say(), os.environ, install=install)
    click.echo(f"Velociraptor is up: {config.web_url}/")
    click.echo(f"Log in as admin; the password is in {config.secrets}/admin-password")


@click.command()
@_AS_SERVICE
def down(as_service: bool) -> None:
    """Stop Velociraptor and all its procs; nothing is left running."""
    stopping = lifecycle.down if as_service else service.down
    if stopping(service.config_of(os.environ), timed_say()):
        click.echo("Velociraptor is down. Its data and its procs' folders stay for the next vr up.")
    else:
        click.echo("Velociraptor was not up.")


@click.command()
@click.option("--json", "as_json", is_flag=True, help="For machines.")
def status(as_json: bool) -> None:
    """Show the parts and procs of this machine; exits 1 unless all parts are healthy."""
    config = service.config_of(os.environ)
    found = lifecycle.status(config)
    problems = {one.part: one.problem for one in found.health}
    if as_json:
        click.echo(
            json.dumps(
                {
                    "up": found.is_up,
                    "healthy": found.is_healthy,
                    "url": config.web_url,
                    "outdated": list(found.outdated),
                    "parts": [
                        {
                            "name": part.name,
                            "state": part.statename,
                            "description": part.description,
                            "problem": problems.get(part.name, ""),
                        }
                        for part in found.parts
                    ],
                },
                indent=2,
            )
        )
    elif not found.is_up:
        click.echo("Velociraptor is down. Start it with: vr up")
    else:
        width = max(len(part.name) for part in found.parts)
        for part in found.parts:
            state = problems.get(part.name) or part.description
            click.echo(f"{part.name:<{width}}  {part.statename:<8}  {state}")
        missing = {name for name in problems if name not in {part.name for part in found.parts}}
        for name in sorted(missing):
            click.echo(f"{name:<{width}}  MISSING   {problems[name]}")
        click.echo(f"web UI: {config.web_url}/")
        if found.outdated:
            click.echo(
                f"The running code is older than the installed: {', '.join(found.outdated)}. "
                "Replace it, without stopping a proc, with: vr up"
            )
    if not found.is_healthy:
        raise SystemExit(1)
