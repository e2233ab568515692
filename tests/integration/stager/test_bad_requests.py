"""Whatever is wrong with a request: one reply in the documented form, and the stager lives."""

from __future__ import annotations

import io
import json
import os
import stat
import subprocess
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from support.cloud import Cloud, cloud, zipped
from support.nats_server import NatsServer
from support.ports import free_port
from support.stagers import SINATRA_APP, SINATRA_RULES, Stagers, buildpack, properties, stagers
from vr.stager.client import StagingReply

SECONDS = 4  # for each step
LONG_SLEEP = f"sleep {10_000_000 + os.getpid()}"  # of this run alone


@pytest.fixture(scope="module")
def staging(bus: NatsServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stagers]:
    """One stager for all bad requests: it has to survive them."""
    folder = tmp_path_factory.mktemp("bad")
    with cloud(folder / "cloud") as controller, stagers(bus, controller, folder / "s") as pool:
        pool.start(
            max_staging_duration=SECONDS, max_app_size=1, staging_memory=256, max_active_tasks=9
        )
        yield pool


def give(controller: Cloud, content: bytes, name: str = "bad") -> None:
    controller.apps[name] = content


@pytest.mark.parametrize(
    ("payload", "complaint"),
    [
        (b"", "is not valid JSON"),
        (b"{", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        (b"[" * 5000, "is not valid JSON"),
        (b"[1]", "must be a JSON object"),
        (b"null", "must be a JSON object"),
    ],
)
def test_what_is_no_request_is_answered(staging: Stagers, payload: bytes, complaint: str) -> None:
    answer = staging.raw(payload)
    assert set(answer) == {"task_id", "task_log", "error"}
    assert len(answer["task_id"]) == 32
    assert answer["error"].startswith("Staging task failed:\n staging request: ")
    assert complaint in answer["error"]


@pytest.mark.parametrize(
    ("changes", "complaints"),
    [
        ({"app_id": None}, ["app_id: is missing"]),
        ({"app_id": []}, ["app_id: must be a name"]),
        ({"download_uri": None}, ["download_uri: is missing"]),
        ({"upload_uri": None}, ["upload_uri: is missing"]),
        ({"upload_uri": 7}, ["upload_uri: must be a string"]),
        ({"download_uri": "ftp://x/y"}, ["download_uri: must be an address that begins with"]),
        ({"download_uri": "file:///etc/shadow"}, ["download_uri: must be an address"]),
        ({"download_uri": "http://[x"}, ["download_uri: is no address"]),
        ({"download_uri": "http://h:99999/"}, ["download_uri: is no address"]),
        ({"properties": None}, ["properties: is missing"]),
        ({"properties": "x"}, ["properties: must be an object"]),
        ({"properties": {}}, ["properties.framework_info: is missing"]),
        ({"properties": {"framework_info": {}}}, ["properties.framework_info.name: is missing"]),
        ({"properties": properties("../../etc/x")}, ["is no framework's name"]),
        ({"properties": properties("sinatra; reboot")}, ["is no framework's name"]),
        ({"properties": properties("node", detection=[{"*": "("}])}, ["'(' is no pattern"]),
        ({"properties": properties("node", detection="*.js")}, ["detection: "]),
        ({"properties": properties("node", resources={"memory": 0})}, ["memory: must be at least"]),
        ({"properties": properties("node", resources={"memory": "x"})}, ["resources.memory: "]),
        ({"properties": properties("node", services={})}, ["properties.services: "]),
        ({"task_id": "x"}, ["task_id: must be 32 hexadecimal digits"]),
        ({"app_id": None, "upload_uri": None}, ["app_id: is missing", "upload_uri: is missing"]),
    ],
)
def test_fields_are_checked_all_at_once(
    staging: Stagers, changes: dict[str, Any], complaints: list[str]
) -> None:
    answer = staging.raw(json.dumps(staging.request("bad", **changes)).encode())
    for complaint in complaints:
        assert complaint in answer["error"]
    assert answer["task_log"] == ""


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("status/404", "the server answered 404"),
        ("status/500", "the server answered 500"),
        ("private/bad", "the server answered 401"),
        ("redirect/bad", "redirects are not followed"),
        ("cut/x", "closed"),
        ("rubbish/x", "rubbish"),
        ("claims/99000000", "larger than 1 MB"),
        ("endless/x", "larger than 1 MB"),
    ],
)
def test_downloads_that_fail(staging: Stagers, path: str, complaint: str) -> None:
    reply = staging.stage("bad", download_uri=staging.cloud.url(path, login="u:secret@"))
    assert reply.error
    assert reply.error.startswith("Staging task failed:\n Failed downloading app: ")
    assert complaint in reply.error or f"timed out after {SECONDS} seconds" in reply.error
    assert "secret" not in reply.error + reply.task_log + staging.running[0].output
    assert reply.task_log.endswith("Downloading application\n") or "timed out" in reply.task_log


