"""Server-Sent Events: what changes, told to whoever looks on (docs/reference/streams.md)."""
