"""Metrics and how Prometheus reads them (text format 0.0.4)."""

from __future__ import annotations

from collections import deque

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Union

BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
QUANTILES = (0.5, 0.9, 0.99)
SUMMARY_SECONDS = 600.0

# What the pilot tells of itself: help and type by name.
OWN_METRICS = {
    "containerpilot_checks_total": ("Programs run by the pilot, by how they ended.", "counter"),
    "containerpilot_heartbeats_total": ("Heartbeats sent, by service and result.", "counter"),
    "containerpilot_backend_changes_total": ("Changes seen in each backend.", "counter"),
    "containerpilot_backend_instances": ("Healthy instances of each backend.", "gauge"),
    "containerpilot_reloads_total": ("Reloads of the configuration, by result.", "counter"),
    "containerpilot_maintenance": ("1 while in maintenance.", "gauge"),
    "containerpilot_reaped_orphans_total": ("Orphans collected as PID 1.", "counter"),
    "process_cpu_seconds_total": ("CPU time of the pilot itself in seconds.", "counter"),
    "process_max_fds": ("Most file descriptors that may be open.", "gauge"),
    "process_open_fds": ("File descriptors that are open.", "gauge"),
    "process_resident_memory_bytes": ("Resident memory in bytes.", "gauge"),
    "process_start_time_seconds": ("Start of the pilot in unix time.", "gauge"),
    "process_virtual_memory_bytes": ("Virtual memory in bytes.", "gauge"),
}


class Counter:
    """Values are added; negative ones are refused."""

    kind = "counter"

    def __init__(self) -> None:
        self._total = 0.0

    def record(self, value: float, now: float) -> None:
        """Raises ValueError for what can't be counted. `now` is in seconds of any clock."""
        if not value >= 0:
            raise ValueError(f"a counter can't go down, got {number(value)}")
        self._total += value

    def samples(self, name: str, now: float) -> list[str]:
        return [f"{name} {number(self._total)}"]


class Gauge:
    """The last value."""

    kind = "gauge"

    def __init__(self) -> None:
        self._value = 0.0

    def record(self, value: float, now: float) -> None:
        self._value = value

    def samples(self, name: str, now: float) -> list[str]:
        return [f"{name} {number(self._value)}"]


class Histogram:
    """How many values are at most as large as each bucket."""

    kind = "histogram"

    def __init__(self) -> None:
        self._counts = [0] * len(BUCKETS)
        self._sum = 0.0
        self._count = 0

    def record(self, value: float, now: float) -> None:
        for index, bound in enumerate(BUCKETS):
            if value <= bound:
                self._counts[index] += 1
        self._sum += value
        self._count += 1

    def samples(self, name: str, now: float) -> list[str]:
        buckets = [
            f'{name}_bucket{{le="{number(BUCKETS[index])}"}} {count}'
            for index, count in enumerate(self._counts)
        ]
        return [
            *buckets,
            f'{name}_bucket{{le="+Inf"}} {self._count}',
            f"{name}_sum {number(self._sum)}",
            f"{name}_count {self._count}",
        ]


class Summary:
    """Quantiles of the last ten minutes.

    Exact, because a sensor gives one value a second at most.
    """

    kind = "summary"

    def __init__(self) -> None:
        self._recent: deque[tuple[float, float]] = deque()
        self._sum = 0.0
        self._count = 0

    def record(self, value: float, now: float) -> None:
        self._forget(now)
        self._recent.append((now, value))
        self._sum += value
        self._count += 1

    def samples(self, name: str, now: float) -> list[str]:
        self._forget(now)
        values = sorted(value for _, value in self._recent)
        quantiles = [
            f'{name}{{quantile="{number(q)}"}} {number(quantile(values, q))}' for q in QUANTILES
        ]
        return [*quantiles, f"{name}_sum {number(self._sum)}", f"{name}_count {self._count}"]

    def _forget(self, now: float) -> None:
        while self._recent and self._recent[0][0] <= now - SUMMARY_SECONDS:
            self._recent.popleft()


def quantile(ordered: list[float], q: float) -> float:
    """Of sorted values, as Prometheus' Go client does for few of them; NaN for none."""
    if not ordered:
        return float("nan")
    return ordered[max(int(len(ordered) * q) - 1, 0)]


def collector(kind: str) -> Union[Counter, Gauge, Histogram, Summary]:
    """A new collector; `kind` is counter, gauge, histogram or summary."""
    if kind == "counter":
        return Counter()
    if kind == "gauge":
        return Gauge()
    return Histogram() if kind == "histogram" else Summary()


class Labelled:
    """One of the pilot's own metrics: a number for each set of labels."""

    def __init__(self) -> None:
        self._values: dict[str, float] = {}

    def add(self, amount: float = 1, **labels: str) -> None:
        key = _labels(labels)
        self._values[key] = self._values.get(key, 0) + amount

    def set(self, value: float, **labels: str) -> None:
        self._values[_labels(labels)] = value

    def samples(self, name: str) -> list[str]:
        return [f"{name}{key} {number(value)}" for key, value in sorted(self._values.items())]


def exposition(metrics: Iterable[tuple[str, str, str, list[str]]]) -> str:
    """The text of (name, help, type, samples) each, ordered by name."""
    lines: list[str] = []
    for name, help, kind, samples in sorted(metrics):
        if samples:
            escaped = help.replace("\\", "\\\\").replace("\n", "\\n")
            lines += [f"# HELP {name} {escaped}", f"# TYPE {name} {kind}", *samples]
    return "".join(line + "\n" for line in lines)


def number(value: float) -> str:
    """As Go writes floats: 1, 0.5, 1e+21, NaN, +Inf."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "+Inf" if value > 0 else "-Inf"
    if value == int(value) and abs(value) < 1e21:
        return str(int(value))
    return repr(value).replace(".0e", "e")


def parse_value(output: bytes) -> float:
    """The one number that a sensor prints; raises ValueError."""
    text = output.decode("utf-8", "replace").strip()
    # Python's underscores between digits are none of Go's numbers here.
    if not text or "_" in text or any(character.isspace() for character in text):
        raise ValueError(f"expected one number, got {text[:80]!r}")
    return float(text)


def _labels(labels: dict[str, str]) -> str:
    def escaped(value: str) -> str:
        return value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")

    pairs = ",".join(f'{name}="{escaped(value)}"' for name, value in sorted(labels.items()))
    return f"{{{pairs}}}" if pairs else ""
