"""Containers as processes: started, watched, and gone without a trace afterwards."""

from __future__ import annotations

import contextlib
import os
import subprocess
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import IO

from vr.container import cgroups
from vr.container.lxc_messages import lxc_complaint, lxc_log
from vr.container.network import PrivateNetwork, network_script, resolver
from vr.container.oom_count import count_oom_kills, oom_report
from vr.container.prepare import Prepared, prepare
from vr.container.script import start_script
from vr.container.spec import Container, Mount, Network
from vr.errors import VelociraptorError
from vr.files.atomic import write_atomic
from vr.machine.path import SYSTEM_PATH

PIPE = subprocess.PIPE
STDOUT = subprocess.STDOUT
DEVNULL = subprocess.DEVNULL

_START_FAILED = 1

Stream = int | IO[bytes] | None

START_SCRIPT = "/.start"
"""Where the script that holds a container's environment is seen inside."""

APP_STREAMS = (3, 4, 5)
"""The descriptors by which the app's stdin, stdout and stderr pass through LXC."""

APP_STDERR = APP_STREAMS[2]

# LXC gives whatever it has as 0 to 2 to the container's user, mode 0700. So the app's own pass
# through as 3 to 5, which the start script puts back, and LXC has /dev/null in their place: files
# and terminals of the caller stay as they are. Only what was opened as a pipe has no other owner to
# lose; LXC is left to give it away, so that the app can open /dev/stdout. A named pipe is a file:
# the file systems of both kinds differ, which a here-document, an opened pipe, helps to tell.
# LXC's stderr is not the app's: it says harmless things, and its init says one at each TERM.
_GUARD_SCRIPT = """\
[ "$PPID" = "$1" ] || exit 1 # a parent that died before the signal was armed
exec 3<&0 4>&1 5>&2 2>"$2"
shift 2
mount_of() {
    while read -r key mount; do [ "$key" != mnt_id: ] || return 0; done <"/proc/self/fdinfo/$1"
}
exec 9<<pipe

pipe
mount_of 9
opened_pipes=$mount
exec 9<&-
mount_of 3
[ "$mount" = "$opened_pipes" ] || exec </dev/null
mount_of 4
[ "$mount" = "$opened_pipes" ] || exec >/dev/null
exec "$@"
"""

GUARD = (
    *("setpriv", "--reset-env", "--pdeathsig", "TERM", "/bin/sh", "-c"),
    _GUARD_SCRIPT,
    "guard",
)
"""Its arguments: the parent's pid, the file for LXC's messages, the command."""


class ContainerTimeout(VelociraptorError):
    """A container did not end in time."""


def host_mounts(
    ca_bundle: str = "/etc/ssl/certs/ca-certificates.crt", *, network: Network = "host"
) -> tuple[Mount, ...]:
    """The host's resolver, hosts file and CA bundle, read-only, for a container in `network`.

    For provisioning give another path as `ca_bundle` and point SSL_CERT_FILE there: installing
    ca-certificates replaces the usual one, which must not be a mount then.
    """
    sources = {
        "/etc/resolv.conf": str(_resolv_conf(network)),
        "/etc/hosts": "/etc/hosts",
        "/etc/ssl/certs/ca-certificates.crt": ca_bundle,
    }
    return tuple(
        Mount(Path(source).resolve(), target, is_file=True, optional=True)
        for source, target in sources.items()
    )


def _resolv_conf(network: Network) -> Path:
    own = Path("/etc/resolv.conf")
    if not isinstance(network, PrivateNetwork) or not own.exists():
        return own
    return resolver(own.read_text(), upstream=Path("/run/systemd/resolve/resolv.conf")) or own


def command(container: Container, conf: Path, argv: Sequence[str] = ()) -> list[str]:
    """The host's command line that runs the start script, with arguments, in the container."""
    # Without PATH LXC finds no newuidmap, which would refuse ids that /etc/subuid gives nobody.
    without_path = ["env", "-u", "PATH"] if container.role == "provision" else []
    return [
        *without_path,
        *("lxc-execute", "-P", str(conf.parent), "-n", container.name, "-f", str(conf)),
        *("--", "/bin/sh", START_SCRIPT, *argv),
    ]


def guarded(command: Sequence[str], folder: Path, parent: int) -> list[str]:
    """`command`, ended by the kernel when the process `parent`, which starts it, ends.

    The parent-death signal belongs to the thread that starts it: that thread must live on.
    LXC's own messages go to `lxc_log(folder)`.
    """
    return [*GUARD, str(parent), str(lxc_log(folder)), *command]


