"""vdea: the agent that runs droplets, told over NATS (docs/reference/dea.md)."""
