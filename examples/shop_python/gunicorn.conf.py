"""How gunicorn serves the shop: one process, some threads, a graceful end on SIGTERM."""

import os

bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
worker_class = "gthread"
threads = 8
workers = int(os.environ.get("WEB_CONCURRENCY", "1"))
graceful_timeout = 8
keepalive = 30
