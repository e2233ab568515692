"""vrun_precise: no image; the host's own system folders, read-only (docs/reference/container.md).

The name is historical (Ubuntu Precise); it works on any host distribution.
"""

from __future__ import annotations

from pathlib import Path

from vr.container.launch import host_mounts
from vr.container.spec import Mount, Network
from vr.files.folders import private_folder
from vr.paths import Root
from vr.runner.layers import ensure_layer

_LINKS = ("bin", "sbin", "lib", "lib32", "lib64", "libx32")
_FOLDERS = {"/usr": True, "/opt": False}
SEEN_FOLDERS = ("/usr", "/opt", *(f"/{name}" for name in _LINKS))
"""The host's folders of programs, as they are in a container."""
# Not the whole of /etc: it holds the host's secrets, some of them readable by all.
_ETC_FILES = (
    *("passwd", "group", "nsswitch.conf", "hosts", "host.conf", "gai.conf", "resolv.conf"),
    *("ld.so.cache", "localtime", "mime.types", "services", "protocols", "ssl/openssl.cnf"),
    "ssl/certs/ca-certificates.crt",
)
# Debian keeps the settings of Python and of a JVM there, without which they do not start.
_ETC_FOLDERS = ("alternatives", "ld.so.conf.d", "python3*", "java-*-openjdk")


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

    private_folder(root.images)
    return ensure_layer(root.images / "host-skeleton", root.locks, fill)


def host_system_mounts(network: Network = "host") -> tuple[Mount, ...]:
    """The host's programs and what they need of /etc."""
    own = host_mounts(network=network)
    shared = {mount.target for mount in own}
    folders = [
        *(Mount(Path(path), path, optional=not needed) for path, needed in _FOLDERS.items()),
        *(
            Mount(Path("/", name), f"/{name}")
            for name in _LINKS
            if Path("/", name).is_dir() and not Path("/", name).is_symlink()
        ),
        *(Mount(path, str(path), optional=True) for path in _etc_folders()),
    ]
    files = [
        Mount(Path("/etc", name).resolve(), f"/etc/{name}", is_file=True, optional=True)
        for name in _ETC_FILES
        if f"/etc/{name}" not in shared
    ]
    return (*folders, *files, *own)


def _etc_folders() -> list[Path]:
    found = (path for pattern in _ETC_FOLDERS for path in sorted(Path("/etc").glob(pattern)))
    return [path for path in found if path.is_dir() and not path.is_symlink()]
