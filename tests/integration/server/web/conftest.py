"""A browser's view without a browser: a logged-in client, and something to look at."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import User
from django.test import Client

from support import demo


@pytest.fixture
def web(client: Client, user: User, redis: Any) -> Client:
    """A client that has logged in."""
    client.force_login(user)
    return client


@pytest.fixture
def installation(ids_from_one: None, web: Client) -> Client:
    """The client, of an installation with apps, swarms, builds and procs."""
    demo.fill()
    return web
