"""Every door that takes others' text: it understands, or refuses with a sentence; never else.

FUZZ_EXAMPLES is how many examples each of them gets.
"""

from __future__ import annotations

import io
import json
import os
import shutil
import socket
import tarfile
import tempfile
import zipfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fuzz.conftest import Bounded
from vr.builder import droplet_info, slugignore
from vr.bus.pages import Page, Place, WebSettings, pages_served
from vr.errors import VelociraptorError
from vr.files.archives import Limits
from vr.files.unpack import unpack
from vr.files.unzip import unzip
from vr.pilot.httpwire import BadResponse, ResponseParser
from vr.server.uptests import results
from vr.specs import build, config, env, proc, procfile
from vr.specs.documents import parse_mapping
from vr.text.terminal import harmless, plain

FUZZED = settings(
    max_examples=int(os.environ.get("FUZZ_EXAMPLES", "150")),
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
_KEYS = [*proc.ProcYaml.__struct_fields__, *build.BuildSpec.__struct_fields__]
_YAML_PARTS = st.sampled_from(
    [
        *("\n", "  ", "- ", ": ", "&a ", "*a", "<<: ", "!!int ", "!!bool ", "!!timestamp ", "? "),
        *("[", "]", "{", "}", "|", ">", '"', "'", "#", "---\n", "...\n", "\t", "yes", "~", ".inf"),
        *("1_0", "0x", "12:30:45", "!!set ", "!!binary ", "!!python/name:os", "\x00", "\ufeff"),
        *(f"{key}: " for key in _KEYS),
    ]
)
YAML = st.one_of(
    st.binary(max_size=400),
    st.lists(_YAML_PARTS | st.text(max_size=8), max_size=60).map("".join),
    st.dictionaries(
        st.sampled_from(_KEYS) | st.text(max_size=5),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
            lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner),
            max_leaves=10,
        ),
        max_size=12,
    ).map(json.dumps),
)
LIMITS = Limits()


@FUZZED
@given(YAML)
@example("a: " + "[" * 100_000)
@example("a: &a [x, x]\n" + "".join(f"b{n}: &b{n} [*a, *a]\n" for n in range(40)))
def test_yaml_of_config_env_proc_and_build(bounded: Bounded, text: str | bytes) -> None:
    with bounded(), suppress(VelociraptorError):
        mapping = parse_mapping(text, "a.yaml")
        assert all(isinstance(said, str) for said in config.config_problems(mapping))
        if not env.env_problems(mapping):
            env.spell(mapping)
        for read in (proc.parse, build.parse_spec):
            with suppress(VelociraptorError):
                read(mapping, "a.yaml")


@FUZZED
@given(YAML.filter(lambda text: isinstance(text, str)))
def test_a_droplets_information(bounded: Bounded, text: str) -> None:
    with bounded(), suppress(VelociraptorError):
        droplet_info.parse_info(text)


@FUZZED
@given(st.text() | st.lists(st.sampled_from(["web", ":", " ", "\n", "-", "#", "\r"])).map("".join))
@example("web" + " " * 400_000)
@example("\n".join("bad" for _ in range(50_000)))
def test_a_procfile(bounded: Bounded, text: str) -> None:
    with bounded():
        read = procfile.parse(text)
    assert all(name and command for name, command in read.commands.items())
    assert len("".join(read.problems)) < 10_000


@FUZZED
@given(
    st.lists(st.sampled_from([*"*?[]!-/a\n.\\", "**", "[a-"]) | st.characters()).map("".join),
    st.lists(st.sampled_from("ab/.x")).map("".join),
)
@example("*a" * 20_000, "a" * 1000 + "b")
@example("[!" * 10_000, "a" * 100)
def test_a_slugignore(bounded: Bounded, text: str, path: str) -> None:
    with bounded(), suppress(VelociraptorError):
        globs = slugignore.parse(text)
        globs.matches(globs.advance(globs.start, path), True)


