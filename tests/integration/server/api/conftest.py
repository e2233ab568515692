"""The API as a program with a token uses it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from vr.server.models import ApiToken


class Api:
    """Requests as the published client makes them: JSON content type always, no Accept."""

    def __init__(self, token: str) -> None:
        self._client = Client(headers={"Authorization": f"Bearer {token}"})

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def request(path: str, data: Any = None, **extra: Any) -> Any:
            address = path if path.startswith("/") else f"/api/v1/{path}"
            if method == "get":
                return self._client.get(address, data, content_type="application/json", **extra)
            body = "" if data is None else data
            return getattr(self._client, method)(
                address, body, content_type="application/json", **extra
            )

        return request

    def add(self, resource: str, **data: Any) -> dict[str, Any]:
        """Create an object and read it back from its Location."""
        created = self.post(f"{resource}/", data)
        assert created.status_code == 201, created.content
        return dict(self.get(created["Location"]).json())


@pytest.fixture
def api(user: User, redis: Any, woken: list[str]) -> Api:
    return Api(ApiToken.issue(user, "test"))


@pytest.fixture
def fleet(api: Api) -> Api:
    """A squad of one host, and an app `shop` with a swarm `shop-prod-web` at v1."""
    api.add("squads", name="local")
    api.add("hosts", name="testhost", squad="local")
    api.add("apps", name="shop", repo_url="/srv/shop", repo_type="git")
    api.add("swarms", app="shop", squad="local", version="v1", config_name="prod", proc_name="web")
    return api


@pytest.fixture
def files(settings: Any, tmp_path: Path) -> Path:
    settings.FILES_ROOT = tmp_path / "files"
    return tmp_path / "files"
