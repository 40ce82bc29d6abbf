"""A pace lets some come at once, then so many a second."""

from __future__ import annotations

from agentops.sdk.pace import Pace


def test_some_come_at_once_and_then_as_many_a_second_as_the_pace_says() -> None:
    pace = Pace(100, 20)
    start_ns = 5_000_000_000
    assert [pace.allows(start_ns) for _ in range(50)].count(True) == 20
    within_a_second = [pace.allows(start_ns + ms * 1_000_000) for ms in range(1, 1_001)]
    assert within_a_second.count(True) == 100


def test_after_a_rest_as_many_come_at_once_as_before() -> None:
    pace = Pace(100, 20)
    assert [pace.allows(0) for _ in range(50)].count(True) == 20
    assert [pace.allows(10**12) for _ in range(50)].count(True) == 20
