"""Git: a bare clone that is kept up to date, and a work tree of one commit.

The clone mirrors branches and tags by force, so a moved tag or a rewritten branch is simply the
new one (docs/reference/build-yaml.md#repositories).
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

from vr.repo import large_files, process
from vr.repo.environment import host_environment
from vr.repo.failures import UnreachableRepository, unknown_revision, unreachable
from vr.repo.source import Credentials, Source, redact

_HASH = re.compile(r"[0-9a-f]{4,40}")
_FULL_HASH = re.compile(r"[0-9a-f]{40}")
_MIRROR = ["+refs/heads/*:refs/heads/*", "+refs/tags/*:refs/tags/*"]
# The remote's default branch, under a name that no branch can have.
_REMOTE_HEAD = "refs/velociraptor/HEAD"
_HELPER = '!f() { printf \'username=%s\\npassword=%s\\n\' "$VR_GIT_USER" "$VR_GIT_PASSWORD"; }; f'


class Git:
    """Commands of git on one source, with one deadline each (seconds)."""

    def __init__(
        self, source: Source, *, timeout: float, check: Callable[[], None] = lambda: None
    ) -> None:
        """`check` is called again and again while a command runs; what it raises ends that."""
        self.source = source
        self.timeout = timeout
        self._check = check
        url, credentials = source.split_credentials()
        local = source.local_path
        # git takes a relative path from its own working folder, which is not the caller's.
        self.url = url if local is None or "://" in url else str(local.absolute())
        self._env = environment(os.environ, url, credentials)
        self._stranger = process.Stranger(source.over_ssh) if local is None else None

    def usable(self, clone: Path) -> bool:
        """Whether `clone` is a bare clone of ours (the original tools kept work trees)."""
        return (clone / "HEAD").is_file() and (clone / "objects").is_dir()

    def create(self, clone: Path) -> None:
        self._git("init", "--quiet", "--bare", "--", clone)

    def has(self, clone: Path, revision: str) -> bool:
        """Whether the clone already holds `revision` for good: a full hash can't move."""
        return bool(_FULL_HASH.fullmatch(revision)) and bool(self._commit(clone, revision))

    def remote_commit(self, revision: str) -> str:
        """The full hash that a tag or branch has at the remote now; "" if there is none.

        Raises UnreachableRepository.
        """
        tag, branch = f"refs/tags/{revision}", f"refs/heads/{revision}"
        listed = self._git("ls-remote", "--", self.url, tag, f"{tag}^{{}}", branch)
        rows = (line.partition("\t") for line in listed.stdout.splitlines())
        found = {name: commit for commit, _, name in rows}
        # An annotated tag is an object of its own; what it is about is told in a line more.
        return next((found[one] for one in (f"{tag}^{{}}", tag, branch) if one in found), "")

    def update(self, clone: Path, revision: str) -> None:
        """Fetch all branches and tags, forced; raises UnreachableRepository."""
        refspecs = [*_MIRROR] if revision else [*_MIRROR, f"+HEAD:{_REMOTE_HEAD}"]
        fetched = self._fetch(clone, *refspecs)
        if not fetched.ok:
            if "couldn't find remote ref HEAD" in fetched.stderr:
                raise unknown_revision(
                    self.source, "HEAD", tags=self._names(clone, "tags"), branches=[]
                )
            raise unreachable(self.source, fetched.stderr)
        if _FULL_HASH.fullmatch(revision) and not self._commit(clone, revision):
            # A commit that no branch holds any more: servers may still give it by its hash.
            self._fetch(clone, revision)

    def resolve(self, clone: Path, revision: str) -> str:
        """The full hash of a tag, branch or commit, tried in that order; raises UnknownRevision."""
        if not revision:
            names = [_REMOTE_HEAD]
        else:
            names = [f"refs/tags/{revision}", f"refs/heads/{revision}"]
            if _HASH.fullmatch(revision):
                names.append(revision)
        for name in names:
            if commit := self._commit(clone, name):
                return commit
        raise unknown_revision(
            self.source,
            revision,
            tags=self._names(clone, "tags"),
            branches=self._names(clone, "heads"),
        )

    def export(self, clone: Path, commit: str, target: Path) -> None:
        """Write the work tree of `commit` into the new folder `target`, submodules included.

        It is a repository of its own with that one commit and its tags, so that tools which
        ask git for a version work while compiling, and the clone's objects stay out of reach.
        """
        self._git("init", "--quiet", "--initial-branch=build", "--", target)
        tags = self._git(
            "for-each-ref", "--format=%(refname)", f"--points-at={commit}", "refs/tags", at=clone
        )
        refspecs = [f"+{tag}:{tag}" for tag in tags.stdout.split()]
        self._git(
            "fetch", "--quiet", "--depth=1", "--no-tags", "--", clone.absolute(),
            commit, *refspecs, at=target,
        )  # fmt: skip
        self._git("checkout", "--quiet", "--force", "--detach", commit, at=target)
        if large_files.attributes_ask(target):
            self._large_files(target)
        if (target / ".gitmodules").is_file():
            self._submodules(target)

    def _submodules(self, target: Path) -> None:
        # Relative URLs in .gitmodules are relative to the origin.
        self._git("config", "remote.origin.url", self.url, at=target)
        # Where they are says the commit, not who chose the repository: they are strangers, even
        # where that lies on this machine's disk. Its submodules may then lie there as well.
        with _system_settings() as settings:
            told = self._env | {"GIT_CONFIG_SYSTEM": str(settings)}
            is_local = self.source.local_path is not None
            updated = process.run(
                [
                    *("git", "-C", target),
                    *("-c", f"protocol.file.allow={'always' if is_local else 'never'}"),
                    *("submodule", "--quiet", "update", "--init", "--recursive", "--force"),
                ],
                env=told if is_local else self._env,
                timeout=self.timeout,
                stranger=process.Stranger(files=(settings,)) if is_local else self._stranger,
                check=self._check,
            )
        if not updated.ok:
            advice = "On this machine's own disk submodules must be readable by all users."
            raise unreachable(
                self.source,
                f"a submodule: {updated.stderr}",
                advice=advice if is_local else "",
            )

    def _large_files(self, target: Path) -> None:
        """Put the files of Git LFS in the place of their pointers, where git-lfs is installed."""
        if not large_files.is_installed(self._env["PATH"]):
            return
        self._git("config", "remote.origin.url", self.url, at=target)
        pulled = self._run(*large_files.pull(self.url), at=target)
        if not (target / ".git").is_symlink():
            shutil.rmtree(target / ".git" / "lfs", ignore_errors=True)
        if not pulled.ok:
            raise UnreachableRepository(
                f"The repository {self.source.public_url} can't be fetched: its files in Git LFS "
                "are not to be had.",
                hint="Look whether they were pushed (git lfs push --all), and may be read.",
                details=redact(pulled.stderr),
            )

    def _fetch(self, clone: Path, *refspecs: str) -> process.Result:
        # A detached `gc` would work on the clone after our lock has gone.
        return self._run(
            "-c", "gc.autoDetach=false",
            "fetch", "--quiet", "--force", "--prune", "--no-tags", "--update-shallow", "--",
            self.url, *refspecs, at=clone,
        )  # fmt: skip

    def _commit(self, clone: Path, name: str) -> str:
        found = self._run(
            "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}", at=clone
        )
        return found.stdout.strip() if found.ok else ""

    def _names(self, clone: Path, kind: str) -> list[str]:
        listed = self._run(
            "for-each-ref",
            "--sort=-version:refname" if kind == "tags" else "--sort=-committerdate",
            "--format=%(refname:strip=2)",
            f"refs/{kind}",
            at=clone,
        )
        return listed.stdout.split()

    def _git(self, *arguments: str | Path, at: Path | None = None) -> process.Result:
        result = self._run(*arguments, at=at)
        if not result.ok:
            raise unreachable(self.source, result.stderr)
        return result

    def _run(self, *arguments: str | Path, at: Path | None = None) -> process.Result:
        where: list[str | Path] = ["-C", at] if at else []
        return process.run(
            ["git", *where, *arguments],
            env=self._env,
            timeout=self.timeout,
            stranger=self._stranger,
            check=self._check,
        )


