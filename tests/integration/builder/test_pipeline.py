"""Builds in real containers."""

from __future__ import annotations

import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
import yaml

from support.build_machine import Machine
from support.repositories import HgRepository
from support.waiting import until
from vr.builder import CompileFailed, NoBuildpack
from vr.container.cgroups import processes
from vr.errors import InvalidInput, VelociraptorError
from vr.repo.failures import UnknownRevision, UnreachableRepository

VBUILD = [str(Path(sys.executable).with_name("vbuild"))]


def slug(machine: Machine) -> dict[str, str]:
    """The regular files in build.tar.gz and their text."""
    with tarfile.open(machine.output / "build.tar.gz") as archive:
        return {
            entry.name: archive.extractfile(entry).read().decode()  # type: ignore[union-attr]
            for entry in archive
            if entry.isreg()
        }


def test_an_app_with_a_procfile_becomes_a_slug(machine: Machine) -> None:
    result = machine.build(machine.app({"Procfile": "web: python3 app.py\n", "app.py": "print()"}))
    assert machine.results == {"build.tar.gz", "build_result.yaml", "compile.log"}
    assert slug(machine) == {"Procfile": "web: python3 app.py\n", "app.py": "print()"}
    assert result.process_types == {"web": "python3 app.py"}
    assert result.buildpack_url == f"bundled:procfile#{result.buildpack_version}"
    assert machine.log == (machine.output / "compile.log").read_bytes()
    assert machine.workspaces == []


def test_no_other_user_of_the_host_reads_clones_caches_or_work(machine: Machine) -> None:
    machine.build(machine.app({"Procfile": "web: x\n"}))
    assert machine.root.builder.stat().st_mode & 0o777 == 0o700


def test_the_same_commit_gives_the_same_bytes_and_the_result_can_be_built_again(
    machine: Machine,
) -> None:
    app = machine.app({"Procfile": "web: x\n", "run": "#!/bin/sh\n"})
    pack = machine.buildpack("date +%N > made; touch $2/warm; [ $SOURCE_VERSION ]; rm made")
    first = machine.build(app, buildpack_url=pack)
    again = machine.output / "build_result.yaml"
    done = subprocess.run(
        [*VBUILD, "build", "--output", machine.folder / "second", again],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "VR_ROOT": str(machine.root.path)},
        capture_output=True,
        check=True,
    )
    assert b"md5 " + first.build_md5.encode() in done.stdout
    second = (machine.folder / "second/build.tar.gz").read_bytes()
    assert second == (machine.output / "build.tar.gz").read_bytes()


def test_pointers_of_git_lfs_are_named(machine: Machine) -> None:
    pointer = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n"
    machine.build(machine.app({"Procfile": "web: run\n", "film.mp4": pointer}))
    assert b"these are pointers: film.mp4" in machine.log


def test_the_first_buildpack_that_applies_is_used_alone(machine: Machine) -> None:
    app = machine.app({"README": "x"})
    packs = (
        machine.buildpack("touch no", detect="echo 'not mine' >&2; exit 1", name="no"),
        machine.buildpack("touch yes", detect="echo Yes", name="yes"),
        machine.buildpack("touch also", name="also"),
    )
    result = machine.build(app, buildpack_urls=packs)
    assert result.buildpack_url == f"{packs[1]}#{result.buildpack_version}"
    assert slug(machine).keys() == {"README", "yes"}
    assert b"-----> Yes app detected" in machine.log


def test_without_a_buildpack_that_applies_nothing_is_left(machine: Machine) -> None:
    with pytest.raises(NoBuildpack) as error:
        machine.build(machine.app({"README": "x"}))
    assert "bundled:python, bundled:procfile" in error.value.message
    assert "requirements.txt" in error.value.hint
    assert machine.results == set()
    assert machine.workspaces == []


def test_a_chosen_buildpack_is_not_asked(machine: Machine) -> None:
    pack = machine.buildpack("touch made", detect="exit 1")
    machine.build(machine.app({"README": "x"}), buildpack_url=pack)
    assert "made" in slug(machine)


