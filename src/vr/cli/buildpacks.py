"""`vr buildpacks`: what turns an app's code into a build."""

from __future__ import annotations

import click

from vr.cli.output import json_option
from vr.cli.record_groups import add_record, record_group

buildpacks = record_group(
    "buildpacks",
    "Buildpacks, in order of detection.",
    ["order", "repository", "type", "description"],
    lambda one: (one["order"], one["repo_url"], one["repo_type"], one["desc"]),
)


@buildpacks.command("add")
@click.argument("repo")
@click.option("--type", "repo_type", type=click.Choice(["git", "hg"]), default="git")
@click.option("--desc", default="", help="What it builds.")
@click.option("--order", default=0, help="Detection tries lower numbers first.")
@json_option
def add_buildpack(repo: str, repo_type: str, desc: str, order: int, as_json: bool) -> None:
    """Add the buildpack at REPO."""
    add_record("buildpacks", as_json, repo_url=repo, repo_type=repo_type, desc=desc, order=order)
