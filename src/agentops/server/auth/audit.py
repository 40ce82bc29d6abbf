"""The audit log: who used a key from where, and what was made, revoked, changed or deleted.

JSON lines in `<home>/audit.jsonl`, private to the user, only ever appended to; at 32 MB it becomes
`audit.1.jsonl`, whose predecessor goes. It names keys by their first 8 characters and never holds one.
"""

from __future__ import annotations

import contextlib
import logging
import os
import threading
import time
from collections import OrderedDict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import msgspec

_log: Final = logging.getLogger("agentops.server")
_MOST_BYTES: Final = 32 * 1024 * 1024
_USE_EVERY_S: Final = 3600.0
_MOST_USES: Final = 10_000


class Audit:
    """Appends lines; it never fails what it tells about."""

    def __init__(self, home: Path) -> None:
        self.path = home / "audit.jsonl"
        self._lock = threading.Lock()
        self._uses: OrderedDict[tuple[str, str, str], float] = OrderedDict()

    def note(self, what: str, **said: Any) -> None:
        """Append one line: when, what, and what there is to say about it."""
        line = msgspec.json.encode({"at": datetime.now(UTC).isoformat(), "what": what, **said}) + b"\n"
        with self._lock:
            try:
                self._make_room()
                file = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC, 0o600)
                try:
                    os.write(file, line)
                finally:
                    os.close(file)
            except OSError as error:
                _log.warning("The audit log %s cannot be written: %s", self.path, error)

    def used(self, key_id: str, scope: str, address: str, project: str) -> bool:
        """Note that a key was used, once an hour for each scope and address; return whether it was."""
        if not self._due(key_id, scope, address):
            return False
        self.note("key.used", key=key_id, scope=scope, address=address, project=project)
        return True

    def refused(self, address: str) -> None:
        """Note that somebody showed a key or token that is worth nothing, once an hour for each address."""
        if self._due("", "refused", address):
            self.note("key.refused", address=address)

    def _due(self, key_id: str, scope: str, address: str) -> bool:
        use = (key_id, scope, address)
        now = time.monotonic()
        last = self._uses.get(use)
        if last is not None and now - last < _USE_EVERY_S:
            return False
        self._uses[use] = now
        while len(self._uses) > _MOST_USES:
            with contextlib.suppress(KeyError):
                self._uses.popitem(last=False)
        return True

    def lines(self, most: int = 500) -> list[dict[str, Any]]:
        """Return the newest lines, newest first."""
        try:
            with self.path.open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - most * 1024))
                found = file.read().splitlines()
        except OSError:
            return []
        shown: list[dict[str, Any]] = []
        for line in reversed(found[-most:]):
            with contextlib.suppress(msgspec.DecodeError):
                shown.append(msgspec.json.decode(line, type=dict[str, Any]))
        return shown

    def _make_room(self) -> None:
        with contextlib.suppress(FileNotFoundError):
            if self.path.stat().st_size > _MOST_BYTES:
                self.path.replace(self.path.with_name("audit.1.jsonl"))
