"""The HTTP API at /api/v1/ (docs/reference/http-api.md).

`crud` serves every resource the same way, `filters` searches them, `actions`, `host_procs` and
`uploads` are what can be done beside that, and `openapi` describes it all.
"""
