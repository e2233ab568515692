"""Velociraptor: from a repository to tested, supervised, containerised, routed processes."""

__version__ = "4.2.0"