def test_a_server_that_is_not_there(staging: Stagers) -> None:
    reply = staging.stage("bad", download_uri=f"http://127.0.0.1:{free_port()}/")
    assert reply.error and "Failed downloading app: " in reply.error and "refused" in reply.error


def entry(name: str, content: bytes, mode: int = 0o100644) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        info = zipfile.ZipInfo(name)
        info.create_system = 3
        info.external_attr = mode << 16
        archive.writestr(info, content, zipfile.ZIP_DEFLATED)
        archive.writestr("app.rb", "require 'sinatra'")
    return buffer.getvalue()


def damaged() -> bytes:
    content = bytearray(zipped({"app.rb": "x" * 50_000, "b": bytes(range(256)) * 100}))
    content[60:70] = b"\xff" * 10
    return bytes(content)


def through_link() -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        link = zipfile.ZipInfo("d")
        link.create_system = 3
        link.external_attr = (stat.S_IFLNK | 0o777) << 16
        archive.writestr(link, "sub")
        archive.writestr("d/x", "y")
    return buffer.getvalue()


def encrypted() -> bytes:
    content = bytearray(zipped({"app.rb": "secret"}))
    content[6] |= 1  # the flag, in the entry and in the directory
    content[content.index(b"PK\x01\x02") + 8] |= 1
    return bytes(content)


@pytest.mark.parametrize(
    ("make", "complaint"),
    [
        (lambda: b"", "zip file"),
        (lambda: b"no zip", "zip file"),
        (damaged, "zip file"),
        (lambda: zipped(SINATRA_APP)[:-30], "zip file"),
        (encrypted, "zip file"),
        (lambda: entry("../evil", b"x"), "contains '..'"),
        (lambda: entry("/etc/evil", b"x"), "is absolute"),
        (through_link, "through the symbolic link"),
        (lambda: entry("bomb", b"\0" * (9 << 20)), "unpacks to more than"),
    ],
    ids=[
        *("empty", "text", "damaged", "cut", "encrypted"),
        *("climbing", "absolute", "through a link", "bomb"),
    ],
)
def test_archives_that_are_none(
    staging: Stagers, make: Callable[[], bytes], complaint: str
) -> None:
    give(staging.cloud, make())
    reply = staging.stage("bad")
    assert reply.error
    assert reply.error.startswith("Staging task failed:\n Failed unpacking app: ")
    assert complaint in reply.error


@pytest.mark.parametrize(
    ("framework", "files", "detection", "complaint"),
    [
        ("cobol", {"a": "b"}, [], "No plugin for the framework 'cobol'"),
        ("sinatra", {"a.rb": "puts 1"}, SINATRA_RULES, "is no sinatra app: no *.rb contains"),
        ("sinatra", {**SINATRA_APP, "config/environment.rb": ""}, SINATRA_RULES, "there is config"),
        ("rack", {"a.rb": ""}, [{"config.ru": True}], "there is no config.ru"),
        ("sinatra", {"a.rb": "puts 1"}, [], "Unable to determine Sinatra startup command"),
        ("node", {"a.txt": ""}, [], "Unable to determine Node startup command"),
        ("node", {"package.json": "{"}, [], "package.json is not valid JSON"),
        ("wsgi", {"a.py": ""}, [], "Unable to determine WSGI startup command"),
        ("django", {"a.py": ""}, [], "Unable to determine Django startup command"),
        ("java_web", {"index.html": ""}, [], "web.xml not found"),
        ("standalone", {"a": ""}, [], "Unable to determine the startup command"),
        ("buildpack", {"a": ""}, [], "No buildpack applies"),
    ],
)
def test_apps_that_do_not_fit_their_framework(
    staging: Stagers,
    framework: str,
    files: dict[str, str],
    detection: list[dict[str, Any]],
    complaint: str,
) -> None:
    give(staging.cloud, zipped(files))
    reply = staging.stage("bad", properties=properties(framework, detection=detection))
    assert reply.error
    assert reply.error.startswith("Staging task failed:\n Staging plugin failed: ")
    assert complaint in reply.error


