"""Running procs: what the app sees, how it ends, and that nothing outlives it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from support.ports import free_port
from support.processes import children
from support.waiting import until

SLOW = """\
import signal, subprocess, sys, time
def bye(*_):
    subprocess.run(["sleep", "1.5"])  # longer than the second that LXC itself would give
    print(sys.argv[1], "cleaned up", flush=True)
    sys.exit(7)
signal.signal(signal.SIGTERM, bye)
print(sys.argv[1], "ready", flush=True)
while True:
    time.sleep(1)
"""


def test_a_web_proc_answers_on_its_port_from_its_build(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    port = free_port()
    keys = build({"Procfile": "web: python3 -m http.server $PORT\n", "page": "hello"})
    one = proc(**keys, proc_name="web", port=port).setup()
    running = one.launch(by="vrun")

    def answer() -> bytes | None:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/page") as response:
                body: bytes = response.read()
                return body
        except OSError:
            return None

    assert until(answer, "the app answers") == b"hello"
    assert running.stop() == 143
    assert one.processes() == set()


def test_the_app_is_an_ordinary_user_in_a_place_of_its_own(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    script = """#!/usr/bin/env python3
import json, os, re
def allowed(action):
    try:
        action()
    except OSError:
        return False
    return True
status = open("/proc/self/status").read()
print(json.dumps({
    "uid": os.getuid(), "gid": os.getgid(), "groups": os.getgroups(), "cwd": os.getcwd(),
    "caps": re.findall(r"Cap(?:Eff|Prm|Bnd):\\t(\\w+)", status),
    "no_new_privs": re.search(r"NoNewPrivs:\\t(\\d)", status)[1],
    "pids": [int(pid) for pid in os.listdir("/proc") if pid.isdigit()],
    "fds": sorted(os.listdir("/proc/self/fd")),
    "write_app": allowed(lambda: open("/app/new", "w")),
    "write_root": allowed(lambda: open("/new", "w")),
    "write_settings": allowed(lambda: open("/settings.yaml", "a")),
    "chmod_settings": allowed(lambda: os.chmod("/settings.yaml", 0o600)),
    "write_sysctl": allowed(lambda: open("/proc/sys/vm/swappiness", "w")),
    "init_environ": allowed(lambda: open("/proc/1/environ").read()),
    "mknod": allowed(lambda: os.mknod("/app/sda", 0o60600, os.makedev(8, 0))),
    "signal_host": allowed(lambda: os.kill(int(os.environ["TESTER"]), 0)),
    "host_root": os.path.exists(os.environ["SECRET_FILE"]),
    "user_namespace": hasattr(os, "unshare") and allowed(lambda: os.unshare(0x10000000)),
    "devices": sorted(os.listdir("/dev")),
}))
"""
    one = proc(**build({"look": script}), cmd="./look")
    one.change(env={"TESTER": os.getpid(), "SECRET_FILE": str(one.file)})
    one.setup()
    running = one.launch()
    assert running.process.wait(30) == 0, running.output
    seen = json.loads(running.output)
    assert seen["uid"] == seen["gid"] == 65534
    assert seen["groups"] in ([], [65534])
    assert seen["cwd"] == "/app"
    assert set(seen["caps"]) == {"0" * 16}
    assert seen["no_new_privs"] == "1"
    assert len(seen["pids"]) <= 4
    assert seen["fds"] == ["0", "1", "2", "3"]  # the last one is the listing's own
    assert seen["write_app"]
    refused = (
        *("write_root", "write_settings", "write_sysctl", "init_environ", "mknod"),
        *("signal_host", "host_root", "user_namespace"),
    )
    assert not any(seen[attempt] for attempt in refused), seen
    assert {"null", "zero", "urandom", "ptmx"} <= set(seen["devices"])
    assert "sda" not in seen["devices"] and "mem" not in seen["devices"]
    assert (one.paths.upper / "app/new").exists()


def test_env_and_settings_arrive_exactly(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    nasty = {
        "QUOTES": """it's "so" `date` $(touch /app/ran) $HOME \\""",
        "LINES": "a\nlxc.hook.start = /bin/sh\r\nc\n",
        "LD_PRELOAD": "/nowhere.so",
        "UNICODE": "größe",
    }
    script = (
        "#!/usr/bin/env python3\nimport json,os\n"
        "print(json.dumps([dict(os.environ), open(os.environ['APP_SETTINGS_YAML']).read()]))\n"
    )
    keys = build({"look": script, ".profile.d/10.sh": "export FROM_BUILD=1 PORT=1"})
    settings = {"greeting": "@It's"}
    one = proc(**keys, cmd="./look 2>/dev/null", port=5001, env=nasty, settings=settings).setup()
    running = one.launch()
    assert running.process.wait(30) == 0, running.output
    line = next(line for line in running.output.splitlines() if line.startswith("["))
    env, text = json.loads(line)
    assert {name: env[name] for name in nasty} == nasty
    assert (env["PORT"], env["HOME"], env["FROM_BUILD"]) == ("5001", "/app", "1")
    assert text == "greeting: '@It''s'\n"
    assert not (one.paths.upper / "app/ran").exists()


