"""image.yaml."""

from pathlib import Path

import pytest

from vr.errors import InvalidInput
from vr.imager.stack_cache import bundled_file
from vr.specs.image import load_spec, parse_spec

GOOD = {
    "base_image_url": "base.tar.gz",
    "base_image_name": "base",
    "new_image_name": "new_20260101",
    "script_url": "provision.sh",
}


def test_missing_keys_are_all_named() -> None:
    with pytest.raises(InvalidInput) as error:
        parse_spec({"env": {"A": "b"}}, "image.yaml")
    assert len(error.value.problems) == 4


@pytest.mark.parametrize("name", ["a/b", "..", "-x", "a b", ".hidden", "_", "_-", "_.", "_+"])
def test_names_that_are_no_file_names_are_refused(name: str) -> None:
    with pytest.raises(InvalidInput, match="new_image_name"):
        parse_spec({**GOOD, "new_image_name": name}, "image.yaml")


def test_files_are_also_looked_for_beside_the_yaml(tmp_path: Path) -> None:
    (tmp_path / "provision.sh").touch()
    file = tmp_path / "image.yaml"
    file.write_text("".join(f"{key}: {value}\n" for key, value in GOOD.items()))
    spec = load_spec(file)
    assert spec.script_url == str(tmp_path / "provision.sh")
    assert spec.base_image_url == "base.tar.gz"


def test_the_bundled_stack_is_valid() -> None:
    assert Path(load_spec(bundled_file()).script_url).is_file()


def test_a_name_may_have_letters_digits_and_some_signs() -> None:
    spec = parse_spec({**GOOD, "new_image_name": "A_b-c.d+9", "env": {"N": 1}}, "x")
    assert (spec.new_image_name, spec.env, spec.base_image_md5) == ("A_b-c.d+9", {"N": "1"}, None)
    assert parse_spec({**GOOD, "new_image_name": "X"}, "x").env == {}


def test_a_wrong_name_is_told_in_words() -> None:
    for key in ("base_image_name", "new_image_name"):
        with pytest.raises(InvalidInput) as caught:
            parse_spec({**GOOD, key: "é"}, "x")
        assert caught.value.problems == [
            f"{key}: 'é' can't be the name of a file; use letters, digits, '_', '-', '.' and '+'"
        ]


def test_a_file_of_the_callers_folder_comes_first(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here").mkdir()
    monkeypatch.chdir(tmp_path / "here")
    for folder in (tmp_path, tmp_path / "here"):
        (folder / "provision.sh").touch()
    (tmp_path / "base.tar.gz").mkdir()  # no file
    file = tmp_path / "image.yaml"
    file.write_text("".join(f"{key}: {value}\n" for key, value in GOOD.items()))
    spec = load_spec(file)
    assert (spec.script_url, spec.base_image_url) == ("provision.sh", "base.tar.gz")
