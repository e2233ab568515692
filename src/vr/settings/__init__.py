"""The settings: one table of variables, read and checked once for `vr up` and for the server."""
