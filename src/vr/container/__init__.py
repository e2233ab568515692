"""One description of a container, turned into LXC configuration and a launched process."""
