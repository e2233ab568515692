"""What a slug runs and what is left out of it."""

from pathlib import Path

import pytest

from vr.builder.slug import clean, parse_release, process_types
from vr.errors import InvalidInput, VelociraptorError


@pytest.mark.parametrize("text", ["", "---\n", "{}", "--- {}\n", "addons: []\n"])
def test_a_release_script_may_say_nothing(text: str) -> None:
    assert parse_release(text) == {}


def test_config_vars_stay_as_they_were_typed() -> None:
    data = parse_release("config_vars:\n  PYTHONUNBUFFERED: true\n  N: 1.50\n  GONE:\n")
    assert data == {"config_vars": {"PYTHONUNBUFFERED": "true", "N": "1.50"}}


def test_variables_that_no_host_could_set_are_all_named() -> None:
    with pytest.raises(InvalidInput) as error:
        parse_release("config_vars:\n  MY-VAR: x\n  LIST: [a]\n  FINE: x\n")
    assert len(error.value.problems) == 2
    assert "config_vars: 'MY-VAR' can't be" in error.value.problems[0]


@pytest.mark.parametrize("text", ["- a list", "a: b: c"])
def test_a_release_script_that_says_nonsense_fails_the_build(text: str) -> None:
    with pytest.raises(InvalidInput, match="bin/release"):
        parse_release(text)


def test_the_procfile_wins_over_the_buildpacks_defaults(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: mine\n")
    release = {"default_process_types": {"web": "theirs", "console": "irb"}}
    commands, warnings = process_types(tmp_path, release)
    assert commands == {"web": "mine", "console": "irb"}
    assert warnings == []


def test_an_app_without_process_types_gets_a_warning(tmp_path: Path) -> None:
    assert process_types(tmp_path, {}) == (
        {},
        ["no process types: add a Procfile, or give each swarm a command"],
    )


def test_every_wrong_line_of_a_procfile_is_named(tmp_path: Path) -> None:
    (tmp_path / "Procfile").write_text("web: ok\nnonsense\nmy-worker: x\n")
    with pytest.raises(InvalidInput) as error:
        process_types(tmp_path, {})
    assert len(error.value.problems) == 2


@pytest.mark.parametrize("name", ["Procfile", ".slugignore"])
def test_a_link_in_place_of_a_file_is_not_read(tmp_path: Path, name: str) -> None:
    secret = tmp_path / "secret"
    secret.write_text("web: s3cret\n")
    app = tmp_path / "app"
    app.mkdir()
    (app / name).symlink_to(secret)
    with pytest.raises(VelociraptorError, match="no plain file"):
        process_types(app, {}) if name == "Procfile" else clean(app)


def test_repositories_are_left_out_at_any_depth(tmp_path: Path) -> None:
    for folder in (".git/objects", "src/lib/.hg", "src/lib/code"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "module").mkdir()
    (tmp_path / "module/.git").write_text("gitdir: ../.git/modules/module\n")
    clean(tmp_path)
    left = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*"))
    assert left == ["module", "src", "src/lib", "src/lib/code"]
