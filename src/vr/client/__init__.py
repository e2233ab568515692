"""A typed client of the HTTP API, for `vr` and for programs of one's own."""

from vr.client.access import Access
from vr.client.client import Client
from vr.client.connection import ApiError, Connection, Unreachable

__all__ = ["Access", "ApiError", "Client", "Connection", "Unreachable"]
