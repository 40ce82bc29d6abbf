"""The last resort: records held in a bounded memory while no folder can be written."""

from __future__ import annotations

from collections import deque


class Memory:
    """A queue of at most `limit_bytes`; guarded by the journal's lock."""

    def __init__(self, limit_bytes: int) -> None:
        self._limit_bytes = limit_bytes
        self._lines: deque[bytes] = deque()
        self._bytes = 0
        self.taken_out = 0
        """Records that have left it so far: shipped, or moved to a segment."""

    def __len__(self) -> int:
        return len(self._lines)

    @property
    def put_in(self) -> int:
        """Records it has ever held."""
        return self.taken_out + len(self._lines)

    def add(self, line: bytes) -> bool:
        """Keep a line; False when there is no room."""
        if self._bytes + len(line) > self._limit_bytes:
            return False
        self._lines.append(line)
        self._bytes += len(line)
        return True

    def first(self, limit_bytes: int) -> list[bytes]:
        """Return the oldest lines, about `limit_bytes` of them but at least one if there is one."""
        lines: list[bytes] = []
        total = 0
        for line in self._lines:
            if lines and total + len(line) > limit_bytes:
                break
            lines.append(line)
            total += len(line)
        return lines

    def last(self, limit_bytes: int) -> list[bytes]:
        """Return the newest lines, about `limit_bytes` of them but at least one if there is one, in order."""
        lines: list[bytes] = []
        total = 0
        for line in reversed(self._lines):
            if lines and total + len(line) > limit_bytes:
                break
            lines.append(line)
            total += len(line)
        return lines[::-1]

    def drop_until(self, position: int) -> None:
        """Let go of every line put in before `position` (as counted by `put_in`)."""
        while self._lines and self.taken_out < position:
            self._bytes -= len(self._lines.popleft())
            self.taken_out += 1
