"""Repositories, as apps and buildpacks have one."""

REPO_TYPES = [("git", "git"), ("hg", "hg")]
