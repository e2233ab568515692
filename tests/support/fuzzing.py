"""Schemathesis against a live server that has one of everything."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

PROC = "shop-v1-prod-0a1b2c3d-web-5000"
SEED = f"""
from django.contrib.auth.models import User
from django.utils import timezone
from vr.events.procs import ProcBoard
from vr.server.events.announcing import announce, redis_connection, user_did
from vr.server.events.kinds import Kind
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
HostJob.objects.create(host=host, name=host.name, kind='check', status='succeeded',
                       steps=[['2026-11-27T12:00:00+00:00', 'looked']])
build = Build.objects.create(app=app, tag='v1', image=image, status='success', file='builds/x',
                             file_md5='0' * 32, hash='1' * 32, compile_log='builds/x.log')
Build.objects.create(app=app, tag='v2', image=image)
release = Release.objects.create(build=build, hash='0a1b2c3d', volumes_yaml='- [/srv, /data]')
swarm = Swarm.objects.create(app=app, squad=squad, tag='v1', config_name='prod', proc_name='web',
                             release=release)
dispatch = Dispatch.objects.create(swarm=swarm, tag='v1', size=1, status='succeeded', user=user,
                                   build=build, release=release, ended=timezone.now())
dispatch.steps.create(kind='build', status='done', started=timezone.now(), ended=timezone.now())
PortLease.objects.create(host=host, port=5000, swarm=swarm, proc='{PROC}')
run = TestRun.objects.create(dispatch=dispatch, end=timezone.now())
run.testresults.create(hostname='testhost', procname='{PROC}', passed=True,
                       results=[{{'Name': '01_up', 'Passed': True}}])
notifier = Notifier.objects.create(name='ops', url='https://example.org/x', app=app, squad=squad)
notifier.notices.create(title='shop failed', data={{'id': 1}}, tries=1, error='It is away.')
user_did(user, Kind.USER_SWARMED, 'shop')
announce('built', 'shop v1', kind=Kind.BUILD_DONE, trace_id=dispatch.trace_id,
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

TRACE = "VR_FUZZ_TRACE"
"""The variable that names the dispatch which there is."""


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
        "SCHEMATHESIS_HOOKS": "support.fuzzing_hooks",
        "PYTHONPATH": str(Path(__file__).parents[1]),
        TRACE: trace,
    }
    return subprocess.run(
        command, cwd=folder, env=environment, text=True, capture_output=True, check=False
    )
