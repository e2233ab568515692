"""Names of procs: one type, one way to parse, every bad part named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.errors import InvalidInput
from vr.specs.names import ProcName, length_problem, part_problem, tag_problem

PARTS = st.from_regex(r"[A-Za-z0-9_+][A-Za-z0-9_.+]*", fullmatch=True)


@given(app=PARTS, version=PARTS, config=PARTS, hash_=PARTS, proc=PARTS, port=st.integers(0, 65535))
def test_a_name_survives_being_written_and_parsed(
    app: str, version: str, config: str, hash_: str, proc: str, port: int
) -> None:
    name = ProcName.checked(app, version, config, hash_, proc, port, where="test")
    assert ProcName.parse(str(name)) == name


@pytest.mark.parametrize(
    "foreign", ["redis", "a-b-c-d-e", "a-b-c-d-e-f", "a-b-c-d-e-f-1", "a-b-c-d-e-", "a-b-c-d-e-٣"]
)
def test_a_name_of_another_shape_is_a_foreign_proc(foreign: str) -> None:
    assert ProcName.parse(foreign) is None


def test_a_build_has_no_hash() -> None:
    name = ProcName.checked("shop", "v1", "build", "", "build", 0, where="test")
    assert str(name) == "shop-v1-build--build-0"
    assert ProcName.parse(str(name)) == name


def test_every_bad_part_is_named_at_once() -> None:
    with pytest.raises(InvalidInput) as caught:
        ProcName.checked("my app", "v-1", "pr/od", "", "", 1, where="proc.yaml")
    keys = [problem.split(":")[0] for problem in caught.value.problems]
    assert keys == ["app_name", "version", "config_name", "proc_name"]


@pytest.mark.parametrize("value", ["a-b", "a b", "a/b", "", ".", "..", "a\n", "ä", "a%b", "$(x)"])
def test_parts_that_would_break_a_name_or_a_path(value: str) -> None:
    assert part_problem("name", value) is not None
    assert tag_problem("version", value) is not None


def test_the_message_names_the_character_and_what_is_allowed() -> None:
    problem = part_problem("app_name", "my app")
    assert problem is not None
    assert "contains space" in problem
    assert "letters, digits, underscores" in problem


def test_a_tag_with_a_dash_is_told_what_to_use_instead() -> None:
    problem = tag_problem("version", "release-1")
    assert problem is not None
    assert "commit's hash" in problem


def test_names_that_would_hide_their_folders_are_refused() -> None:
    assert "begins with a dot" in (part_problem("app_name", ".hid") or "")
    assert tag_problem("version", ".hid")


def test_names_that_together_are_too_long_are_refused() -> None:
    assert length_problem("a" * 30, "v" * 30, "c" * 30, "p" * 30) is None
    assert "of 218 characters" in (length_problem("a" * 50, "v" * 50, "c" * 50, "p" * 50) or "")
