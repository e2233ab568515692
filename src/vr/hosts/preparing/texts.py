"""The files of a host's agents, as text. Pure."""

from __future__ import annotations

from vr.hosts.preparing import layout

_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


def supervisord_conf(name: str, *, apps: str = str(layout.APPS)) -> str:
    """The Supervisor of a host: at a socket for root alone, with the publisher and the procs."""
    return f"""\
; Written by the server when it prepared this host; changes are lost.
[supervisord]
logfile={layout.LOGS}/supervisord.log
logfile_maxbytes=10MB
logfile_backups=1
pidfile={layout.PID_FILE}
childlogdir={layout.LOGS}
identifier=velociraptor
; three descriptors a proc: room for thousands
minfds=16384
umask=022

[unix_http_server]
file={layout.SOCKET}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[rpcinterface:vr]
supervisor.rpcinterface_factory=vr.agent.rpc:make_vr_rpcinterface
apps_root={apps}

[supervisorctl]
serverurl=unix://{layout.SOCKET}

[eventlistener:proc_publisher]
command=setpriv --pdeathsig TERM {layout.CURRENT}/bin/proc_publisher
events=PROCESS_STATE,PROCESS_GROUP,TICK_5
buffer_size=1000
autorestart=true
startretries=1000000
stderr_logfile={layout.LOGS}/proc_publisher.log
stderr_logfile_maxbytes=1MB
stderr_logfile_backups=1
environment=REDIS_URL_FILE="{layout.REDIS_URL}",HOSTNAME="{name}",VR_ROOT="{apps}"

[include]
files={apps}/procs/*/proc.conf
"""


def start_script() -> str:
    """Starts the host's Supervisor in the background, unless it runs."""
    return f"""\
#!/bin/sh
# Written by the server when it prepared this host; changes are lost.
export PATH={_PATH} LANG=C.UTF-8
cd /
mkdir -p -m 700 {layout.RUN} {layout.LOGS}
exec {layout.CURRENT}/bin/python -m supervisor.supervisord -c {layout.SUPERVISORD_CONF} "$@"
"""


def unit() -> str:
    """The systemd unit. Without ExecReload: Supervisor restarts every program at a HUP."""
    return f"""\
# Written by Velociraptor's server when it prepared this host; changes are lost.
[Unit]
Description=Velociraptor: the procs of this host
Wants=network-online.target
After=network-online.target

[Service]
ExecStart={layout.START} -n
Restart=on-failure
LimitNOFILE=65536
TasksMax=infinity
Delegate=yes
OOMScoreAdjust=-900
KillMode=mixed
TimeoutStopSec=120

[Install]
WantedBy=multi-user.target
"""


def command_script(python: str, module: str, function: str) -> str:
    """A command such as `vrun`, run by this Python."""
    return f"""\
#!{python} -I
import sys
from {module} import {function}
sys.exit({function}())
"""
