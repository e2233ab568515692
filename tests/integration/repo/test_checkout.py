"""Checkouts of real repositories, made on this disk."""

from __future__ import annotations

import os
import subprocess
import tempfile
import threading
from base64 import b64encode
from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler
from pathlib import Path

import pytest

from support.http_server import serving
from support.repositories import GitRepository, HgRepository
from vr.errors import Busy, InvalidInput, VelociraptorError
from vr.files.locks import Lock
from vr.repo import Checkout, Source, checkout, find_commit
from vr.repo.failures import UnknownRevision, UnreachableRepository


class Place:
    """Where clones are kept, and new targets for checkouts."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clones = folder / "clones"
        self.count = 0

    def git(self, url: str, revision: str, **options: float) -> Checkout:
        self.count += 1
        target = self.folder / f"target{self.count}"
        return checkout(url, revision, "git", target, clones=self.clones, **options)

    def hg(self, url: str, revision: str) -> Checkout:
        self.count += 1
        target = self.folder / f"target{self.count}"
        return checkout(url, revision, "hg", target, clones=self.clones)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


@pytest.fixture
def git(tmp_path: Path) -> GitRepository:
    return GitRepository(tmp_path / "origin")


@pytest.fixture
def hg(tmp_path: Path) -> HgRepository:
    return HgRepository(tmp_path / "hg_origin")


def content(done: Checkout) -> str:
    return (done.folder / "a.txt").read_text()


def test_tags_branches_and_commits_are_found(git: GitRepository, place: Place) -> None:
    first = git.commit({"a.txt": "one"}, tag="v1")
    second = git.commit({"a.txt": "two"})
    for revision, commit, text in [
        ("v1", first, "one"),
        ("main", second, "two"),
        (first, first, "one"),
        (first[:8], first, "one"),
        ("", second, "two"),
    ]:
        done = place.git(git.url, revision)
        assert (done.revision, content(done)) == (commit, text)


def test_the_remotes_own_default_branch_is_the_default(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "main"})
    git.run("checkout", "--quiet", "-b", "trunk")
    git.commit({"a.txt": "trunk"})
    assert content(place.git(git.url, "")) == "trunk"


def test_a_moved_tag_and_a_rewritten_branch_are_followed(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "one"}, tag="v1")
    place.git(git.url, "v1")
    git.run("commit", "--quiet", "--amend", "--message", "rewritten")
    git.commit({"a.txt": "two"}, tag="v1")
    assert content(place.git(git.url, "v1")) == "two"
    assert content(place.git(git.url, "main")) == "two"


def test_a_deleted_tag_is_gone(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "one"}, tag="v1")
    place.git(git.url, "v1")
    git.run("tag", "--delete", "v1")
    with pytest.raises(UnknownRevision):
        place.git(git.url, "v1")


def test_a_known_commit_needs_no_remote(git: GitRepository, place: Place) -> None:
    commit = git.commit({"a.txt": "one"})
    place.git(git.url, commit)
    git.path.rename(git.path.with_name("away"))
    assert content(place.git(git.url, commit)) == "one"


def test_a_tools_question_for_the_version_is_answered(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "one"}, tag="v1")
    git.run("tag", "--annotate", "v1.0", "--message", "x")
    done = place.git(git.url, "v1")
    said = subprocess.run(
        ["git", "-C", str(done.folder), "describe"], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "v1.0"


@pytest.fixture
def library(git: GitRepository) -> Iterator[GitRepository]:
    """A submodule `lib` of the repository, in a folder that all users may read."""
    with tempfile.TemporaryDirectory() as folder:
        Path(folder).chmod(0o755)
        made = GitRepository(Path(folder) / "library")
        made.commit({"lib.txt": "library"})
        add = ("submodule", "add", "--quiet", made.url, "lib")
        git.run("-c", "protocol.file.allow=always", *add)
        git.commit({"a.txt": "one"}, tag="v1")
        yield made


def test_submodules_are_checked_out(
    git: GitRepository, place: Place, library: GitRepository
) -> None:
    done = place.git(git.url, "v1")
    assert (done.folder / "lib/lib.txt").read_text() == "library"
    assert (done.folder / "lib/lib.txt").stat().st_uid == os.geteuid()
    run = ["git", "-C", str(done.folder), "submodule", "status"]
    assert "lib" in subprocess.run(run, capture_output=True, text=True, check=True).stdout


@pytest.mark.skipif(os.geteuid() != 0, reason="only root reads what others may not")
def test_a_local_repositorys_submodules_are_not_read_by_root(
    git: GitRepository, place: Place, library: GitRepository
) -> None:
    library.path.chmod(0o700)
    with pytest.raises(UnreachableRepository, match="submodule") as error:
        place.git(git.url, "v1")
    assert "must be readable by all users" in (error.value.hint or "")


def test_links_and_executable_files_survive(git: GitRepository, place: Place) -> None:
    (git.path / "link").symlink_to("/nowhere")
    git.commit({"run": "#!/bin/sh\n"}, tag="v1")
    done = place.git(git.url, "v1")
    assert (done.folder / "link").readlink() == Path("/nowhere")
    assert (done.folder / "run").stat().st_mode & 0o777 == 0o755


def test_an_unknown_revision_says_what_there_is(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "one"}, tag="v1")
    with pytest.raises(UnknownRevision) as error:
        place.git(git.url, "v9")
    assert "no tag, branch or commit 'v9'" in error.value.message
    assert "Tags there: v1" in error.value.hint
    assert not (place.folder / "target1").exists()


def test_an_empty_repository_says_so(git: GitRepository, place: Place) -> None:
    with pytest.raises(UnknownRevision, match="neither tags nor branches"):
        place.git(git.url, "")


@pytest.mark.parametrize("kind", ["git", "hg"])
def test_an_unreachable_repository_leaves_nothing(place: Place, kind: str) -> None:
    url = str(place.folder / "missing")
    with pytest.raises(UnreachableRepository, match="can't be fetched"):
        getattr(place, kind)(url, "v1")
    assert not (place.clones / Source(url).folder_name).exists()


def test_a_closed_port_is_an_unreachable_repository(place: Place) -> None:
    with pytest.raises(UnreachableRepository) as error:
        place.git("http://ada:s3cret@127.0.0.1:9/shop.git", "v1")
    assert "s3cret" not in str(error.value)


class _Protected(SimpleHTTPRequestHandler):
    """Serves a folder to ada with her password only."""

    def do_GET(self) -> None:
        expected = "Basic " + b64encode(b"ada:p@ss word").decode()
        if self.headers.get("Authorization") != expected:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="x"')
            self.end_headers()
            return
        super().do_GET()

    def log_message(self, format: str, *arguments: object) -> None:
        pass


def test_credentials_in_a_url_are_used_and_kept_out_of_the_clone(
    git: GitRepository, place: Place
) -> None:
    git.commit({"a.txt": "one"}, tag="v1")
    git.run("update-server-info")
    handler = partial(_Protected, directory=str(git.path.parent))
    with serving(handler) as host:
        address = f"{host}/origin/.git"
        done = place.git(f"http://ada:p%40ss%20word@{address}", "v1")
        with pytest.raises(UnreachableRepository) as error:
            place.git(f"http://ada:wr0ng@{address}", "v1")
    assert content(done) == "one"
    assert "Give credentials" in error.value.hint
    assert "wr0ng" not in str(error.value)
    configs = [path for folder in (place.clones, done.folder) for path in folder.rglob("config")]
    assert configs
    assert not [path for path in configs if "p%40ss" in path.read_text()]


def test_credentials_are_not_given_to_a_submodules_host(
    git: GitRepository, place: Place, tmp_path: Path
) -> None:
    library = GitRepository(tmp_path / "library")
    library.commit({"lib.txt": "library"})
    git.run("-c", "protocol.file.allow=always", "submodule", "add", "--quiet", "../library", "lib")
    heard: list[str] = []

    class Stranger(_Protected):
        def do_GET(self) -> None:
            heard.append(self.headers.get("Authorization", ""))
            super().do_GET()

    with (
        serving(partial(_Protected, directory=str(tmp_path))) as own,
        serving(partial(Stranger, directory=str(tmp_path))) as foreign,
    ):
        git.run(
            "config", "-f", ".gitmodules", "submodule.lib.url", f"http://{foreign}/library/.git"
        )
        git.commit({"a.txt": "one"}, tag="v1")
        git.run("update-server-info")
        with pytest.raises(UnreachableRepository, match="submodule"):
            place.git(f"http://ada:p%40ss%20word@{own}/origin/.git", "v1")
    assert set(heard) == {""}


@pytest.mark.parametrize("kind", ["git", "hg"])
@pytest.mark.parametrize("revision", ["--config=x", "a b", "v1..v2", "all()"])
def test_a_revision_is_never_taken_for_an_option(place: Place, kind: str, revision: str) -> None:
    with pytest.raises(InvalidInput, match="can't be a revision"):
        getattr(place, kind)(str(place.folder), revision)


def test_a_clone_that_was_killed_half_way_is_made_anew(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "one"}, tag="v1")
    place.git(git.url, "v1")
    clone = place.clones / Source(git.url).folder_name
    (clone / "HEAD.lock").touch()
    (clone / "packed-refs.lock").touch()
    (place.clones / f".{clone.name}.dirty").touch()
    git.commit({"a.txt": "two"}, tag="v2")
    assert content(place.git(git.url, "v2")) == "two"
    assert not (clone / "packed-refs.lock").exists()


def test_two_checkouts_of_one_repository_take_turns(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "one"}, tag="v1")
    found: list[str] = []
    threads = [
        threading.Thread(
            target=lambda number=number: found.append(
                content(
                    checkout(git.url, "v1", "git", place.folder / f"t{number}", clones=place.clones)
                )
            )
        )
        for number in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == ["one"] * 4


def test_waiting_for_another_checkout_ends(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "one"}, tag="v1")
    with Lock(place.clones / f".{Source(git.url).folder_name}.lock"), pytest.raises(Busy):
        place.git(git.url, "v1", wait=0.1)


def test_a_program_that_hangs_is_stopped_with_a_reason(git: GitRepository, place: Place) -> None:
    with pytest.raises(VelociraptorError, match="did not finish within"):
        place.git(git.url, "v1", timeout=0.0001)


def test_mercurial_tags_branches_and_commits_are_found(hg: HgRepository, place: Place) -> None:
    first = hg.commit({"a.txt": "one", "run": "#!/bin/sh\n"}, tag="v1")
    second = hg.commit({"a.txt": "two"})
    for revision, commit, text in [
        ("v1", first, "one"),
        ("default", second, "two"),
        (first, first, "one"),
        (first[:8], first, "one"),
        ("", second, "two"),
    ]:
        done = place.hg(hg.url, revision)
        assert (done.revision, content(done)) == (commit, text)
    assert (done.folder / "run").stat().st_mode & 0o777 == 0o755


def test_mercurial_revisions_that_are_not_there_are_named(hg: HgRepository, place: Place) -> None:
    hg.commit({"a.txt": "one"}, tag="v1")
    with pytest.raises(UnknownRevision) as error:
        place.hg(hg.url, "v9")
    assert "v1" in error.value.hint
    assert "default" in error.value.hint


@pytest.mark.parametrize("kind", ["git", "hg"])
def test_clones_are_roots_alone(place: Place, tmp_path: Path, kind: str) -> None:
    repo = GitRepository(tmp_path / "g") if kind == "git" else HgRepository(tmp_path / "h")
    repo.commit({"a.txt": "one"}, tag="v1")
    place.clones.mkdir(mode=0o755)  # as it was made before
    place.clones.chmod(0o755)
    place.git(repo.url, "v1") if kind == "git" else place.hg(repo.url, "v1")
    assert place.clones.stat().st_mode & 0o777 == 0o700


def test_mercurial_subrepositories_are_refused(hg: HgRepository, place: Place) -> None:
    """They may be any folder of this disk."""
    other = HgRepository(place.folder / "other")
    other.commit({"secret.txt": "s3cret"})
    hg.run("clone", "--quiet", str(other.path), "sub")
    hg.commit({".hgsub": f"sub = {other.path}\n", "a.txt": "one"}, tag="v1")
    with pytest.raises(VelociraptorError, match="has subrepositories"):
        place.hg(hg.url, "v1")
    assert not list(place.folder.glob("target*"))


def test_a_name_is_looked_up_where_it_is_now(git: GitRepository) -> None:
    first = git.commit({"a.txt": "one"})
    git.run("tag", "--annotate", "v1", "--message", "x")
    second = git.commit({"a.txt": "two"})
    assert find_commit(git.url, "v1", "git") == first
    assert find_commit(git.url, "main", "git") == second
    assert find_commit(git.url, "nothing", "git") == ""
    with pytest.raises(UnreachableRepository):
        find_commit(f"{git.url}-missing", "main", "git")


def test_a_commit_is_built_although_its_branch_moved_on(git: GitRepository, place: Place) -> None:
    first = git.commit({"a.txt": "one"})
    git.commit({"a.txt": "two"})
    target = place.folder / "target"
    done = checkout(git.url, "main", "git", target, clones=place.clones, commit=first)
    assert (done.revision, content(done)) == (first, "one")


def test_a_shallow_clone_is_a_source(git: GitRepository, place: Place) -> None:
    git.commit({"a.txt": "one"})
    git.commit({"a.txt": "two"}, tag="v2")
    shallow = place.folder / "shallow"
    git.run("clone", "--quiet", "--depth=1", f"file://{git.path}", str(shallow))
    assert content(place.git(str(shallow), "main")) == "two"


def test_a_rewritten_mercurial_bookmark_is_followed(hg: HgRepository, place: Place) -> None:
    hg.commit({"a.txt": "one"})
    hg.run("bookmark", "stable")
    old = hg.commit({"a.txt": "two"})
    assert place.hg(hg.url, "stable").revision == old
    hg.write({"a.txt": "three"})
    hg.run("commit", "--amend", "--message", "amended")
    new = hg.run("log", "--rev", "stable", "--template", "{node}")
    assert find_commit(hg.url, "stable", "hg") == new != old
    assert content(place.hg(hg.url, "stable")) == "three"


def test_a_deleted_mercurial_bookmark_is_gone(hg: HgRepository, place: Place) -> None:
    hg.commit({"a.txt": "one"})
    hg.run("bookmark", "stable")
    place.hg(hg.url, "stable")
    hg.run("bookmark", "--delete", "stable")
    with pytest.raises(UnknownRevision):
        place.hg(hg.url, "stable")


def test_no_other_user_of_the_host_reads_the_clones(place: Place, git: GitRepository) -> None:
    place.clones.mkdir(mode=0o755)  # from before the rule
    git.commit({"file": "x"}, tag="v1")
    place.git(git.url, "v1")
    assert place.clones.stat().st_mode & 0o777 == 0o700
