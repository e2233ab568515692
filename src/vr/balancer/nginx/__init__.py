"""nginx as a balancer: a file per pool, tested before it counts."""

from vr.balancer.nginx.balancer import NginxBalancer

__all__ = ["NginxBalancer"]
