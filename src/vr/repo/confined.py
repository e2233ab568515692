"""How git and hg are kept from the host while they talk to strangers.

They run as a user without rights, with mounts and a view of processes of their own: of the folders
that are root's alone they see those that they work in, and nothing of another fetch.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping, Sequence
from pathlib import Path

from vr.container.spec import FIRST_PROVISION_ID, PROVISION_IDS

FETCH_ID = FIRST_PROVISION_ID + PROVISION_IDS
"""Uid and gid: above all that apps, people and `provision` have."""

_INSIDE = "/mnt"  # a folder that every system has; what lies there is hidden from the program only
_HOME = f"{_INSIDE}/home"
_SETTINGS = (".gitconfig", ".config/git", ".git-credentials", ".netrc", ".hgrc", ".config/hg")

# All lies in a file system in memory that ends with the namespace, however that ends. ssh asks
# for the user's name and takes the home from there.
_SCRIPT = r"""
set -e
place=$1 caller=$2 id=$3 wanted=$4 count=$5
shift 5
umask 022
mount -t tmpfs -o mode=0755,size=64m velociraptor "$place"
mkdir -m 0700 "$place/home" "$place/tmp"
for one in $wanted; do
    if [ -e "$caller/$one" ]; then
        mkdir -p "$place/home/$(dirname "$one")"
        cp -RL -- "$caller/$one" "$place/home/$one"
    fi
done
number=0
while [ "$number" -lt "$count" ]; do
    if [ -d "$1" ]; then
        mkdir "$place/$number"
        mount --bind -- "$1" "$place/$number"
    else
        cp -- "$1" "$place/$number"
        chown "$id:$id" "$place/$number"
    fi
    number=$((number + 1))
    shift
done
chown -R "$id:$id" "$place/home" "$place/tmp"
{ cat /etc/passwd; echo "velociraptor-fetch:x:$id:$id::/mnt/home:/bin/sh"; } > "$place/passwd"
mount --bind "$place/passwd" /etc/passwd
mount --rbind "$place" /mnt
cd /
exec setpriv --reuid "$id" --regid "$id" --clear-groups --no-new-privs \
    --inh-caps=-all --bounding-set=-all -- "$@"
"""


def guarded(
    argv: Sequence[str | Path], files: Sequence[Path], *, place: Path, home: str, with_ssh: bool
) -> list[str]:
    """The command that runs `argv` in there; it needs root, and mounts that are its own.

    Paths in `argv` are folders to work in, `files` what is only read; `place` is an empty folder,
    `home` the caller's, of which settings of git and hg are copied, with `with_ssh` its keys, too.
    """
    paths = _paths(argv, files)
    wanted = " ".join((*_SETTINGS, *((".ssh",) if with_ssh else ())))
    program = [_seen(one, paths) if isinstance(one, Path) else one for one in argv]
    sources = [str(path.absolute()) for path in paths]
    return [
        *("sh", "-c", _SCRIPT, "fetch", str(place), home, str(FETCH_ID), wanted),
        *(str(len(sources)), *sources, *program),
    ]


def environment(
    env: Mapping[str, str], argv: Sequence[str | Path], files: Sequence[Path]
) -> dict[str, str]:
    """`env` as it is true in there."""
    moved = {str(path): _seen(path, _paths(argv, files)) for path in files}
    if home := env.get("HOME"):
        moved[home] = _HOME
    inside = dict(env) | {"HOME": _HOME, "TMPDIR": f"{_INSIDE}/tmp"}
    for gone in ("XDG_CONFIG_HOME", "SSH_AUTH_SOCK", "SSH_ASKPASS"):
        inside.pop(gone, None)
    for name in ("HGRCPATH", "GIT_CONFIG_SYSTEM"):
        if listed := inside.get(name):
            inside[name] = os.pathsep.join(_moved(part, moved) for part in listed.split(":"))
    return inside


def hand_over(folder: Path) -> None:
    """Make `folder`, or give it and all in it, as an older version left it, to the fetching user.

    The folder itself comes last: who is interrupted does it again. Raises OSError.
    """
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.lstat().st_uid == FETCH_ID:
        return
    for path in _inner(folder):
        os.lchown(path, FETCH_ID, FETCH_ID)
    os.chown(folder, FETCH_ID, FETCH_ID)


def take_back(folder: Path) -> None:
    """Give `folder` and all in it to root, without what is neither file, folder nor link.

    Nothing may run any more that could change it meanwhile. Raises OSError.
    """
    for path in _inner(folder):
        mode = path.lstat().st_mode
        if stat.S_ISREG(mode) or stat.S_ISDIR(mode) or stat.S_ISLNK(mode):
            os.lchown(path, 0, 0)
        else:
            path.unlink()
    os.chown(folder, 0, 0)
    folder.chmod(0o755)


def _inner(folder: Path) -> list[Path]:
    return [
        Path(above, name)
        for above, folders, files in os.walk(folder, topdown=False)
        for name in (*folders, *files)
    ]


def _paths(argv: Sequence[str | Path], files: Sequence[Path]) -> list[Path]:
    return [*dict.fromkeys([*(one for one in argv if isinstance(one, Path)), *files])]


def _seen(path: Path, paths: Sequence[Path]) -> str:
    return f"{_INSIDE}/{paths.index(path)}"


def _moved(part: str, moved: Mapping[str, str]) -> str:
    for outer, inner in moved.items():
        if part == outer or part.startswith(f"{outer}/"):
            return inner + part.removeprefix(outer)
    return part
