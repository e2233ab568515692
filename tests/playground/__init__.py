"""A fleet to play with: `make fleet`, `make fleet-down`."""
