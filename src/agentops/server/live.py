"""Live notices: which sessions changed, to everybody who listens.

A listener holds a small set of ids, not a queue: a slow one gets fewer, larger notices, and one that stays
silent for long is dropped. Notices are numbered; a listener that comes back with the last number it saw is
told what it missed, or, when that is no longer known, to look at everything.
"""

from __future__ import annotations

import asyncio
import math
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

import msgspec

HEARTBEAT_S: Final = 15.0
_REMEMBERED: Final = 1_000
_MOST_WAITING_IDS: Final = 10_000
_GATHER_S: Final = 0.02
_TAGS: Final = 1024
"""A number's remainder by this says which process gave it: those of another server say nothing here."""


@dataclass(eq=False, slots=True)
class _Listener:
    project: str
    loop: asyncio.AbstractEventLoop
    wake: asyncio.Event
    since: float
    """When it began to listen, seconds of the monotonic clock; one that resumes listens since ever."""
    waiting: dict[str, None] = field(default_factory=dict[str, None])
    number: int = 0
    lost: bool = False


class _Past:
    """What one project's listeners were told of late; numbers of another's say nothing of it."""

    def __init__(self) -> None:
        # Numbers go on across restarts: one that an earlier server gave is always one of the past.
        self.number = time.time_ns() // 10**6 * _TAGS
        self.told: deque[tuple[int, list[str]]] = deque(maxlen=_REMEMBERED)


class Live:
    """Spreads the ids of changed sessions. `publish` may be called from any thread."""

    def __init__(self) -> None:
        self._listeners: set[_Listener] = set()
        self._past: dict[str, _Past] = {}
        self._tag = secrets.randbelow(_TAGS)
        self._loop: asyncio.AbstractEventLoop | None = None
        self._closing = False

    @property
    def listeners(self) -> int:
        """How many listen now."""
        return len(self._listeners)

    def listened(self) -> bool:
        """Say whether anybody listens now."""
        return bool(self._listeners)

    def attach(self, loop: asyncio.AbstractEventLoop) -> None:
        """Say which loop the listeners live on."""
        self._loop = loop

    def publish(self, project: str, sessions: Iterable[str]) -> None:
        """Tell the project's listeners that these sessions changed."""
        ids = list(sessions)
        loop = self._loop
        if ids and loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._spread, project, ids)

    def missed(self, since: float) -> None:
        """Say that what others changed since then is not known: who listened then looks at everything."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._spread_missed, since)

    def _spread_missed(self, since: float) -> None:
        for project in self._past.keys() | {listener.project for listener in self._listeners}:
            self._spread(project, ["*"], before=since)

    def recheck(self) -> None:
        """Let every listener see whether it may still listen. May be called from any thread."""
        loop = self._loop
        if loop is not None and not loop.is_closed():
            loop.call_soon_threadsafe(self._wake_all)

    def _wake_all(self) -> None:
        for listener in self._listeners:
            listener.wake.set()

    def _past_of(self, project: str) -> _Past:
        past = self._past.get(project)
        if past is None:
            past = self._past[project] = _Past()
            past.number += self._tag
        return past

    def close(self) -> None:
        """End all listeners; a server that stops must not wait for browsers to leave."""
        self._closing = True
        for listener in self._listeners:
            listener.wake.set()

    def _spread(self, project: str, ids: list[str], before: float = math.inf) -> None:
        past = self._past_of(project)
        past.number += _TAGS
        past.told.append((past.number, ids))
        for listener in self._listeners:
            if listener.project == project and listener.since <= before and not listener.lost:
                listener.waiting.update(dict.fromkeys(ids))
                listener.number = past.number
                listener.lost = len(listener.waiting) > _MOST_WAITING_IDS
                listener.wake.set()

    async def listen(
        self, project: str, last_number: int | None = None, may: Callable[[], bool] = lambda: True
    ) -> AsyncIterator[bytes]:
        """Yield server-sent-event frames until the listener leaves, is too slow or the server stops.

        Args:
            project: whose sessions it hears of.
            last_number: of the last notice that it saw.
            may: asked before each frame whether it may still listen.
        """
        since = time.monotonic() if last_number is None else 0.0
        listener = _Listener(project, asyncio.get_running_loop(), asyncio.Event(), since)
        self._listeners.add(listener)
        try:
            yield b"retry: 1000\n: listening\n\n"
            if last_number is not None:
                self._catch_up(listener, last_number)
            while not self._closing:
                try:
                    await asyncio.wait_for(listener.wake.wait(), HEARTBEAT_S)
                except TimeoutError:
                    if not may():
                        return
                    yield b": ping\n\n"
                    continue
                if self._closing or not may():
                    return
                # A burst becomes one frame.
                await asyncio.sleep(_GATHER_S)
                listener.wake.clear()
                if listener.lost:
                    return
                ids, listener.waiting = listener.waiting, {}
                if ids:
                    yield frame(listener.number, list(ids))
        finally:
            self._listeners.discard(listener)

    def _catch_up(self, listener: _Listener, last_number: int) -> None:
        past = self._past_of(listener.project)
        if last_number == past.number:
            return
        foreign = last_number % _TAGS != self._tag or last_number > past.number
        if foreign or not past.told or past.told[0][0] > last_number + _TAGS:
            listener.waiting["*"] = None
        for number, ids in past.told:
            if number > last_number:
                listener.waiting.update(dict.fromkeys(ids))
        if listener.waiting:
            listener.number = past.number
            listener.wake.set()


def frame(number: int, sessions: list[str]) -> bytes:
    """Return one notice. `*` among the sessions means: some changed that are no longer known by name."""
    return b"id: %d\ndata: %b\n\n" % (number, msgspec.json.encode({"sessions": sessions}))
