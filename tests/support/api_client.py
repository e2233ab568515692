"""The API as a program with a token uses it, without a server in between."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from django.test import Client


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
