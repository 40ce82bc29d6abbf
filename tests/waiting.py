"""Wait for a condition, not for a time."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def eventually(look: Callable[[], T], *, within_s: float = 10, every_s: float = 0.02) -> T:
    """Return the first true value that `look` gives, looked for less often the longer it takes.

    An AssertionError of `look` counts as "not yet"; when time is up the last one is raised, so that the
    failure says what was missing.
    """
    began = time.monotonic()
    while True:
        try:
            value = look()
            if value:
                return value
            missing: AssertionError = AssertionError(f"still {value!r} after {within_s} s")
        except AssertionError as error:
            missing = error
        waited = time.monotonic() - began
        if waited > within_s:
            raise missing
        time.sleep(max(every_s, min(waited / 5, 0.25)))
