"""A balancer that can't be reached, as BACKEND in a test's BALANCERS."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NoReturn


class SilentBalancer:
    """Has the three methods of a balancer, and no answer."""

    def __init__(self, config: Mapping[str, Any]) -> None:
        self.config = config

    def get_nodes(self, pool: str) -> NoReturn:
        raise ConnectionRefusedError("nobody listens there")

    def add_nodes(self, pool: str, nodes: Sequence[str]) -> NoReturn:
        raise ConnectionRefusedError("nobody listens there")

    def delete_nodes(self, pool: str, nodes: Sequence[str]) -> NoReturn:
        raise ConnectionRefusedError("nobody listens there")


BACKEND = {"BACKEND": "support.silent_balancer.SilentBalancer"}
