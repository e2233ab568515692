"""What Prometheus is told at /metrics: read from database and Redis, so that all processes say the
same."""