@contextmanager
def _system_settings() -> Iterator[Path]:
    """The machine's settings of git for a user who owns nothing: reading others' repositories is
    for the file system to allow."""
    with tempfile.NamedTemporaryFile("w", prefix="vr-git-") as file:
        file.write("[include]\n\tpath = /etc/gitconfig\n[safe]\n\tdirectory = *\n")
        file.flush()
        yield Path(file.name)


def environment(
    host: Mapping[str, str], url: str, credentials: Credentials | None
) -> dict[str, str]:
    """The environment for git: never asking, with credentials where `ps` is blind.

    They are for the scheme, host and port of `url` only: a submodule or a redirection elsewhere
    is not told.
    """
    env = host_environment(host) | {"LC_ALL": "C", "GIT_TERMINAL_PROMPT": "0"}
    env |= large_files.LEAVE_POINTERS
    env.setdefault("GIT_SSH_COMMAND", "ssh -oBatchMode=yes -oConnectTimeout=20")
    if credentials:
        index = int(env.get("GIT_CONFIG_COUNT") or 0)
        parts = urlsplit(url)
        env |= {
            "VR_GIT_USER": credentials.user,
            "VR_GIT_PASSWORD": credentials.password,
            "GIT_CONFIG_COUNT": str(index + 1),
            f"GIT_CONFIG_KEY_{index}": f"credential.{parts.scheme}://{parts.netloc}.helper",
            f"GIT_CONFIG_VALUE_{index}": _HELPER,
        }
    return env
