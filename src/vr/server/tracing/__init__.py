"""Dispatches as traces of OpenTelemetry, made of their rows: no worker's death loses one."""
