"""Failing: traces that a pass of the summariser fails at, each alone. They keep no others up."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Final

from agentops.errors import StoreError
from agentops.server.store.facts import Fact, TraceKey

_log: Final = logging.getLogger("agentops.server")
_AGAIN_S: Final = 60.0
Work = Mapping[TraceKey, list[Fact]]
Passed = tuple[dict[str, set[str]], set[TraceKey]]
"""The sessions that changed, by project, and traces to look at again."""


class Failing:
    """What is tried again after a while."""

    def __init__(self) -> None:
        self._waiting: dict[TraceKey, tuple[float, list[Fact]]] = {}

    def passed(self, work: Work, make: Callable[[Work], Passed]) -> Passed:
        """Make a pass; of its work, traces that it fails at are left for later.

        Raises:
            StoreError: the store does not answer: nothing is wrong with the work.
        """
        try:
            return make(work)
        except StoreError:
            raise
        except Exception as error:
            if len(work) == 1:
                self._leave(work, error)
                return {}, set()
        changed: dict[str, set[str]] = {}
        again: set[TraceKey] = set()
        keys = list(work)
        middle = len(keys) // 2
        for half in (keys[:middle], keys[middle:]):
            more, late = self.passed({key: work[key] for key in half}, make)
            again |= late
            for project, sessions in more.items():
                changed.setdefault(project, set()).update(sessions)
        return changed, again

    def _leave(self, work: Work, error: Exception) -> None:
        for key, facts in work.items():
            _log.error("Summarising trace %s failed; trying again later: %s", key[1], error, exc_info=error)
            before = self._waiting[key][1] if key in self._waiting else []
            self._waiting[key] = (time.monotonic() + _AGAIN_S, [*before, *facts])

    def due(self) -> dict[TraceKey, list[Fact]]:
        """Return what is to be tried again now; it waits no longer."""
        now = time.monotonic()
        found = {key: facts for key, (until, facts) in self._waiting.items() if until <= now}
        for key in found:
            del self._waiting[key]
        return found
