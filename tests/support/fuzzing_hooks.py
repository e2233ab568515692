"""What Schemathesis loads, to mean objects that exist more often than chance would have it.

No host but the test's own is ever reached.
"""

from __future__ import annotations

import os
from typing import Any

import schemathesis
from hypothesis import strategies as st

from support.fuzzing import PROC, TRACE

_KNOWN = {
    "app": "shop",
    "build": 1,
    "buildpack": 1,
    "config_ingredients": ["salt1"],
    "config_name": "prod",
    "config_yaml": {"a": 1},
    "env_yaml": "A: '1'\n",
    "host": "testhost",
    "hosts": ["testhost"],
    "image": 1,
    "port": 0,
    "proc": "web",
    "proc_name": "web",
    "release": 1,
    "run_as": "nobody",
    "squad": "local",
    "stack": "bookworm",
    "tag": "v1",
    "version": "v2",
    "volumes": [["/srv", "/data"]],
}


@schemathesis.hook
def before_generate_path_parameters(context: Any, strategy: Any) -> Any:
    """Mostly the keys of what exists; procs are asked for of the test's own host alone."""
    path = context.operation.path
    key = os.environ.get(TRACE, "") if "/dispatches/" in path else 1
    known = st.fixed_dictionaries({"key": st.just(key)})
    if "{proc}" in path:
        return st.fixed_dictionaries(
            {"key": st.just(1), "proc": st.sampled_from([PROC, "redis", "nothing"])}
        )
    if path.startswith(("/api/v1/buildpacks/", "/api/v1/ingredients/")):
        # Nothing keeps these from being deleted.
        known = st.fixed_dictionaries({"key": st.integers(1, 9)})
    return st.one_of(known, known, strategy)


@schemathesis.hook
def before_generate_body(context: Any, strategy: Any) -> Any:
    """Often objects that exist, where one is asked for."""

    def known(drawn: tuple[Any, bool]) -> Any:
        body, is_known = drawn
        if not is_known or not isinstance(body, dict):
            return body
        return body | {name: _KNOWN[name] for name in body.keys() & _KNOWN.keys()}

    return st.tuples(strategy, st.booleans()).map(known)


@schemathesis.hook
def before_call(context: Any, case: Any, kwargs: dict[str, Any]) -> None:
    """Leave the test's host its name, by which it is known to be this machine."""
    if case.operation.path == "/api/v1/hosts/{key}/" and isinstance(case.body, dict):
        case.body = {name: value for name, value in case.body.items() if name != "name"}
