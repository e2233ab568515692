"""`proc_publisher`: tells Redis of every change of a proc (docs/reference/host-messages.md).

An event listener of Supervisor:

    [eventlistener:proc_publisher]
    command=proc_publisher
    events=PROCESS_STATE,PROCESS_GROUP,TICK_5
    environment=REDIS_URL="redis://localhost:6379/0",HOSTNAME="web1"

REDIS_URL_FILE names a file with the address instead, which keeps its password out of reach.
HOSTNAME must be the host's name on the server; without it the machine's full name is taken. VR_ROOT
is where its procs are, if not in /apps.
Any TICK event is a heartbeat: TICK_5 shows a silent host sooner than the original's TICK_60.
"""

from __future__ import annotations

import logging
import os
import socket
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any, BinaryIO
from xmlrpc.client import Fault, ServerProxy

import redis

from vr.agent import oom_watch
from vr.agent.disk_watch import DiskWatch
from vr.agent.protocol import Notice, Protocol
from vr.errors import InvalidInput, run_main
from vr.events.disk import HostDisk, over_disk_of, with_over_disk
from vr.events.procs import REMOVED, REWRITE_SECONDS, ProcBoard, name_fields, proc_object
from vr.events.restarts import Restarts, after_start, packed, unpacked
from vr.files.disk_usage import free_disk
from vr.hosts.supervisor import Supervisor
from vr.paths import DEFAULT_ROOT, Root

log = logging.getLogger("proc_publisher")

_TICK = "TICK_"

Info = dict[str, Any]


class Publisher:
    """Turns Supervisor's notices into the proc board's messages."""

    def __init__(
        self, host: str, board: ProcBoard, supervisor: Any, root: Root, watch: DiskWatch
    ) -> None:
        """`supervisor` is the `supervisor` namespace of an XML-RPC proxy."""
        self._host = host
        self._board = board
        self._supervisor = supervisor
        self._root = root
        self._watch = watch
        self._restarts: dict[str, Restarts] = {}
        self._remembers = False
        self._told: list[Info] | None = None
        self._pace: float | None = None

    def refresh(self) -> None:
        """Write the heartbeat and, if anything but clocks has changed, the complete list."""
        if not self._remembers:
            self._remember(self._board.pushed(self._host))
            self._remembers = True
        infos = [self._whole(info) for info in self._supervisor.getAllProcessInfo()]
        names = {info["name"] for info in infos}
        self._restarts = {name: one for name, one in self._restarts.items() if name in names}
        told = [_lasting(self._host, info) for info in infos]
        if (disk := _disk(self._root)) is not None:
            self._board.keep_disk(self._host, disk)
        if told == self._told:
            written = self._board.beat(self._host)
            if written is not None and time.time() - written < REWRITE_SECONDS:
                return
        self._board.replace(self._host, infos)
        self._told = told

    def handle(self, notice: Notice) -> None:
        """Announce the change, if it is one, and refresh the list.

        Supervisor is asked for the state, as a notice tells only names; a proc that has gone
        meanwhile has its removal announced next.
        """
        if notice.event.startswith(_TICK):
            self._keep_pace(float(notice.event.removeprefix(_TICK)))
        if notice.event.startswith("PROCESS_STATE"):
            self._count(notice)
            if (info := self._info(notice)) is not None:
                self._board.announce(notice.event, proc_object(self._host, info))
        elif notice.event == REMOVED:
            self._watch.forget(notice.payload.get("groupname", ""))
            self._board.announce(REMOVED, removal(self._host, notice, time.time()))
        self.refresh()

    def _remember(self, pushed: Mapping[str, Mapping[str, Any]]) -> None:
        """Take over what a publisher before this one has counted, and found."""
        counted = {name: one for name, info in pushed.items() if (one := unpacked(info))}
        self._restarts = {**counted, **self._restarts}
        stopped = {name: over for name, info in pushed.items() if (over := over_disk_of(info))}
        self._watch.remember(stopped)

    def _keep_pace(self, seconds: float) -> None:
        if self._pace is None or seconds < self._pace:
            self._board.keep_pace(self._host, seconds)
            self._pace = seconds

    def _info(self, notice: Notice) -> Info | None:
        name = f"{notice.payload['groupname']}:{notice.payload['processname']}"
        try:
            return self._whole(self._supervisor.getProcessInfo(name))
        except Fault:
            return None

    def _count(self, notice: Notice) -> None:
        if notice.event != "PROCESS_STATE_STARTING":
            return
        name = notice.payload["processname"]
        self._watch.forget(name)
        before = self._restarts.get(name, Restarts())
        self._restarts[name] = after_start(
            before, notice.payload.get("from_state", ""), time.time()
        )

    def _whole(self, info: Info) -> Info:
        """With what Supervisor doesn't know."""
        name = info["name"]
        over = self._watch.over(name)
        if over is not None and info["start"] > over.at:
            # It was started while no publisher heard of that.
            self._watch.forget(name)
            over = None
        restarts = packed(self._restarts.get(name, Restarts()))
        return with_over_disk({**info, "restarts": restarts}, over)


