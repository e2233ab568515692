"""What apps try that run on a host: by their output, by what they use, by who they run as."""

from __future__ import annotations

import os
import subprocess
import time
from contextlib import suppress
from pathlib import Path

import yaml

from attack.asking import api, control, hosts
from attack.pushes import PROBES, folder_size
from support.procs import Proc
from support.stack import Stack
from support.waiting import until
from vr.paths import Root

_LONGEST_ANSWER = 5.0
_LOOK = """\
import os
fds = sorted(int(name) for name in os.listdir("/proc/self/fd"))[:-1]
def opens(path, flags):
    try:
        os.close(os.open(path, flags))
        return True
    except OSError:
        return False
print(fds, opens("/proc/self/fd/0", os.O_WRONLY), opens("/proc/self/fd/50", os.O_RDONLY))
"""


def vrun_gives_the_callers_files_away(stack: Stack) -> str:
    folder = stack.home / "caller"
    folder.mkdir()
    one = _copy_of_a_proc(stack, folder)
    for name in ("in", "out", "secret"):
        (folder / name).write_text("what the caller says\n" if name != "out" else "")
        (folder / name).chmod(0o640)
    one.setup()
    try:
        command = f"{' '.join(one.command('run'))} '{one.file}' <in >out 2>err 7</ 50<secret"
        done = subprocess.run(["/bin/bash", "-c", command], env=one.environment, cwd=folder)
        said = (folder / "out").read_text()
        control(done.returncode == 0 and said.startswith("[0, 1, 2"), f"the app runs: {said!r}")
    finally:
        one.vrun("teardown")
    if said != "[0, 1, 2] False False\n":
        return f"the app has descriptors, may write its stdin, may open the secret: {said}"
    changed = [
        name
        for name in ("in", "out", "secret")
        if ((folder / name).stat().st_uid, (folder / name).stat().st_mode & 0o777)
        != (os.getuid(), 0o640)
    ]
    return f"{', '.join(changed)} are changed" if changed else ""


def _copy_of_a_proc(stack: Stack, folder: Path) -> Proc:
    """A deployed probe's proc.yaml as another proc that looks at its streams."""
    [name] = [name for name in stack.procs() if name.startswith(f"{PROBES[0]}-")]
    values = yaml.safe_load((stack.root / "procs" / name / "proc.yaml").read_text())
    quoted = _LOOK.replace("'", "'\\''")
    values |= {"config_name": "look", "cmd": f"python3 -c '{quoted}'", "port": 1}
    file = folder / "proc.yaml"
    file.write_text(yaml.safe_dump(values))
    return Proc(file, Root(stack.root))


def a_log_without_newline_fills_the_disk(stack: Stack) -> str:
    [name] = [name for name in stack.procs() if name.startswith(f"{PROBES[0]}-")]
    [host] = hosts(stack)
    stream = f"/api/streams/proc_log/{host}/{name}/"
    logs = stack.root / "procs" / name
    until(lambda: _says(logs, b"the probe is here"), "the probe's line is in its log")
    before = folder_size(stack.home)
    slowest = 0.0
    for _ in range(6):
        control(stack.get(PROBES[0], f"/say?bytes={50 << 20}")[0] == 200, "the app may speak")
        began = time.monotonic()
        control(api(stack, "GET", stream).status_code == 200, f"{stream} is followed")
        slowest = max(slowest, time.monotonic() - began)
    grown = (folder_size(stack.home) - before) >> 20
    if grown > 64:
        return f"{grown} MiB of 300 MiB are kept"
    return f"its stream begins after {slowest:.1f} s" if slowest > _LONGEST_ANSWER else ""


def _says(folder: Path, text: bytes) -> bool:
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file() and text in path.read_bytes():
                return True
    return False


def two_apps_have_one_uid(stack: Stack) -> str:
    uids = {name: int(stack.get(name, "/uid")[1]) for name in PROBES}
    control(all(uids.values()), f"neither runs as root: {uids}")
    on_host = {name: _uid_on_host(stack, name) for name in PROBES}
    control(all(on_host.values()), f"both are seen from the host: {on_host}")
    if len(set(on_host.values())) < len(PROBES):
        return f"both run with the id {on_host}"
    low = [name for name, uid in on_host.items() if uid < 1000 or uid == 65534]
    return f"{', '.join(low)} have an id that others have, too: {on_host}" if low else ""


def _uid_on_host(stack: Stack, name: str) -> int:
    [proc] = [one for one in stack.procs() if one.startswith(f"{name}-")]
    port = proc.rpartition("-")[2].encode()
    for folder in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            command = (folder / "cmdline").read_bytes().split(b"\0")
            if command[-3:-1] == [b"probe.py", port]:
                return folder.stat().st_uid
    return 0


def an_app_opens_files_and_sockets_of_the_host(stack: Stack) -> str:
    own = "/app/probe.py"
    control(stack.get(PROBES[0], f"/opens?path={own}")[1] == "yes\n", "it opens its own files")
    ours = [path for path in (stack.home / "vr").rglob("*") if path.is_socket() or path.is_file()]
    others = [*ours, *(stack.root / "procs").rglob("proc.yaml")]
    wanted = [path for path in others if path.is_socket() or _is_secret(path)]
    control(len(wanted) > len(PROBES), "there is something to open")
    opened = [
        str(path) for path in wanted if stack.get(PROBES[0], f"/opens?path={path}")[1] != "no\n"
    ]
    return f"it opens {', '.join(opened)}" if opened else ""


def _is_secret(path: Path) -> bool:
    if path.parent.name in ("secrets", "builds"):
        return True
    return path.suffix in (".sqlite3", ".db", ".yaml", ".conf")


def an_app_signals_processes_of_the_host(stack: Stack) -> str:
    control(stack.get(PROBES[0], "/signal?pid=1")[1] == "yes\n", "it sees its own first process")
    parts = ("redis", "web", "worker", "nginx")
    seen = [
        part
        for part in parts
        if stack.get(PROBES[0], f"/signal?pid={stack.pid_of(part)}")[1] != "no\n"
    ]
    return f"it sees {', '.join(seen)}" if seen else ""


def an_app_without_limits_takes_the_whole_host(stack: Stack) -> str:
    name = PROBES[1]

    def done(action: str) -> int:
        status, said = stack.get(name, action)
        return int(said) if status == 200 else 0

    control(done("/fork?processes=20") == 20, "20 processes")
    control(done("/fill?megabytes=8") == 8, "8 MiB in /tmp")
    control(done("/eat?megabytes=64") == 64, "64 MiB of memory")
    if (forked := done("/fork?processes=2000")) > 1024:
        return f"it has {forked} processes"
    if (filled := done("/fill?megabytes=500")) > 128:
        return f"it has {filled} MiB in /tmp"
    try:
        eaten = done("/eat?megabytes=1500")
    except (OSError, ValueError):
        eaten = 0
    # Killed; the next attack finds it serving again.
    until(lambda: stack.get(name)[0] == 200, "the probe is back", seconds=60)
    return f"it has {eaten} MiB of memory" if eaten else ""


APPS = (
    vrun_gives_the_callers_files_away,
    two_apps_have_one_uid,
    an_app_opens_files_and_sockets_of_the_host,
    an_app_signals_processes_of_the_host,
    an_app_without_limits_takes_the_whole_host,
    a_log_without_newline_fills_the_disk,
)
