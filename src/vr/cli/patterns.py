"""Choosing swarms and procs by pattern (docs/api.md#vr)."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import TypeVar

from vr.client.documents import FOREIGN, ProcDocument, SwarmDocument
from vr.errors import USAGE, VelociraptorError

T = TypeVar("T")
_SHOWN = 20


class NothingMatches(VelociraptorError):
    exit_code = USAGE


def chosen(
    items: Sequence[T],
    pattern: str,
    name_of: Callable[[T], str],
    *,
    what: str,
    none_yet: str,
    exclude: str = "",
) -> list[T]:
    """The items whose name begins with the regular expression `pattern`, in order of name.

    An item named exactly so is meant alone: `shop-prod-web` doesn't reach `shop-prod-web2`.
    `exclude` drops names in which it is found, in any case of letters. Raises NothingMatches
    listing the names that exist, or saying `none_yet`, and InvalidPattern for no pattern.
    """
    wanted = compiled(pattern)
    unwanted = compiled(exclude, re.IGNORECASE) if exclude else None
    found = [item for item in items if wanted.match(name_of(item))]
    exact = [item for item in found if name_of(item) == pattern]
    found = [item for item in exact or found if not (unwanted and unwanted.search(name_of(item)))]
    if not found:
        raise NothingMatches(
            f"No {what} begins with {pattern!r}{f' without {exclude!r}' if exclude else ''}.",
            hint=_existing(what, sorted({name_of(item) for item in items})) or none_yet,
        )
    return sorted(found, key=name_of)


def swarms(found: Sequence[SwarmDocument], pattern: str, exclude: str = "") -> list[SwarmDocument]:
    """The swarms that a pattern means, by `app-config-proc`."""
    return chosen(
        found,
        pattern,
        lambda swarm: swarm["name"],
        what="swarm",
        none_yet="There are no swarms yet; make one with: vr swarms add",
        exclude=exclude,
    )


def procs(found: Sequence[ProcDocument], pattern: str) -> list[ProcDocument]:
    """The procs that a pattern means, by their full name or by their swarm's.

    A proc keeps its name when its swarm is renamed; it is found by the swarm's new one, too.
    """
    by_name = [proc for proc in found if proc["name"] == pattern]
    if by_name:
        return by_name
    wanted = compiled(pattern)
    matching = [proc for proc in found if wanted.match(proc["name"])]
    return matching or chosen(
        found,
        pattern,
        swarm_name,
        what="proc",
        none_yet="No host has said that it runs any; see: vr hosts list",
    )


def swarm_name(proc: ProcDocument) -> str:
    """`app-config-proc` of a proc, as its swarm is called now; a foreign proc's own name."""
    if called := proc.get("swarm"):
        return called
    if proc["version"] == FOREIGN:
        return proc["name"]
    return f"{proc['app_name']}-{proc['config_name']}-{proc['proc_name']}"


def compiled(pattern: str, flags: re.RegexFlag = re.NOFLAG) -> re.Pattern[str]:
    """The pattern; raises VelociraptorError with the place where it is none."""
    try:
        return re.compile(pattern, flags)
    except re.error as error:
        raise NothingMatches(
            f"{pattern!r} is no regular expression: {error}.",
            hint="A name, or its beginning, is enough; '.*' stands for anything.",
        ) from None


def _existing(what: str, names: Sequence[str]) -> str:
    if not names:
        return ""
    more = f", … ({len(names)} in all)" if len(names) > _SHOWN else ""
    return f"There are the {what}s {', '.join(names[:_SHOWN])}{more}."
