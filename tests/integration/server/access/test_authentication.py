"""Who may use the API: tokens, passwords and sessions, each by its own rules."""

from __future__ import annotations

import base64
from typing import Any

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

from vr.server.models import ApiToken


def basic(name: str, password: str) -> str:
    return "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()


@pytest.fixture
def strict() -> Client:
    return Client(enforce_csrf_checks=True)


def get(client: Client, authorization: str | None = None) -> int:
    headers = {"Authorization": authorization} if authorization else {}
    return client.get("/api/v1/apps/", headers=headers).status_code


def post(client: Client, **headers: str) -> Any:
    data = {"name": "shop", "repo_url": "/srv/shop"}
    return client.post("/api/v1/apps/", data, content_type="application/json", headers=headers)


def test_without_credentials_401_asks_for_them(strict: Client, db: None) -> None:
    refused = strict.get("/api/v1/apps/")
    assert refused.status_code == 401
    assert refused["WWW-Authenticate"].startswith("Basic")
    assert refused.json()["error"]


def test_basic_credentials_may_hold_colons_and_need_no_csrf_token(
    strict: Client, user: User, redis: Any
) -> None:
    assert get(strict, basic("rex", "rawr: yes")) == 200
    assert post(strict, Authorization=basic("rex", "rawr: yes")).status_code == 201
    for wrong in (basic("rex", "rawr"), basic("x", "rawr: yes"), "Basic ???", "Basic", "Digest x"):
        assert get(strict, wrong) == 401, wrong


def test_a_password_that_was_changed_is_forgotten_at_once(strict: Client, user: User) -> None:
    assert get(strict, basic("rex", "rawr: yes")) == 200
    user.set_password("new")
    user.save()
    assert get(strict, basic("rex", "rawr: yes")) == 401
    assert get(strict, basic("rex", "new")) == 200


def test_header_credentials_beat_a_session_cookie(strict: Client, user: User, redis: Any) -> None:
    strict.force_login(user)
    assert get(strict, basic("rex", "wrong")) == 401
    assert post(strict, Authorization=basic("rex", "rawr: yes")).status_code == 201


def test_a_session_needs_the_csrf_token_to_change_things(
    strict: Client, user: User, redis: Any
) -> None:
    strict.force_login(user)
    assert get(strict) == 200
    refused = post(strict)
    assert refused.status_code == 403
    assert "CSRF" in refused.json()["error"]
    strict.cookies[settings.CSRF_COOKIE_NAME] = "a" * 32
    assert post(strict, **{"X-CSRFToken": "a" * 32}).status_code == 201


def test_tokens_of_inactive_users_are_refused(strict: Client, user: User) -> None:
    token = ApiToken.issue(user, "test")
    assert get(strict, f"Bearer {token}") == 200
    assert get(strict, "Bearer nonsense") == 401
    user.is_active = False
    user.save()
    assert get(strict, f"Bearer {token}") == 401
    assert get(strict, basic("rex", "rawr: yes")) == 401


def test_the_documentation_is_for_those_logged_in(strict: Client, user: User) -> None:
    assert strict.get("/api/v1/docs/").status_code == 302
    strict.force_login(user)
    page = strict.get("/api/v1/docs/").content.decode()
    assert "/static/ninja/" in page
    assert "https://" not in page
    assert "swarms_swarm" in strict.get("/api/v1/openapi.json").content.decode()
