"""Files that Git LFS keeps, fetched by the real git-lfs."""

from __future__ import annotations

import hashlib
import json
import shutil
from base64 import b64encode
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from support.http_server import serving
from support.repositories import GitRepository
from vr.repo import checkout
from vr.repo.failures import UnreachableRepository

pytestmark = pytest.mark.skipif(shutil.which("git-lfs") is None, reason="no git-lfs here")

FILM = "a large film " * 1000
ATTRIBUTES = "*.mp4 filter=lfs diff=lfs merge=lfs -text\n"


@pytest.fixture
def git(tmp_path: Path) -> GitRepository:
    """Its tag v1 has a film in Git LFS."""
    repository = GitRepository(tmp_path / "origin")
    repository.run("config", "filter.lfs.clean", "git-lfs clean -- %f")
    repository.commit({".gitattributes": ATTRIBUTES, "static/film.mp4": FILM}, tag="v1")
    assert repository.run("show", "HEAD:static/film.mp4").startswith("version https://git-lfs")
    return repository


def film(url: str, folder: Path, revision: str = "v1") -> str:
    done = checkout(url, revision, "git", folder / "target", clones=folder / "clones")
    return (done.folder / "static/film.mp4").read_text()


@pytest.fixture(params=["for all users", "by nobody"])
def _set_up(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Debian's package tells git of git-lfs for all users of the machine."""
    config = tmp_path / "gitconfig"
    if request.param == "for all users":
        config.write_text(
            '[filter "lfs"]\n\trequired = true\n\tsmudge = git-lfs smudge -- %f\n'
            "\tprocess = git-lfs filter-process\n"
        )
    else:
        config.touch()
    monkeypatch.setenv("GIT_CONFIG_SYSTEM", str(config))


@pytest.mark.usefixtures("_set_up")
def test_they_are_fetched(git: GitRepository, tmp_path: Path) -> None:
    assert film(git.url, tmp_path) == FILM
    assert not (tmp_path / "target/.git/lfs").exists(), "they are there once"


@pytest.mark.usefixtures("_set_up")
def test_without_git_lfs_pointers_stay(
    git: GitRepository, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("vr.repo.large_files.is_installed", lambda path: False)
    assert film(git.url, tmp_path).startswith("version https://git-lfs")


def test_one_that_is_not_there_is_told(git: GitRepository, tmp_path: Path) -> None:
    shutil.rmtree(git.path / ".git/lfs")
    with pytest.raises(UnreachableRepository, match="its files in Git LFS") as raised:
        film(git.url, tmp_path)
    assert hashlib.sha256(FILM.encode()).hexdigest() in raised.value.details
    assert not (tmp_path / "target").exists()


def test_the_commit_cannot_say_that_they_lie_elsewhere(git: GitRepository, tmp_path: Path) -> None:
    """On this machine's disk, say."""
    other = shutil.copytree(git.path, tmp_path / "other")
    git.commit({".lfsconfig": f"[lfs]\n\turl = {other.as_uri()}\n"}, tag="v2")
    shutil.rmtree(git.path / ".git/lfs")
    with pytest.raises(UnreachableRepository, match="its files in Git LFS"):
        film(git.url, tmp_path, "v2")


class _Server(SimpleHTTPRequestHandler):
    """Serves a repository and its large files to ada with her password only."""

    def do_GET(self) -> None:
        if self._is_ada():
            super().do_GET()

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        if not self._is_ada():
            return
        assert self.path == "/origin/.git/info/lfs/objects/batch"
        host = f"http://{self.headers['Host']}/origin/.git/lfs/objects"
        objects = [
            {**one, "authenticated": True, "actions": {"download": {"href": f"{host}/{folders}"}}}
            for one in asked["objects"]
            for folders in [f"{one['oid'][:2]}/{one['oid'][2:4]}/{one['oid']}"]
        ]
        body = json.dumps({"transfer": "basic", "objects": objects}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/vnd.git-lfs+json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _is_ada(self) -> bool:
        expected = "Basic " + b64encode(b"ada:secret").decode()
        is_object = "/lfs/objects/" in self.path and not self.path.endswith("/batch")
        if is_object or self.headers.get("Authorization") == expected:
            return True
        self.send_response(401)
        self.send_header("WWW-Authenticate", 'Basic realm="x"')
        self.send_header("Content-Length", "0")
        self.end_headers()
        return False

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_they_are_asked_of_the_repositorys_server_with_its_credentials(
    git: GitRepository, tmp_path: Path
) -> None:
    git.run("update-server-info")
    with serving(partial(_Server, directory=str(tmp_path))) as host:
        assert film(f"http://ada:secret@{host}/origin/.git", tmp_path) == FILM
    clone = b"".join(one.read_bytes() for one in tmp_path.glob("target/.git/config"))
    assert b"secret" not in clone
    assert hashlib.sha256(FILM.encode()).hexdigest() in git.run("show", "v1:static/film.mp4")
