"""Which traces a start summarises again: none, when whoever wrote last left every session row up to date.

A mark says so. It stands in an embedded store's own folder, so that it goes wherever the store goes, and only
while nobody writes: who starts to write takes it away, and a crash leaves none.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from msgspec import Struct

from agentops.server.store.client import Store
from agentops.server.store.facts import TraceKey

_RECOVERY_NS: Final = 60 * 10**9


class _Trace(Struct):
    project: str
    trace_id: str


class Settled:
    """The mark of one store. A store that others write to has none."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._path = store.url.path / "settled" if store.url.path is not None else None
        self._stands = False

    def unsettled(self) -> list[TraceKey]:
        """Return the traces whose spans may be newer than their session's row, and take the mark away."""
        settled = self._taken()
        where = ""
        if self._store.answer("SELECT 1 FROM sessions LIMIT 1"):
            if settled:
                return []
            where = f"WHERE received_at >= (SELECT max(version) FROM sessions) - {_RECOVERY_NS}"
        rows = self._store.rows(f"SELECT DISTINCT project, trace_id FROM spans {where}", None, _Trace)
        return [(row.project, row.trace_id) for row in rows]

    def leave(self) -> None:
        """Put the mark there."""
        if self._path is not None:
            with suppress(OSError):  # Without it the next start looks for what is not summarised.
                self._path.touch(mode=0o600)
                self._stands = True

    def written(self) -> None:
        """Take the mark away if it stands already: something came after the end."""
        if self._stands:
            self._taken()

    def _taken(self) -> bool:
        self._stands = False
        if self._path is None:
            return False
        try:
            self._path.unlink()
        except OSError:
            return False
        return True
