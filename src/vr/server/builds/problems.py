"""Why an app can't be brought to life, whether by a swarm, a build or a deploy."""

from __future__ import annotations

from vr.errors import VelociraptorError


class CannotDispatch(VelociraptorError):
    """What is described can't be brought to life; nothing was changed."""
