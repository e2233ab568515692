"""Kinds of click groups: one that imports a command only to run it, one with a default."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from importlib import import_module
from typing import Any

import click

from vr.errors import USAGE, VelociraptorError


@dataclass(frozen=True)
class Lazy:
    """Where a command is (`module:attribute`), and its line in the help."""

    target: str
    help: str

    def load(self) -> click.Command:
        module, _, attribute = self.target.partition(":")
        command: click.Command = getattr(import_module(module), attribute)
        return command


class LazyGroup(click.Group):
    """A group whose help is shown without importing any of its commands."""

    def __init__(self, *args: Any, commands_table: Mapping[str, Mapping[str, Lazy]], **kwargs: Any):
        super().__init__(*args, **kwargs)
        self._sections = commands_table

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for section in self._sections.values() for name in section]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        for section in self._sections.values():
            if cmd_name in section:
                return section[cmd_name].load()
        return None

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args and args[0] not in self.list_commands(ctx) and not args[0].startswith("-"):
            raise _no_command(args[0], self.list_commands(ctx), ctx)
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        for title, section in self._sections.items():
            with formatter.section(title):
                formatter.write_dl([(name, lazy.help) for name, lazy in section.items()])


class DefaultGroup(click.Group):
    """A group that takes what isn't the name of a command for the arguments of `default`."""

    default = "list"

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        if not args or (args[0] not in self.commands and args[0] not in ctx.help_option_names):
            given = [one for one in args if not one.startswith("-")]
            if len(given) > len(_arguments(self.commands[self.default])):
                raise _no_command(given[0], self.commands, ctx)
            ctx.meta[_MAYBE_COMMAND] = given[0] if given else ""
            args = [self.default, *args]
        return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        """A pattern that matches nothing may be a mistyped command."""
        try:
            return super().invoke(ctx)
        except VelociraptorError as error:
            if error.exit_code == USAGE:
                meant = _meant(ctx.meta.get(_MAYBE_COMMAND, ""), self.commands, ctx)
                error.hint = f"{meant} {error.hint}".strip()
            raise


_MAYBE_COMMAND = "vr.maybe_command"


def _arguments(command: click.Command) -> list[click.Parameter]:
    return [one for one in command.params if isinstance(one, click.Argument)]


def _no_command(name: str, known: Iterable[str], ctx: click.Context) -> click.UsageError:
    known = list(known)
    parts = [f"There is no command {name!r}.", _meant(name, known, ctx)]
    return click.UsageError(
        " ".join(filter(None, [*parts, f"There are: {', '.join(known)}."])), ctx
    )


def _meant(name: str, known: Iterable[str], ctx: click.Context) -> str:
    """`Did you mean 'vr swarm' or 'vr swarms'?`; empty if nothing is near."""
    near = get_close_matches(name.lower(), list(known), n=2)
    if not near:
        return ""
    return f"Did you mean {' or '.join(repr(f'{ctx.command_path} {one}') for one in near)}?"