def with_start_script(
    container: Container,
    folder: Path,
    env: Mapping[str, str],
    command: Sequence[str] = (),
    *,
    sync: bool = True,
    own_terminal: bool = False,
) -> Container:
    """The container with its start script, written into `folder`, readable for its user only.

    `env`, `command` and `own_terminal` as for `start_script`, `sync` as for `write_atomic`.
    """
    script = folder / "start"
    text = start_script(env, command, own_terminal=own_terminal)
    write_atomic(script, text, mode=0o500, owner=container.owner, sync=sync)
    return replace(container, mounts=(*container.mounts, Mount(script, START_SCRIPT, is_file=True)))


def start(
    container: Container,
    folder: Path,
    argv: Sequence[str],
    *,
    env: Mapping[str, str],
    stdin: Stream = DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    own_terminal: bool = False,
) -> Running:
    """Run `argv` in the container; returns at once, and is used in a `with`.

    `folder` holds the generated files; `env` is the whole environment. stdin, stdout and stderr as
    in subprocess. With `own_terminal` stdin and stdout are PIPE, by which the command gets its
    terminal from `pty.open_terminal`. A command that isn't found gives 127.

    Call it from a thread that lives as long as the container: the kernel ends the container when
    that thread ends, so that nothing outlives a killed worker.
    """
    folder.mkdir(parents=True, exist_ok=True)
    scripted = with_start_script(container, folder, env, sync=False, own_terminal=own_terminal)
    prepared = prepare(scripted, folder, sync=False)
    cgroups.sweep(container.name)
    oom_report(folder).unlink(missing_ok=True)
    process = subprocess.Popen(
        guarded(command(container, prepared.conf, argv), folder, os.getpid()),
        env={"PATH": SYSTEM_PATH},
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,  # Ctrl-C is for whoever started it, who then cleans up
    )
    for pipe in (process.stdin, process.stdout, process.stderr):
        if pipe:  # so that /dev/stdout can be opened inside; LXC may do so for a proc's only
            os.fchown(pipe.fileno(), *container.owner)
    return Running(container, prepared, process)


class Running:
    """A started container; leaving its `with` block kills what still runs and cleans up.

    `stdin` and `stdout` are binary files if PIPE was asked for.
    """

    def __init__(
        self, container: Container, prepared: Prepared, process: subprocess.Popen[bytes]
    ) -> None:
        self.container = container
        self.stdin = process.stdin
        self.stdout = process.stdout
        self.stderr = process.stderr
        self._process = process
        self._prepared = prepared

    def __enter__(self) -> Running:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.kill()
        for stream in (self.stdin, self.stdout, self.stderr):
            if stream:
                with contextlib.suppress(BrokenPipeError):
                    stream.close()
        for path in reversed(self._prepared.added_to_root):
            _remove_if_empty(path)

    def wait(self, timeout: float | None = None) -> int:
        """The exit code, once everything in the container has ended.

        Raises ContainerTimeout after `timeout` seconds; the container then still runs. Raises
        VelociraptorError, with what LXC says, if it could not be started.
        """
        try:
            code = self._process.wait(timeout)
        except subprocess.TimeoutExpired:
            raise ContainerTimeout(
                f"The container {self.container.name} was still running after {timeout:g} seconds."
            ) from None
        complaint = lxc_complaint(self._prepared.conf.parent) if code == _START_FAILED else ""
        if complaint:
            raise VelociraptorError(
                f"The container {self.container.name} could not be started.", details=complaint
            )
        return code if code >= 0 else 128 - code

    def oom_kills(self) -> int:
        """How many processes of the ended container the kernel killed for want of memory."""
        return count_oom_kills(self._prepared.conf.parent)

    def kill(self) -> None:
        """SIGKILL for every process of the container; returns when all are gone."""
        if self._process.poll() is None:
            # First the container: its monitor then sees it end, and removes its cgroups itself.
            cgroups.kill(self.container.name)
            try:
                self._process.wait(1)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait()
        cgroups.sweep(self.container.name)
        if isinstance(self.container.network, PrivateNetwork):
            script = network_script(self._prepared.conf.parent)
            subprocess.run([str(script), "down"], env={}, check=False)


def _remove_if_empty(path: Path) -> None:
    """Take a mount point away again, unless the container has put something there."""
    try:
        if path.is_dir():
            path.rmdir()
        elif path.stat().st_size == 0:
            path.unlink()
    except OSError:
        return
