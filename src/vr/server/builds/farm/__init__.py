"""The build farm: builds made by stagers on NATS (VR_BUILDER=nats) instead of on the worker."""

from vr.server.builds.farm.staging import build

__all__ = ["build"]
