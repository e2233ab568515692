"""Balancers: they route pools to nodes. What maps a host name to a pool is not their business."""

from vr.balancer.base import Balancer

__all__ = ["Balancer"]
