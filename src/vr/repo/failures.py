"""What git and hg say when a repository can't be reached, turned into a sentence and a hint."""

from __future__ import annotations

import difflib
from collections.abc import Sequence

from vr.errors import VelociraptorError
from vr.repo.source import Source, redact

# The first phrase found decides (git and hg with LC_ALL=C).
_HINTS = [
    (
        ("dubious ownership",),
        "Another account owns it; allow it: git config --global --add safe.directory PATH",
    ),
    (
        ("could not resolve host", "name or service not known", "temporary failure in name"),
        "Check the host name in the URL and this machine's resolver.",
    ),
    (
        ("connection refused", "timed out", "no route to host", "could not connect"),
        "Check that the server is up and reachable from this machine.",
    ),
    (
        ("certificate",),
        "Add the server's CA to this machine's bundle (update-ca-certificates).",
    ),
    (
        ("permission denied (publickey", "host key verification"),
        "Give this machine's root a deploy key and the server's host key.",
    ),
    (
        (
            "authentication failed", "could not read username", "authorization failed",
            "terminal prompts disabled", "http error 401", "error: 403",
        ),
        "Give credentials: https://user:token@host/…, or a credential helper for root.",
    ),
    (
        (
            "not found", "does not exist", "does not appear to be a git", "no such file",
            "not a git repository", "http error 404",
        ),
        "Check the URL; a private repository also answers 'not found' without credentials.",
    ),
]  # fmt: skip
_COMPARED = 1000
_DEFAULT_HINT = "Check the URL, and that this machine may read it."


class UnreachableRepository(VelociraptorError):
    """The repository can't be fetched: wrong URL, network, credentials."""


class UnknownRevision(VelociraptorError):
    """The repository is fine, but has no such tag, branch or commit."""


def unreachable(source: Source, output: str, *, advice: str = "") -> UnreachableRepository:
    """The error for a failed fetch; `output` is what the program printed to stderr, `advice` a
    sentence that belongs to it whatever that says."""
    said = redact(output).lower()
    hint = next(
        (hint for phrases, hint in _HINTS if any(phrase in said for phrase in phrases)),
        _DEFAULT_HINT,
    )
    return UnreachableRepository(
        f"The repository {source.public_url} can't be fetched: {_gist(output)}",
        hint=f"{hint} {advice}".rstrip(),
    )


def unknown_revision(
    source: Source, revision: str, *, tags: Sequence[str], branches: Sequence[str]
) -> UnknownRevision:
    """The error for a revision that is not there, with what is; newest names first."""
    names = [*tags, *branches]
    # Comparing costs the square of the lengths; a repository may have any number of names.
    near = difflib.get_close_matches(revision[:100], names[:_COMPARED], n=3, cutoff=0.5)
    parts = [f"Did you mean {' or '.join(near)}?"] if near else []
    if tags:
        parts.append(f"Tags there: {_some(tags)}.")
    if branches:
        parts.append(f"Branches: {_some(branches)}.")
    if not names:
        parts.append("It has neither tags nor branches: push something first.")
    return UnknownRevision(
        f"The repository {source.public_url} has no tag, branch or commit {revision!r}.",
        hint=" ".join(parts),
    )


def _some(names: Sequence[str], limit: int = 8) -> str:
    more = f" and {len(names) - limit} more" if len(names) > limit else ""
    return ", ".join(names[:limit]) + more


def _gist(output: str) -> str:
    """The line of `output` that says most."""
    lines = [line.strip() for line in redact(output).splitlines() if line.strip()]
    for marker in ("fatal:", "abort:", "error:"):
        for line in lines:
            if line.startswith(marker):
                return line.removeprefix(marker).strip().rstrip(".") + "."
    return (lines[-1] if lines else "no reason was given").rstrip(".") + "."
