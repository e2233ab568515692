"""The pilot: ContainerPilot's job in Python (docs/reference/pilot.md).

A shim that runs as PID 1 of a container: it starts one application, reaps what it leaves behind,
registers services with Consul or etcd, checks their health and reacts to changed backends.

This room imports nothing of the others and nothing but the standard library of Python 3.9 or
newer, because it also ships as one file that is dropped into images (`make pilot`). It starts in
milliseconds: what only some configurations need is imported where it is used.
"""
