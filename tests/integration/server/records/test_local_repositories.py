"""Folders of the build host, which root clones, are repositories for admins only."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from vr.server.models import App, Buildpack


def add(client: Client, kind: str, **fields: Any) -> tuple[int, str]:
    answer = client.post(f"/api/v1/{kind}/", {"repo_type": "git", **fields}, "application/json")
    return answer.status_code, answer.content.decode()


@pytest.mark.parametrize(
    "url",
    ["/root/secrets", "file:///root/secrets", "file:///srv/%2e%2e/root", "/srv/../root", "../x"],
)
def test_a_user_can_not_have_the_hosts_own_folders_built(
    url: str, user: User, client: Client
) -> None:
    client.force_login(user)
    status, said = add(client, "apps", name="shop", repo_url=url)
    assert status == 400 and "repo_url" in said
    assert add(client, "buildpacks", repo_url=url)[0] == 400
    assert not App.objects.exists() and not Buildpack.objects.exists()


def test_the_form_refuses_them_too(user: User, client: Client) -> None:
    client.force_login(user)
    page = client.post("/app/add/", {"name": "shop", "repo_url": "/root/x", "repo_type": "git"})
    assert "VR_VOLUME_ROOTS" in page.content.decode()
    assert not App.objects.exists()


@pytest.mark.parametrize("url", ["/srv/shop", "https://example.org/x", "git@example.org:x"])
def test_others_and_those_in_the_roots_are_for_all(url: str, user: User, client: Client) -> None:
    client.force_login(user)
    assert add(client, "apps", name="shop", repo_url=url)[0] == 201


def test_no_link_leads_out_of_the_roots(
    user: User, client: Client, tmp_path: Path, settings: Any
) -> None:
    settings.VOLUME_ROOTS = (str(tmp_path / "open"),)
    (tmp_path / "open").mkdir()
    (tmp_path / "open/link").symlink_to("/root")
    client.force_login(user)
    assert add(client, "apps", name="shop", repo_url=str(tmp_path / "open/link"))[0] == 400
    assert add(client, "apps", name="shop", repo_url=str(tmp_path / "open/own"))[0] == 201


def test_what_an_admin_has_given_may_stay(user: User, client: Client) -> None:
    User.objects.update(is_superuser=True)
    client.force_login(user)
    assert add(client, "apps", name="shop", repo_url="/root/x")[0] == 201
    User.objects.update(is_superuser=False)
    change = {"name": "shop", "repo_url": "/root/x", "repo_type": "hg"}
    put = client.put("/api/v1/apps/shop/", change, "application/json")
    assert put.status_code in (200, 204), put.content
    assert App.objects.get().repo_type == "hg"
    put = client.put("/api/v1/apps/shop/", change | {"repo_url": "/root/y"}, "application/json")
    assert put.status_code == 400
    assert App.objects.get().repo_url == "/root/x"