@pytest.mark.parametrize(
    ("command", "code"), [("exit 3", 3), ("no_such_command", 127), ("kill -9 $$", 137)]
)
def test_the_exit_code_is_the_apps(proc: Callable[..., Any], command: str, code: int) -> None:
    done = proc(cmd=command).setup().vrun("run")
    assert done.returncode == code


def test_a_daemon_left_behind_does_not_keep_a_dead_app_alive(proc: Callable[..., Any]) -> None:
    one = proc(cmd="setsid sleep 1000 & exit 4").setup()
    assert one.launch().process.wait(30) == 4
    assert one.processes() == set()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_every_process_of_the_app_gets_term_and_its_time(
    proc: Callable[..., Any], build: Callable[..., Any], number: signal.Signals
) -> None:
    command = "python3 slow.py one & python3 slow.py two && echo never"
    one = proc(**build({"slow.py": SLOW}), cmd=command).setup()
    running = one.launch()
    running.shows("one ready")
    running.shows("two ready")
    running.stop(number)
    assert "one cleaned up" in running.output and "two cleaned up" in running.output
    assert "never" not in running.output
    assert one.processes() == set()


def test_an_app_that_ignores_term_is_killed_after_stop_timeout(proc: Callable[..., Any]) -> None:
    command = "trap '' TERM; echo ready; while :; do sleep 1; done"
    one = proc(cmd=command, stop_timeout=0.3).setup()
    running = one.launch()
    running.shows("ready")
    assert running.stop() == 137
    assert one.processes() == set()


def test_a_stop_in_the_middle_of_the_start_is_not_lost(proc: Callable[..., Any]) -> None:
    one = proc(cmd="sleep 1000").setup()
    for milliseconds in range(0, 40, 3):
        running = one.launch()
        with suppress(subprocess.TimeoutExpired):
            running.process.wait(milliseconds / 1000)
        assert running.stop() in (143, -signal.SIGTERM)
        assert one.processes() == set()


def test_other_signals_reach_the_app_itself(
    proc: Callable[..., Any],
) -> None:
    command = "trap 'echo reloaded' HUP; echo ready; while :; do sleep 0.1; done"
    running = proc(cmd=command).setup().launch()
    running.shows("ready")
    running.process.send_signal(signal.SIGHUP)
    running.shows("reloaded")
    assert running.process.poll() is None


@pytest.mark.parametrize("victim", ["launcher", "monitor"])
def test_nothing_outlives_a_kill(proc: Callable[..., Any], victim: str) -> None:
    one = proc(cmd="trap '' TERM; sleep 1000 & echo ready; wait; wait").setup()
    running = one.launch()
    running.shows("ready")
    pid = running.process.pid
    os.kill(pid if victim == "launcher" else children(pid)[0], signal.SIGKILL)
    running.process.wait(30)
    until(lambda: not one.processes(), "the container is gone")
    # And it starts again, as the same container.
    again = one.launch()
    again.shows("ready")


