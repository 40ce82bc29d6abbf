"""The embedded store's client: what is asked again and again is answered as at first."""

from __future__ import annotations

from pathlib import Path

from agentops.server.store.client import Store
from agentops.server.store.url import StoreUrl

QUESTION = """
    SELECT number % 7 AS part, sum(number * 3 + part) AS added, countIf(number > 5 AND part < 4)
    FROM numbers(100) WHERE number * 2 + 1 < 90 OR number % 5 = 3 GROUP BY part ORDER BY part, added
"""
COMPILED = "SELECT sum(value) FROM system.events WHERE event = 'CompileFunction'"


def test_no_question_waits_for_its_expressions_to_be_compiled(tmp_path: Path) -> None:
    store = Store(StoreUrl.parse(f"chdb://{tmp_path}/store"))
    before = store.answer(COMPILED)
    answers = {store.answer(f"SELECT groupArray(added) FROM ({QUESTION})") for _ in range(6)}
    assert len(answers) == 1
    assert store.answer(COMPILED) == before
    store.close()
