"""How gunicorn serves the shop: one process, some threads, a graceful end on SIGTERM."""

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
threads = 8
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
graceful_timeout = 8
keepalive = 30
# Its socket would lie in the app's home, for a tool that nobody runs in a container.
control_socket_disable = True
