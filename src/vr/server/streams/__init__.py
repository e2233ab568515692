"""Server-Sent Events: what changes, told to whoever looks on (reference: api-v1.md 6)."""
