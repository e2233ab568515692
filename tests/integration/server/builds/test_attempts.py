"""A build that takes its workers down is not begun for ever."""

from __future__ import annotations

import pytest

from vr.server.builds import running
from vr.server.jobs import leases
from vr.server.models import App, Build, BuildStatus

pytestmark = pytest.mark.django_db(transaction=True)


def test_a_build_whose_worker_died_twice_is_failed() -> None:
    app = App.objects.create(name="shop", repo_url="/nowhere")
    build = Build.objects.create(app=app, tag="v1", status=BuildStatus.STARTED, attempts=2)
    assert running.run(build.pk)
    build.refresh_from_db()
    assert build.status == BuildStatus.FAILED
    assert "died 2 times" in build.error


def test_every_attempt_is_counted() -> None:
    app = App.objects.create(name="shop", repo_url="/nowhere")
    build = Build.objects.create(app=app, tag="v1", status=BuildStatus.STARTED, attempts=1)
    running.run(build.pk)
    build.refresh_from_db()
    assert build.attempts == 2
    assert "died" not in build.error


def test_a_worker_that_was_asked_to_end_is_no_death() -> None:
    app = App.objects.create(name="shop", repo_url="/nowhere")
    own, others, pending = (
        Build.objects.create(app=app, tag=tag, status=status, attempts=attempts)
        for tag, status, attempts in [
            ("v1", BuildStatus.STARTED, 1),
            ("v2", BuildStatus.STARTED, 1),
            ("v3", BuildStatus.PENDING, 0),
        ]
    )
    with (
        leases.hold(Build, own.pk, [BuildStatus.STARTED]),
        leases.hold(Build, pending.pk, [BuildStatus.PENDING]),
    ):
        running.excuse_own()
    attempts = [Build.objects.get(pk=one.pk).attempts for one in (own, others, pending)]
    assert attempts == [0, 1, 0]
