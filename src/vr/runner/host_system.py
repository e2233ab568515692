"""vrun_precise: no image; the host's own system folders, read-only (reference: lxc.md, 9).

The name is historical (Ubuntu Precise); it works on any host distribution.
"""

from __future__ import annotations

from pathlib import Path

from vr.container.spec import Mount
from vr.paths import Root
from vr.runner.layers import ensure_layer

_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = {"/usr": True, "/opt": False}
# Not the whole of /etc: it holds the host's secrets, some of them readable by all.
_ETC_FILES = (
    *("passwd", "group", "nsswitch.conf", "hosts", "host.conf", "gai.conf", "resolv.conf"),
    *("ld.so.cache", "localtime", "mime.types", "services", "protocols", "ssl/openssl.cnf"),
    "ssl/certs/ca-certificates.crt",
)
_ETC_FOLDERS = ("alternatives", "ld.so.conf.d")


def host_skeleton(root: Root) -> Path:
    """The lowest layer: the empty folders of a root, and links where this host has them."""

    def fill(new: Path) -> None:
        for name in ("usr", "etc", "proc", "sys", "dev", "run", "var", "home", "app", "opt"):
            (new / name).mkdir()
        (new / "tmp").mkdir()
        (new / "tmp").chmod(0o1777)
        for name in _LINKS:
            path = Path("/", name)
            if path.is_symlink():
                (new / name).symlink_to(path.readlink())
            elif path.is_dir():
                (new / name).mkdir()

    root.images.mkdir(parents=True, exist_ok=True)
    return ensure_layer(root.images / "host-skeleton", root.locks, fill)


def host_system_mounts() -> tuple[Mount, ...]:
    """The host's programs and what they need of /etc."""
    folders = [
        *(Mount(Path(path), path, optional=not needed) for path, needed in _FOLDERS.items()),
        *(
            Mount(Path("/", name), f"/{name}")
            for name in _LINKS
            if Path("/", name).is_dir() and not Path("/", name).is_symlink()
        ),
        *(Mount(Path("/etc", name), f"/etc/{name}", optional=True) for name in _ETC_FOLDERS),
    ]
    files = [
        Mount(Path("/etc", name).resolve(), f"/etc/{name}", is_file=True, optional=True)
        for name in _ETC_FILES
    ]
    return (*folders, *files)
