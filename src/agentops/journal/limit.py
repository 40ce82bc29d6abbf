"""The size limit: a journal folder never grows past it, and what that costs is counted.

Acknowledged segments go first, then the oldest. A segment that somebody holds is left alone: it is being
written or shipped, and no larger than one segment.
"""

from __future__ import annotations

import contextlib
from pathlib import Path

from agentops.journal.folder import count_lines, pending_start, segments
from agentops.journal.header import NotASegment
from agentops.journal.losses import Losses
from agentops.journal.segment import Segment


def enforce(folder: Path, max_bytes: int, losses: Losses) -> int:
    """Delete segments until those of `folder` take at most `max_bytes`. Returns how many records it lost."""
    sizes: dict[Path, int] = {}
    for path in segments(folder):
        with contextlib.suppress(OSError):
            sizes[path] = path.stat().st_size
    excess = sum(sizes.values()) - max_bytes
    if excess <= 0:
        return 0
    lost = 0
    others = 0
    for path in sorted(sizes, key=lambda path: (not _is_acknowledged(path, sizes[path]), path.name)):
        if excess <= 0:
            break
        dropped = _drop(path)
        if dropped is not None:
            excess -= sizes[path]
            pending, own = dropped
            lost += pending
            others += 0 if own else pending
    losses.note("over_size_limit", others, own=False)
    losses.note("over_size_limit", lost - others)
    return lost


def _is_acknowledged(path: Path, size: int) -> bool:
    try:
        return pending_start(path) >= size
    except OSError:
        return False


def _drop(path: Path) -> tuple[int, bool] | None:
    """Delete one segment; return how many pending records it held and whether they were this process's.

    None when somebody holds it.
    """
    try:
        segment = Segment.claim(path)
    except NotASegment:
        return None
    if segment is None:
        return None
    try:
        pending = count_lines(path, segment.acknowledged)
        segment.delete()
        return pending, segment.own
    except OSError:
        return None
    finally:
        segment.abandon()
