"""Which notifiers want an event. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field

from vr.server.events.kinds import HIDDEN, Kind

ALL = "all"
_TONES = ("bad", "warn", "ok", "busy", "idle")
# Of these nobody is told: a notice on notices that can't be sent begets others.
_NEVER = {Kind.NOTICE_FAILED}
NAMES = {kind.name.lower(): kind for kind in Kind if HIDDEN not in kind.tags and kind not in _NEVER}
"""The kinds that can be asked for, by the words for them."""


@dataclass(frozen=True)
class Scope:
    """What an event is about: ids of apps and squads."""

    apps: frozenset[int] = field(default_factory=frozenset)
    squads: frozenset[int] = field(default_factory=frozenset)


@dataclass(frozen=True)
class Wish:
    """What a notifier wants: events of these `kinds` (words), of an app and a squad if named."""

    kinds: str
    app: int | None = None
    squad: int | None = None


def wants(wish: Wish, kind: Kind, scope: Scope) -> bool:
    """Whether it is told of an event of `kind`, which is about `scope`."""
    if wish.app is not None and wish.app not in scope.apps:
        return False
    if wish.squad is not None and wish.squad not in scope.squads:
        return False
    name = kind.name.lower()
    return name in NAMES and bool({ALL, name, kind.tone} & set(words(wish.kinds)))


def words(kinds: str) -> list[str]:
    """The words of a notifier's `kinds`, by blanks or commas."""
    return kinds.lower().replace(",", " ").split()


def unknown(kinds: str) -> list[str]:
    """Those of them that stand for nothing."""
    return [word for word in words(kinds) if word not in {ALL, *_TONES, *NAMES}]


def expected() -> str:
    """The words that there are, for the end of a sentence."""
    return ", ".join([ALL, *_TONES, *sorted(NAMES)])
