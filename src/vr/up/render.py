"""The configuration files of the stack's parts, as pure functions of the Config."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from vr.settings.readers import ports_text
from vr.up.config import Config

BALANCER = "local"


@dataclass(frozen=True)
class Program:
    """One program of supervisord."""

    name: str
    command: str
    # Lower starts first and stops last.
    priority: int
    # What it is told besides what supervisord was, by a file of its own (see part.py).
    environment: Mapping[str, str]
    stop_seconds: int = 10
    stop_signal: str = "TERM"
    umask: str = "077"
    section: str = "program"
    extra: str = "redirect_stderr=true\n"

    def render(self, config: Config, bin_folder: Path) -> str:
        """The section of supervisord.conf.

        Should supervisord be killed, its parts end too, so that the next one can start them.
        The folder that a part works in tells whose its processes are (see leftovers.py).
        """
        logs = config.logs
        start = f"{bin_folder}/python -m vr.up.part {config.environment_of(self.name)}"
        # An event listener's stdout is its protocol.
        output = "stderr" if self.section == "eventlistener" else "stdout"
        return f"""\
[{self.section}:{self.name}]
command=setpriv --pdeathsig TERM {start} {self.command}
directory={config.folder_of(self.name)}
priority={self.priority}
autostart=true
autorestart=true
startsecs=1
startretries=20
stopsignal={self.stop_signal}
stopwaitsecs={self.stop_seconds}
stopasgroup=false
killasgroup=true
umask={self.umask}
{output}_logfile={logs}/{self.name}.log
{output}_logfile_maxbytes=10MB
{output}_logfile_backups=1
{self.extra}"""


def server_environment(config: Config) -> dict[str, str]:
    """What the server's processes and its management commands are told.

    Our own secrets go by the name of their file, never by value: the environment of a process
    can be read by other tools.
    """
    return {
        **config.given,
        "DJANGO_SETTINGS_MODULE": "vr.server.settings",
        "VR_HOME": str(config.home),
        "VR_ROOT": str(config.root),
        **_redis_environment(config),
        "VR_SECRET_KEY_FILE": str(config.secret_key_file),
        "VR_SECRET_KEY_FALLBACKS_FILE": str(config.former_keys_file),
        "VR_SUPERVISOR_URL": f"unix://{config.supervisor_socket}",
        "VR_LOCAL_HOST": config.host_name,
        "VR_PORT_RANGE": ports_text(config.ports),
        "VR_BALANCERS_FILE": str(config.balancers_file),
        "VR_DEFAULT_BALANCER": BALANCER,
        "VR_HTTP_PORT": str(config.http_port),
        "VR_BUILDER": config.builder,
        "VR_FARM_URL": config.stagers_url,
        **({"VR_NATS_URI_FILE": str(config.nats_uri_file)} if config.has_own_farm else {}),
        "LANG": "C.UTF-8",
    }


def _redis_environment(config: Config) -> dict[str, str]:
    if not config.has_hosts:
        return {"VR_REDIS_URL": f"unix://{config.redis_socket}"}
    return {
        "VR_REDIS_URL_FILE": str(config.redis_url_file),
        "VR_HOSTS_REDIS_URL_FILE": str(config.hosts_redis_url_file),
        "VR_FILES_BASE_URL": config.files_base_url or config.files_url,
    }


def programs(config: Config, bin_folder: Path) -> list[Program]:
    """The parts of the stack, in the order of their starts. `bin_folder` holds the commands of
    this installation."""
    env = server_environment(config)
    celery = f"{bin_folder}/celery -A vr.server.celery_app"
    return [
        Program("redis", f"redis-server {config.redis_conf}", 10, {}),
        *([_nats(config)] if config.has_own_farm else []),
        publisher(config, bin_folder),
        Program(
            "web",
            f"{bin_folder}/python -m vr.up.web {config.bind} {config.web_port} "
            f"{config.web_handover} {config.web_ready}",
            20,
            env,
        ),
        _worker("worker", "celery", config.worker_threads, celery, env),
        _worker("builder", "builds", config.build_threads, celery, env),
        Program(
            "beat",
            f"{celery} beat --loglevel WARNING --schedule {config.run}/beat-schedule --pidfile=",
            20,
            env,
        ),
        Program(
            "nginx",
            f"{bin_folder}/python -m vr.up.nginx_master {config.nginx_conf} " + _nginx(config),
            20,
            {},
            stop_signal="QUIT",
        ),
        *([_stager(config, bin_folder)] if config.has_own_farm else []),
    ]


def _worker(name: str, queue: str, threads: int, celery: str, env: Mapping[str, str]) -> Program:
    """A worker for one of the queues: nothing in it waits behind the other's work."""
    return Program(
        name,
        f"{celery} worker --queues {queue} --pool threads --concurrency {threads} "
        f"--loglevel INFO --without-gossip --without-mingle --hostname {name}@local",
        20,
        env,
        stop_seconds=20,
        # Builds and layers are for the app's user to read; the folders above keep others out.
        umask="022",
    )