def _lasting(host: str, info: Info) -> Info:
    """What of a process's struct doesn't change while nothing happens to it."""
    lasting = {key: value for key, value in info.items() if key not in {"now", "description"}}
    # Time alone ends a loop of restarts.
    return lasting | {"shown": proc_object(host, info)["statename"]}


def _disk(root: Root) -> HostDisk | None:
    """None if there is no such folder yet."""
    try:
        return HostDisk(*free_disk(root.path))
    except OSError:
        return None


def removal(host: str, notice: Notice, now: float) -> Info:
    """What subscribers hear of a group that was removed; `now` is unix time."""
    name = notice.payload.get("groupname", "")
    return {
        "host": host,
        "name": name,
        "id": f"{host}-{name}",
        "time": now,
        "payload_headers": dict(notice.payload),
        "payload_data": notice.data,
        **name_fields(name),
    }


def listen(publisher: Publisher, protocol: Protocol) -> None:
    """Serve notices until Supervisor closes the pipe.

    Redis or Supervisor being away costs that message only: the next one brings the whole list,
    so nothing is retried and Supervisor never waits for us.
    """
    while (notice := protocol.wait()) is not None:
        try:
            publisher.handle(notice)
        except (redis.RedisError, OSError, Fault) as error:
            log.warning("%s could not be published: %s", notice.event, error)
        protocol.acknowledge()


def redis_url(environ: Mapping[str, str]) -> tuple[str, str]:
    """The address of Redis, by REDIS_URL or by the file REDIS_URL_FILE; or what is wrong."""
    if path := environ.get("REDIS_URL_FILE"):
        try:
            return Path(path).read_text().strip(), ""
        except OSError as error:
            return "", f"REDIS_URL_FILE: {path} can't be read: {error.strerror}"
    if url := environ.get("REDIS_URL"):
        return url, ""
    return "", "REDIS_URL: is missing, expected an address such as redis://host:6379/0"


def serve(stdin: BinaryIO, stdout: BinaryIO, environ: Mapping[str, str]) -> int:
    """Run the listener with these streams; raises InvalidInput for a wrong environment."""
    from supervisor.childutils import getRPCInterface

    problems = []
    url, problem = redis_url(environ)
    if problem:
        problems.append(problem)
    if not environ.get("SUPERVISOR_SERVER_URL"):
        problems.append(
            "SUPERVISOR_SERVER_URL: is missing; proc_publisher runs as an event listener of "
            "Supervisor, which sets it"
        )
    if problems:
        raise InvalidInput("environment of proc_publisher", problems)
    host = environ.get("HOSTNAME") or socket.getfqdn()
    connection = redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5)
    proxy: ServerProxy = getRPCInterface(dict(environ))
    oom_watch.start(owner=os.getppid())
    root = Root(Path(environ.get("VR_ROOT") or DEFAULT_ROOT))
    watch = DiskWatch(root, Supervisor(host, environ["SUPERVISOR_SERVER_URL"]))
    watch.start()
    log.info("publishing as %s", host)
    publisher = Publisher(host, ProcBoard(connection), proxy.supervisor, root, watch)
    listen(publisher, Protocol(stdin, stdout))
    return 0


def main() -> int:
    """Entry point of `proc_publisher`; logs to stderr, as stdout is the protocol."""
    logging.basicConfig(
        stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s"
    )
    return run_main(lambda: serve(sys.stdin.buffer, sys.stdout.buffer, os.environ))


if __name__ == "__main__":
    sys.exit(main())
