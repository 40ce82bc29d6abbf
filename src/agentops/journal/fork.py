"""Fork: whoever holds locks, files or threads is told before and after a fork, lowest room last to be locked.

`before_fork` brings the object to rest (its locks taken, waiting at most a second), so that the child's copy
is whole; `after_fork_in_child` renews its locks and forgets what belongs to the parent.
"""

from __future__ import annotations

import os
import weakref
from typing import Final, Protocol

LOCK_WAIT_S: Final = 1.0
"""Longest delay of a fork: a lock that is not free by then is renewed in the child all the same."""


class ForkAware(Protocol):
    """An object with state that does not survive a fork by itself."""

    def before_fork(self) -> None:
        """Come to rest."""
        ...

    def after_fork_in_parent(self) -> None:
        """Go on."""
        ...

    def after_fork_in_child(self) -> None:
        """Renew locks; forget files and threads of the parent."""
        ...


_watched: list[weakref.ref[ForkAware]] = []


def watch(aware: ForkAware) -> None:
    """Tell `aware` about forks for as long as it lives."""
    _watched[:] = [reference for reference in _watched if reference() is not None]
    _watched.append(weakref.ref(aware))


def _living() -> list[ForkAware]:
    return [aware for reference in list(_watched) if (aware := reference()) is not None]


def _before() -> None:
    for aware in reversed(_living()):
        aware.before_fork()


def _in_parent() -> None:
    for aware in _living():
        aware.after_fork_in_parent()


def _in_child() -> None:
    for aware in _living():
        aware.after_fork_in_child()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
