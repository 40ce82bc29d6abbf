"""Descriptors under numbers that the recorded program does not come by."""

from __future__ import annotations

import fcntl
import os
from typing import Final

_LOWEST: Final = 600


def out_of_the_way(fd: int) -> int:
    """Return the same open file or socket under a high number; the given one is closed.

    A program that closes descriptors which it did not open (daemons do) gets the low numbers again for its
    own files: our lines must not land in those, and closing ours must not close them.
    """
    try:
        high = fcntl.fcntl(fd, fcntl.F_DUPFD_CLOEXEC, _LOWEST)
    except OSError:
        return fd  # Fewer descriptors are allowed.
    os.close(fd)
    return high