def test_left_overs_of_an_earlier_container_are_swept_before_a_start(
    proc: Callable[..., Any],
) -> None:
    one = proc(cmd="echo ready; sleep 1000").setup()
    group = Path(
        "/sys/fs/cgroup/unified" if Path("/sys/fs/cgroup/unified").is_dir() else "/sys/fs/cgroup"
    )
    stale = group / f"lxc.payload.{one.name}"
    stale.mkdir()
    orphan = subprocess.Popen(["sleep", "1000"])
    (stale / "cgroup.procs").write_text(str(orphan.pid))
    running = one.launch()
    assert orphan.wait(30) == -signal.SIGKILL
    running.shows("ready")


def test_a_running_proc_is_locked(proc: Callable[..., Any]) -> None:
    one = proc(cmd="echo ready; sleep 1000").setup()
    running = one.launch()
    running.shows("ready")
    for command in ("run", "setup", "teardown"):
        done = one.vrun(command)
        assert done.returncode == 1
        assert f"process {running.process.pid}" in done.stderr
    second = one.launch()
    assert second.process.wait(30) == 1
    assert f"locked by process {running.process.pid}" in second.output
    assert running.process.poll() is None


def test_waiting_starts_when_the_first_one_ends(proc: Callable[..., Any]) -> None:
    one = proc(cmd="echo ready; sleep 1000").setup()
    first = one.launch()
    first.shows("ready")
    waiting = subprocess.Popen(
        [str(one.paths.launcher), "20"], stdout=subprocess.PIPE, stderr=subprocess.STDOUT
    )
    with waiting:
        first.stop()
        assert waiting.stdout and waiting.stdout.readline() == b"ready\n"
        waiting.terminate()


def test_run_without_setup_says_what_to_do(proc: Callable[..., Any]) -> None:
    one = proc(cmd="true")
    for command in ("run", "uptest", "shell"):
        done = one.vrun(command)
        assert done.returncode == 1
        assert f"vrun setup {one.file}" in done.stderr


def test_memory_and_process_limits_hold(proc: Callable[..., Any]) -> None:
    one = proc(cmd="python3 -c 'x = b\"x\" * 200_000_000'", mem_limit="64M", memsw_limit="64M")
    assert one.setup().launch().process.wait(30) == 137
    forks = "import os,time\\nfor n in range(100):\\n  if not os.fork(): time.sleep(99)"
    two = proc(cmd=f"python3 -c $'{forks}'", pids_limit=20).setup().launch()
    assert two.process.wait(30) == 1
    assert "BlockingIOError" in two.output


def test_volumes_are_shared_and_read_only_roots_are_not_written(
    proc: Callable[..., Any], tmp_path: Path
) -> None:
    data = tmp_path / "my data"
    data.mkdir()
    data.chmod(0o777)
    command = "echo kept >/srv/my-data/file && ! touch /app/x && touch /tmp/y && echo ok"
    one = proc(cmd=command, volumes=[[str(data), "/srv/my-data"]], read_only=True).setup()
    running = one.launch()
    assert running.process.wait(30) == 0, running.output
    assert (data / "file").read_text() == "kept\n"
    assert one.vrun("teardown").returncode == 0
    assert (data / "file").exists()


def test_an_app_cannot_bend_its_volumes_mount_point_to_the_host(
    proc: Callable[..., Any], tmp_path: Path
) -> None:
    data, victim = tmp_path / "data", tmp_path / "victim"
    data.mkdir()
    victim.mkdir()
    victim.chmod(0o777)
    bend = f"mv /app/a /app/b && ln -s {victim} /app/a && echo bent"
    one = proc(cmd=bend, volumes=[[str(data), "/app/a/deep"]]).setup()
    first = one.launch()
    first.process.wait(30)
    second = one.launch()
    second.process.wait(30)
    assert not any(victim.iterdir())


