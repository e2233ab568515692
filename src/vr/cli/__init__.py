"""The `vr` command: a client of the HTTP API, and the single-machine stack."""
