"""The HTTP API at /api/v1/ and the event streams."""
