"""Where stagers get apps and bring droplets: only signed, and only while somebody waits."""

from __future__ import annotations

import base64
import shutil
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from vr.server.builds.farm import links
from vr.server.files.links import signed_path

DATA = b"x" * 100_000


@pytest.fixture
def attempt(settings: Any, tmp_path: Path) -> Path:
    """The folder of an attempt at a build that waits for its droplet."""
    settings.FILES_ROOT = tmp_path
    settings.FARM_URL = "http://vr.example.org/"
    folder = tmp_path / ".building/7/c0ffee"
    folder.mkdir(parents=True)
    return folder


def ask(url: str, **form: Any) -> Any:
    """Request an address as a stager does, POSTing the form if there is one."""
    parts = urlsplit(url)
    credentials = f"{parts.username}:{unquote(parts.password or '')}".encode()
    header = f"Basic {base64.b64encode(credentials).decode()}"
    client = Client(enforce_csrf_checks=True, headers={"Authorization": header})
    return client.post(parts.path, form) if form else client.get(parts.path)


def bring(url: str, name: str = "upload[droplet]") -> Any:
    return ask(url, **{name: SimpleUploadedFile("droplet.tgz", DATA)})


def address(file: str = links.DROPLET) -> str:
    return links.attempt(".building/7/c0ffee", file)


def test_the_app_is_given_while_it_is_waited_for(attempt: Path) -> None:
    (attempt / "app.zip").write_bytes(DATA)
    answer = ask(address(links.APP))
    assert answer.status_code == 200
    assert answer["Content-Length"] == str(len(DATA))
    shutil.rmtree(attempt)
    assert ask(address(links.APP)).status_code == 410


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
    (attempt / "app.zip").write_bytes(DATA)
    signature = signed_path(".building/7/c0ffee").split("/")[2]
    for url in (
        address().replace("@", "x@"),
        address().replace("attempt:", "other:"),
        f"http://attempt:{signature}@vr.example.org/files/farm/droplet.tgz",
        "http://vr.example.org/files/farm/droplet.tgz",
    ):
        assert bring(url).status_code == 403
        assert ask(url.replace("droplet.tgz", "app.zip")).status_code == 403
    assert [path.name for path in attempt.iterdir()] == ["app.zip"]


def test_a_form_without_the_file_is_refused(attempt: Path) -> None:
    assert bring(address(), name="other").status_code == 400
    assert ask(address()).status_code == 405
    assert list(attempt.iterdir()) == []


def test_without_an_address_of_its_own_the_server_says_what_to_set(
    attempt: Path, settings: Any
) -> None:
    settings.FARM_URL = ""
    with pytest.raises(Exception, match="VR_FARM_URL"):
        address()
