"""What is not done to hosts, and why."""

from __future__ import annotations

from typing import Any

import pytest

from vr.server.hosting import running
from vr.server.models import Host, HostJob, HostJobKind, HostJobStatus

pytestmark = pytest.mark.django_db(transaction=True)


def done(host: Host, kind: HostJobKind) -> HostJob:
    job = HostJob.objects.create(host=host, name=host.name, kind=kind)
    running.run(job.pk)
    job.refresh_from_db()
    return job


@pytest.mark.parametrize("kind", [HostJobKind.PREPARE, HostJobKind.CHECK])
def test_the_servers_own_machine_is_not_reached_by_ssh(settings: Any, kind: HostJobKind) -> None:
    settings.LOCAL_HOST = "here"
    job = done(Host.objects.create(name="here"), kind)
    assert job.status == HostJobStatus.FAILED
    assert job.error.startswith("This is the server's own machine")


def test_a_server_that_others_cannot_reach_says_what_is_missing(settings: Any) -> None:
    settings.HOSTS_REDIS_URL = "unix:///run/redis.sock"
    settings.FILES_BASE_URL = ""
    job = done(Host.objects.create(name="web1", address="192.0.2.1"), HostJobKind.PREPARE)
    assert job.status == HostJobStatus.FAILED
    for named in ("VR_HOSTS_REDIS_URL", "VR_FILES_BASE_URL", "VR_HOSTS_ADDRESS"):
        assert named in job.error
    assert job.steps == []
