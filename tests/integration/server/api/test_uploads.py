"""Droplets uploaded by the API: kept as builds, or refused with every reason."""

from __future__ import annotations

import json
import tarfile
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client

from support.droplets import FILES, droplet
from vr.server.files import store
from vr.server.models import ApiToken, App, Build, Event
from vr.server.models.yaml_text import parse_mapping


@pytest.fixture
def shop(user: User, redis: Any, settings: Any, tmp_path: Path) -> App:
    settings.FILES_ROOT = tmp_path / "files"
    return App.objects.create(name="shop", repo_url="/srv/shop")


@pytest.fixture
def client(user: User) -> Client:
    return Client(headers={"Authorization": f"Bearer {ApiToken.issue(user, 'test')}"})


def upload(client: Client, path: Path | None, **form: str) -> Any:
    file = {"droplet": SimpleUploadedFile("shop.tgz", path.read_bytes())} if path else {}
    return client.post("/api/v1/builds/upload/", {**form, **file})


def test_a_droplet_becomes_a_build_that_is_done(client: Client, shop: App, tmp_path: Path) -> None:
    log = {"logs/staging.log": "Staging application\n"}
    path = droplet(tmp_path / "shop.tgz", FILES | log)
    answer = upload(client, path, app="shop", tag="v7")
    assert answer.status_code == 201, answer.content
    document = answer.json()
    assert answer["Location"] == document["resource_uri"]
    assert (document["tag"], document["status"]) == ("v7", "success")
    build = Build.objects.get()
    assert build.is_usable and build.hash == build.compute_hash() == document["hash"]
    assert build.process_types == {"web": "exec ./start_droplet"}
    variables = parse_mapping(build.env_yaml)
    assert json.loads(variables["VCAP_APPLICATION"])["application_name"] == "shop"
    with tarfile.open(store.path_of(build.file)) as archive:
        assert "app/server.py" in archive.getnames()
    text = store.path_of(build.compile_log).read_text()
    assert text.startswith("Staging application\n") and "runtime python3" in text
    assert {"user", "upload"} in [set(event.tags) for event in Event.objects.all()]
    assert list((tmp_path / "files" / ".droplets").glob("[!.]*")) == []


def test_the_same_droplet_again_is_the_same_build(
    client: Client, shop: App, tmp_path: Path
) -> None:
    path = droplet(tmp_path / "shop.tgz")
    first = upload(client, path, app="shop")
    again = upload(client, path, app="shop")
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.json()["id"] == again.json()["id"]
    assert len(first.json()["tag"]) == 8, "without a tag it is called after its checksum"
    assert upload(client, path, app="shop", tag="v2").json()["file_md5"] == first.json()["file_md5"]


def test_everything_that_is_wrong_is_said_and_nothing_is_kept(
    client: Client, shop: App, tmp_path: Path
) -> None:
    path = droplet(tmp_path / "shop.tgz", {"staging_info.yml": "{"}, folders=("logs",))
    answer = upload(client, path, app="shop", tag="v1")
    assert answer.status_code == 400
    problems = answer.json()["problems"]
    assert [problem.partition(":")[0] for problem in problems] == [
        "app/", "tmp/", "startup", "staging_info.yml",
    ]  # fmt: skip
    assert not Build.objects.exists()
    assert not (tmp_path / "files" / "builds").exists()


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({}, "app: is missing"),
        ({"app": "blog"}, "there is no app 'blog'"),
        ({"app": "shop", "tag": "a-b"}, "tag: "),
        ({"app": "shop", "runtime": "$(reboot)"}, "is no runtime's name"),
    ],
)
def test_a_wrong_form_is_refused(
    client: Client, shop: App, tmp_path: Path, form: dict[str, str], said: str
) -> None:
    answer = upload(client, droplet(tmp_path / "shop.tgz"), **form)
    assert answer.status_code == 400
    assert said in answer.content.decode()


def test_a_form_without_a_file_says_what_it_needs(client: Client, shop: App) -> None:
    assert "droplet: is missing" in upload(client, None, app="shop").json()["error"]
    answer = client.post("/api/v1/builds/upload/", "{}", content_type="application/json")
    assert answer.status_code == 400
    assert len(answer.json()["problems"]) == 2
    broken = client.post("/api/v1/builds/upload/", "x", content_type="multipart/form-data")
    assert broken.status_code == 400


def test_nobody_uploads_without_logging_in(shop: App, tmp_path: Path) -> None:
    assert upload(Client(), droplet(tmp_path / "shop.tgz"), app="shop").status_code == 401
    assert not Build.objects.exists()


def test_the_page_takes_a_droplet_too(user: User, shop: App, tmp_path: Path) -> None:
    browser = Client()
    browser.force_login(user)
    good = droplet(tmp_path / "shop.tgz").read_bytes()
    form = {"app": shop.pk, "tag": "v1", "droplet": SimpleUploadedFile("shop.tgz", good)}
    answer = browser.post("/build/upload/", form)
    assert answer.status_code == 302, answer.content
    assert "shop" in browser.get(answer["Location"]).content.decode()
    refused = browser.post(
        "/build/upload/", form | {"droplet": SimpleUploadedFile("shop.tgz", b"hello")}
    )
    assert refused.status_code == 422
    assert "shop.tgz: it is no complete tarball" in refused.content.decode()
