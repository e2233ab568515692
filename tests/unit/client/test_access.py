"""Where `vr` finds its server, and what it says when there is none."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from vr.client.access import Access
from vr.errors import VelociraptorError


@pytest.fixture
def home(tmp_path: Path) -> dict[str, str]:
    written = {"url": "http://127.0.0.1:8000", "token": "secret"}
    (tmp_path / "cli.json").write_text(json.dumps(written))
    return {"VR_HOME": str(tmp_path)}


def test_the_environment_comes_first(home: dict[str, str]) -> None:
    found = Access.find({**home, "VR_URL": "https://deploy/", "VR_TOKEN": "t"})
    assert found == Access("https://deploy", "t")


def test_else_the_file_that_vr_up_wrote(home: dict[str, str]) -> None:
    found = Access.find(home)
    assert found == Access("http://127.0.0.1:8000", "secret")
    assert "secret" not in repr(found)


def test_the_files_token_is_sent_to_no_other_server(home: dict[str, str]) -> None:
    with pytest.raises(VelociraptorError, match="VR_TOKEN is not set"):
        Access.find({**home, "VR_URL": "https://elsewhere"})
    assert Access.find({**home, "VR_URL": "http://127.0.0.1:8000/"}).token == "secret"


def test_without_either_it_says_how_to_start_one(tmp_path: Path) -> None:
    with pytest.raises(VelociraptorError) as caught:
        Access.find({"VR_HOME": str(tmp_path)})
    assert "vr up" in caught.value.hint


@pytest.mark.parametrize("text", ["", "{", "[]", "7"])
def test_a_broken_file_is_named(tmp_path: Path, text: str) -> None:
    (tmp_path / "cli.json").write_text(text)
    with pytest.raises(VelociraptorError, match=r"cli\.json"):
        Access.find({"VR_HOME": str(tmp_path)})


def test_an_address_without_scheme_is_refused() -> None:
    with pytest.raises(VelociraptorError, match="http://"):
        Access.find({"VR_URL": "deploy.example.com", "VR_TOKEN": "t"})
