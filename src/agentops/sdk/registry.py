"""The active sessions of this process; single-session mode is when there is exactly one."""

from __future__ import annotations

import threading
import weakref
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from agentops.clock import monotonic
from agentops.sdk.core import Core

if TYPE_CHECKING:
    from agentops.sdk.session import Session

LOST_AFTER_S: Final = 5.0
"""How long a session that nobody can end any more stays open, in multi-session mode."""
_MAX_VISITS: Final = 4096
_MAX_LEFT: Final = 1024


class Registry:
    """Who is active. `only` is the single active session or None; the hot path reads nothing else."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.active: dict[int, Core] = {}
        self.only: Core | None = None
        self.visits: OrderedDict[int, Core] = OrderedDict()
        """Sessions of other processes, met through a remote context; they never count as active."""
        self.left: OrderedDict[int, int] = OrderedDict()
        """The highest event numbers of sessions that this process left: joined again, one counts on."""
        self.handles: weakref.WeakValueDictionary[int, Session] = weakref.WeakValueDictionary()
        self.many_since = 0.0

    def add(self, core: Core) -> None:
        """Make a session active."""
        with self.lock:
            visited = self.visits.pop(core.trace_id, None)
            if visited is not None:
                self._note(visited)
            core.sent = self.left.pop(core.trace_id, 0)
            self.active[core.trace_id] = core
            self._count()

    def remove(self, core: Core) -> None:
        """Make a session inactive."""
        with self.lock:
            if self.active.pop(core.trace_id, None) is core:
                self._note(core)
            self._count()

    def _note(self, core: Core) -> None:
        if core.sent:
            self.left[core.trace_id] = core.sent
            while len(self.left) > _MAX_LEFT:
                self.left.popitem(last=False)

    def _count(self) -> None:
        self.only = next(iter(self.active.values())) if len(self.active) == 1 else None
        if len(self.active) < 2:
            self.many_since = 0.0
        elif not self.many_since:
            self.many_since = monotonic()

    def visit(self, trace_id: int, make: Callable[[], Core]) -> Core:
        """Return the session of another process with this id, made on the first visit."""
        with self.lock:
            core = self.active.get(trace_id) or self.visits.get(trace_id)
            if core is None:
                core = self.visits[trace_id] = make()
                core.sent = self.left.pop(trace_id, 0)
                while len(self.visits) > _MAX_VISITS:
                    self._note(self.visits.popitem(last=False)[1])
            return core

    def all(self) -> list[Core]:
        """Return the active sessions, oldest first."""
        with self.lock:
            return list(self.active.values())

    def lost(self, now: float) -> list[Core]:
        """Return the sessions that nobody outside the SDK has referred to for too long.

        The only session is never lost, nor the one that `init()` started. The clock starts when the last
        reference went away, but not before there were several sessions: until then base functions reached
        it.
        """
        with self.lock:
            if len(self.active) < 2:
                return []
            return [
                core
                for core in self.active.values()
                if not core.keep
                and not core.inherited
                and not core.held()
                and now - max(core.unheld_since, self.many_since) >= LOST_AFTER_S
            ]

    def after_fork_in_child(self) -> None:
        """Renew the lock; every session is now one that this process only contributes to."""
        self.lock = threading.RLock()
        self.left.clear()
        for core in [*self.active.values(), *self.visits.values()]:
            core.belongs_to_child()
