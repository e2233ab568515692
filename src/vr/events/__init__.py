"""What hosts and workers tell the rest of the system: published to Redis, kept, replayed."""