def test_scripts_get_what_published_buildpacks_need(machine: Machine) -> None:
    pack = machine.buildpack(
        'echo "args $# $1 $2 $3"; id -u; pwd; env | sort; ls -A "$3"; cat "$3/SECRET"; '
        "touch /app/x $1/x; echo x > $2/x; ln $2/x $1/linked; mv $2/x $1/moved; "
        "cat <(echo fd works)"
    )
    machine.build(
        machine.app({"README": "x"}), buildpack_url=pack, env={"SECRET": "only in ENV_DIR"}
    )
    log = machine.log.decode()
    assert "args 3 /build/shop-" in log
    assert "/cache/buildpack_cache /env" in log
    assert "65534\n/build/shop-" in log
    assert "STACK=heroku-24" in log
    assert "HOME=/app" in log
    assert "BUILDPACK_DIR" not in log
    assert "fd works" in log
    assert log.count("only in ENV_DIR") == 1


def test_output_is_passed_on_in_order(machine: Machine) -> None:
    pack = machine.buildpack("echo one; echo two >&2; printf '\\xff three\\n'")
    machine.build(machine.app({"README": "x"}), buildpack_url=pack)
    assert b"one\ntwo\n\xff three\n" in machine.log


def test_a_failed_compile_says_why_and_leaves_only_its_log(machine: Machine) -> None:
    pack = machine.buildpack("touch $2/broken; echo 'no such module: raptor'; exit 3")
    with pytest.raises(CompileFailed) as error:
        machine.build(machine.app({"README": "x"}), buildpack_url=pack)
    assert "bin/compile ended with status 3" in error.value.message
    # Whoever has seen the output as it came is not told it again.
    assert machine.log.count(b"no such module: raptor") == 1
    assert error.value.details == ""
    assert machine.results == {"compile.log"}
    assert machine.workspaces == []


def test_a_compile_that_takes_too_long_is_stopped(machine: Machine) -> None:
    pack = machine.buildpack("echo waiting; sleep 1000 & sleep 1000")
    with pytest.raises(CompileFailed, match=r"still running after 1 seconds"):
        machine.build(machine.app({"README": "x"}), buildpack_url=pack, timeout=1)
    assert machine.workspaces == []


def test_the_cache_is_kept_by_successful_builds_only(machine: Machine) -> None:
    app = machine.app({"fail": "no"})
    pack = machine.buildpack(
        "ls -A $2 > seen; rm -rf $2; mkdir $2; ln -s /nowhere $2/link; touch $2/$(cat fail); "
        "[ $(cat fail) != yes ]"
    )
    machine.build(app, buildpack_url=pack)
    assert slug(machine)["seen"] == ""
    app.commit({"fail": "yes"}, tag="v2")
    with pytest.raises(CompileFailed):
        machine.build(app, buildpack_url=pack, version="v2")
    machine.build(app, buildpack_url=pack)
    assert slug(machine)["seen"] == "link\nno\n"


def test_each_buildpack_has_its_own_cache(machine: Machine) -> None:
    app = machine.app({"README": "x"})
    for name in ("one", "two"):
        pack = machine.buildpack(f"ls -A $2 > seen; touch $2/{name}", name=name)
        machine.build(app, buildpack_url=pack)
        assert slug(machine)["seen"] == ""


def test_release_defaults_and_the_procfile_are_merged(machine: Machine) -> None:
    pack = machine.buildpack(
        "echo 'web: made by compile' > Procfile",
        release="echo 'default_process_types: {web: theirs, console: irb}'; "
        "echo 'config_vars: {DEBUG: false}'",
    )
    result = machine.build(machine.app({"README": "x"}), buildpack_url=pack)
    assert result.process_types == {"web": "made by compile", "console": "irb"}
    assert result.release_data["config_vars"] == {"DEBUG": "false"}


def test_repositories_and_ignored_files_are_not_in_the_slug(machine: Machine) -> None:
    app = machine.app({"Procfile": "web: x\n", ".slugignore": "*.md\n/docs\n", "a/b.md": "x"})
    app.commit({"docs/x": "x", "a/c.py": "x"}, tag="v1")
    machine.build(app)
    assert slug(machine).keys() == {"Procfile", ".slugignore", "a/c.py"}


def test_a_wrong_procfile_names_its_lines(machine: Machine) -> None:
    with pytest.raises(InvalidInput, match="line 2"):
        machine.build(machine.app({"Procfile": "web: x\nnonsense\n"}))
    assert machine.results == {"compile.log"}


