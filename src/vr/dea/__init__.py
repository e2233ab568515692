"""vdea: the agent that runs droplets, told over NATS (reference: cloudfoundry.md, 11 to 15)."""
