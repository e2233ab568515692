"""Whatever a model lets through, a host reads."""

from __future__ import annotations

from typing import Any

import yaml
from django.core.exceptions import ValidationError
from hypothesis import assume, example, given
from hypothesis import strategies as st

from vr.server.models import App, Build, Release
from vr.server.models.proc_settings import ProcSettings
from vr.server.procs.proc_yaml import proc_file
from vr.specs.limits import LIMITS
from vr.specs.names import ProcName
from vr.specs.proc import parse

SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.dates() | st.text(max_size=6)
VALUES = st.recursive(
    SCALARS, lambda of: st.lists(of, max_size=2) | st.dictionaries(st.text(max_size=3), of)
)
NAMES = st.sampled_from(["A", "B_1", "MY-VAR", "", "1A", "pilot"]) | st.integers() | st.text()
MAPPINGS = st.dictionaries(NAMES, VALUES, max_size=3).map(yaml.safe_dump) | st.text(max_size=20)
PATHS = st.lists(st.sampled_from(["a", "proc", "tmp", "..", ".", "", "b\n", "ä"]), max_size=3).map(
    lambda parts: "/" + "/".join(parts)
)
VOLUMES = st.lists(st.lists(PATHS | SCALARS, max_size=3), max_size=3).map(yaml.safe_dump)
SIZES = st.from_regex(r"[0-9]{0,4}(\.[0-9])?[ KMGTkx]?B?", fullmatch=True) | st.text(max_size=5)
KINDS: dict[str, st.SearchStrategy[Any]] = {
    "size": SIZES,
    "number": st.none() | st.floats(),
    "whole": st.none() | st.integers(),
}
SETTINGS = st.fixed_dictionaries(
    {},
    optional={
        "config_yaml": MAPPINGS,
        "env_yaml": MAPPINGS,
        "volumes_yaml": VOLUMES,
        "run_as": st.sampled_from(["nobody", "www-data", "root", "0", "", "a b", "X"]),
        **{name: KINDS[limit.kind] for name, limit in LIMITS.items()},
    },
)


def refused(release: Release) -> bool:
    """Whether the model refuses it; what belongs to the database aside."""
    try:
        release.clean_fields(exclude=["build"])
        release.clean()
    except ValidationError:
        return True
    return False


@given(SETTINGS)
@example({"env_yaml": "A: 2024-01-01", "config_yaml": "pilot: {a: 1}", "mem_limit": "1.5G"})
@example({"volumes_yaml": "- [/a, /b/]\n- [/c, /d]", "cpu_limit": 1, "pids_limit": 4})
def test_what_a_model_lets_through_is_read_by_hosts(settings: dict[str, Any]) -> None:
    build = Build(app=App(name="shop", repo_url="/srv/shop"), tag="v1", file="builds/x.tar.gz")
    release = Release(build=build, hash="abc", **settings)
    assume(not refused(release))

    name = ProcName("shop", "v1", "prod", "abc", "web", 5000)
    proc = parse(yaml.safe_load(proc_file(release, name, "testhost").proc_yaml), "proc.yaml")

    assert proc.volumes == tuple(tuple(pair) for pair in release.volumes)
    assert proc.user == release.run_as
    for limit, value in release.limits.items():
        assert getattr(proc, limit) == value


def test_every_field_takes_part() -> None:
    fields = {one.name for one in ProcSettings._meta.local_fields}
    assert fields == {"config_yaml", "env_yaml", "volumes_yaml", "run_as", *LIMITS}
