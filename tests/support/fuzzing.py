"""Schemathesis against a live server that has one of everything.

This file is also the module of hooks that Schemathesis loads: generated requests mean objects
that exist more often than chance would have it, and no host but the test's own is ever reached.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import schemathesis
from hypothesis import strategies as st

PROC = "shop-v1-prod-0a1b2c3d-web-5000"
SEED = f"""
from django.contrib.auth.models import User
from django.utils import timezone
from vr.events.procs import ProcBoard
from vr.server.events.announcing import announce, redis_connection, user_did
user = User.objects.create_user('rex')
ApiToken.issue(user, 'fuzz', 'test-token')
stack = Stack.objects.create(name='bookworm')
image = Image.objects.create(stack=stack, name='bookworm_1', file='images/x', active=True)
for number in range(9):
    Buildpack.objects.create(repo_url=f'/srv/buildpack{{number}}')
    Ingredient.objects.create(name=f'salt{{number}}', env_yaml='SALT: "1"')
app = App.objects.create(name='shop', repo_url='/srv/shop', stack=stack)
squad = Squad.objects.create(name='local')
host = Host.objects.create(name='testhost', squad=squad)
build = Build.objects.create(app=app, tag='v1', image=image, status='success', file='builds/x',
                             file_md5='0' * 32, hash='1' * 32, compile_log='builds/x.log')
Build.objects.create(app=app, tag='v2', image=image)
release = Release.objects.create(build=build, hash='0a1b2c3d', volumes=[['/srv', '/data']])
swarm = Swarm.objects.create(app=app, squad=squad, tag='v1', config_name='prod', proc_name='web',
                             release=release)
dispatch = Dispatch.objects.create(swarm=swarm, tag='v1', size=1, status='succeeded', user=user,
                                   build=build, release=release, ended=timezone.now())
dispatch.steps.create(kind='build', status='done', started=timezone.now(), ended=timezone.now())
PortLease.objects.create(host=host, port=5000, swarm=swarm, proc='{PROC}')
run = TestRun.objects.create(dispatch=dispatch, end=timezone.now())
run.testresults.create(hostname='testhost', procname='{PROC}', passed=True,
                       results=[{{'Name': '01_up', 'Passed': True}}])
user_did(user, 'swarm', 'shop')
announce('built', 'shop v1', tags=['build', 'success'], trace_id=dispatch.trace_id,
         resource_uri='/api/v1/builds/1/')
infos = [{{'name': name, 'state': 20, 'statename': 'RUNNING', 'now': 1.7e9, 'start': 1.6e9}}
         for name in ('{PROC}', 'redis')]
ProcBoard(redis_connection()).replace('testhost', infos)
print(dispatch.trace_id)
"""

# Whether a client's data is refused is not for a schema alone to say: a name may be taken, and
# what older clients send is understood beyond what is described.
CHECKS = "all"
EXCLUDED = "negative_data_rejection,positive_data_acceptance"

_TRACE = "VR_FUZZ_TRACE"
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


def run_schemathesis(
    url: str, trace: str, folder: Path, arguments: list[str]
) -> subprocess.CompletedProcess[str]:
    """Run `st` against the server at `url`; its report is the result's output."""
    command = [
        *(sys.executable, "-m", "schemathesis.cli", "run", f"{url}/api/v1/openapi.json"),
        *("--header", "Authorization: Bearer test-token", "--max-redirects", "0"),
        *("--checks", CHECKS, "--exclude-checks", EXCLUDED, "--warnings", "off", "--no-color"),
        *arguments,
    ]
    environment = {
        **os.environ,
        "SCHEMATHESIS_HOOKS": "support.fuzzing",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        _TRACE: trace,
    }
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, capture_output=True, check=False
    )


@schemathesis.hook
def before_generate_path_parameters(context: Any, strategy: Any) -> Any:
    """Mostly the keys of what exists; procs are asked for of the test's own host alone."""
    path = context.operation.path
    key = os.environ.get(_TRACE, "") if "/dispatches/" in path else 1
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