@pytest.mark.parametrize(
    ("path", "complaint"),
    [("status/500", "500"), ("status/400", "400"), ("redirect/x", "redirects are not followed")],
)
def test_uploads_that_fail(staging: Stagers, path: str, complaint: str) -> None:
    give(staging.cloud, zipped(SINATRA_APP))
    reply = staging.stage("bad", upload_uri=staging.cloud.url(path))
    assert reply.error
    assert reply.error.startswith("Staging task failed:\n Failed uploading droplet: ")
    assert complaint in reply.error


@dataclass(frozen=True)
class Misbehaving:
    """A request whose failure takes its time."""

    complaint: str
    compile: str = ""
    download: str = ""
    upload: str = ""
    rules: tuple[dict[str, Any], ...] = ()


STAGING_TIMES_OUT = f"Staging timed out after {SECONDS} seconds."
MISBEHAVING = {
    "drips": Misbehaving("Failed downloading app: ", download="dripping/x"),
    "says nothing": Misbehaving("Failed downloading app: ", download="silent/x"),
    "takes and says nothing": Misbehaving("Failed uploading droplet: ", "true", upload="silent/x"),
    "hangs": Misbehaving(STAGING_TIMES_OUT, f"setsid {LONG_SLEEP} & trap '' TERM; {LONG_SLEEP}"),
    "floods": Misbehaving(STAGING_TIMES_OUT, "yes 'a flood of output'"),
    "fails": Misbehaving("bin/compile ended with status 3", "echo the reason; exit 3"),
    "takes memory": Misbehaving(
        "killed for want of memory; the limit is 256M",
        "python3 -c 'x = bytearray(400 << 20)'; exit 9",
    ),
    "kills": Misbehaving("ended with status", "kill -9 $PPID; kill -9 $$"),
    "never ends to match": Misbehaving(STAGING_TIMES_OUT, rules=({"*.rb": "^(a+)+$"},)),
}


@pytest.fixture(scope="module")
def misbehaving(
    staging: Stagers, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, StagingReply]:
    """The replies to all of them, asked for at once: most take as long as they may."""
    give(staging.cloud, zipped({"a.rb": "a" * 40 + "!"}), "slow")
    folder = tmp_path_factory.mktemp("packs")
    requests = []
    for number, case in enumerate(MISBEHAVING.values()):
        pack = buildpack(folder, case.compile, f"pack{number}")
        framework = "buildpack" if case.compile else "rack"
        values = properties(framework, detection=list(case.rules), buildpack=pack)
        paths = {"download_uri": case.download, "upload_uri": case.upload}
        changes = {key: staging.cloud.url(path) for key, path in paths.items() if path}
        requests.append(staging.request("slow", properties=values, **changes))
    return dict(zip(MISBEHAVING, staging.ask(*requests), strict=True))


@pytest.mark.parametrize("name", MISBEHAVING)
def test_what_takes_too_long_or_too_much(
    staging: Stagers, misbehaving: dict[str, StagingReply], name: str
) -> None:
    reply = misbehaving[name]
    assert reply.error and MISBEHAVING[name].complaint in reply.error
    assert len(reply.task_log) < 1 << 20
    assert subprocess.run(["pgrep", "-fx", LONG_SLEEP], check=False).returncode == 1
    assert staging.workspaces == []


def test_a_buildpack_on_the_host_is_refused_unless_allowed(pool: Stagers, tmp_path: Path) -> None:
    pool.start(plugins={})
    give(pool.cloud, zipped({"a": "b"}))
    pack = buildpack(tmp_path, "true")
    reply = pool.stage("bad", properties=properties("buildpack", buildpack=pack))
    assert reply.error and "is none of https, http" in reply.error


def test_after_all_that_the_stager_still_stages(staging: Stagers) -> None:
    give(staging.cloud, zipped(SINATRA_APP), "good")
    reply = staging.stage("good")
    assert reply.error is None
    assert "This is a bug" not in staging.running[0].output
    assert "Traceback" not in staging.running[0].output
