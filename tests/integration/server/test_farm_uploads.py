"""Where stagers bring droplets: only signed, only while somebody waits, whole or not at all."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Any

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from vr.server import filestore
from vr.server.farm import links

DATA = b"x" * 100_000


@pytest.fixture
def attempt(settings: Any, tmp_path: Path) -> Path:
    """The folder of an attempt at a build that waits for its droplet."""
    settings.FILES_ROOT = tmp_path
    settings.FARM_URL = "http://vr.example.org/"
    folder = tmp_path / ".building/7/c0ffee"
    folder.mkdir(parents=True)
    return folder


def bring(url: str, name: str = "upload[droplet]") -> Any:
    client = Client(enforce_csrf_checks=True)
    file = SimpleUploadedFile("droplet.tgz", DATA)
    return client.post(url.removeprefix("http://vr.example.org"), {name: file})


def address() -> str:
    return links.upload(".building/7/c0ffee")


def test_a_droplet_lands_where_it_is_waited_for(attempt: Path) -> None:
    assert bring(address()).status_code == 200
    assert [path.name for path in attempt.iterdir()] == ["droplet.tgz"]
    assert (attempt / "droplet.tgz").read_bytes() == DATA


def test_what_comes_after_the_attempt_has_ended_is_refused(attempt: Path) -> None:
    url = address()
    shutil.rmtree(attempt)
    answer = bring(url)
    assert answer.status_code == 410
    assert "Nobody waits" in answer.json()["error"]
    assert not attempt.exists()


def test_an_address_expires(attempt: Path, settings: Any) -> None:
    url = address()
    settings.FARM_SECONDS = -1000
    assert bring(url).status_code == 410


def test_forged_addresses_and_those_of_downloads_are_refused(attempt: Path) -> None:
    url = address()
    assert bring(url.replace("/droplet.tgz", "x/droplet.tgz")).status_code == 403
    signature = filestore.signed_path(".building/7/c0ffee").split("/")[2]
    assert bring(f"/files/droplet/{signature}/droplet.tgz").status_code == 403
    assert list(attempt.iterdir()) == []


def test_a_form_without_the_file_is_refused(attempt: Path) -> None:
    assert bring(address(), name="other").status_code == 400
    assert Client().get(address().removeprefix("http://vr.example.org")).status_code == 405
    assert list(attempt.iterdir()) == []


def test_without_an_address_of_its_own_the_server_says_what_to_set(
    attempt: Path, settings: Any
) -> None:
    settings.FARM_URL = ""
    with pytest.raises(Exception, match="VR_FARM_URL"):
        address()
