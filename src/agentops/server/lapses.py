"""Lapses: telling listeners about sessions that fell silent, since nothing arrives that would."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import Final

from msgspec import Struct

from agentops.server.store.client import Store

_log: Final = logging.getLogger("agentops.server")
_EVERY_S: Final = 1.0


class _Lapsed(Struct):
    project: str
    session_id: str


class Lapses:
    """A thread that looks, once a second, which running sessions passed their time of silence."""

    def __init__(self, store: Store, on_change: Callable[[str, list[str]], None]) -> None:
        self._store = store
        self._on_change = on_change
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="agentops-lapses", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def _run(self) -> None:
        looked_at = time.time_ns()
        while not self._stop.wait(_EVERY_S):
            now = time.time_ns()
            try:
                self._tell(looked_at, now)
            except Exception as error:
                _log.warning("Looking for sessions that fell silent failed: %s", error)
                continue
            looked_at = now

    def _tell(self, after: int, until: int) -> None:
        rows = self._store.rows(
            "SELECT project, session_id FROM sessions FINAL WHERE state = 'running' AND NOT deleted "
            "AND lapses_at >= {after:UInt64} AND lapses_at < {until:UInt64} LIMIT 10000",
            {"after": after, "until": until},
            _Lapsed,
        )
        by_project: dict[str, list[str]] = {}
        for row in rows:
            by_project.setdefault(row.project, []).append(row.session_id)
        for project, sessions in by_project.items():
            self._on_change(project, sessions)
