"""What was asked of a store is not asked again until the store changes, and never later than that."""

from __future__ import annotations

import json
from collections.abc import Generator
from pathlib import Path

import pytest

from agentops.server.query.kept import kept, kept_bytes
from agentops.server.store import migrate
from agentops.server.store.client import Store
from agentops.server.store.url import StoreUrl

COUNT = "SELECT count() FROM resources"


@pytest.fixture
def store(tmp_path: Path) -> Generator[Store]:
    store = Store(StoreUrl.parse(f"chdb://{tmp_path}/store"))
    migrate.migrate(store)
    yield store
    store.close()


def resource(store: Store, number: int) -> None:
    row = {"project": "default", "resource_id": number, "json": "{}", "version": 1}
    store.insert("resources", [json.dumps(row).encode()])


def counted(store: Store) -> int:
    return int(store.answer(COUNT, form="TSV"))


def test_an_answer_is_kept_until_the_store_changes(store: Store) -> None:
    asked: list[int] = []

    def ask() -> int:
        asked.append(counted(store))
        return asked[-1]

    assert [kept(store, "how many", ask) for _ in range(3)] == [0, 0, 0]
    assert asked == [0]
    resource(store, 1)
    assert kept(store, "how many", ask) == 1
    store.command("DELETE FROM resources WHERE resource_id = 1")
    assert [kept(store, "how many", ask) for _ in range(2)] == [0, 0]
    assert asked == [0, 1, 0]
    assert kept(store, "another", lambda: "question") == "question"


def test_what_changes_while_it_is_asked_makes_an_answer_one_of_before(store: Store) -> None:
    def ask() -> int:
        before = counted(store)
        resource(store, 1)
        return before

    assert kept(store, "how many", ask) == 0
    assert kept(store, "how many", lambda: counted(store)) == 1


def test_what_is_large_is_not_kept(store: Store) -> None:
    assert kept(store, "all", lambda: "x" * 100, lambda text: len(text) < 10) == "x" * 100
    assert kept(store, "all", lambda: "asked again", lambda text: True) == "asked again"


def test_large_answers_are_kept_until_they_are_too_many_and_then_the_latest_asked_for(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("agentops.server.query.kept._MOST_BYTES", 100)
    asked: list[str] = []

    def large(name: str, size: int) -> bytes:
        def ask() -> bytes:
            asked.append(name)
            return b"x" * size

        return kept_bytes(store, name, ask)

    for name in ("first", "second", "first", "third", "first", "third", "second"):
        assert len(large(name, 40)) == 40
    assert asked == ["first", "second", "third", "second"]
    assert [len(large("huge", 101)) for _ in range(2)] == [101, 101]
    assert asked[4:] == ["huge", "huge"]
    resource(store, 1)
    large("second", 40)
    assert asked[6:] == ["second"]
