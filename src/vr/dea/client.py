"""`vdea start`: have a droplet run by some DEA, and learn where it is."""

from __future__ import annotations

import asyncio
import hashlib
import logging
import secrets
import tarfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec
import nats
from nats.aio.client import Client
from nats.aio.msg import Msg

from vr.bus.connection import connect
from vr.bus.documents import decode_object, mapping
from vr.errors import VelociraptorError
from vr.files.compression import Damaged, open_compressed
from vr.specs.yaml_reader import BadYaml, read_yaml

_OFFER_SECONDS = 1.0
"""DEAs answer within a quarter of a second, or not at all."""


async def start_droplet(
    droplet: Path,
    *,
    nats_uri: str,
    name: str | None = None,
    uris: list[str],
    runtime: str | None,
    memory: int,
    env: list[str],
    timeout: float,
) -> tuple[str, str]:
    """Name and address (`http://host:port/`) of the droplet's new instance, once it is ready.

    The file must be readable for the DEA, under the same path. Raises VelociraptorError if no DEA
    has room, or if the instance ends before it is ready.
    """
    digest = _sha1(droplet)
    info = staging_info(droplet)
    app = name or droplet.name.removesuffix(".tgz")
    message = {
        "droplet": name or f"{app}-{secrets.token_hex(4)}",
        "index": 0,
        "name": app,
        "uris": uris or [f"{app}.localhost"],
        "version": digest[:8],
        "sha1": digest,
        "executableFile": str(droplet.resolve()),
        "runtime": runtime if runtime is not None else str(info.get("runtime") or ""),
        "framework": str(info.get("framework") or ""),
        "limits": {"mem": memory, "disk": 1024, "fds": 1024},
        "env": env,
    }
    async with _connected(nats_uri) as client:
        answers: asyncio.Queue[tuple[str, dict[str, Any]]] = asyncio.Queue()

        async def heard(received: Msg) -> None:
            document = decode_object(received.data, received.subject)
            if message["droplet"] in (document.get("app"), document.get("droplet")):
                answers.put_nowait((received.subject, document))

        for subject in ("router.register", "droplet.exited"):
            await client.subscribe(subject, cb=heard)
        dea = await _discover(client, message)
        await client.publish(f"dea.{dea}.start", msgspec.json.encode(message))
        try:
            subject, document = await asyncio.wait_for(answers.get(), timeout)
        except TimeoutError:
            raise VelociraptorError(
                f"The droplet was not ready after {timeout:g} seconds.",
                hint=f"See the log of the DEA {dea}.",
            ) from None
    if subject == "droplet.exited":
        raise VelociraptorError(
            f"The droplet did not start: {document.get('exit_description', 'no reason given')}",
            hint=f"Its logs are kept on the DEA {dea} for a while, in the folder "
            f"instances/{document.get('instance')} of its base_dir.",
        )
    return str(message["droplet"]), f"http://{document['host']}:{document['port']}/"


async def stop_droplet(name: str, *, nats_uri: str, timeout: float) -> int:
    """Stop all instances of the droplet `name`; returns how many said that they stop."""
    async with _connected(nats_uri) as client:
        stopped: asyncio.Queue[None] = asyncio.Queue()

        async def heard(received: Msg) -> None:
            if decode_object(received.data, received.subject).get("droplet") == name:
                stopped.put_nowait(None)

        await client.subscribe("droplet.exited", cb=heard)
        await client.publish("dea.stop", msgspec.json.encode({"droplet": name}))
        try:
            await asyncio.wait_for(stopped.get(), timeout)
        except TimeoutError:
            raise VelociraptorError(
                f"No DEA runs a droplet {name!r}.", hint="`vdea start` prints the name."
            ) from None
        await asyncio.sleep(0.2)  # the others of several instances
        return 1 + stopped.qsize()


def staging_info(droplet: Path) -> dict[str, Any]:
    """What staging wrote down in the droplet; empty if it is not there.

    Raises VelociraptorError if the file is no droplet.
    """
    try:
        with open_compressed(droplet) as stream, tarfile.open(fileobj=stream, mode="r|") as archive:
            for entry in archive:
                if entry.name.removeprefix("./") == "staging_info.yml":
                    content = archive.extractfile(entry)
                    return mapping(read_yaml(content.read(1 << 16)) if content else None)
    except (tarfile.TarError, Damaged, EOFError, BadYaml) as error:
        raise VelociraptorError(f"{droplet} is no droplet: {error}.") from None
    return {}


async def _discover(client: Client, message: dict[str, Any]) -> str:
    question = {key: message[key] for key in ("droplet", "limits", "name", "runtime")}
    try:
        answer = await client.request(
            "dea.discover", msgspec.json.encode(question), timeout=_OFFER_SECONDS
        )
    except (TimeoutError, nats.errors.Error):
        raise VelociraptorError(
            f"No DEA can take the droplet: {message['limits']['mem']} MB and the runtime "
            f"{message['runtime'] or '(none)'} are needed.",
            hint="Start a vdea, or give another --memory or --runtime.",
        ) from None
    return str(decode_object(answer.data, "dea.discover")["id"])


def _sha1(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha1").hexdigest()
    except OSError as error:
        raise VelociraptorError(f"{path} can't be read: {error.strerror}.") from None


@asynccontextmanager
async def _connected(nats_uri: str) -> AsyncIterator[Client]:
    log = logging.getLogger("vcap.dea.client")
    client = await connect(nats_uri, name="vdea start", log=log, patience=1)
    try:
        yield client
    finally:
        await client.close()
