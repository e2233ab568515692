"""vstager: zipped apps in, droplets out, over NATS (docs/reference/staging.md)."""
