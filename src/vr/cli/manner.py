"""Options that say how a dispatch is to go."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

F = TypeVar("F", bound=Callable[..., Any])

_OPTIONS = (
    click.option(
        "--hold",
        is_flag=True,
        default=None,
        help="Deploy and test it, then wait for `vr route` or `vr cancel`.",
    ),
    click.option(
        "--canary",
        metavar="N|P%",
        help="First route so many of the new procs beside all old ones.",
    ),
    click.option("--canary-seconds", type=int, metavar="N", help="For how long these are tried."),
    click.option(
        "--batch", type=int, metavar="N", help="Replace N procs at a time; goes back if one fails."
    ),
)


def manner_options(command: F) -> F:
    """The options, given to the command as `manner` under the names that the API has for them."""
    for option in reversed(_OPTIONS):
        command = option(command)
    return command