def test_what_a_build_leaves_cannot_show_files_of_the_host(machine: Machine) -> None:
    secret = machine.folder / "secret"
    secret.write_text("web: s3cret\n")
    pack = machine.buildpack(f"rm Procfile; ln -s {secret} Procfile")
    with pytest.raises(VelociraptorError, match="no plain file"):
        machine.build(machine.app({"Procfile": "web: x\n"}), buildpack_url=pack)
    assert b"s3cret" not in machine.log


def test_a_mercurial_app_is_built(machine: Machine) -> None:
    repository = HgRepository(machine.folder / "hg")
    repository.commit({"Procfile": "web: x\n"}, tag="v1")
    result = machine.build(repository, app_repo_type="hg")  # type: ignore[arg-type]
    assert slug(machine).keys() >= {"Procfile"}
    assert len(result.revision) == 40


def test_an_unknown_tag_and_an_unreachable_repository_leave_nothing(machine: Machine) -> None:
    app = machine.app({"Procfile": "web: x\n"})
    with pytest.raises(UnknownRevision, match="'v9'"):
        machine.build(app, version="v9")
    with pytest.raises(UnreachableRepository):
        machine.build(app, app_repo_url="/nowhere/shop")
    assert machine.results == set()
    assert machine.workspaces == []


def test_a_build_without_an_image_runs_on_the_hosts_own_system(machine: Machine) -> None:
    pack = machine.buildpack("bash --version > $1/system")
    result = machine.build(
        machine.app({"Procfile": "web: x\n"}), buildpack_url=pack, image_url=None
    )
    assert result.image_md5 in {None, ""}
    assert "system" in slug(machine)
    assert b"Using the host's own system" in machine.log


def test_a_killed_build_is_cleaned_up_by_the_next_one(machine: Machine) -> None:
    app = machine.app({"README": "x"})
    pack = machine.buildpack("touch $1/started; sleep 1000")
    file = machine.folder / "build.yaml"
    spec = machine.spec(app, buildpack_url=pack)
    file.write_text(yaml.safe_dump({key: getattr(spec, key) for key in (
        "app_name", "app_repo_type", "app_repo_url", "version", "image_url", "image_name",
        "buildpack_url",
    )}))  # fmt: skip
    with subprocess.Popen(
        [*VBUILD, "build", "--output", machine.output, file],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "VR_ROOT": str(machine.root.path)},
        stdout=subprocess.DEVNULL,
    ) as process:
        until(
            lambda: [*machine.root.builder.glob("work/*/root/build/*/started")],
            "the compile has started",
        )
        abandoned = machine.workspaces[0]
        process.kill()
    until(
        lambda: not processes(f"vbuild-{abandoned.name}"),
        "the container has ended with its builder",
    )
    machine.build(machine.app({"Procfile": "web: x\n"}, name="other"))
    assert machine.workspaces == []


def test_a_shell_is_exactly_where_a_build_compiles(machine: Machine) -> None:
    app = machine.app({"Procfile": "web: x\n"})
    file = machine.folder / "build.yaml"
    file.write_text(
        f"app_name: shop\napp_repo_type: git\napp_repo_url: {app.url}\nversion: v1\n"
        f"image_url: {machine.image}\nimage_name: test\n"
    )
    done = subprocess.run(
        [*VBUILD, "shell", file],
        env={"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "VR_ROOT": str(machine.root.path)},
        input=b"/builder.sh /build/* /cache/buildpack_cache; cat /result/stage; id -u; exit 7\n",
        capture_output=True,
        check=False,
    )
    assert b"Procfile app detected" in done.stdout
    assert done.stdout.endswith(b"done\n65534\n")
    assert done.returncode == 7
    assert machine.workspaces == []


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("- a list\n", "must be a mapping"),
        ("app_name: a-b\nversion: 9.0\n", "put it in quotes"),
    ],
)
def test_the_command_explains_bad_files(machine: Machine, text: str, said: str) -> None:
    file = machine.folder / "build.yaml"
    file.write_text(text)
    done = subprocess.run(
        [*VBUILD, "build", file], cwd=machine.folder, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr
