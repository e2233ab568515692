"""What strangers, users and apps may try: each attack is done for real, and says what it found."""

from __future__ import annotations

import http.client
import itertools
import os
import socket
import stat
import subprocess
import sys
import tempfile
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx

from support.repositories import GitRepository
from support.stack import Stack
from vr.repo.git import environment
from vr.repo.source import Credentials

Attack = Callable[[Stack], str]
"""Gives what is not held, as a sentence; empty if all is."""

_PATIENCE = 60.0
_COUNT = itertools.count()
_BOMB = "a: &a [x, x]\n" + "".join(
    f"{chr(98 + n)}: &{chr(98 + n)} [*{chr(97 + n)}, *{chr(97 + n)}]\n" for n in range(24)
)

_STRANGER = 54321
"""A user of the host who owns nothing."""
_WALK = """\
import os, sys
os.setgroups([])
os.setgid(int(sys.argv[1]))
os.setuid(int(sys.argv[1]))
for top in sys.argv[2:]:
    for folder, _folders, files in os.walk(top):
        for path in (os.path.join(folder, name) for name in files):
            if os.path.isfile(path) and not os.path.islink(path) and os.access(path, os.R_OK):
                print(path)
"""


def a_link_stops_the_stack(stack: Stack) -> str:
    before = _pids(stack)
    for name in ("..%3Faction=stopall", "..%2F%3Faction=stopall", "web%3Faction=stop"):
        for host in ("local", _hosts(stack)[0]):
            _api(stack, "GET", f"/api/streams/proc_log/{host}/{name}/")
    return "" if _pids(stack) == before else f"parts were stopped: {before} {_pids(stack)}"


def supervisors_own_pages_act(stack: Stack) -> str:
    transport = httpx.HTTPTransport(uds=str(stack.home / "vr" / "run" / "supervisor.sock"))
    with httpx.Client(base_url="http://localhost", transport=transport) as client:
        answered = client.get("/?action=stopall").status_code
    return "" if answered in (403, 404) else f"the page answered {answered}"


def a_burst_of_health_checks_hangs_web(stack: Stack) -> str:
    def ask(_: int) -> int:
        return httpx.get(f"{_url(stack)}/health/", timeout=_PATIENCE).status_code

    with ThreadPoolExecutor(60) as crew:
        list(crew.map(ask, range(300)))
    answered = ask(0)
    return "" if answered == 200 else f"afterwards the check answers {answered}"


def a_search_pattern_freezes_web(stack: Stack) -> str:
    _api(stack, "POST", "/api/v1/ingredients/", json={"name": "a" * 40 + "b"})
    answer = _api(stack, "GET", "/api/v1/ingredients/?name__regex=^(a%2B)%2B$")
    return "" if answer.status_code < 500 else f"the search answered {answer.status_code}"


def a_pushed_repository_freezes_the_worker(stack: Stack) -> str:
    repo = GitRepository(stack.home / "evil")
    files = {
        ".slugignore": "*a" * 30 + "b\n",
        "a" * 200: "",
        "Procfile": "web: sleep 1000\n" + "x" + " " * 400_000 + "\n",
    }
    repo.write(files)
    repo.run("add", ".")
    repo.run("commit", "-q", "-m", "evil")
    stack.vr("apps", "add", "evil", repo.url, "--stack", "debian12")
    try:
        # Whether it is built or refused does not matter here, only that it ends.
        stack.vr("build", "evil", "main", check=False)
    except subprocess.TimeoutExpired:
        return "the build does not end"
    return ""


