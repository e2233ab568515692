"""nginx as a balancer (docs/reference/balancer.md#nginx)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from vr.balancer.nginx.host import NginxHost
from vr.balancer.nginx.settings import NginxSettings
from vr.balancer.several_hosts import HostsBalancer
from vr.hosts.connection import HostConnection


class NginxBalancer(HostsBalancer):
    """Pools of the nginx on each of `hosts`.

    Settings: `hosts`, `include_dir`, `reload_cmd`, `test_cmd`, `pid_file` (to see when traffic
    has moved), `lock_dir` (include_dir unless told), `listen` with `domain` (serve each pool as
    `<pool>.<domain>` at once). `user`, `password` and `tmpdir` are for hosts reached over SSH and
    not used here. Commands are split like a shell's, not run by one.
    """

    def __init__(self, config: Mapping[str, Any], hosts: Sequence[HostConnection]) -> None:
        """Raises InvalidInput with all that is wrong in `config`."""
        settings = NginxSettings.checked(config)
        super().__init__(config, [NginxHost(host, settings) for host in hosts])
        self._site = settings.site

    @property
    def knows_passing(self) -> bool:
        """Where the pool's server is written by somebody else, times and sizes are, too."""
        return self._site is not None

    def address(self, pool: str) -> str:
        return self._site.address(pool) if self._site and pool else ""
