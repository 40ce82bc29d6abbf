"""Resident memory: giving back the library pages that only start-up needed.

Opening chDB touches some 200 MB of its library's code, which then counts as resident although it is a clean
copy of a file. Code pages of a mapped file can be dropped at any time: the next call reads them from the page
cache again.
"""

from __future__ import annotations

import contextlib
import ctypes
import sys
from pathlib import Path
from typing import Final

_MADV_DONTNEED: Final = 4
_LIBRARY: Final = "_chdb"


def release_code_pages() -> int:
    """Drop the engine's resident code pages; return the bytes of the mappings advised (0 off Linux).

    Only mappings that are readable, executable and not writable qualify: what the loader relocated (r--p,
    rw-p) differs from the file and would be lost.
    """
    if not sys.platform.startswith("linux"):
        return 0
    advised = 0
    with contextlib.suppress(OSError, ValueError, AttributeError):
        libc = ctypes.CDLL(None, use_errno=True)
        libc.madvise.argtypes = (ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int)
        for line in Path("/proc/self/maps").read_text(encoding="ascii", errors="replace").splitlines():
            fields = line.split(maxsplit=5)
            if len(fields) < 6 or fields[1] != "r-xp" or _LIBRARY not in fields[5]:
                continue
            start, _, end = fields[0].partition("-")
            first, last = int(start, 16), int(end, 16)
            if libc.madvise(first, last - first, _MADV_DONTNEED) == 0:
                advised += last - first
    return advised
