"""An app's whole way: zipped, staged by a stager, run by a DEA, its page fetched, stopped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import httpx

from support.cloud import zipped
from support.deas import Dea
from support.stagers import Stagers, properties


def staged_page(
    staging: Stagers,
    dea: Dea,
    name: str,
    framework: str,
    runtime: str,
    files: Mapping[str, str | bytes],
    start: Mapping[str, Any],
    more: Mapping[str, Any],
) -> str:
    """The text of the app's page; `start` changes the start message, `more` the properties."""
    staging.cloud.apps[name] = zipped(files)
    reply = staging.stage(name, properties=properties(framework, **more))
    assert reply.error is None, reply
    tarball = staging.cloud.droplet(name)
    sha1 = hashlib.sha1(tarball.read_bytes()).hexdigest()
    dea.run(name, sha1, tarball, runtime=runtime, **start)
    where = dea.running(name)
    assert where["uris"] == [f"{name}.example.org"]
    address = f"http://{where['host']}:{where['port']}/"
    try:
        page = httpx.get(address, timeout=30, trust_env=False)
    except httpx.HTTPError as error:
        raise AssertionError(dea.logs(where["private_instance_id"])) from error
    dea.bus.say("dea.stop", {"droplet": name})
    assert dea.bus.wait("droplet.exited", droplet=name)["reason"] == "STOPPED"
    return page.text
