"""Mercurial: a clone without work tree that is kept up to date, and the files of one commit."""

from __future__ import annotations

import os
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from vr.errors import VelociraptorError
from vr.repo import process
from vr.repo.environment import host_environment
from vr.repo.failures import unknown_revision, unreachable
from vr.repo.source import Credentials, Source

_NODE = re.compile(r"[0-9a-f]{40}")
_UNKNOWN = ("unknown revision", "ambiguous identifier", "not under root", "filtered revision")
_DEFAULT_RCS = "/etc/mercurial/hgrc:/etc/mercurial/hgrc.d:~/.hgrc"


class Subrepositories(VelociraptorError):
    """The commit is fine, but wants the files of other repositories, too."""


class Hg:
    """Commands of hg on one source, with one deadline each (seconds)."""

    def __init__(
        self, source: Source, *, timeout: float, check: Callable[[], None] = lambda: None
    ) -> None:
        """`check` is called again and again while a command runs; what it raises ends that."""
        self.source = source
        self.timeout = timeout
        self._check = check
        url, self._credentials = source.split_credentials()
        local = source.local_path
        self.url = url if local is None or "://" in url else str(local.absolute())

    def usable(self, clone: Path) -> bool:
        return (clone / ".hg" / "store").is_dir()

    def create(self, clone: Path) -> None:
        self._checked("init", "--", clone)

    def has(self, clone: Path, revision: str) -> bool:
        """Whether the clone already holds `revision` for good: a full hash can't move."""
        return bool(_NODE.fullmatch(revision)) and self._node(clone, revision) == revision

    def remote_commit(self, revision: str) -> str:
        """The full hash that a tag, bookmark, branch or commit has at the remote now; "" if there
        is none. Raises UnreachableRepository.
        """
        found = self._run("identify", "--debug", "--id", "--rev", revision, "--", self.url)
        if found.ok and _NODE.fullmatch(node := found.stdout.strip()):
            return node
        if found.ok or any(said in found.stderr for said in _UNKNOWN):
            return ""
        raise unreachable(self.source, found.stderr)

    def update(self, clone: Path, revision: str) -> None:
        """Pull everything; raises UnreachableRepository."""
        self._checked("pull", "--quiet", "--force", "-R", clone, "--", self.url)

    def resolve(self, clone: Path, revision: str) -> str:
        """The full hash of a tag, bookmark, branch or commit; raises UnknownRevision.

        Names are asked of the remote: a clone keeps those that were deleted there, and gives a
        bookmark that was rewritten two, of which its own is the old one.
        """
        if self.has(clone, revision):
            return revision
        if (named := self.remote_commit(revision or "tip")) and (node := self._node(clone, named)):
            return node
        tags = self._lines("tags", "--template", "{tag}\n", "-R", clone)
        raise unknown_revision(
            self.source,
            revision or "tip",
            tags=[tag for tag in tags if tag != "tip"],
            branches=self._lines("branches", "--template", "{branch}\n", "-R", clone),
        )

    def export(self, clone: Path, commit: str, target: Path) -> None:
        """Write the files of `commit` into the new folder `target`; raises Subrepositories.

        Without the note that `hg archive` usually adds: it changes whenever a tag is added
        somewhere, and two builds of one commit must be equal.
        """
        self._checked(
            "archive", "-R", clone, "--rev", commit, "--config", "ui.archivemeta=false",
            "--config", "subrepos.allowed=false", "--type", "files", "--", target,
        )  # fmt: skip
        if os.path.lexists(target / ".hgsub"):
            raise Subrepositories(
                f"The repository {self.source.public_url} has subrepositories (.hgsub), which "
                "are not fetched: they may name any folder of the machine that builds.",
                hint="Commit their files into the repository, and remove .hgsub.",
            )

    def _node(self, clone: Path, revision: str) -> str:
        found = self._run(
            "log", "-R", clone, "--limit", "1", "--template", "{node}", "--rev", revision
        )
        return found.stdout.strip() if found.ok else ""

    def _lines(self, *arguments: str | Path) -> list[str]:
        return self._run(*arguments).stdout.split("\n")[:-1]

    def _checked(self, *arguments: str | Path) -> None:
        result = self._run(*arguments)
        if not result.ok:
            raise unreachable(self.source, result.stderr)

    def _run(self, *arguments: str | Path) -> process.Result:
        with _configuration(self.url, self._credentials) as (rc_path, file):
            env = {
                **host_environment(os.environ), "LC_ALL": "C.UTF-8", "HGPLAIN": "1",
                "HGENCODING": "utf-8", "HGRCPATH": rc_path,
            }  # fmt: skip
            stranger = process.Stranger(self.source.over_ssh, files=(file,) if file else ())
            return process.run(
                ["hg", "--noninteractive", *arguments],
                env=env,
                timeout=self.timeout,
                stranger=stranger if self.source.local_path is None else None,
                check=self._check,
            )


@contextmanager
def _configuration(url: str, credentials: Credentials | None) -> Iterator[tuple[str, Path | None]]:
    """A HGRCPATH with the credentials in a private file, where `ps` can't show them; this file."""
    usual = os.environ.get("HGRCPATH", _DEFAULT_RCS)
    paths = [str(Path(part).expanduser()) for part in usual.split(os.pathsep) if part]
    if credentials is None:
        yield os.pathsep.join(paths), None
        return
    with TemporaryDirectory(prefix="vr-hg-") as folder:
        file = Path(folder) / "credentials.rc"
        file.touch(mode=0o600)
        file.write_text(authentication(url, credentials))
        yield os.pathsep.join([*paths, str(file)]), file


def authentication(url: str, credentials: Credentials) -> str:
    """The `[auth]` section that gives `credentials` to this URL's host only."""
    return (
        "[auth]\n"
        f"source.prefix = {urlsplit(url).netloc}\n"
        f"source.username = {credentials.user}\n"
        f"source.password = {credentials.password}\n"
        "source.schemes = http https\n"
    )
