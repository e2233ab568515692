"""Why something can't be built: sentences for people, types for programs."""

from __future__ import annotations

from vr.errors import VelociraptorError
from vr.server.answers import Conflict


class CannotBuild(VelociraptorError):
    """The app or build as it is described can't be built; nothing was changed."""


class CannotCancelBuild(Conflict):
    """The build has ended."""
