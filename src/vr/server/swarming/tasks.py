"""Celery tasks: thin wrappers that wake the engine. Each may come twice, late or never."""

from __future__ import annotations

from celery import shared_task


@shared_task
def drive(dispatch_id: int) -> None:
    """Carry a dispatch on from wherever it is, unless another worker does so already."""


@shared_task
def run_build(build_id: int) -> None:
    """Build a pending build, unless another worker does so already; then wake who waits."""


@shared_task
def resume() -> None:
    """Wake whatever is open and driven by nobody: lost messages, dead workers."""
