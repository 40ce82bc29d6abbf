"""The clock that waits are counted by: it goes on when a program stops its own.

What stops time in a program's tests (freezegun) puts a clock that stands still in the place of
`time.monotonic`, in every module that has it. A wait that ends at a moment of that clock never would.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

monotonic: Final[Callable[[], float]] = partial(time.clock_gettime, time.CLOCK_MONOTONIC)
"""Seconds since some moment, as `time.monotonic` gives them."""
