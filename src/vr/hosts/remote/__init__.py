"""Other machines as hosts: over one kept SSH connection each, by a service that runs there.

`links` keeps the connections, `ssh` opens them, `frames` is what goes over them, `service` answers
on the host, with the same LocalConnection that this machine has, and `connection` asks it.
"""
