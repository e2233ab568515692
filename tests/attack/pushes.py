"""What whoever may push to a repository tries: with files, with submodules, with output."""

from __future__ import annotations

import os
import subprocess
import tarfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from attack.asking import PATIENCE, api, control
from support.repositories import GitRepository, HgRepository
from support.stack import Stack
from vr.repo.git import environment
from vr.repo.source import Credentials, Source

PROBES = ("left", "right")
"""The apps that are deployed for attacks, and the pools that they are in."""
_SECRET = "the text of somebody else's file"
_LONGEST_ANSWER = 5.0


def deploy_probes(stack: Stack) -> None:
    """Two apps of different owners that do what requests ask them to (probe.py)."""
    program = Path(__file__).with_name("probe.py").read_text()
    for name in PROBES:
        repo = GitRepository(stack.home / "repositories" / name)
        repo.commit({"Procfile": "web: exec python3 probe.py $PORT\n", "probe.py": program})
        stack.vr("apps", "add", name, repo.url, "--stack", "debian12")
        size = ("--size", "1", "--tag", "main", "--squad", "local", "--settle-seconds", "0")
        stack.vr("swarms", "add", name, "web", "--config-name", "prod", *size, "--pool", name)
        stack.vr("swarm", f"{name}-prod-web", "main")


def a_slugignore_freezes_the_worker(stack: Stack) -> str:
    files = {"Procfile": "web: sleep 1000\n", "dropped": "x", "a" * 200: "x"}
    control(_names(stack, "plain", files | {".slugignore": "dropped\n"}) == {"Procfile", "a" * 200},
            "a harmless .slugignore takes its file out of the build")  # fmt: skip
    try:
        left = _names(stack, "star", files | {".slugignore": "*a" * 30 + "b\ndropped\n"})
    except subprocess.TimeoutExpired:
        return "the build does not end"
    return "" if left == {"Procfile", "a" * 200} else f"what was built holds {left}"


def a_procfile_freezes_the_worker(stack: Stack) -> str:
    line = "web: sleep 1000\n" + "x" + " " * 400_000 + "\n"
    try:
        _names(stack, "blanks", {"Procfile": line})
    except subprocess.TimeoutExpired:
        return "the build does not end"
    control(_names(stack, "noblanks", {"Procfile": "web: sleep 1000\n"}), "a build afterwards")
    return ""


def a_submodule_elsewhere_gets_the_apps_token(stack: Stack) -> str:
    env = environment(os.environ, "https://own.example/app", Credentials("user", "s3cret-token"))
    env |= {"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_ASKPASS": "/bin/true"}

    def told(address: str) -> bool:
        asked = subprocess.run(
            ["git", "credential", "fill"],
            input=f"url={address}/x\n\n",
            env=env, capture_output=True, text=True, timeout=PATIENCE, check=False,
        )  # fmt: skip
        return "s3cret-token" in asked.stdout

    control(told("https://own.example"), "the repository's own host is told the token")
    others = ("https://other.example", "http://own.example", "https://own.example:8443")
    strangers = [address for address in (*others, "https://own.example.evil") if told(address)]
    return f"{', '.join(strangers)} are told the token" if strangers else ""


def a_submodule_reads_the_build_hosts_disk(stack: Stack) -> str:
    secret = GitRepository(stack.home / "repositories" / "secret")
    secret.commit({"secret.txt": _SECRET})
    plain = GitRepository(stack.home / "repositories" / "module-plain")
    plain.commit({"Procfile": "web: sleep 1000\n"})
    plain.run("update-server-info")
    repo = GitRepository(stack.home / "repositories" / "module")
    add = ("submodule", "add", "--quiet", secret.url, "lib")
    repo.run("-c", "protocol.file.allow=always", *add)
    repo.commit({"Procfile": "web: sleep 1000\n"})
    # Served by HTTP, as its owner has no account on the build host.
    repo.run("update-server-info")
    with _served(repo.path.parent) as address:
        control(_build(stack, "served", f"{address}/module-plain/.git"), "a clone over HTTP")
        _build(stack, "module", f"{address}/module/.git")
    return _told_the_secret(stack)


def a_subrepository_reads_the_build_hosts_disk(stack: Stack) -> str:
    plain = HgRepository(stack.home / "repositories" / "hg-plain")
    plain.commit({"Procfile": "web: sleep 1000\n"})
    control(_build(stack, "hgplain", plain.url, "default", kind="hg"), "one without subrepository")
    secret = HgRepository(stack.home / "repositories" / "hg-secret")
    secret.commit({"secret.txt": _SECRET})
    repo = HgRepository(stack.home / "repositories" / "hg-evil")
    repo.run("clone", "--quiet", str(secret.path), "sub")
    repo.commit({".hgsub": f"sub = {secret.path}\n", "Procfile": "web: sleep 1000\n"})
    _build(stack, "hgevil", repo.url, "default", kind="hg")
    return _told_the_secret(stack)


