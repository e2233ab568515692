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
    assert "'a-b'" in problems(env={"a-b": "x"})[0]


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
