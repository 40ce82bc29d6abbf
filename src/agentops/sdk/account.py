"""Accounts: what a process could not record as it was meant, left in its home for `agentops doctor`.

A doctor is another process than its patient. So each recording process that has something to tell writes one
small file, rarely: at a tick of the shipper's thread and at its exit, atomically, names bounded in number and
length and masked as all that is recorded. Files of long ago are removed by whoever writes next. A process
with nothing to tell writes none.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Final, Literal

import msgspec

from agentops.clock import monotonic

FOLDER: Final = "accounts"
KEEP_S: Final = 7 * 86_400.0
KEEP_FILES: Final = 100
EVERY_S: Final = 10.0
"""Least time between two writings of one process."""
_MAX_NAMES: Final = 50
_MAX_NAME: Final = 200
_OTHERS: Final = "(others)"

Why = Literal["off", "none", "several"]
"""Why a call belonged to no session: the SDK was never set up, no session was active, or several were."""


class Account(msgspec.Struct, frozen=True):
    """What one process tells. Counts are since its start; times are unix seconds."""

    program: str
    pid: int
    started_at: float
    written_at: float
    unplaced: dict[str, dict[str, int]] = {}
    """Calls that found no session, by why and name."""
    repeated: dict[str, int] = {}
    """Spans left out because an instrumentor of ours records the same call, by instrumentation scope."""
    failed: dict[str, int] = {}
    """Records that could not be made, by the error's type."""
    unrecorded: dict[str, str] = {}
    """Libraries that could not be instrumented, and why."""
    cut: int = 0
    """Values cut to their greatest length."""


class Tally:
    """Counts what this process has to tell, and writes it."""

    def __init__(self) -> None:
        self.unplaced: dict[str, Counter[str]] = {}
        self.repeated: Counter[str] = Counter()
        self.started_at = time.time()
        self._told: Account | None = None
        self._path: Path | None = None
        self._not_before = 0.0

    def count_unplaced(self, why: Why, name: str) -> None:
        """Count a call that no session was there for."""
        names = self.unplaced.setdefault(why, Counter())
        names[name if name in names or len(names) < _MAX_NAMES else _OTHERS] += 1

    def count_repeated(self, scope: str) -> None:
        """Count a span that was left out."""
        known = self.repeated
        known[scope if scope in known or len(known) < _MAX_NAMES else _OTHERS] += 1

    def write(
        self,
        home: Path,
        program: str,
        *,
        mask: Callable[[str], str] | None = None,
        failed: Counter[str] | None = None,
        unrecorded: dict[str, str] | None = None,
        cut: int = 0,
        last: bool = False,
    ) -> None:
        """Write what there is to tell when it is new, and the last time a while ago or this the `last`.

        Raises:
            OSError: the home cannot be written.
        """
        now = monotonic()
        if now < self._not_before and not last:
            return
        shown = mask or str
        account = Account(
            program=shown(program)[:_MAX_NAME],
            pid=os.getpid(),
            started_at=self.started_at,
            written_at=0.0,
            unplaced={why: _shown(names.copy(), shown) for why, names in self.unplaced.copy().items()},
            repeated=dict(self.repeated.copy()),
            failed=dict((failed or Counter()).copy()),
            unrecorded={module: shown(why)[:_MAX_NAME] for module, why in (unrecorded or {}).items()},
            cut=cut,
        )
        if account == self._told or not (
            account.unplaced or account.repeated or account.failed or account.unrecorded or account.cut
        ):
            return
        self._told, self._not_before = account, now + EVERY_S
        from agentops.journal.folder import make_private

        folder = home / FOLDER
        make_private(folder)
        if self._path is None:
            _tidy(folder)
        self._path = folder / f"{os.getpid()}-{int(self.started_at)}.json"
        made = folder / f".{self._path.name}"
        body = msgspec.json.encode(msgspec.structs.replace(account, written_at=time.time()))
        handle = os.open(made, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        try:
            os.write(handle, body)
        finally:
            os.close(handle)
        os.replace(made, self._path)


def _shown(names: Counter[str], shown: Callable[[str], str]) -> dict[str, int]:
    found: Counter[str] = Counter()
    for name, count in names.items():
        found[shown(name)[:_MAX_NAME]] += count  # Masked and cut, several may be one.
    return dict(found)


def _tidy(folder: Path) -> None:
    """Remove the files of long ago, and the oldest where there are many."""
    aged: list[tuple[float, Path]] = []
    for path in folder.iterdir():
        with suppress(OSError):  # Another process tidies too.
            aged.append((path.stat().st_mtime, path))
    aged.sort(reverse=True)
    for position, (at, path) in enumerate(aged):
        if position >= KEEP_FILES - 1 or time.time() - at > KEEP_S:
            with suppress(OSError):
                path.unlink()


def accounts(home: Path) -> list[Account]:
    """Return what the processes of a home told, the latest first; what cannot be read is left out."""
    found: list[Account] = []
    with suppress(OSError):
        for path in (home / FOLDER).glob("*.json"):
            with suppress(OSError, msgspec.DecodeError):
                found.append(msgspec.json.decode(path.read_bytes(), type=Account))
    oldest = time.time() - KEEP_S
    return sorted((one for one in found if one.written_at > oldest), key=lambda one: -one.written_at)
