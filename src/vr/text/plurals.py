"""Nouns with their numbers and articles, so that no sentence says "1 procs" or "a app"."""

from __future__ import annotations

_HISSING = ("s", "x", "z", "ch", "sh")
_VOWELS = "aeiou"
# Written with a vowel, spoken with a "y": a user, a unit, a URL.
_SPOKEN_WITH_Y = ("use", "uni", "url", "eu")


def plural(noun: str) -> str:
    """`procs` of "proc", `dispatches`, `log entries`; of a phrase, its last word changes."""
    if noun.endswith("y") and noun[-2:-1] not in {"", *_VOWELS}:
        return f"{noun[:-1]}ies"
    return f"{noun}es" if noun.endswith(_HISSING) else f"{noun}s"


def counted(count: int, noun: str) -> str:
    """`1 proc`, `2 procs`, `0 procs`."""
    return f"{count} {noun if count == 1 else plural(noun)}"


def with_article(noun: str) -> str:
    """`an ingredient`, `a swarm`, `a user`."""
    lower = noun.lower()
    is_open = lower[:1] in {*_VOWELS} and not lower.startswith(_SPOKEN_WITH_Y)
    return f"{'an' if is_open else 'a'} {noun}"
