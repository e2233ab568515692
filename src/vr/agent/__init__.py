"""What runs beside Supervisor on each host: the publisher of states and an RPC plugin."""
