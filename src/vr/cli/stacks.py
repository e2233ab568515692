"""`vr stacks`: what apps build and run in."""

from __future__ import annotations

import click

from vr.cli.output import json_option
from vr.cli.record_groups import add_record, record_group

stacks = record_group(
    "stacks",
    "Stacks: what apps build and run in.",
    ["stack", "active image", "description"],
    lambda one: (one["name"], one["active_image"] or "none", one["desc"]),
)


@stacks.command("add")
@click.argument("name")
@click.option("--desc", default="", help="What it is for.")
@click.option("--base-image-url", help="Tarball that its images begin with.")
@json_option
def add_stack(name: str, desc: str, base_image_url: str | None, as_json: bool) -> None:
    """Add a stack; apps can use it once it has an active image."""
    add_record("stacks", as_json, name=name, desc=desc, base_image_url=base_image_url)
