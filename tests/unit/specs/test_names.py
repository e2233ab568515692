"""Names of procs: one type, one way to parse, every bad part named."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vr.errors import InvalidInput
from vr.specs.names import ProcName, account_problem, length_problem, part_problem, tag_problem

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


def test_refused_parts_are_told_in_words() -> None:
    allowed = "only letters, digits, underscores, dots and plus signs are allowed"
    assert part_problem("x", "") == ("x: is empty, but letters, digits or underscores are expected")
    assert part_problem("x", "a b/c") == f"x: 'a b/c' contains space '/'; {allowed}"
    assert part_problem("x", ".a") == (
        "x: '.a' begins with a dot, which hides its folders and logs"
    )
    assert part_problem("x", "a.b+C_9") is None


def test_refused_versions_are_told_in_words() -> None:
    assert tag_problem("x", "v-1") == (
        "x: 'v-1' contains '-', which separates the parts of a proc's name; "
        "use a tag without dashes, or the commit's hash"
    )
    rest = (
        "can't be part of a file name; use a tag, branch or commit of letters, digits, dots and "
        "underscores, not beginning with a dot"
    )
    for bad in ("", "a/b", ".a"):
        assert tag_problem("x", bad) == f"x: {bad!r} {rest}"
    assert tag_problem("x", "1.0+b") is None


def test_accounts_are_those_of_linux_but_not_root() -> None:
    for good in ("ada", "_x", "www-data", "a1_"):
        assert account_problem("user", good) is None
    assert account_problem("user", "root") == ("user: an app can't run as root; name another user")
    for bad in ("", "Ada", "1a", "-a", "a b", "a:b"):
        assert account_problem("user", bad) == (
            f"user: {bad!r} can't be the name of a user account; "
            "lower-case letters, digits, '_' and '-' are allowed, beginning with a letter"
        )


def test_a_procs_name_may_have_180_characters() -> None:
    # Four parts, a hash of 8, a port of 5 and 5 dashes.
    assert length_problem("a" * 159, "v", "c", "p") is None
    assert length_problem("a" * 160, "v", "c", "p") == (
        "app, version, config and proc name make a proc's name of 181 characters, "
        "but containers may have 180; shorten one of them"
    )


def test_the_short_name_is_for_people() -> None:
    name = ProcName("shop", "v1", "prod", "1a2b", "web", 5000)
    assert (name.short, str(name)) == ("shop-v1-web", "shop-v1-prod-1a2b-web-5000")


def test_a_wrong_hash_is_named_too() -> None:
    with pytest.raises(InvalidInput) as caught:
        ProcName.checked("a", "v", "c", "x/y", "p", 1, where="proc.yaml")
    assert [problem.split(":")[0] for problem in caught.value.problems] == ["release_hash"]
