"""The store's lock: chDB gives a path to one process, and who that is should be told, not guessed.

The lock is an advisory lock on `<store>.lock` beside the store's folder, held for the life of the process;
the file says who holds it. A crash frees it, whatever the file still says.
"""

from __future__ import annotations

import fcntl
import os
import time
from contextlib import suppress
from pathlib import Path
from typing import Final

import msgspec

from agentops.errors import StoreError

_TRIES: Final = 3
_BETWEEN_S: Final = 0.05
"""Who only looks whether the lock is held has it for less than this."""


class Owner(msgspec.Struct):
    """Who holds a store."""

    pid: int = 0
    url: str = ""


class StoreLock:
    """The lock on one embedded store, held until `release`."""

    def __init__(self, store: Path) -> None:
        """Take the lock.

        Raises:
            StoreError: another process holds it; the message names its pid and address. Or its folder
                cannot be written.
        """
        self.path = store.with_name(store.name + ".lock")
        try:
            store.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            self._file = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"The store {store} cannot be opened: {error}. "
                "Choose another folder with --home or --store, or make this one writable."
            ) from None
        if not _locked(self._file, tries=_TRIES):
            os.close(self._file)
            owner = read_owner(self.path)
            where = f", serving {owner.url}," if owner.url else ""
            raise StoreError(
                f"The store {store} is in use by process {owner.pid or 'unknown'}{where} and chDB "
                f"allows one process a store. "
                "Use that server, stop it, or choose another folder with --home or --store."
            ) from None
        # What the last holder said of itself is not true of this one, which has no address yet.
        self.describe("")

    def describe(self, url: str) -> None:
        """Write down who holds the lock and where it serves."""
        text = msgspec.json.encode(Owner(os.getpid(), url))
        os.ftruncate(self._file, 0)
        with suppress(OSError):  # On a full disk the lock holds all the same.
            os.pwrite(self._file, text, 0)

    def release(self) -> None:
        """Give the store back."""
        os.ftruncate(self._file, 0)
        os.close(self._file)


def _locked(file: int, tries: int) -> bool:
    for left in reversed(range(tries)):
        with suppress(OSError):
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if left:
            time.sleep(_BETWEEN_S)
    return False


def read_owner(path: Path) -> Owner:
    """Return who holds the lock, or an empty owner.

    A file that nobody holds tells of a process that was killed. Somebody else may listen at its address now.
    """
    try:
        with path.open("rb") as file:
            with suppress(BlockingIOError):
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
                return Owner()
            return msgspec.json.decode(file.read(), type=Owner)
    except (OSError, msgspec.DecodeError):
        return Owner()
