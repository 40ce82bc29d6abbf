"""Records of one call are one call; calls that only look alike stay apart."""

from __future__ import annotations

from typing import Any

import pytest

from agentops.server.store.doubles import doubles
from agentops.server.store.facts import Fact, fact
from tests.unit.normalise.spans import event

MS = 1_000_000


def record(number: int, start_ms: int, ms: int = 100, scope: str = "a", **said: Any) -> Fact:
    attributes = {"gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-4o", **said}
    found = event(
        attributes,
        span_id=f"{number:016x}",
        scope=scope,
        start_ns=start_ms * MS,
        end_ns=(start_ms + ms) * MS,
    )
    return fact(found, 0, 0, 0)


ID: dict[str, Any] = {"gen_ai.response.id": "r-1"}
FAILED: dict[str, Any] = {"error.type": "RateLimitError"}


@pytest.mark.parametrize(
    ("records", "calls"),
    [
        pytest.param(
            [record(1, 1000, **ID), record(2, 1010, **ID)], 1, id="one instrumentation, there twice"
        ),
        pytest.param([record(1, 1000, **ID), record(2, 5000, **ID)], 2, id="a provider with one id for all"),
        pytest.param([record(1, 1000, **ID), record(2, 5000, scope="b", **ID)], 1, id="two instrumentations"),
        pytest.param(
            [record(number, 1000 * (number // 2), scope="ab"[number % 2], **ID) for number in range(2, 8)],
            3,
            id="both",
        ),
        pytest.param(
            [record(number, 1000 * number, 0, scope="agentops.instrument.claude", **ID) for number in (1, 2)],
            1,
            id="the result of a batch, read again",
        ),
        pytest.param(
            [record(number, 1000 * number, 0, scope="agentops.instrument.gpt", **ID) for number in (1, 2)],
            1,
            id="an answer made in the background, looked up again",
        ),
        pytest.param([record(1, 1000), record(2, 1000, scope="b")], 2, id="no id"),
        pytest.param([record(1, 1000, **FAILED), record(2, 1002, 90, scope="b", **FAILED)], 1, id="failed"),
        pytest.param([record(1, 1000, **FAILED), record(2, 1002, 90, **FAILED)], 2, id="two that failed"),
        pytest.param(
            [record(1, 1000, **FAILED), record(2, 1002, 200, scope="b", **FAILED)],
            2,
            id="not one in the other",
        ),
        pytest.param(
            [record(1, 1000, **FAILED), record(2, 1050, 10, scope="b", **FAILED)], 2, id="begun later"
        ),
    ],
)
def test_records_of_one_call_are_found_in_any_order(records: list[Fact], calls: int) -> None:
    for order in (records, records[::-1]):
        found = doubles(order, lambda one: one)
        assert len(found) == calls
        assert sorted(one.span_id for group in found for one in group) == [one.span_id for one in records]
