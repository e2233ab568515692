"""Streams are read from a real web process, as only that shows what arrives when."""

from __future__ import annotations

import json
import queue
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from typing import Any

import httpx
import pytest

from support.web_server import WebServer, web_server


@pytest.fixture(scope="module")
def web(redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebServer]:
    with web_server(tmp_path_factory.mktemp("web"), redis_url) as server:
        server.python(
            "from django.contrib.auth.models import User\n"
            "user = User.objects.create_user('rex')\n"
            "ApiToken.issue(user, 'test', 'test-token')\n"
            "squad = Squad.objects.create(name='local')\n"
            "Host.objects.create(name='testhost', squad=squad)\n"
            "app = App.objects.create(name='shop', repo_url='/srv/shop')\n"
            "Swarm.objects.create(app=app, squad=squad, tag='v1', config_name='prod',"
            " proc_name='web')\n"
        )
        yield server


class Reader:
    """An open stream; `next` is its next message as a dict of fields."""

    def __init__(self, response: httpx.Response) -> None:
        self.response = response
        self.keep_alives = 0
        self._messages: queue.Queue[dict[str, str] | None] = queue.Queue()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for line in self.response.iter_lines():
                if line == "":
                    self._messages.put(fields)
                    fields = {}
                elif line.startswith(":"):
                    self.keep_alives += 1
                else:
                    name, _, value = line.partition(": ")
                    fields[name] = f"{fields[name]}\n{value}" if name in fields else value
        except httpx.StreamError:
            pass
        except httpx.TransportError:
            pass
        self._messages.put(None)

    def next(self, seconds: float = 10) -> dict[str, str] | None:
        """The next message; None at the end of the stream."""
        return self._messages.get(timeout=seconds)

    def data(self) -> Any:
        found = self.next()
        assert found is not None, "the stream has ended"
        return json.loads(found["data"])

    def rest(self) -> list[dict[str, str]]:
        """All messages up to the stream's end."""
        return list(iter(self.next, None))

    def close(self) -> None:
        self.response.close()


Open = Callable[..., Reader]


@pytest.fixture
def stream(web: WebServer) -> Iterator[Open]:
    with ExitStack() as stack:
        client = stack.enter_context(
            httpx.Client(
                base_url=web.url, timeout=20, headers={"Authorization": "Bearer test-token"}
            )
        )

        def open_stream(path: str, **headers: str) -> Reader:
            response = stack.enter_context(
                client.stream("GET", f"/api/streams/{path}", headers=headers)
            )
            assert response.status_code == 200, response.read()
            return Reader(response)

        yield open_stream
