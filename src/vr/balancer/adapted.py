"""Balancers of others: classes with three methods, which need to know nothing of ours."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from vr.balancer.base import Balancer
from vr.errors import VelociraptorError

METHODS = ("get_nodes", "add_nodes", "delete_nodes")


class AdaptedBalancer(Balancer):
    """An object of a foreign class as a Balancer; whatever it raises is told as an error of its.

    The object is made when it is first needed, in a process that changes pools: its class may
    connect to somewhere at once, and pages only want to know that there is such a balancer.
    """

    def __init__(self, config: Mapping[str, Any], backend: Callable[[dict[str, Any]], Any]) -> None:
        super().__init__(config)
        self._backend = backend
        self._made: Any = None
        self._making = threading.Lock()

    def get_nodes(self, pool: str) -> list[str]:
        return sorted({str(node) for node in self._call("get_nodes", pool) or ()})

    def add_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        self._call("add_nodes", pool, list(nodes))

    def delete_nodes(self, pool: str, nodes: Sequence[str]) -> None:
        self._call("delete_nodes", pool, list(nodes))

    def _call(self, method: str, pool: str, *arguments: Any) -> Any:
        try:
            return getattr(self._object(), method)(pool, *arguments)
        except VelociraptorError:
            raise
        except Exception as error:
            name = getattr(self._backend, "__qualname__", repr(self._backend))
            raise VelociraptorError(
                f"The balancer class {name} failed in {method} of the pool {pool!r}: "
                f"{error or type(error).__name__}",
                hint="Look into that class and its settings; how far it got is not known.",
                details=traceback.format_exc(),
            ) from error

    def _object(self) -> Any:
        with self._making:
            if self._made is None:
                self._made = self._backend(dict(self.config))
            return self._made
