"""`vr ingredients`: config that swarms share."""

from __future__ import annotations

from typing import Any

import click

from vr.cli.output import json_option
from vr.cli.record_groups import add_record, record_group
from vr.cli.swarm_options import environment

ingredients = record_group(
    "ingredients",
    "Config that swarms share.",
    ["ingredient", "swarms"],
    lambda one: (one["name"], len(one["swarms"])),
)


@ingredients.command("add")
@click.argument("name")
@click.option("--config", type=click.File(), help="YAML file with settings.")
@click.option("--env", multiple=True, metavar="FILE|KEY=VALUE", help="Environment.")
@json_option
def add_ingredient(name: str, config: Any, env: tuple[str, ...], as_json: bool) -> None:
    """Add a piece of config that swarms can share."""
    add_record(
        "ingredients",
        as_json,
        name=name,
        config_yaml=config.read() if config else "",
        env_yaml=environment(env) if env else "",
    )
