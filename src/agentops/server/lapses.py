"""Lapses: sessions that fall silent. Their listeners are told, since nothing arrives that would do it.

Before it comes to that, the programs of this home are looked at: one that lives and merely cannot report (see
`living`) is as good as heard from.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Final

from msgspec import Struct

from agentops.server.living import Living
from agentops.server.store.again import Again
from agentops.server.store.client import Store
from agentops.server.store.life import sign_of_life
from agentops.server.store.session import NEVER
from agentops.server.store.summarise import Summariser

_EVERY_S: Final = 1.0
_AHEAD_NS: Final = 3 * 10**9
"""How long before its time a session is looked at: the summary with its sign of life takes a moment."""
_BEHIND_NS: Final = 24 * 3600 * 10**9
"""How far back a look goes at the most: a program may have been silent while no server was there to see."""


class _Key(Struct):
    project: str
    session_id: str


class _Lapsing(_Key):
    own: bool
    lapses_at: int


class _First(Struct):
    at: int


class Lapses:
    """A thread that looks, once a second, which running sessions pass their time of silence.

    On a store of its own it looks only when one may: the rows know when, and nobody else writes them. On one
    that others write to it looks only while somebody would be told, or a program of this home may live.

    Args:
        store: where the sessions are.
        summariser: knows when the next one lapses, and takes up those with a sign of life.
        on_change: told the project and the ids of sessions that fell silent.
        living: the programs of this home.
        listened: whether anybody waits for `on_change`.
    """

    def __init__(
        self,
        store: Store,
        summariser: Summariser,
        on_change: Callable[[str, list[str]], None],
        living: Living,
        listened: Callable[[], bool],
    ) -> None:
        self._store = store
        self._summariser = summariser
        self._on_change = on_change
        self._living = living
        self._listened = listened
        self._told_until = time.time_ns()
        self._looked_until = self._told_until - _BEHIND_NS
        self._first = 0
        self._again = Again(
            "agentops-lapses",
            self._look,
            every_s=_EVERY_S,
            failed="Looking for sessions that fell silent failed",
        )

    def start(self) -> None:
        """Start the thread."""
        self._again.start()

    def stop(self) -> None:
        """End the thread."""
        self._again.stop()

    def _look(self) -> None:
        now = time.time_ns()
        if not self._store.url.embedded:
            if not self._listened() and not self._living.instances():
                return
            first = 0
        else:
            self._first = min(self._first, self._summariser.first_lapse())
            if self._first >= now + _AHEAD_NS:
                return
            first = self._first_after(now)
            self._first = 0
        since = max(now - _BEHIND_NS, min(self._looked_until, self._told_until))
        lapsing = self._between(since, now + _AHEAD_NS)
        kept = self._kept([one for one in lapsing if one.own])
        self._tell(
            one
            for one in lapsing
            if self._told_until <= one.lapses_at < now and (one.project, one.session_id) not in kept
        )
        self._told_until = self._looked_until = now
        self._first = first

    def _first_after(self, after: int) -> int:
        """Return when the first running session lapses from then on."""
        found = self._store.rows(
            "SELECT min(lapses_at) AS at FROM sessions FINAL "
            "WHERE state = 'running' AND NOT deleted AND lapses_at >= {after:UInt64} HAVING count() > 0",
            {"after": after},
            _First,
        )
        return found[0].at if found else NEVER

    def _between(self, after: int, until: int) -> list[_Lapsing]:
        # Without FINAL first: few rows of a large table lapse, and only their versions need be settled.
        found = self._store.rows(
            "SELECT DISTINCT project, session_id FROM sessions WHERE state = 'running' AND NOT deleted "
            "AND lapses_at >= {after:UInt64} AND lapses_at < {until:UInt64} LIMIT 10000",
            {"after": after, "until": until},
            _Key,
        )
        lapsed: list[_Lapsing] = []
        for project, ids in _by_project(found).items():
            lapsed += self._store.rows(
                "SELECT project, session_id, own, lapses_at FROM sessions FINAL "
                "WHERE project = {project:String} AND session_id IN {ids:Array(String)} "
                "AND state = 'running' AND NOT deleted "
                "AND lapses_at >= {after:UInt64} AND lapses_at < {until:UInt64}",
                {"project": project, "ids": ids, "after": after, "until": until},
                _Lapsing,
            )
        return lapsed

    def _kept(self, sessions: list[_Lapsing]) -> set[tuple[str, str]]:
        """Give a sign of life for the sessions of programs that live; return which these are."""
        living = self._living.instances() if sessions else set[str]()
        kept: set[tuple[str, str]] = set()
        if living:
            for project, ids in _by_project(sessions).items():
                found = sign_of_life(self._store, self._summariser, project, ids, living)
                kept |= {(project, session_id) for session_id in found}
        return kept

    def _tell(self, sessions: Iterable[_Lapsing]) -> None:
        for project, ids in _by_project(sessions).items():
            self._on_change(project, ids)


def _by_project(sessions: Iterable[_Key]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for one in sessions:
        found.setdefault(one.project, []).append(one.session_id)
    return found