NAMES = st.lists(
    st.sampled_from(["a", "b", "/", "..", ".", "\\", "é", "\n", "x" * 99]), min_size=1, max_size=6
).map("".join)
ENTRIES = st.lists(
    st.tuples(
        NAMES,
        st.sampled_from([bytes([kind]) for kind in b"0123456"]),
        NAMES,
        st.binary(max_size=40),
        st.integers(0, 0o7777),
    ),
    max_size=5,
)
DAMAGE = st.lists(st.tuples(st.integers(0, 1 << 14), st.integers(0, 255)), max_size=6)


def _damaged(content: bytes, damage: list[tuple[int, int]]) -> bytes:
    changed = bytearray(content)
    for place, value in damage:
        if place < len(changed):
            changed[place] = value
    return bytes(changed)


def _tar(entries: list[Any]) -> bytes:
    made = io.BytesIO()
    with tarfile.open(fileobj=made, mode="w") as archive:
        for name, kind, link, content, mode in entries:
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname, entry.mode = kind, link, mode
            entry.size = len(content) if kind == tarfile.REGTYPE else 0
            archive.addfile(entry, io.BytesIO(content))
    return made.getvalue()


def _zip(entries: list[Any]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, kind, link, content, mode in entries:
            entry = zipfile.ZipInfo(name)
            is_link = kind == tarfile.SYMTYPE
            entry.external_attr = ((0o120000 if is_link else 0o100000) | mode) << 16
            archive.writestr(entry, link.encode() if is_link else content)
    return made.getvalue()


def _only_inside(content: bytes, read: Any) -> None:
    folder = Path(tempfile.mkdtemp(prefix="vr-fuzz-"))
    try:
        (folder / "archive").write_bytes(content)
        with suppress(VelociraptorError):
            read(folder / "archive", folder / "new", limits=LIMITS)
        left = {path.name for path in folder.iterdir()}
        assert left <= {"archive", "new"}, "all inside its folder, nothing beside it"
    finally:
        shutil.rmtree(folder)


def _chain(kind: bytes) -> bytes:
    """Headers that announce a header that announces a header, and so on."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, 4
    return (entry.tobuf(tarfile.GNU_FORMAT) + b"name".ljust(512, b"\0")) * 5000


def _lying(kind: bytes, size: int, content: bytes) -> bytes:
    """A header that says another size than its content has."""
    entry = tarfile.TarInfo("x")
    entry.type, entry.size = kind, size
    return entry.tobuf(tarfile.GNU_FORMAT) + content.ljust(2048, b"\0")


LIARS = st.builds(
    _lying,
    st.sampled_from([*tarfile.SUPPORTED_TYPES, tarfile.XHDTYPE, tarfile.XGLTYPE, b"?"]),
    st.integers(-2048, 2048) | st.integers(-(2**60), 2**60),
    st.binary(max_size=2000),
)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@FUZZED
@given(ENTRIES.map(_tar) | LIARS | st.binary(max_size=2000), DAMAGE)
@example(_lying(tarfile.REGTYPE, -1, b""), [])
@example(_chain(tarfile.GNUTYPE_LONGNAME), [])
@example(_chain(tarfile.GNUTYPE_LONGLINK), [])
@example(_chain(tarfile.XHDTYPE), [])
def test_a_tarball(bounded: Bounded, content: bytes, damage: list[tuple[int, int]]) -> None:
    with bounded():
        _only_inside(_damaged(content, damage), unpack)


@pytest.mark.filterwarnings("ignore:Duplicate name")
@FUZZED
@given(ENTRIES.map(_zip) | st.binary(max_size=2000), DAMAGE)
def test_a_zip_file(bounded: Bounded, content: bytes, damage: list[tuple[int, int]]) -> None:
    with bounded():
        _only_inside(_damaged(content, damage), unzip)


ANSWER = st.lists(
    st.sampled_from(
        [
            *(b"HTTP/1.1 200 OK", b"HTTP/1.0 204", b"HTTP/1.1 100 C", b"\r\n", b"\r\n\r\n", b": "),
            *(b"Content-Length: ", b"Transfer-Encoding: chunked", b"5", b"ffffffff", b";x", b"-1"),
            *(b"0\r\n\r\n", b"Connection: close", b"\x00", b"\xff", b"9" * 20),
        ]
    )
    | st.binary(max_size=10),
    max_size=30,
)


@FUZZED
@given(ANSWER)
@example([b"HTTP/1.1 100 Continue\r\n\r\n" * 5000])
@example([b"x" * 100_000])
def test_an_answer_to_the_pilot(bounded: Bounded, pieces: list[bytes]) -> None:
    with bounded(), suppress(BadResponse):
        parser = ResponseParser()
        for piece in pieces:
            if parser.feed(piece):
                return
        parser.end()


_RESULT_KEYS = ["Name", "Passed", "Output", "Duration", "x"]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from(_RESULT_KEYS), inner),
    max_leaves=12,
)


@FUZZED
@given(st.text() | JSON.map(json.dumps) | st.lists(JSON).map(json.dumps))
@example("[" * 100_000)
@example('[{"Passed": true, "Duration": NaN}]')
@example('[{"Passed": true, "Duration": 1e999}]')
@example('[{"Passed": true, "Output": "\\ud800 \\u0000"}]')
@example('[{"Passed": true, "Duration": ' + "9" * 5000 + "}]")
def test_what_uptests_print(bounded: Bounded, stdout: str) -> None:
    with bounded():
        read = results.parse(0, stdout)
        results.describe_failures(read)
    # What a database keeps as JSON, Postgres included.
    json.dumps(read, allow_nan=False, ensure_ascii=False).encode()
    assert not any("\0" in text for one in read for text in (one["Name"], one["Output"]))


@FUZZED
@given(
    st.binary()
    | st.lists(
        st.sampled_from(
            [
                b"\x1b",
                b"[",
                b"]",
                b"0;1",
                b"m",
                b"\x9b",
                b"\r",
                b"\n",
                b"\x07",
                "\u202e".encode(),
                b"\xc2\x9b",
            ]
        )
    ).map(b"".join)
)
@example(b"\x1b[" + b"0" * 200_000)
@example(b"\x1b" * 200_000)
@example(b"\x1b]" * 100_000)
@example(b"\x1b[\x00" * 60_000)
def test_bytes_of_a_log(bounded: Bounded, content: bytes) -> None:
    with bounded():
        text = content.decode(errors="replace")
        shown, read = harmless(text), plain(text)
    assert not set(read) & set("\x00\x07\x1b\x9b\u202e\r")
    assert not set(shown) & set("\x00\x07\x9b\u202e")
    assert harmless(shown) == shown


@pytest.fixture(scope="module")
def place() -> Iterator[Place]:
    with pages_served(lambda path: Page(path.encode()), "127.0.0.1", WebSettings()) as one:
        yield one


REQUEST = st.lists(
    st.sampled_from(
        [
            *(b"GET / HTTP/1.1", b"GET /%ff%00 HTTP/1.0", b"POST ", b"\r\n", b"\r\n\r\n", b"\n"),
            *(b"Authorization: Basic ", b"Host: ", b"\x00", b"\xff", b"x" * 70_000, b": ", b"=="),
        ]
    )
    | st.binary(max_size=10),
    max_size=20,
)


@FUZZED
@given(REQUEST)
@example([b"GET / HTTP/1.1\r\n", b"a: b\r\n" * 5000, b"\r\n"])
def test_a_request_to_a_services_pages(
    bounded: Bounded, place: Place, capfd: pytest.CaptureFixture[str], pieces: list[bytes]
) -> None:
    with (
        bounded(),
        socket.create_connection((place.host, place.port), timeout=60) as connection,
        suppress(OSError),  # of a server that has heard enough
    ):
        connection.sendall(b"".join(pieces))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(1 << 16):
            pass
    assert httpx.get(f"http://{place.host}:{place.port}/a", auth=place.credentials).text == "/a"
    said = [line for line in capfd.readouterr().err.splitlines() if "Error" in line]
    assert all("ConnectionResetError" in line or "BrokenPipeError" in line for line in said), said
