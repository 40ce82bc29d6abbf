"""Merges of an embedded store leave the processor to whoever waits for an answer."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

from agentops.server.store import migrate
from agentops.server.store.client import Store
from agentops.server.store.priority import merges_give_way
from agentops.server.store.url import StoreUrl


def test_threads_that_merge_run_after_all_others(tmp_path: Path) -> None:
    store = Store(StoreUrl.parse(f"chdb://{tmp_path}/store"))
    migrate.migrate(store)
    for version in (1, 2):
        row = {"project": "default", "resource_id": 1, "json": "{}", "version": version}
        store.insert("resources", [json.dumps(row).encode()])
    store.command("OPTIMIZE TABLE resources FINAL")
    merging = merges_give_way()
    mine = os.getpriority(os.PRIO_PROCESS, threading.get_native_id())
    assert merging
    assert {os.getpriority(os.PRIO_PROCESS, thread) for thread in merging} == {max(5, mine)}
    store.close()
