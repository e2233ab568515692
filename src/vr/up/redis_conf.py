"""The stack's Redis: its configuration, and how server and hosts reach it. Pure."""

from __future__ import annotations

from vr.up.config import Config

# What publishers do (events/procs.py): of what others wrote they can read the lists of procs only.
_PUBLISHER = (
    "~host_procs:* ~host_heartbeats ~host_written ~host_paces ~host_disks &proc_events "
    "-@all +auth +hello +client +ping +select +time +multi +exec +discard +del +hset +hget "
    "+hgetall +expire +publish"
)


def redis_url(config: Config, password: str) -> str:
    """Redis for the server of a stack with other hosts."""
    return f"unix://:{password}@{config.redis_socket}"


def hosts_redis_url(config: Config, password: str) -> str:
    """Redis for the publishers of other hosts."""
    address = config.hosts_address
    address = f"[{address}]" if ":" in address else address
    return f"redis://hosts:{password}@{address}:{config.hosts_redis_port}/0"


def redis_conf(config: Config, password: str = "", hosts_password: str = "") -> str:
    """Redis on a private socket, and with other hosts at an address, for their publishers and
    with passwords. It keeps nothing: what must last is in the database."""
    listens = "port 0\n"
    if config.has_hosts:
        listens = (
            f"bind {config.hosts_address}\nport {config.hosts_redis_port}\n"
            f"user default on >{password} ~* &* +@all\n"
            f"user hosts on >{hosts_password} {_PUBLISHER}\n"
        )
    return f"""\
{listens}\
unixsocket {config.redis_socket}
unixsocketperm 700
dir {config.run}
save ""
appendonly no
daemonize no
loglevel warning
"""
