"""The monotonic clock that waits are measured by: it keeps running when a program stops its own.

Libraries that freeze time in tests (freezegun) replace `time.monotonic` by a clock that stands still, in
every module that imported it. A wait measured by that clock would never end.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from typing import Final

monotonic: Final[Callable[[], float]] = partial(time.clock_gettime, time.CLOCK_MONOTONIC)
"""Seconds since some moment, as `time.monotonic` gives them."""