def _nats(config: Config) -> Program:
    """The stack's own NATS server (see farm.py)."""
    return Program("nats", f"nats-server -c {config.nats_conf}", 10, {}, stop_signal="INT")


def _stager(config: Config, bin_folder: Path) -> Program:
    """The stack's own stager (see farm.py)."""
    places = {"VR_ROOT": str(config.root), "VR_HOME": str(config.home), "LANG": "C.UTF-8"}
    command = f"{bin_folder}/vstager -c {config.stager_yml}"
    return Program("stager", command, 30, {**config.given, **places})


def publisher(config: Config, bin_folder: Path) -> Program:
    """The event listener that tells Redis of every change of a proc's state."""
    return Program(
        "proc_publisher",
        f"{bin_folder}/proc_publisher",
        15,
        {
            **(
                {"REDIS_URL_FILE": str(config.redis_url_file)}
                if config.has_hosts
                else {"REDIS_URL": f"unix://{config.redis_socket}"}
            ),
            "HOSTNAME": config.host_name,
            "VR_ROOT": str(config.root),
        },
        section="eventlistener",
        extra="events=PROCESS_STATE,PROCESS_GROUP,TICK_5\nbuffer_size=1000\n",
    )


def supervisord_conf(config: Config, programs: Iterable[Program], bin_folder: Path) -> str:
    """The one supervisord that runs the parts and, by its include, every deployed proc."""
    parts = "\n".join(program.render(config, bin_folder) for program in programs)
    return f"""\
; Written by `vr up`; changes are lost.
[supervisord]
logfile={config.logs}/supervisord.log
logfile_maxbytes=10MB
logfile_backups=1
pidfile={config.supervisord_pid_file}
childlogdir={config.logs}
identifier=velociraptor
; three descriptors a proc: room for thousands
minfds=16384
umask=022

[unix_http_server]
file={config.supervisor_socket}
chmod=0700

[rpcinterface:supervisor]
supervisor.rpcinterface_factory=supervisor.rpcinterface:make_main_rpcinterface

[rpcinterface:vr]
supervisor.rpcinterface_factory=vr.agent.rpc:make_vr_rpcinterface
apps_root={config.root}

[supervisorctl]
serverurl=unix://{config.supervisor_socket}

{parts}
[include]
files={config.root}/procs/*/proc.conf
"""


def _nginx(config: Config) -> str:
    """nginx by its configuration here; what it says goes where Supervisor rotates it."""
    return f"nginx -c {config.nginx_conf} -e stderr"


def listens_at(config: Config) -> str:
    """Where the balancer listens, as nginx writes it."""
    address = f"[{config.bind}]" if ":" in config.bind else config.bind
    return f"{address}:{config.http_port}"


def nginx_conf(config: Config) -> str:
    """nginx as the balancer: the pool files, and a clear answer for hosts without a pool."""
    temp = config.run / "nginx"
    return f"""\
# Written by `vr up`; changes are lost.
daemon off;
user www-data;
worker_processes auto;
# Bounds how long an old worker may serve what it had when any pool changed.
worker_shutdown_timeout {max(1, round(config.drain_seconds))}s;
pid {config.nginx_pid_file};
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
  # A file of nginx's own would grow for ever; the procs know their requests.
  access_log off;
  client_max_body_size 0;
  # nginx goes by the http block here, before it knows whose server it is.
  large_client_header_buffers 8 72k;
  server_tokens off;
  # A reload closes idle connections at once, and with them the request that a client may just
  # have sent. Only nginx 1.27.4 and later can wait (keepalive_min_timeout).
  keepalive_timeout {config.keepalive_seconds}s;
  server_names_hash_bucket_size 128;
  client_body_temp_path {temp}/body;
  proxy_temp_path {temp}/proxy;
  fastcgi_temp_path {temp}/fastcgi;
  uwsgi_temp_path {temp}/uwsgi;
  scgi_temp_path {temp}/scgi;
  map $http_upgrade $connection_upgrade {{
    default upgrade;
    '' '';
  }}
  server {{
    listen {listens_at(config)} default_server;
    default_type text/plain;
    return 404 "No pool is routed for this host name.\\n";
  }}
  include {config.pools}/*.conf;
}}
"""


def balancers_yaml(config: Config) -> str:
    """The one balancer of a single machine: its own nginx."""
    nginx = _nginx(config)
    return yaml.safe_dump(
        {
            "BALANCERS": {
                BALANCER: {
                    "BACKEND": "vr.balancer.nginx.NginxBalancer",
                    "include_dir": str(config.pools),
                    "hosts": ["localhost"],
                    "listen": listens_at(config),
                    "domain": "localhost",
                    "reload_cmd": f"{nginx} -s reload",
                    "test_cmd": f"{nginx} -t",
                    "pid_file": str(config.nginx_pid_file),
                    "lock_dir": str(config.run),
                }
            }
        },
        sort_keys=False,
    )
