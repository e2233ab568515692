"""build.yaml: every problem at once, in words that help."""

from pathlib import Path
from typing import Any

import pytest

from vr.errors import InvalidInput
from vr.specs.build import BuildResult, dump_result, load_spec, parse_result, parse_spec

GOOD: dict[str, Any] = {
    "app_name": "shop",
    "app_repo_url": "https://host/shop.git",
    "app_repo_type": "git",
    "version": "v1",
}


def problems(**changes: Any) -> list[str]:
    mapping = {key: value for key, value in {**GOOD, **changes}.items() if value is not None}
    with pytest.raises(InvalidInput) as error:
        parse_spec(mapping, "build.yaml")
    return error.value.problems


def test_a_file_of_the_original_tool_is_understood() -> None:
    spec = parse_spec({**GOOD, "buildpack_urls": ["https://host/bp.git"], "unknown": 1}, "x")
    assert spec.buildpack_urls == ("https://host/bp.git",)


@pytest.mark.parametrize(("value", "shown"), [(9.0, "9.0"), (3, "3")])
def test_a_version_that_yaml_takes_for_a_number_is_explained(value: object, shown: str) -> None:
    assert problems(version=value) == [
        f"version: must be a string, but YAML reads {shown} as a number; put it in quotes"
    ]


@pytest.mark.parametrize("name", ["my-shop", "my shop", "my/shop", ""])
def test_app_names_that_cannot_be_part_of_a_procs_name_are_refused(name: str) -> None:
    assert problems(app_name=name)[0].startswith("app_name:")


def test_a_version_with_a_dash_is_refused() -> None:
    assert "separates the parts" in problems(version="v1-beta")[0]


def test_all_problems_come_at_once() -> None:
    found = problems(app_name="a b", app_repo_type="svn", version=None, image_url="x")
    assert [problem.split(":")[0] for problem in found] == [
        "app_repo_type",
        "version",
        "app_name",
        "image_name",
    ]


def test_an_option_in_place_of_a_url_is_refused() -> None:
    assert "no repository's URL" in problems(app_repo_url="--upload-pack=evil")[0]


def test_variables_may_be_written_as_numbers_or_truth() -> None:
    spec = parse_spec({**GOOD, "env": {"A": 1.5, "B": True, "C": None}}, "x")
    assert spec.env == {"A": "1.5", "B": "true"}


def test_build_variables_must_be_identifiers() -> None:
    [problem] = problems(env={"a-b": "x"})
    assert problem.startswith("env: 'a-b' can't be the name of a variable; ")


@pytest.mark.parametrize("text", ["just text", "- a\n- b\n", "", "a: [", "a: b: c"])
def test_what_is_no_mapping_is_refused(tmp_path: Path, text: str) -> None:
    file = tmp_path / "build.yaml"
    file.write_text(text)
    with pytest.raises(InvalidInput, match=r"build\.yaml"):
        load_spec(file)


def test_a_result_can_be_read_back_and_built_again() -> None:
    result = BuildResult(
        **GOOD,
        buildpack_url="bundled:python#abc",
        buildpack_version="abc",
        build_md5="0" * 32,
        release_data={"config_vars": {"A": "true"}},
        process_types={"web": "run: it # now"},
    )
    text = dump_result(result)
    assert parse_result(text, "build_result.yaml") == result
    assert "buildpack_urls" not in text


def test_what_is_not_said_has_defaults() -> None:
    spec = parse_spec(GOOD, "x")
    assert (spec.revision, spec.heroku_stack, spec.env) == ("", "heroku-24", {})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        (
            {"app_repo_url": " "},
            "app_repo_url: is empty, but a repository's URL or path is expected",
        ),
        (
            {"version": "v1/x"},
            "version: 'v1/x' can't be part of a file name; use a tag, branch or commit of "
            "letters, digits, dots and underscores, not beginning with a dot",
        ),
        ({"app_repo_url": "a\nb"}, "app_repo_url: 'a\\nb' is no repository's URL or path"),
        ({"app_repo_url": "-x"}, "app_repo_url: '-x' is no repository's URL or path"),
        ({"image_url": "x"}, "image_name: is missing, but image_url is given"),
        ({"image_name": "a/b"}, "image_name: 'a/b' can't be the name of a folder"),
        ({"image_name": "."}, "image_name: '.' can't be the name of a folder"),
        ({"image_name": ".."}, "image_name: '..' can't be the name of a folder"),
    ],
)
def test_each_problem_is_told_in_words(changes: dict[str, str], told: str) -> None:
    assert problems(**changes) == [told]


def test_an_image_may_have_a_url_and_a_name() -> None:
    spec = parse_spec({**GOOD, "image_url": "/x", "image_name": "a.b"}, "x")
    assert (spec.image_url, spec.image_name) == ("/x", "a.b")


def test_a_result_is_written_in_order_without_what_is_empty() -> None:
    command = "run " + "--long-option " * 20
    result = BuildResult(
        **GOOD, buildpack_version="é", build_md5="0" * 32, process_types={"web": command.strip()}
    )
    assert dump_result(result).splitlines() == [
        "app_name: shop",
        "app_repo_url: https://host/shop.git",
        "app_repo_type: git",
        "version: v1",
        "revision: ''",
        "heroku_stack: heroku-24",
        "buildpack_version: é",
        f"build_md5: '{'0' * 32}'",
        "process_types:",
        f"  web: {command.strip()}",
    ]
