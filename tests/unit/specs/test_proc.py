"""proc.yaml: every key, every problem at once."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from vr.errors import InvalidInput
from vr.specs.proc import ProcYaml, dump, load, parse

LEAST: dict[str, Any] = {
    "app_name": "shop",
    "version": "v3",
    "config_name": "prod",
    "release_hash": "1a2b3c4d",
    "proc_name": "web",
}


def proc(**keys: Any) -> ProcYaml:
    return parse({**LEAST, **keys}, "proc.yaml")


def problems(**keys: Any) -> list[str]:
    with pytest.raises(InvalidInput) as caught:
        proc(**keys)
    return caught.value.problems


def test_the_name_has_six_parts() -> None:
    assert str(proc(port=5003).name) == "shop-v3-prod-1a2b3c4d-web-5003"
    assert str(proc(proc_name=None, cmd="true").name) == "shop-v3-prod-1a2b3c4d-cmd-0"


def test_null_counts_as_missing_and_defaults_hold() -> None:
    found = proc(port=None, env=None, settings=None, volumes=None, stop_timeout=None)
    assert (found.port, found.env, found.settings, found.volumes) == (None, {}, {}, ())
    assert found.stop_timeout == 10


def test_the_old_key_of_the_proc_name() -> None:
    assert proc(proc_name=None, proc="worker").proc_name == "worker"


def test_env_values_are_text_in_yamls_spelling() -> None:
    text = "{a: true, b: 1.5, c: 7, d: null, e: 2024-01-31, f: 'yes', g: ''}"
    assert proc(env=yaml.safe_load(text)).env == {
        "a": "true",
        "b": "1.5",
        "c": "7",
        "d": None,
        "e": "2024-01-31",
        "f": "yes",
        "g": "",
    }


def test_numbers_in_quotes_and_sizes_as_numbers_are_understood() -> None:
    found = proc(port="5000", cpu_limit="1.5", mem_limit=268435456)
    assert (found.port, found.cpu_limit, found.mem_limit) == (5000, 1.5, "268435456")


def test_unknown_keys_are_kept_and_ignored() -> None:
    found = proc(app_repo_url="https://x", host=None)
    assert found.extra == {"app_repo_url": "https://x"}
    assert "app_repo_url: https://x" in dump(found)


def test_what_is_dumped_is_read_back() -> None:
    found = proc(
        version="1.10",
        env={"A": "line\nbreak", "B": None},
        settings={"quote": "@It's", 1: [2]},
        volumes=[["/srv/a", "/data"]],
        cpu_limit=1.5,
        read_only=True,
    )
    assert parse(yaml.safe_load(dump(found)), "x") == found


def test_secrets_do_not_show_in_a_representation() -> None:
    assert "hunter2" not in repr(proc(env={"PASSWORD": "hunter2"}, settings={"p": "hunter2"}))


@pytest.mark.parametrize(
    ("keys", "expected"),
    [
        ({"version": 1.1}, "version: must be a string"),
        ({"app_name": "my-app"}, "app_name: 'my-app' contains '-'"),
        ({"app_name": None}, "app_name: is missing"),
        ({"config_name": "a/b"}, "config_name: 'a/b' contains '/'"),
        ({"version": "a/b"}, "version: 'a/b' can't be part of a file name"),
        ({"release_hash": "a/b"}, "release_hash: 'a/b' contains '/'"),
        ({"proc_name": "a/b"}, "proc_name: 'a/b' contains '/'"),
        ({"proc_name": None}, "proc_name: is missing; either it or cmd"),
        ({"port": 70000}, "port: 70000 is out of range"),
        ({"port": "http"}, "port: 'http' is no number"),
        ({"env": {"1A": "x"}}, "env: '1A' can't be the name"),
        ({"env": {"A B": "x"}}, "env: 'A B' can't be the name"),
        ({"env": {"A": [1]}}, "env: A is a list"),
        ({"env": "A=1"}, "env: "),
        ({"mem_limit": "lots"}, "mem_limit: 'lots' is no size"),
        ({"mem_limit": "1K"}, "mem_limit: 1K is too little"),
        ({"disk_limit": "1M"}, "disk_limit: 1M is too little"),
        ({"mem_limit": "1G", "memsw_limit": "512M"}, "memsw_limit: 512M is RAM and swap"),
        ({"volumes": [["a", "/x"]]}, "volumes: pair 1: the host folder 'a'"),
        ({"volumes": [["/a", "/x/../y"]]}, "contains '..'"),
        ({"volumes": [["/a", "/proc"]]}, "is the kernel's"),
        ({"volumes": [["/a"]]}, "volumes: "),
        ({"volumes": [["/a\n/b", "/data"]]}, "pair 1: the host folder '/a\\n/b' holds control"),
        ({"volumes": [["/a", "/tmp/x"]]}, "pair 1: the mount point '/tmp/x' lies in /tmp"),
        ({"volumes": [["/a", "/x"], ["/b", "/x/"]]}, "pair 2: the mount point '/x/' is that of"),
        ({"image_url": "x"}, "image_name: is missing"),
        ({"image_name": "x"}, "image_url: is missing"),
        ({"build_url": "x"}, "user: is missing"),
        ({"build_md5": "abc"}, "build_md5: 'abc' is no MD5"),
        ({"image_sha256": "a" * 32}, "is no SHA256; 64 hexadecimal digits are expected"),
        ({"network": "bridge"}, "network: 'bridge' is not known; host or private"),
        ({"pids_limit": True}, "pids_limit: 'true' is no number"),
        ({"cpu_limit": 0}, "cpu_limit: 0 is out of range"),
    ],
)
def test_each_problem_names_its_key_and_what_is_expected(
    keys: dict[str, Any], expected: str
) -> None:
    found = problems(**keys)
    assert len(found) == 1
    assert expected in found[0]


def test_all_problems_are_told_at_once() -> None:
    found = problems(version=1, port="x", env={"a b": 1}, mem_limit="?", volumes=[["x", "y"]])
    keys = {problem.split(":")[0] for problem in found}
    assert keys == {"version", "port", "env", "mem_limit", "volumes"}


def test_a_file_that_is_no_mapping_is_an_error_with_its_path(tmp_path: Path) -> None:
    path = tmp_path / "proc.yaml"
    path.write_text("- a\n- b\n")
    with pytest.raises(InvalidInput, match=r"proc\.yaml.*mapping"):
        load(path)


@pytest.mark.parametrize(
    ("key", "good", "bad", "expected"),
    [
        ("port", (0, 65535), (-1, 65536), "a port from 0 to 65535"),
        ("stop_timeout", (0, 3600), (-1, 3601), "seconds from 0 to 3600"),
        ("uptest_timeout", (0.5, 3600), (0, 3601), "seconds up to 3600"),
        (
            "host_uid",
            (10_000, 0x7000_0000 - 1),
            (9_999, 0x7000_0000),
            "a user id from 10000 to 1879048191",
        ),
    ],
)
def test_numbers_have_bounds(
    key: str, good: tuple[float, ...], bad: tuple[float, ...], expected: str
) -> None:
    for value in good:
        assert getattr(proc(**{key: value}), key) == value
    for value in bad:
        told = f"{key}: {value:g} is out of range; {expected} is expected"
        assert problems(**{key: value}) == [told]


def test_what_is_not_said_has_defaults() -> None:
    found = parse({key: LEAST[key] for key in LEAST if key != "release_hash"}, "x")
    assert (found.stop_timeout, found.uptest_timeout) == (10, 60)
    assert (found.release_hash, found.read_only, found.network) == ("", False, "host")
    assert str(found.name) == "shop-v3-prod--web-0"
    assert repr(found) == "<ProcYaml shop-v3-prod--web-0>"
    assert dump(found) == ("app_name: shop\nversion: v3\nconfig_name: prod\nproc_name: web\n")


def test_an_id_of_the_host_is_for_nobody_only() -> None:
    assert proc(host_uid=10_000, user="nobody").host_uid == 10_000
    assert problems(host_uid=10_000, user="ada") == [
        "host_uid: is for the user nobody; 'ada' has a user id of its own"
    ]


@pytest.mark.parametrize(
    ("key", "digits"),
    [("build_md5", 32), ("image_md5", 32), ("build_sha256", 64), ("image_sha256", 64)],
)
def test_checksums_have_their_digits(key: str, digits: int) -> None:
    good = "aF0" + "9" * (digits - 3)
    assert getattr(proc(**{key: good}), key) == good
    assert getattr(proc(**{key: ""}), key) == ""
    kind = key.split("_")[1].upper()
    for bad in (good[1:], f"{good}0", f"g{good[1:]}"):
        told = f"{key}: {bad!r} is no {kind}; {digits} hexadecimal digits are expected"
        assert problems(**{key: bad}) == [told]


def test_what_belongs_together_is_told_in_words() -> None:
    needs_both = "is missing; an image needs both image_url and image_name"
    assert problems(image_url="x") == [f"image_name: {needs_both}"]
    assert problems(image_name="x") == [f"image_url: {needs_both}"]
    assert problems(proc_name=None) == ["proc_name: is missing; either it or cmd is needed"]
    assert problems(build_url="x") == [
        "user: is missing; the account that owns the build's files is needed"
    ]
    assert problems(network="x") == ["network: 'x' is not known; host or private is expected"]
    assert proc(build_url="x", user="ada").user == "ada"
    assert proc(network="private", image_url="x", image_name="y").network == "private"


def test_numbers_are_numbers_in_any_spelling_but_no_switches() -> None:
    found = proc(port="5000", stop_timeout="2.5", pids_limit="20", nofile="32", host_uid="10001")
    assert (found.port, found.stop_timeout, found.pids_limit) == (5000, 2.5, 20)
    assert (found.nofile, found.host_uid) == (32, 10001)
    assert problems(port=True) == ["port: 'true' is no number"]
    assert problems(uptest_timeout="soon") == ["uptest_timeout: 'soon' is no number"]
    for key in ("mem_limit", "memsw_limit", "disk_limit", "tmp_size"):
        assert getattr(proc(**{key: 16 << 20}), key) == "16777216"
        assert len(problems(**{key: True})) == 1
