"""What git and hg may do on the build host while they talk to strangers."""

from __future__ import annotations

import os
from base64 import b64encode
from functools import partial
from http.server import BaseHTTPRequestHandler, SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from support.http_server import serving
from support.repositories import GitRepository
from support.sshd_server import sshd
from vr.repo import Source, checkout
from vr.repo.confined import FETCH_ID, take_back
from vr.repo.failures import UnreachableRepository
from vr.repo.process import Stranger, run

# What a hole in git or hg would run: it tells who it is, and tries to look around.
_HOSTILE = """#!/bin/sh
id -u >> told; ls {others} >> told 2>&1; kill -0 {pid} >> told 2>&1; ls /proc/{pid} >> told 2>&1
true
"""


class _Files(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *arguments: object) -> None:
        pass


def _published(folder: Path) -> GitRepository:
    repository = GitRepository(folder / "origin")
    repository.commit({"a.txt": "one", "run": "#!/bin/sh\n"}, tag="v1")
    repository.run("update-server-info")
    return repository


def _ask(script: str, *folders: Path, stranger: Stranger | None, home: Path) -> list[str]:
    env = {"PATH": os.environ["PATH"], "HOME": str(home)}
    done = run(["sh", "-c", script, "sh", *folders], env=env, timeout=60, stranger=stranger)
    assert done.ok, done.stderr
    return done.stdout.splitlines()


def test_what_runs_in_a_clone_of_a_stranger_is_nobody_and_sees_nothing(tmp_path: Path) -> None:
    repository = _published(tmp_path)
    clones = tmp_path / "clones"
    with serving(partial(_Files, directory=str(tmp_path))) as host:
        url = f"http://{host}/origin/.git"
        checkout(url, "v1", "git", tmp_path / "first", clones=clones)
        clone = clones / Source(url).folder_name
        hook = clone / "hooks/reference-transaction"
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(_HOSTILE.format(others=clones, pid=os.getpid()))
        hook.chmod(0o755)
        repository.commit({"a.txt": "two"}, tag="v2")
        repository.run("update-server-info")
        done = checkout(url, "v2", "git", tmp_path / "second", clones=clones)
    told = (clone / "told").read_text()
    assert told.splitlines()[0] == str(FETCH_ID)
    assert "Permission denied" in told
    assert "No such process" in told
    assert f"cannot access '/proc/{os.getpid()}'" in told
    assert (done.folder / "a.txt").read_text() == "two"


def test_what_was_fetched_is_roots_again_with_its_modes(tmp_path: Path) -> None:
    _published(tmp_path)
    with serving(partial(_Files, directory=str(tmp_path))) as host:
        url = f"http://{host}/origin/.git"
        done = checkout(url, "v1", "git", tmp_path / "target", clones=tmp_path / "clones")
    found = [done.folder, *done.folder.rglob("*")]
    assert {path.lstat().st_uid for path in found} == {0}
    assert (done.folder / "run").stat().st_mode & 0o777 == 0o755
    assert (done.folder / "a.txt").stat().st_mode & 0o777 == 0o644


def test_a_clone_that_an_older_version_made_is_used_on(tmp_path: Path) -> None:
    _published(tmp_path)
    clones = tmp_path / "clones"
    with serving(partial(_Files, directory=str(tmp_path))) as host:
        url = f"http://{host}/origin/.git"
        first = checkout(url, "v1", "git", tmp_path / "first", clones=clones)
        clone = clones / Source(url).folder_name
        for path in [clone, *clone.rglob("*")]:
            os.lchown(path, 0, 0)
        made = clone.stat().st_ino
        checkout(url, "main", "git", tmp_path / "again", clones=clones)
        again = checkout(url, first.revision, "git", tmp_path / "second", clones=clones)
    assert clone.stat().st_ino == made
    assert {path.lstat().st_uid for path in [clone, *clone.rglob("*")]} == {FETCH_ID}
    assert again.revision == first.revision


def test_a_folder_of_this_machine_is_read_by_who_asks(tmp_path: Path) -> None:
    repository = _published(tmp_path)
    clones = tmp_path / "clones"
    checkout(repository.url, "v1", "git", tmp_path / "target", clones=clones)
    assert (clones / Source(repository.url).folder_name).stat().st_uid == os.getuid()


def test_mercurial_has_its_credentials_there(tmp_path: Path) -> None:
    heard = []

    class Asking(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            heard.append(self.headers.get("Authorization"))
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.end_headers()

        def log_message(self, format: str, *arguments: object) -> None:
            pass

    with serving(Asking) as host, pytest.raises(UnreachableRepository):
        checkout(
            f"http://ada:s3cret@{host}/shop", "v1", "hg", tmp_path / "t", clones=tmp_path / "clones"
        )
    assert f"Basic {b64encode(b'ada:s3cret').decode()}" in heard


@pytest.mark.parametrize("with_ssh", [True, False])
def test_of_the_callers_home_it_has_settings_and_keys_for_ssh_only(
    tmp_path: Path, with_ssh: bool
) -> None:
    home = tmp_path / "home"
    for name in (".gitconfig", ".ssh/id_ed25519", ".config/git/config", ".bash_history"):
        path = home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("x")
        path.chmod(0o600)
    told = _ask("cd; cat .gitconfig; echo; find . -type f", stranger=Stranger(with_ssh), home=home)
    keys = ["./.ssh/id_ed25519"] if with_ssh else []
    assert told[0] == "x"
    assert sorted(told[1:]) == ["./.config/git/config", "./.gitconfig", *keys]


def test_it_has_a_name_and_no_rights_and_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "clone"
    script = (
        'whoami; grep CapEff /proc/self/status; grep NoNewPrivs /proc/self/status; touch "$1/x"'
    )
    told = _ask(script, folder, stranger=Stranger(), home=tmp_path)
    assert told == ["velociraptor-fetch", "CapEff:\t0000000000000000", "NoNewPrivs:\t1"]
    assert (folder / "x").stat().st_uid == FETCH_ID
    assert "vr-fetch-" not in Path("/proc/self/mountinfo").read_text()


def test_what_is_no_file_is_not_handed_on(tmp_path: Path) -> None:
    (tmp_path / "t").mkdir()
    os.mkfifo(tmp_path / "t/pipe")
    (tmp_path / "t/link").symlink_to("/etc/passwd")
    os.lchown(tmp_path / "t/link", FETCH_ID, FETCH_ID)
    take_back(tmp_path / "t")
    assert [path.name for path in (tmp_path / "t").iterdir()] == ["link"]
    assert (tmp_path / "t/link").lstat().st_uid == 0


def test_a_deploy_key_of_the_callers_opens_a_repository_over_ssh(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = _published(tmp_path)
    keys = tmp_path / "home/.ssh"
    keys.mkdir(parents=True)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.delenv("GIT_SSH_COMMAND", raising=False)
    with sshd(tmp_path / "sshd") as server:
        (keys / "known_hosts").write_text(f"[127.0.0.1]:{server.port} {server.host_key}\n")
        (keys / "id_ed25519").write_text(server.private_key)
        (keys / "id_ed25519").chmod(0o600)
        url = f"ssh://root@127.0.0.1:{server.port}{repository.path}"
        done = checkout(url, "v1", "git", tmp_path / "target", clones=tmp_path / "clones")
    assert (done.folder / "a.txt").read_text() == "one"
