"""What was asked of a store lately and stays true until the store changes.

A page of a session asks several questions at once, and each begins with the same lookups: which traces the
session has, and whether it still runs. A lookup costs the engine milliseconds, most of them for planning.
What a timeline is drawn from costs more, and a session is often opened again while nothing has changed.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Final, TypeVar
from weakref import WeakKeyDictionary

from agentops.server.store.client import Store

_MOST_SMALL: Final = 1_000
"""Small answers that are kept."""
_MOST_BYTES: Final = 64 * 2**20
"""Bytes of large answers that are kept."""
_Answer = TypeVar("_Answer")


class _Shelf:
    """Answers of one state of a store, the latest asked for last, up to a weight in all."""

    def __init__(self, most: int) -> None:
        self.most = most
        self.changes = 0
        self.weight = 0
        self.answers: OrderedDict[Hashable, tuple[Any, int]] = OrderedDict()
        self.lock = threading.Lock()

    def found(self, changes: int, question: Hashable) -> tuple[Any] | None:
        with self.lock:
            if self.changes != changes or question not in self.answers:
                return None
            self.answers.move_to_end(question)
            return (self.answers[question][0],)

    def keep(self, changes: int, question: Hashable, answer: object, weight: int) -> None:
        with self.lock:
            if changes > self.changes:
                self.changes = changes
                self.answers.clear()
                self.weight = 0
            if changes < self.changes or weight > self.most:
                return
            self.weight += weight - self.answers.pop(question, (None, 0))[1]
            self.answers[question] = (answer, weight)
            while self.weight > self.most:
                self.weight -= self.answers.popitem(last=False)[1][1]


_small: Final[WeakKeyDictionary[Store, _Shelf]] = WeakKeyDictionary()
_large: Final[WeakKeyDictionary[Store, _Shelf]] = WeakKeyDictionary()


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
    shelf = _small.setdefault(store, _Shelf(_MOST_SMALL))
    return _kept(shelf, store, question, ask, lambda answer: 1 if is_small(answer) else _MOST_SMALL + 1)


def kept_bytes(store: Store, question: Hashable, ask: Callable[[], bytes]) -> bytes:
    """Return an answer as `kept` does, which may be large: 64 MiB are kept, the latest asked for.

    Args:
        store: as for `kept`.
        question: as for `kept`.
        ask: asks it.
    """
    return _kept(_large.setdefault(store, _Shelf(_MOST_BYTES)), store, question, ask, len)


def _kept(
    shelf: _Shelf,
    store: Store,
    question: Hashable,
    ask: Callable[[], _Answer],
    weight: Callable[[_Answer], int],
) -> _Answer:
    # Read before asking: what changes meanwhile makes the answer one of before.
    changes = store.changes
    if changes is None:
        return ask()
    found = shelf.found(changes, question)
    if found is not None:
        return found[0]
    answer = ask()
    shelf.keep(changes, question, answer, weight(answer))
    return answer
