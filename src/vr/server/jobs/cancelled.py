"""Who has cancelled a dispatch or a build, and how that is said."""

from __future__ import annotations

from typing import Any


def name_of(user: Any) -> str:
    """What is kept of who asked for it; empty for the system."""
    return str(user.get_username()) if getattr(user, "pk", None) else ""


def sentence(by: str) -> str:
    """Why something ended that `by` has cancelled."""
    return f"Cancelled by {by}." if by else "Cancelled."
