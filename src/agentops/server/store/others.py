"""Others: what other servers of the same store have done while this one summarised.

Several servers may recompute one session at once. Each computes from what it read, and the row with the
higher version wins, which need not be the one that knew more. So whoever has written looks again: at its
traces, at the parts and edits of its sessions, at whose row stands. If anything is not as it was when it
was read, it computes anew, above the version that stands. Of two that overlap, the one that looks last sees
everything that both have stored; so the last row written is a complete one, whatever the clocks say.

On a cluster a replica may be a moment behind: there traces are looked at once more after `_LATE_S`.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any, Final

from msgspec import Struct

from agentops.server.store.client import Store
from agentops.server.store.dialect import OF_TRACES
from agentops.server.store.facts import TraceKey

_AT_ONCE: Final = 2_000
_LATE_S: Final = 3.0

SessionKey = tuple[str, str]
"""(project, session_id)."""


class _Sign(Struct):
    name: str
    sign: int


class Others:
    """Looks at what stands in the store now. Signs are hashes of content: equal ones mean nothing changed."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._late: deque[tuple[float, TraceKey, int]] = deque()

    def traces(self, keys: Iterable[TraceKey]) -> dict[TraceKey, int]:
        """Return the signs of traces: which spans they have, in which versions."""
        return self._signs(
            "SELECT trace_id AS name, groupBitXor(cityHash64(span_id, version)) AS sign FROM spans FINAL "
            "WHERE project = {project:String} AND trace_id IN {ids:Array(String)} GROUP BY trace_id "
            + OF_TRACES,
            keys,
        )

    def sessions(self, keys: Iterable[SessionKey], without: Iterable[TraceKey] = ()) -> dict[SessionKey, int]:
        """Return the signs of sessions: what each trace contributes, and what a user said.

        Args:
            keys: the sessions.
            without: traces that are left out, since the one who asks rewrites them.
        """
        wanted = list(keys)
        found = self._signs(
            "SELECT session_id AS name, groupBitXor(cityHash64(trace_id, part)) AS sign "
            "FROM session_traces FINAL WHERE project = {project:String} "
            "AND session_id IN {ids:Array(String)} AND trace_id NOT IN {out:Array(String)} "
            "AND NOT deleted GROUP BY session_id",
            wanted,
            sorted({trace_id for _, trace_id in without}),
        )
        said = self._signs(
            "SELECT session_id AS name, max(version) AS sign FROM edits "
            "WHERE project = {project:String} AND session_id IN {ids:Array(String)} GROUP BY session_id",
            wanted,
        )
        return {key: found.get(key, 0) ^ said.get(key, 0) for key in wanted}

    def versions(self, keys: Iterable[SessionKey]) -> dict[SessionKey, int]:
        """Return the versions of the rows that stand."""
        return self._signs(
            "SELECT session_id AS name, max(version) AS sign FROM sessions "
            "WHERE project = {project:String} AND session_id IN {ids:Array(String)} GROUP BY session_id",
            keys,
        )

    def look_later(self, signs: Mapping[TraceKey, int]) -> None:
        """Remember traces of a cluster for another look."""
        if self._store.url.cluster:
            due = time.monotonic() + _LATE_S
            self._late.extend((due, key, sign) for key, sign in signs.items())

    def late(self) -> list[TraceKey]:
        """Return the traces whose time for another look has come and that are not as they were."""
        then: dict[TraceKey, int] = {}
        now = time.monotonic()
        while self._late and self._late[0][0] <= now:
            _, key, sign = self._late.popleft()
            then[key] = sign
        if not then:
            return []
        found = self.traces(then)
        return [key for key, sign in then.items() if found.get(key, 0) != sign]

    def _signs(
        self, sql: str, keys: Iterable[tuple[str, str]], out: list[str] | None = None
    ) -> dict[tuple[str, str], int]:
        by_project: dict[str, list[str]] = {}
        for project, name in keys:
            by_project.setdefault(project, []).append(name)
        found: dict[tuple[str, str], int] = {}
        for project, names in by_project.items():
            for start in range(0, len(names), _AT_ONCE):
                asked: dict[str, Any] = {"project": project, "ids": names[start : start + _AT_ONCE]}
                if out is not None:
                    asked["out"] = out
                for row in self._store.rows(sql, asked, _Sign):
                    found[project, row.name] = row.sign
        return found
