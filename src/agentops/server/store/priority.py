"""Merges run when nobody else wants the processor as much.

They take longer than all else that an embedded store does under load, and nobody waits for one. The engine
gives its threads no priority of their own, but Linux has one for each thread.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path
from typing import Final

_THREADS: Final = Path("/proc/self/task")
_MERGING: Final = "MergeMutate"
_NICE: Final = 5
"""A third of the processor when another thread wants it too: parts must not pile up either."""


def merges_give_way() -> list[int]:
    """Lower the priority of the engine's merging threads that are there now; return their ids."""
    if not _THREADS.exists():
        return []
    found: list[int] = []
    for thread in _THREADS.iterdir():
        with suppress(OSError):  # It has ended meanwhile.
            if (thread / "comm").read_text().strip() == _MERGING:
                found.append(int(thread.name))
                if os.getpriority(os.PRIO_PROCESS, found[-1]) < _NICE:
                    os.setpriority(os.PRIO_PROCESS, found[-1], _NICE)
    return found