def test_the_hosts_own_system_can_be_used_instead_of_an_image(
    proc: Callable[..., Any], build: Callable[..., Any]
) -> None:
    command = (
        "echo root:$(ls -A /root 2>&1 | wc -l); test ! -e /etc/shadow && ! touch /usr/x && id -un"
    )
    one = proc(precise=True, **build({"f": "x"}), cmd=command).setup()
    running = one.launch()
    assert running.process.wait(30) == 0, running.output
    assert "nobody" in running.output


LOOK_AT_STREAMS = """\
#!/usr/bin/env python3
import os
def opens(path, flags):
    try:
        os.close(os.open(path, flags))
    except OSError:
        return False
    return True
print(sorted(map(int, os.listdir("/proc/self/fd")))[:-1], os.read(0, 100).decode().strip())
print("stdin written:", opens("/proc/self/fd/0", os.O_WRONLY))
print("stdout opened:", opens("/dev/stdout", os.O_WRONLY))
print("LXC's log written:", any(opens(f"/proc/1/fd/{n}", os.O_WRONLY) for n in (0, 1, 2)
                                if os.access(f"/proc/1/fd/{n}", os.F_OK)
                                and os.readlink(f"/proc/1/fd/{n}") != "/dev/null"))
"""


@pytest.mark.parametrize("by", ["launcher", "vrun"])
def test_the_callers_files_stay_the_callers_and_only_0_to_2_reach_the_app(
    proc: Callable[..., Any], build: Callable[..., Any], tmp_path: Path, by: str
) -> None:
    one = proc(**build({"look": LOOK_AT_STREAMS}), cmd="./look").setup()
    command = str(one.paths.launcher) if by == "launcher" else " ".join(one.command("run"))
    argument = "" if by == "launcher" else str(one.file)
    for name in ("in", "out", "err"):
        (tmp_path / name).write_text("what the caller says\n" if name == "in" else "")
        (tmp_path / name).chmod(0o640)
    script = f'{command} {argument} <in >out 2>err 7</ 50<"{one.file}" 51</etc/shadow'
    done = subprocess.run(["/bin/bash", "-c", script], env=one.environment, cwd=tmp_path)
    assert done.returncode == 0, (tmp_path / "err").read_text()
    assert (tmp_path / "out").read_text() == (
        "[0, 1, 2] what the caller says\n"
        "stdin written: False\n"
        "stdout opened: False\n"
        "LXC's log written: False\n"
    )
    for name in ("in", "out", "err"):
        status = (tmp_path / name).stat()
        assert (status.st_uid, status.st_gid) == (os.getuid(), os.getgid())
        assert status.st_mode & 0o7777 == 0o640


def test_an_app_whose_output_is_a_pipe_may_open_dev_stdout(proc: Callable[..., Any]) -> None:
    one = proc(cmd="cat; echo through the name >/dev/stdout").setup()
    done = one.vrun("run", input="from a pipe\n")
    assert (done.returncode, done.stdout) == (0, "from a pipe\nthrough the name\n")


def test_a_named_pipe_is_a_file_of_the_callers(proc: Callable[..., Any], tmp_path: Path) -> None:
    one = proc(cmd="echo heard").setup()
    os.mkfifo(tmp_path / "pipe", 0o600)
    reader = os.open(tmp_path / "pipe", os.O_RDONLY | os.O_NONBLOCK)
    with (tmp_path / "pipe").open("wb") as writer:
        assert subprocess.run([str(one.paths.launcher)], env={}, stdout=writer).returncode == 0
    assert os.read(reader, 100) == b"heard\n"
    os.close(reader)
    status = (tmp_path / "pipe").stat()
    assert (status.st_uid, status.st_mode & 0o7777) == (0, 0o600)
