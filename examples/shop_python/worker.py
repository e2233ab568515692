"""A proc without a port: counts orders until it is asked to stop."""

import signal
import threading

import edition

stopping = threading.Event()
for number in (signal.SIGTERM, signal.SIGINT):
    signal.signal(number, lambda *_: stopping.set())

print(f"worker {edition.VERSION} is waiting for orders", flush=True)
orders = 0
while not stopping.wait(10):
    orders += 1
    print(f"worker {edition.VERSION} has handled {orders} orders", flush=True)
print(f"worker {edition.VERSION} has put its tools away", flush=True)
