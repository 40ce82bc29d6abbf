"""The relay: sessions that one server changed, told to those who listen at another.

Servers on one store write what they changed into a small table, and read what others wrote there, a few times
a second and only while somebody listens here. An embedded store has one server, and no relay.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections.abc import Callable
from typing import Final

import msgspec
from msgspec import Struct

from agentops.server.live import Live
from agentops.server.store.client import Store

_log: Final = logging.getLogger("agentops.server")
_LOOK_S: Final = 0.1
_TURN_S: Final = 0.02
_SKEW_S: Final = 5
"""Clocks of a cluster's machines differ by less; what is read twice is told once."""
_REACH_S: Final = 4.0
"""A look finds what was told since the one before, if that was not longer ago."""
_MOST_IDS: Final = 1_000
_STOP_S: Final = 5.0


class _Change(Struct):
    server: str
    number: int
    project: str
    sessions: list[str]


class Relay:
    """Tells the listeners of this server and of all others. `publish` may be called from any thread."""

    def __init__(self, store: Store, live: Live) -> None:
        self._store = store
        self._live = live
        self._on_second: Callable[[], None] | None = None
        self._name = secrets.token_hex(8)
        self._number = 0
        self._wake = threading.Condition()
        self._waiting: dict[str, dict[str, None]] = {}
        self._stopping = False
        self._told: dict[tuple[str, int], float] = {}
        self._looked_at = time.monotonic()
        self._threads: list[threading.Thread] = []
        if not store.url.embedded:
            self._threads = [
                threading.Thread(target=self._write, name="agentops-relay", daemon=True),
                threading.Thread(target=self._read, name="agentops-relayed", daemon=True),
            ]
        self.failures = 0

    def start(self, on_second: Callable[[], None]) -> None:
        """Start telling and listening; `on_second` is called about once a second, where there are others."""
        self._on_second = on_second
        for thread in self._threads:
            thread.start()

    def publish(self, project: str, sessions: list[str]) -> None:
        """Tell everybody that these sessions changed."""
        self._live.publish(project, sessions)
        if not self._threads:
            return
        with self._wake:
            waiting = self._waiting.setdefault(project, {})
            if len(waiting) <= _MOST_IDS:
                waiting.update(dict.fromkeys(sessions))
            self._wake.notify_all()

    def stop(self) -> None:
        """Tell what waits, then end."""
        with self._wake:
            self._stopping = True
            self._wake.notify_all()
        for thread in self._threads:
            if thread.is_alive():
                thread.join(_STOP_S)

    def _write(self) -> None:
        while True:
            with self._wake:
                self._wake.wait_for(lambda: bool(self._waiting) or self._stopping)
                waiting, self._waiting = self._waiting, {}
                if not waiting:
                    return
            lines: list[bytes] = []
            for project, ids in waiting.items():
                self._number += 1
                # More than anybody wants to be told by name: look at everything.
                sessions = list(ids) if len(ids) <= _MOST_IDS else ["*"]
                row = {"server": self._name, "number": self._number, "project": project, "sessions": sessions}
                lines.append(msgspec.json.encode(row))
            try:
                self._store.insert("changes", lines)
            except Exception as error:
                self._failed("Telling other servers what changed", error)
            with self._wake:
                # Passes that follow each other closely share a row.
                self._wake.wait_for(lambda: self._stopping, _TURN_S)

    def _read(self) -> None:
        second = 0.0
        while True:
            with self._wake:
                if self._wake.wait_for(lambda: self._stopping, _LOOK_S):
                    return
            try:
                if self._live.listeners:
                    self._look()
                if self._on_second is not None and time.monotonic() >= second:
                    second = time.monotonic() + 1
                    self._on_second()
            except Exception as error:
                self._failed("Hearing what other servers changed", error)

    def _look(self) -> None:
        now = time.monotonic()
        changes = self._store.rows(
            "SELECT server, number, project, sessions FROM changes "
            "WHERE at >= now64(3) - toIntervalSecond({skew:UInt32}) AND server != {me:String} ORDER BY at",
            {"me": self._name, "skew": _SKEW_S},
            _Change,
        )
        for change in changes:
            key = (change.server, change.number)
            if key not in self._told:
                self._live.publish(change.project, change.sessions)
            self._told[key] = now
        since, self._looked_at = self._looked_at, now
        if now - since > _REACH_S:
            self._live.missed(now - _REACH_S)
        if len(self._told) > _MOST_IDS:
            self._told = {key: at for key, at in self._told.items() if now - at <= 2 * _SKEW_S}

    def _failed(self, what: str, error: Exception) -> None:
        self.failures += 1
        if self.failures == 1 or self.failures % 100 == 0:
            _log.warning("%s failed (%d times so far): %s", what, self.failures, error)
        with self._wake:
            self._wake.wait_for(lambda: self._stopping, 1.0)
