"""Records kept aside for inspection: what no server will take, or no reader can read, is not shipped.

At most `LIMIT_BYTES` of it stay: the oldest files go first, and their records are counted as `unkept`.
"""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Final

import msgspec

from agentops.journal.folder import REJECTED, count_lines, kept_aside, make_private
from agentops.journal.losses import Losses, Reason
from agentops.journal.segment import Segment

LIMIT_BYTES: Final = 64 << 20


def keep_aside(segment: Segment, line: bytes, reason: Reason, why: str, losses: Losses) -> bool:
    """Keep one line of `segment` under `rejected/`, and count it. Never raises.

    Returns:
        Whether it is this process's first for `reason`.
    """
    first = losses.note(reason, own=segment.own)
    folder = segment.path.parent
    record = {
        "reason": reason,
        "why": why,
        "at_ns": time.time_ns(),
        "record": line.rstrip(b"\n").decode("utf-8", "backslashreplace"),
    }
    text = msgspec.json.encode(record) + b"\n"
    try:
        make_private(folder / REJECTED)
        _make_room(folder, len(text), losses)
        fd = os.open(folder / REJECTED / segment.path.name, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(fd, text)
        finally:
            os.close(fd)
    except OSError:
        losses.note("unkept")
    return first


def keep_file_aside(path: Path, losses: Losses) -> None:
    """Move a segment whose header cannot be read under `rejected/`, and count its records. Never raises."""
    try:
        records = count_lines(path, 0)
        if records == 0:
            path.unlink(missing_ok=True)
            return
        make_private(path.parent / REJECTED)
        _make_room(path.parent, path.stat().st_size, losses)
        path.rename(path.parent / REJECTED / path.name)
        losses.note("corrupt", records, own=False)
    except OSError:
        pass  # Left where it is: the next one to look tries again.


def _make_room(folder: Path, wanted_bytes: int, losses: Losses) -> None:
    sizes = [(path, path.stat().st_size) for path in kept_aside(folder)]
    excess = sum(size for _, size in sizes) + wanted_bytes - LIMIT_BYTES
    for path, size in sizes:
        if excess <= 0:
            break
        losses.note("unkept", count_lines(path, 0), own=False)
        path.unlink(missing_ok=True)
        excess -= size
