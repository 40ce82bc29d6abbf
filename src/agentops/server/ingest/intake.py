"""Bodies that are being read or wait to be decoded: bounded in bytes.

A crowd of senders is told to come again instead of filling the memory. Small bodies, as agents send them,
pass all the same: nobody stops an agent by holding large ones. What comes after, rows that wait for a commit,
is bounded by the writer.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import Final

from agentops.server.store.write import Full

_MOST_BYTES: Final = 128 * 1024 * 1024
_SMALL_BYTES: Final = 1024 * 1024
_MOST_SMALL_BYTES: Final = 2 * _MOST_BYTES
"""Where small bodies end as well: thousands of them at once are a crowd too."""


class Intake:
    """Counts the bytes of all bodies that are held now. May be used from any thread."""

    def __init__(self, most_bytes: int = _MOST_BYTES) -> None:
        """Allow so many bytes; one body alone may be larger, since its own limit is another's."""
        self._most_bytes = most_bytes
        self._lock = threading.Lock()
        self._leaving = False
        self.held_bytes = 0
        self.turned_away = 0

    @contextlib.contextmanager
    def holding(self) -> Generator[Held]:
        """Hold one body, from its first byte until it is decoded."""
        held = Held(self)
        try:
            yield held
        finally:
            held.shrink()

    def leave(self) -> None:
        """Turn away, from now on, what is not being decoded yet: its sender has it still."""
        self._leaving = True

    def grow(self, held: Held, size: int) -> None:
        """Count more bytes of a body.

        Raises:
            Full: there is no room, or the server is leaving.
        """
        with self._lock:
            others = self.held_bytes - held.size
            most = _MOST_SMALL_BYTES if held.size + size <= _SMALL_BYTES else self._most_bytes
            crowded = others > 0 and self.held_bytes + size > most
            if crowded or self._leaving:
                self.turned_away += 1
                raise Full("The server is stopping.") if self._leaving else Full
            held.size += size
            self.held_bytes += size

    def shrink(self, held: Held) -> None:
        """Forget the bytes of a body."""
        with self._lock:
            self.held_bytes -= held.size
            held.size = 0


class Held:
    """One body that is held; `size` are the bytes of it that have come."""

    def __init__(self, intake: Intake) -> None:
        self._intake = intake
        self.size = 0

    def grow(self, size: int) -> None:
        """Count more bytes of it; with 0, ask whether it may still be decoded.

        Raises:
            Full: it may not be held any longer.
        """
        self._intake.grow(self, size)

    def shrink(self) -> None:
        """Say that nothing of it is held any more."""
        self._intake.shrink(self)
