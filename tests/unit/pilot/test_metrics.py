"""Collectors, and the text that Prometheus reads."""

from __future__ import annotations

import pytest

from vr.pilot.metrics import collector, exposition, number, parse_value
from vr.pilot.telemetry import answer_to


def recorded(kind, values):
    found = collector(kind)
    for value in values:
        found.record(value, now=0)
    return found.samples("m", now=0)


@pytest.mark.parametrize(
    ("kind", "values", "expected"),
    [
        ("counter", [42, 42], ["m 84"]),
        ("gauge", [1, 2.5], ["m 2.5"]),
        ("summary", [], ['m{quantile="0.5"} NaN', 'm{quantile="0.9"} NaN']),
        (
            "summary",
            range(1, 11),
            ['m{quantile="0.5"} 5', 'm{quantile="0.9"} 9', 'm{quantile="0.99"} 9', "m_sum 55"],
        ),
    ],
)
def test_samples(kind, values, expected):
    assert recorded(kind, values)[: len(expected)] == expected


def test_a_histogram_counts_cumulatively():
    samples = recorded("histogram", [0.005, 0.3, 99])
    assert samples[0] == 'm_bucket{le="0.005"} 1'
    assert samples[6] == 'm_bucket{le="0.5"} 2'
    assert samples[-3:] == ['m_bucket{le="+Inf"} 3', "m_sum 99.305", "m_count 3"]


def test_a_summary_forgets_after_ten_minutes_but_not_its_count():
    found = collector("summary")
    found.record(7, now=0)
    assert found.samples("m", now=599)[0] == 'm{quantile="0.5"} 7'
    assert found.samples("m", now=600) == [
        *(f'm{{quantile="{q}"}} NaN' for q in ("0.5", "0.9", "0.99")),
        "m_sum 7",
        "m_count 1",
    ]


@pytest.mark.parametrize("value", [-1, float("nan")])
def test_a_counter_refuses_what_can_not_be_counted(value):
    with pytest.raises(ValueError, match="a counter can't go down"):
        collector("counter").record(value, now=0)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.0, "1"), (0.25, "0.25"), (1e21, "1e+21"), (float("inf"), "+Inf"), (float("nan"), "NaN")],
)
def test_numbers(value, text):
    assert number(value) == text


@pytest.mark.parametrize("output", [b"", b"1 2", b"x", b"1_0", b"\xff"])
def test_a_sensor_prints_one_number(output):
    assert parse_value(b" 4.5e1\n") == 45
    with pytest.raises(ValueError, match=r"number|float"):
        parse_value(output)


def test_the_page_and_its_server():
    page = exposition([("b", "two\nlines", "gauge", ["b 1"]), ("a", "A.", "counter", ["a 2"])])
    assert page.splitlines()[:3] == ["# HELP a A.", "# TYPE a counter", "a 2"]
    assert "# HELP b two\\nlines" in page
    assert answer_to(b"GET /metrics?x=1 HTTP/1.1\r\n\r\n", page).endswith(page.encode())
    assert answer_to(b"HEAD /metrics HTTP/1.1\r\n\r\n", page).endswith(b"\r\n\r\n")
    assert answer_to(b"GET / HTTP/1.1\r\n\r\n", page).startswith(b"HTTP/1.1 404")
    assert answer_to(b"POST /metrics HTTP/1.1\r\n\r\n", page).startswith(b"HTTP/1.1 405")
    assert answer_to(b"\r\n\r\n", page).startswith(b"HTTP/1.1 404")
