"""The balancer that routes nothing: for tests, and for swarms whose routing is done elsewhere."""

from __future__ import annotations

import logging
import threading
from collections.abc import Mapping, Sequence
from typing import Any

from vr.balancer.base import Balancer, check_names

log = logging.getLogger(__name__)


class DummyBalancer(Balancer):
    """Remembers its pools for as long as the process lives. Takes no settings."""

    def __init__(self, config: Mapping[str, Any] | None = None) -> None:
        super().__init__(config or {})
        self._pools: dict[str, set[str]] = {}
        self._lock = threading.Lock()

    def get_nodes(self, pool: str) -> list[str]:
        with self._lock:
            return sorted(self._pools.get(pool, ()))

    def add_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        check_names(pool, nodes)
        log.info("add to %s: %s", pool, nodes)
        with self._lock:
            self._pools.setdefault(pool, set()).update(nodes)

    def delete_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        log.info("delete from %s: %s", pool, nodes)
        with self._lock:
            self._pools.get(pool, set()).difference_update(nodes)

    def delete_pool(self, pool: str) -> None:
        log.info("delete %s", pool)
        with self._lock:
            self._pools.pop(pool, None)
