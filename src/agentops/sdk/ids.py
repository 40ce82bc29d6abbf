"""Ids: time-ordered trace ids (UUIDv7, RFC 9562) and random span ids, untouched by the program's seed."""

from __future__ import annotations

import os
import random
import time
from typing import Final

_random: Final = random.Random(os.urandom(32))  # noqa: S311 -- ids, not secrets
_getrandbits: Final = _random.getrandbits

if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=lambda: _random.seed(os.urandom(32)))


def new_trace_id() -> int:
    """Return a UUIDv7 as an integer: 48 bits of unix milliseconds, then version, variant and random bits."""
    milliseconds = time.time_ns() // 1_000_000
    return (
        (milliseconds & (2**48 - 1)) << 80
        | 0x7 << 76
        | _getrandbits(12) << 64
        | 0b10 << 62
        | _getrandbits(62)
    )


def new_span_id() -> int:
    """Return 64 random bits, never 0."""
    return _getrandbits(64) or 1