def a_submodule_elsewhere_gets_the_apps_token(stack: Stack) -> str:
    env = environment(os.environ, "https://own.example/app", Credentials("user", "s3cret-token"))
    for url in ("https://other.example", "http://own.example", "https://own.example:8443"):
        asked = subprocess.run(
            ["git", "credential", "fill"],
            input=f"url={url}/x\n\n",
            env=env | {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ASKPASS": "/bin/true"},
            capture_output=True,
            text=True,
            timeout=_PATIENCE,
            check=False,
        )
        if "s3cret-token" in asked.stdout:
            return f"{url} is told the token"
    return ""


def a_stranger_uploads_before_sign_in(stack: Stack) -> str:
    with socket.create_connection(("127.0.0.1", stack.web_port), timeout=15) as connection:
        connection.sendall(
            b"POST /api/v1/builds/upload/ HTTP/1.1\r\nHost: localhost\r\n"
            b"Content-Type: multipart/form-data; boundary=x\r\nContent-Length: 1073741824\r\n\r\n"
            b"--x\r\n"
        )
        try:
            answer = connection.recv(64)
        except TimeoutError:
            return "the whole body is awaited before anybody asks who sends it"
    return "" if b" 401 " in answer or b" 403 " in answer else f"answered {answer!r}"


def yaml_that_grows_is_kept(stack: Stack) -> str:
    bomb = {"name": "bomb", "config_yaml": _BOMB, "env_yaml": _BOMB}
    answer = _api(stack, "POST", "/api/v1/ingredients/", json=bomb)
    return "" if 400 <= answer.status_code < 500 else f"answered {answer.status_code}"


def an_app_mounts_what_is_the_hosts(stack: Stack) -> str:
    answered = []
    for source in (stack.root / "layers", stack.root / "builds", stack.home / "vr", "/proc", "/"):
        answer = _swarm(stack, volumes=[[str(source), "/mnt"]])
        if answer.status_code < 400:
            answered.append(str(source))
    return f"swarms may mount {', '.join(answered)}" if answered else ""


def an_app_runs_as_root(stack: Stack) -> str:
    taken = [
        user
        for user in ("root", "daemon", "www-data")
        if _swarm(stack, run_as=user).status_code < 400
    ]
    return f"swarms may run as {', '.join(taken)}" if taken else ""


def local_users_read_what_is_ours(stack: Stack) -> str:
    before = stat.S_IMODE(stack.home.stat().st_mode)
    stack.home.chmod(0o755)  # which a test's own folder is not
    try:
        walk = [
            sys.executable,
            "-c",
            _WALK,
            str(_STRANGER),
            str(stack.home / "vr"),
            str(stack.root),
        ]
        done = subprocess.run(walk, cwd="/", capture_output=True, text=True, check=True)
    finally:
        stack.home.chmod(before)
    read = [path for path in done.stdout.splitlines() if not path.endswith("/supervisord.pid")]
    return f"others read {len(read)} files: {', '.join(read[:5])}" if read else ""


def an_app_on_the_same_name_gets_the_session(stack: Stack) -> str:
    headers = {"X-Forwarded-Proto": "https"}
    client = httpx.Client(base_url=_url(stack), headers=headers, follow_redirects=True)
    with client:
        client.get("/")
        names = [cookie.name for cookie in client.cookies.jar]
    others = [name for name in names if not name.startswith("__Host-")]
    return f"over TLS the cookies are called {', '.join(others)}" if others else ""


def an_endless_body_fills_the_disk(stack: Stack) -> str:
    folder = Path(tempfile.gettempdir())
    before = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    connection = http.client.HTTPConnection("127.0.0.1", stack.http_port, timeout=_PATIENCE)
    with suppress(OSError):  # refused in the middle, as it should be
        connection.request(
            "POST", "/", body=(b"x" * (1 << 20) for _ in range(300)), encode_chunked=True,
            headers={"Host": "nobody.localhost", "Transfer-Encoding": "chunked"},
        )  # fmt: skip
    now = os.statvfs(folder).f_bavail * os.statvfs(folder).f_frsize
    connection.close()
    return f"{(before - now) >> 20} MiB are on the disk" if before - now > 200 << 20 else ""


ATTACKS: list[Attack] = [
    a_link_stops_the_stack,
    supervisors_own_pages_act,
    a_burst_of_health_checks_hangs_web,
    a_search_pattern_freezes_web,
    a_pushed_repository_freezes_the_worker,
    a_submodule_elsewhere_gets_the_apps_token,
    a_stranger_uploads_before_sign_in,
    an_endless_body_fills_the_disk,
    yaml_that_grows_is_kept,
    an_app_mounts_what_is_the_hosts,
    an_app_runs_as_root,
    local_users_read_what_is_ours,
    an_app_on_the_same_name_gets_the_session,
]


def _url(stack: Stack) -> str:
    return f"http://127.0.0.1:{stack.web_port}"


def _api(stack: Stack, method: str, path: str, **more: object) -> httpx.Response:
    """An answer's status and head, to a user with a token; a stream is not waited for."""
    token = (stack.home / "vr" / "secrets" / "cli-token").read_text().strip()
    headers = {"Authorization": f"Bearer {token}"}
    client = httpx.Client(base_url=_url(stack), headers=headers, timeout=_PATIENCE)
    with client, client.stream(method, path, **more) as answer:  # type: ignore[arg-type]
        if "event-stream" not in answer.headers.get("content-type", ""):
            answer.read()
        return answer


def _swarm(stack: Stack, **fields: object) -> httpx.Response:
    """The answer to a new swarm with these `fields`; without them one is taken."""
    if fields:
        control = _swarm(stack)
        assert control.status_code < 400, f"no swarm at all is taken: {control.text}"
    app = _first(stack, "apps")
    squad = _first(stack, "squads")
    wanted = {"app": app, "squad": squad, "version": "main", "proc_name": "web", "size": 0}
    name = f"x{next(_COUNT)}"
    return _api(stack, "POST", "/api/v1/swarms/", json=wanted | {"config_name": name} | fields)


def _first(stack: Stack, kind: str) -> str:
    return str(_api(stack, "GET", f"/api/v1/{kind}/").json()["objects"][0]["resource_uri"])


def _hosts(stack: Stack) -> list[str]:
    return [one["name"] for one in _api(stack, "GET", "/api/v1/hosts/").json()["objects"]]


def _pids(stack: Stack) -> dict[str, str]:
    return {one["name"]: one["description"].split(",")[0] for one in stack.status()["parts"]}
