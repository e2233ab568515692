"""Detection rules: do an app's files look like the framework? (docs/reference/staging.md)

A rule maps globs to what is expected: a string is a pattern that must match inside at least one
file found, `true` means that there is at least one, `false` that there is none.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from vr.stager.app_folder import AppFolder

Rules = Sequence[Mapping[str, str | bool]]


def mismatches(app: AppFolder, rules: Rules) -> list[str]:
    """Which of the rules do not hold, one sentence part each; empty if all do."""
    return [
        problem
        for rule in rules
        for glob, expected in rule.items()
        if (problem := _mismatch(app, glob, expected))
    ]


def main_file(app: AppFolder, rules: Rules) -> str | None:
    """The first file that a string rule is about: where such an app begins."""
    for rule in rules:
        for glob, expected in rule.items():
            if isinstance(expected, str):
                found = _containing(app, glob, expected)
                if found:
                    return found
    return None


def _mismatch(app: AppFolder, glob: str, expected: str | bool) -> str | None:
    if isinstance(expected, str):
        return None if _containing(app, glob, expected) else f"no {glob} contains {expected!r}"
    found = app.glob(glob)
    # A rule may name a folder, too: `config` true.
    there = bool(found) or app.exists(glob)
    if there == expected:
        return None
    return f"there is no {glob}" if expected else f"there is {(found or [glob])[0]}"


def _containing(app: AppFolder, glob: str, pattern: str) -> str | None:
    return next((name for name in app.glob(glob) if app.contains(name, pattern)), None)
