"""A stager as a component of Cloud Foundry."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import httpx
import nats

from support.stagers import Stagers


def test_a_stager_is_a_component_with_pages(pool: Stagers, app: str) -> None:
    pool.start(index=2, status={"user": "me", "password": "known"}, local_route="127.0.0.1")
    assert pool.stage(app).error is None

    async def discover() -> dict[str, Any]:
        client = await nats.connect(pool.nats.uri)
        try:
            inbox = client.new_inbox()
            answers = await client.subscribe(inbox)
            await client.publish("vcap.component.discover", b"", reply=inbox)
            while True:
                document = json.loads((await answers.next_msg(10)).data)
                if document["credentials"] == ["me", "known"]:
                    return dict(document)
        finally:
            await client.close()

    told = asyncio.run(discover())
    assert (told["type"], told["index"], told["uuid"][:2]) == ("Stager", 2, "2-")
    with httpx.Client(auth=("me", "known"), trust_env=False) as client:
        assert client.get(f"http://{told['host']}/healthz").text == "ok\n"
        varz = client.get(f"http://{told['host']}/varz").json()
    assert (varz["staged"], varz["failed"], varz["max_active_tasks"]) == (1, 0, 4)
