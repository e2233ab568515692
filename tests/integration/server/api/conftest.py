"""The API as a program with a token uses it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.api_client import Api


@pytest.fixture
def fleet(ids_from_one: None, api: Api) -> Api:
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
