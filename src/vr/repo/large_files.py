"""Git LFS: where a repository's large files are fetched from, and how git-lfs is told so."""

from __future__ import annotations

import shutil
from pathlib import Path

LEAVE_POINTERS = {"GIT_LFS_SKIP_SMUDGE": "1"}
"""Environment by which git-lfs, where it is set up for all users, leaves pointers as they are."""

# Of a file of attributes: a commit may hold one of any size.
_MOST_BYTES = 1 << 20


def is_installed(path: str) -> bool:
    """Whether git-lfs is in the folders of the PATH `path`."""
    return shutil.which("git-lfs", path=path) is not None


def pull(url: str) -> list[str]:
    """The arguments of git that replace pointers in a work tree by the files of the repository at
    `url`.

    They come from that repository's own server: the commit's .lfsconfig, which may name any host
    or any folder of the machine that builds, has no say.
    """
    told = {
        "lfs.url": endpoint(url),
        "lfs.fetchexclude": "",
        "lfs.fetchinclude": "",
        "filter.lfs.clean": "git-lfs clean -- %f",
        "filter.lfs.smudge": "git-lfs smudge -- %f",
        "filter.lfs.process": "git-lfs filter-process",
        "filter.lfs.required": "true",
    }
    options = [part for key, value in told.items() for part in ("-c", f"{key}={value}")]
    return [*options, "lfs", "pull"]


def endpoint(url: str) -> str:
    """Where a git server keeps the large files of its repository `url`, which has no credentials
    in it; git-lfs asks servers behind SSH by itself."""
    if url.startswith(("http://", "https://")):
        base = url.rstrip("/")
        return f"{base}{'' if base.endswith('.git') else '.git'}/info/lfs"
    if url.startswith("/"):
        return Path(url).as_uri()
    return url


def attributes_ask(work_tree: Path) -> bool:
    """Whether the commit says of some of its files that LFS has them."""
    for file in work_tree.rglob(".gitattributes"):
        if file.is_symlink() or not file.is_file():
            continue
        with file.open("rb") as opened:
            if b"filter=lfs" in opened.read(_MOST_BYTES):
                return True
    return False