def a_hole_in_git_is_root_on_the_build_host(stack: Stack) -> str:
    """The hole is a hook in the clone, which git runs as whatever it runs as itself."""
    repo = GitRepository(stack.home / "repositories" / "holed")
    repo.commit({"Procfile": "web: sleep 1000\n"}, tag="v1")
    repo.run("update-server-info")
    with _served(repo.path.parent) as address:
        control(_build(stack, "holed", f"{address}/holed/.git", "v1"), "a clone over HTTP")
        clone = stack.root / "builder" / "repo" / Source(f"{address}/holed/.git").folder_name
        hook = clone / "hooks/reference-transaction"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text("#!/bin/sh\nid -u > told; true\n")
        hook.chmod(0o755)
        repo.commit({"Procfile": "web: sleep 2000\n"}, tag="v2")
        repo.run("update-server-info")
        built = stack.vr("build", "holed", "v2", check=False).returncode == 0
    told = clone / "told"
    control(built and told.exists(), "the second build, in which the hook ran")
    uid = told.read_text().split()[0]
    return "it runs as root" if uid == "0" else ""


def a_build_that_prints_without_end_fills_the_disk(stack: Stack) -> str:
    pack = GitRepository(stack.home / "repositories" / "loud-pack")
    loud = "#!/bin/sh\necho loud begins\nhead -c 400000000 /dev/zero | tr '\\0' x\necho\n"
    release = "#!/bin/sh\necho --- {}\n"
    detect = '#!/bin/sh\ntest -f "$1/.loud" && echo Loud\n'
    pack.commit({"bin/detect": detect, "bin/compile": loud, "bin/release": release})
    stack.vr("buildpacks", "add", pack.url, "--order", "0")
    before = folder_size(stack.home)
    slowest = [0.0]
    ended = threading.Event()

    def ask() -> None:
        while not ended.wait(0.5):
            began = time.monotonic()
            api(stack, "GET", "/api/v1/apps/")
            slowest[0] = max(slowest[0], time.monotonic() - began)

    asker = threading.Thread(target=ask)
    asker.start()
    try:
        built = _names(stack, "loud", {"Procfile": "web: sleep 1000\n", ".loud": "x"})
    finally:
        ended.set()
        asker.join()
    control(built is not None, "a build that prints much ends well")
    grown = (folder_size(stack.home) - before) >> 20
    if grown > 64:
        return f"{grown} MiB are kept of what it printed"
    return f"an API call took {slowest[0]:.1f} s" if slowest[0] > _LONGEST_ANSWER else ""


def _names(stack: Stack, name: str, files: dict[str, str]) -> set[str] | None:
    """The names of the files in the build of a repository of these; None if there is none."""
    repo = GitRepository(stack.home / "repositories" / name)
    repo.commit(files)
    if not _build(stack, name, repo.url):
        return None
    with tarfile.open(_newest_build(stack)) as slug:
        names = {one.name.removeprefix("./") for one in slug if one.isfile()}
    return {
        one for one in names if one == "Procfile" or ("/" not in one and not one.startswith("."))
    }


def _build(stack: Stack, name: str, address: str, tag: str = "main", *, kind: str = "git") -> bool:
    """Whether the app at the address can be built; raises TimeoutExpired when it does not end."""
    stack.vr("apps", "add", name, address, "--stack", "debian12", "--type", kind)
    return stack.vr("build", name, tag, check=False).returncode == 0


@contextmanager
def _served(folder: Path) -> Iterator[str]:
    """The address where the files below `folder` are served."""

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder))) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


def _newest_build(stack: Stack) -> Path:
    files = (path for path in (stack.home / "vr").rglob("*.tar.gz") if path.is_file())
    return max(files, key=lambda path: path.stat().st_mtime)


def _told_the_secret(stack: Stack) -> str:
    """Where the text of the other repository has got to."""
    for path in (stack.home / "vr").rglob("*.tar.gz"):
        with tarfile.open(path) as slug:
            if any(one.name.endswith("secret.txt") for one in slug):
                return f"{path.name} holds the other repository's file"
    return ""


def folder_size(folder: Path) -> int:
    """The bytes of all files below `folder`, on the disk."""
    total = 0
    for path in folder.rglob("*"):
        with suppress(OSError):
            if path.is_file() and not path.is_symlink():
                total += path.stat().st_blocks * 512
    return total


PUSHES = (
    a_slugignore_freezes_the_worker,
    a_procfile_freezes_the_worker,
    a_submodule_elsewhere_gets_the_apps_token,
    a_submodule_reads_the_build_hosts_disk,
    a_subrepository_reads_the_build_hosts_disk,
    a_hole_in_git_is_root_on_the_build_host,
    a_build_that_prints_without_end_fills_the_disk,
)
