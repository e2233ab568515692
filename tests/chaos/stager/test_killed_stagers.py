"""200 requests over three stagers, one of which is killed in the middle."""

from __future__ import annotations

import subprocess

import pytest

from support.stagers import Stagers
from support.staging_load import stage_many
from support.waiting import until

REQUESTS = 200


@pytest.mark.chaos
def test_each_request_has_one_answer_though_a_stager_is_killed(pool: Stagers) -> None:
    first, *_others = pool.start_several(3, max_active_tasks=4)
    answers = stage_many(pool, REQUESTS, at_once=24, after=(60, first.process.kill))
    errors = [each.reply.error for each in answers if each.reply.error]
    assert len(answers) == REQUESTS
    assert errors, "the killed stager had tasks"
    assert all("was lost" in error or "answered within" in error for error in errors)
    assert len(pool.cloud.uploads) >= REQUESTS - len(errors)
    assert all(each.seconds < 60 for each in answers)
    nothing_left(pool)


@pytest.mark.chaos
def test_sent_again_all_succeed(pool: Stagers) -> None:
    first, *_others = pool.start_several(3, max_active_tasks=4)
    answers = stage_many(pool, REQUESTS, at_once=24, attempts=2, after=(60, first.process.kill))
    assert [each.reply.error for each in answers] == [None] * REQUESTS
    assert len(pool.cloud.uploads) == REQUESTS
    nothing_left(pool)


def nothing_left(pool: Stagers) -> None:
    until(lambda: pool.workspaces == [], "no workspace is left", seconds=40)
    for each in pool.running:
        if each.process.poll() is None:
            each.stop()
    tree = subprocess.run(["ps", "-eo", "args"], capture_output=True, text=True, check=True).stdout
    assert str(pool.folder) not in tree
