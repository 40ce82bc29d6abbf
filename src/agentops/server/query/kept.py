"""What was asked of a store lately and stays true until the store changes.

A page of a session asks several questions at once, and each begins with the same lookups: which traces the
session has, and whether it still runs. A lookup costs the engine milliseconds, most of them for planning.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from agentops.server.store.client import Store

_MOST: Final = 1_000
"""Answers that are kept."""
_Answer = TypeVar("_Answer")


class _Kept:
    def __init__(self) -> None:
        self.changes = 0
        self.answers: dict[Hashable, Any] = {}
        self.lock = threading.Lock()


_kept: Final[WeakKeyDictionary[Store, _Kept]] = WeakKeyDictionary()


def kept(
    store: Store,
    question: Hashable,
    ask: Callable[[], _Answer],
    is_small: Callable[[_Answer], bool] = lambda _: True,
) -> _Answer:
    """Return the answer to a question: the last one, unless the store has changed since.

    Args:
        store: the open store; one that others write to, too, is always asked.
        question: what is asked, with everything that the answer depends on except the store.
        ask: asks it.
        is_small: whether an answer may be kept: hundreds of them must not be felt in memory.
    """
    # Read before asking: what changes meanwhile makes the answer one of before.
    changes = store.changes
    if changes is None:
        return ask()
    mine = _kept.setdefault(store, _Kept())
    with mine.lock:
        if mine.changes == changes and question in mine.answers:
            return mine.answers[question]
    answer = ask()
    if not is_small(answer):
        return answer
    with mine.lock:
        if changes > mine.changes:
            mine.changes = changes
            mine.answers.clear()
        if changes == mine.changes:
            if len(mine.answers) >= _MOST:
                mine.answers.clear()
            mine.answers[question] = answer
    return answer
