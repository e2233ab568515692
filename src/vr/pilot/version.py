"""What `-version` prints. `bin/make-pilot` writes the commit into the file that it ships."""

from vr import __version__ as VERSION

GIT_HASH = "unknown"

__all__ = ["GIT_HASH", "VERSION"]
