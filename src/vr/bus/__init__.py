"""What services on a NATS bus share: the connection, their log, their pid file."""
