"""Lookups of a few rows, asked beside another question of the same answer."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Final, TypeVar

_Answer = TypeVar("_Answer")
# Analytics has threads of its own: no lookup waits behind its long questions.
_threads: Final = ThreadPoolExecutor(4, "agentops-lookups")


def ask(lookup: Callable[[], _Answer]) -> Future[_Answer]:
    """Ask in another thread. What is asked here must not ask so itself: it could wait for its own thread."""
    return _threads.submit(lookup)
