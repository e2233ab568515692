"""Real git and Mercurial repositories on disk, for tests."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Mapping
from pathlib import Path

_ENV = {
    "PATH": os.environ["PATH"],
    "HOME": "/nonexistent",
    "GIT_CONFIG_GLOBAL": "/dev/null",
    "GIT_CONFIG_SYSTEM": "/dev/null",
    "GIT_AUTHOR_NAME": "Test",
    "GIT_AUTHOR_EMAIL": "test@example.com",
    "GIT_COMMITTER_NAME": "Test",
    "GIT_COMMITTER_EMAIL": "test@example.com",
    "HGPLAIN": "1",
    "HGUSER": "test@example.com",
}


class _Repository:
    program: str

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)

    @property
    def url(self) -> str:
        return str(self.path)

    def run(self, *arguments: str) -> str:
        done = subprocess.run(
            [self.program, *arguments],
            cwd=self.path,
            env=_ENV,
            check=True,
            capture_output=True,
            text=True,
        )
        return done.stdout.strip()

    def write(self, files: Mapping[str, str]) -> None:
        """Put files into the work tree; those that begin with `#!` become executable."""
        for name, content in files.items():
            path = self.path / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)
            path.chmod(0o755 if content.startswith("#!") else 0o644)


class GitRepository(_Repository):
    """A new git repository at `path`, on the branch main."""

    program = "git"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.run("init", "--quiet", "--initial-branch=main")

    def commit(self, files: Mapping[str, str], *, tag: str = "") -> str:
        """Commit these files; returns the hash."""
        self.write(files)
        self.run("add", "--all")
        self.run("commit", "--quiet", "--allow-empty", "--message", "change")
        if tag:
            self.run("tag", "--force", tag)
        return self.run("rev-parse", "HEAD")


class HgRepository(_Repository):
    """A new Mercurial repository at `path`."""

    program = "hg"

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.run("init")

    def commit(self, files: Mapping[str, str], *, tag: str = "") -> str:
        """Commit these files; returns the hash."""
        self.write(files)
        self.run("commit", "--addremove", "--message", "change")
        node = self.run("log", "--rev", ".", "--template", "{node}")
        if tag:
            self.run("tag", "--force", tag)
        return node
