"""Droplets become builds: what is kept, what is refused, and that the bytes are always the same."""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Any

import pytest

from support.droplets import FILES, FOLDERS, droplet
from vr.builder.droplet import DropletBuild, convert
from vr.errors import InvalidInput
from vr.files.archives import Limits

SLUG_INFO = """\
framework: buildpack
start_command: python3 server.py
build:
  buildpack_url: bundled:python#abc
  buildpack_version: abc
  release_data: {config_vars: {A: '1'}, default_process_types: {web: ignored, clock: tick}}
"""


class Bench:
    """Converts droplets in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.tarball = folder / "build.tar.gz"

    def convert(self, path: Path, **options: Any) -> DropletBuild:
        work = self.folder / "work"
        work.mkdir(exist_ok=True)
        made = convert(path, self.tarball, work, name="shop.tgz", **options)
        assert list(work.iterdir()) == [], "nothing is left in the folder for work"
        return made

    def problems(self, path: Path, **options: Any) -> list[str]:
        with pytest.raises(InvalidInput) as caught:
            self.convert(path, **options)
        assert caught.value.where == "shop.tgz"
        assert not self.tarball.exists(), "no build comes of a droplet that is wrong"
        assert str(self.folder) not in str(caught.value)
        return caught.value.problems

    def names(self) -> list[str]:
        with tarfile.open(self.tarball) as archive:
            return archive.getnames()

    def text(self, name: str) -> str:
        with tarfile.open(self.tarball) as archive:
            file = archive.extractfile(name)
            assert file is not None
            return file.read().decode()


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path)


def test_a_droplet_becomes_a_build_with_a_web_proc(bench: Bench, tmp_path: Path) -> None:
    made = bench.convert(droplet(tmp_path / "d"), runtimes={"python3": "/opt/py/python3"})
    assert made.process_types == {"web": "exec ./start_droplet"}
    assert made.runtime == "python3"
    assert bench.text("Procfile") == "web: exec ./start_droplet\n"
    assert "\n/opt/py/python3 server.py $@ &\n" in bench.text("startup"), "its output is the proc's"
    assert "command -v -- /opt/py/python3" in bench.text("start_droplet")
    with tarfile.open(bench.tarball) as archive:
        assert archive.getmember("startup").mode == 0o755
        assert archive.getmember("start_droplet").mode == 0o755
    assert {"app/server.py", "logs", "tmp", "staging_info.yml"} <= set(bench.names())


def test_the_same_droplet_gives_the_same_bytes(bench: Bench, tmp_path: Path) -> None:
    first = bench.convert(droplet(tmp_path / "one")).md5
    log = {"logs/staging.log": "[2026-01-01] staged later\n", "run.pid": "17\n"}
    second = bench.convert(droplet(tmp_path / "two", FILES | log))
    assert second.md5 == first, "when it was staged and that it ran makes no other build"
    assert second.staging_log == "[2026-01-01] staged later\n"
    assert bench.convert(droplet(tmp_path / "one"), runtime="pypy").md5 != first


def test_a_buildpacks_droplet_becomes_the_slug_in_it(bench: Bench, tmp_path: Path) -> None:
    files = {
        "app/server.py": "",
        "app/Procfile": "web: python3 server.py\nworker: sleep 9\n",
        "app/.git/HEAD": "ref",
        "app/.slugignore": "*.md",
        "app/notes.md": "",
        "startup": "#!/bin/bash\n",
        "staging_info.yml": SLUG_INFO,
    }
    made = bench.convert(droplet(tmp_path / "d", files))
    assert made.process_types == {
        "web": "python3 server.py",
        "clock": "tick",
        "worker": "sleep 9",
    }
    assert made.release_data["config_vars"] == {"A": "1"}
    assert made.info.build and made.info.build.buildpack_version == "abc"
    assert bench.names() == [".slugignore", "Procfile", "server.py"]


def test_a_slug_whose_buildpack_is_unknown_is_started_by_its_start_command(
    bench: Bench, tmp_path: Path
) -> None:
    info = "detected_buildpack: Ruby/Rack\nstart_command: bundle exec rackup\n"
    files = {"app/config.ru": "", "startup": "#!/bin/bash\n", "staging_info.yml": info}
    assert bench.convert(droplet(tmp_path / "d", files)).process_types == {
        "web": "bundle exec rackup"
    }


def test_a_slug_without_a_web_proc_gets_none(bench: Bench, tmp_path: Path) -> None:
    info = "framework: vbuild\nstart_command: exit 1\nbuild: {buildpack_url: 'bundled:procfile'}\n"
    files = {
        "app/Procfile": "worker: sleep 9\n",
        "startup": "#!/bin/bash\n",
        "staging_info.yml": info,
        "logs/staging.log": "x" * (2 << 20),
    }
    made = bench.convert(droplet(tmp_path / "d", files))
    assert made.process_types == {"worker": "sleep 9"}
    assert made.staging_log.startswith("(no staging log"), "a log without end does no harm"


@pytest.mark.parametrize(
    ("build", "said"),
    [
        ("{release_data: {default_process_types: [web]}}", "release_data.default_process_types"),
        ("{release_data: {config_vars: {A: [1]}}}", "release_data.config_vars"),
        (f"{{buildpack_url: {'x' * 301}}}", "length <= 300"),
        ("[1]", "build: "),
    ],
)
def test_what_a_droplet_tells_of_its_build_is_not_trusted(
    bench: Bench, tmp_path: Path, build: str, said: str
) -> None:
    files = FILES | {"staging_info.yml": f"framework: vbuild\nbuild: {build}\n"}
    assert said in "\n".join(bench.problems(droplet(tmp_path / "d", files)))


def test_uptests_of_the_app_are_found_where_procs_have_them(bench: Bench, tmp_path: Path) -> None:
    files = FILES | {"app/uptests/web/01_alive": "#!/bin/sh\n"}
    bench.convert(droplet(tmp_path / "d", files))
    with tarfile.open(bench.tarball) as archive:
        assert archive.getmember("uptests").linkname == "app/uptests"


def test_a_runtime_may_be_given_by_whoever_uploads(bench: Bench, tmp_path: Path) -> None:
    files = FILES | {"staging_info.yml": ""}
    assert bench.problems(droplet(tmp_path / "d", files)) == [
        "runtime: is missing; startup needs one, and the droplet does not say which: "
        "name it (such as ruby)"
    ]
    assert bench.convert(droplet(tmp_path / "d", files), runtime="ruby").runtime == "ruby"


def test_everything_that_is_missing_is_said_at_once(bench: Bench, tmp_path: Path) -> None:
    path = droplet(tmp_path / "d", {"staging_info.yml": "runtime: [1]\n"}, folders=("app",))
    assert bench.problems(path) == [
        "logs/: is missing; a droplet has the folders app, logs and tmp",
        "tmp/: is missing; a droplet has the folders app, logs and tmp",
        "startup: is missing; it is the script that starts the app",
        "staging_info.yml: runtime: expected str, got array",
    ]


@pytest.mark.parametrize(
    ("files", "links", "said"),
    [
        ({"../evil": "x"}, {}, "contains '..'"),
        ({}, {"startup": "/bin/sh"}, "startup: "),
        ({}, {"logs": "/var/log"}, "logs/: is missing"),
        ({"startup": "no script"}, {}, "startup: is no script"),
        ({"staging_info.yml": "{"}, {}, "is not valid YAML"),
        ({"staging_info.yml": "runtime: 'x; rm -rf /'"}, {}, "is no runtime's name"),
    ],
)
def test_dangerous_and_broken_droplets_are_refused(
    bench: Bench, tmp_path: Path, files: dict[str, str], links: dict[str, str], said: str
) -> None:
    kept = {name: text for name, text in FILES.items() if name not in links}
    folders = tuple(name for name in FOLDERS if name not in links)
    path = droplet(tmp_path / "d", kept | files, folders=folders, links=links)
    assert said in "\n".join(bench.problems(path))


def test_links_of_a_slug_stay_links_wherever_they_lead(bench: Bench, tmp_path: Path) -> None:
    files = {"startup": "#!/bin/bash\n", "staging_info.yml": SLUG_INFO}
    path = droplet(tmp_path / "d", files, links={"app/lib/log": "../../logs"})
    bench.convert(path)
    with tarfile.open(bench.tarball) as archive:
        assert archive.getmember("lib/log").linkname == "../../logs"


def test_what_is_no_tarball_and_what_is_too_large_is_refused(bench: Bench, tmp_path: Path) -> None:
    (tmp_path / "text").write_text("hello")
    assert "is no complete tarball" in bench.problems(tmp_path / "text")[0]
    assert "unpacks to more than" in bench.problems(droplet(tmp_path / "d"), limits=Limits(10))[0]
