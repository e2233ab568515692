"""What lies where on a host that the server prepared."""

from __future__ import annotations

from pathlib import PurePosixPath

HOME = PurePosixPath("/opt/velociraptor")
RELEASES = HOME / "releases"
CURRENT = HOME / "current"
ETC = HOME / "etc"
RUN = HOME / "run"
LOGS = HOME / "log"
SUPERVISORD_CONF = ETC / "supervisord.conf"
REDIS_URL = ETC / "redis-url"
# Who signed the certificate of the server's Redis.
REDIS_AUTHORITY = ETC / "redis-authority.pem"
START = HOME / "start"
SOCKET = RUN / "supervisor.sock"
PID_FILE = RUN / "supervisord.pid"
UNIT = PurePosixPath("/etc/systemd/system/velociraptor-host.service")
# What an agent that is told nothing else takes for its folder of procs.
APPS = PurePosixPath("/apps")
