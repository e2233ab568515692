"""A worker that is killed while it notifies somebody."""

from __future__ import annotations

import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Any

from support.celery_worker import environment
from support.http_server import serving
from support.waiting import until
from vr.server.events.announcing import announce
from vr.server.events.kinds import Kind
from vr.server.models import Notice, NoticeStatus, Notifier
from vr.server.notices import sending, waiting

SEND = """
import sys, django
django.setup()
from vr.server.notices import sending
sending.send_waiting(int(sys.argv[1]))
"""


def test_the_notice_is_sent_by_the_next_one(
    transactional_db: None, redis: Any, woken: list[str], settings: Any, tmp_path: Path
) -> None:
    settings.NOTICE_NETWORKS = ["127.0.0.0/8"]
    got: list[str] = []
    go_on = threading.Event()

    class Slow(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            got.append(self.headers["X-Velociraptor-Delivery"])
            go_on.wait(60)
            self.send_response(204)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            pass

    with serving(Slow) as address:
        notifier = Notifier.objects.create(name="ops", url=f"http://{address}/")
        announce("it broke", kind=Kind.SWARM_FAILED)
        env = environment(settings, tmp_path) | {"VR_NOTICE_NETWORKS": "127.0.0.0/8"}
        worker = subprocess.Popen([sys.executable, "-c", SEND, str(notifier.pk)], env=env)
        until(lambda: bool(got), "the endpoint is asked", seconds=60)
        assert waiting.notifiers() == [], "somebody is at it"
        worker.kill()
        worker.wait()
        go_on.set()
        assert waiting.notifiers() == [notifier.pk], "nobody is at it any more"
        sending.send_waiting(notifier.pk)
    notice = Notice.objects.get()
    assert notice.status == NoticeStatus.SENT
    # Whoever gets it twice sees that by its id.
    assert got == [str(notice.pk)] * 2
