"""The HTTP API at /api/v1/ (docs/reference/http-api.md).

`resources` is the table of what there is, `fields` and `filters` say how a field is shown, read
and searched, `crud` serves every resource the same way, `actions` and `procs` are the rest.
"""
