"""Sign-ins of the dashboard: a random cookie, known here by its keyed hash, opened with a key.

A sign-in ends when it is signed out, when its key ends, or after 30 days.
"""

from __future__ import annotations

import secrets
import threading
import time
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agentops.server.auth.keys import Key
from agentops.server.auth.secret import Secret
from agentops.server.store.client import Store

LIFE_S: Final = 30 * 86_400


class SignIn(Struct, frozen=True, kw_only=True):
    """A row of sign_ins. Times are unix nanoseconds."""

    cookie_hash: str
    key_hash: str
    project: str
    created_at: int
    expires_at: int
    ended: bool = False
    version: int = 0


def _after(found: SignIn) -> int:
    """Return the version of what replaces a row; another server's clock may be ahead of ours."""
    return max(time.time_ns(), found.version + 1)


class SignIns:
    """All open sign-ins of a store. Safe to use from any thread."""

    def __init__(self, store: Store, secret: Secret) -> None:
        self._store = store
        self._secret = secret
        self._lock = threading.Lock()
        self._open: dict[str, SignIn] = {}

    def reload(self) -> None:
        """Read the open sign-ins from the store."""
        rows = self._store.rows(
            "SELECT * FROM sign_ins FINAL WHERE expires_at > {now:UInt64}", {"now": time.time_ns()}, SignIn
        )
        with self._lock:
            for row in rows:
                known = self._open.get(row.cookie_hash)
                if known is None or row.version > known.version:
                    self._open[row.cookie_hash] = row

    def open(self, key: Key) -> tuple[str, SignIn]:
        """Open a sign-in with a key; return the cookie's value and what is known of it."""
        cookie = secrets.token_urlsafe(32)
        now = time.time_ns()
        fresh = SignIn(
            cookie_hash=self._secret.hash_of(cookie),
            key_hash=key.key_hash,
            project=key.project,
            created_at=now,
            expires_at=now + LIFE_S * 10**9,
            version=now,
        )
        self._write(fresh)
        return cookie, fresh

    def find(self, cookie: str) -> SignIn | None:
        """Return the open sign-in of a cookie."""
        if not cookie or len(cookie) > 200 or not cookie.isascii():
            return None
        return self.living(self._secret.hash_of(cookie))

    def living(self, cookie_hash: str) -> SignIn | None:
        """Return a sign-in that has not ended."""
        found = self._open.get(cookie_hash)
        if found is None or found.ended or found.expires_at <= time.time_ns():
            return None
        return found

    def switch(self, cookie_hash: str, project: str) -> None:
        """Let a sign-in look at another project."""
        found = self.living(cookie_hash)
        if found is not None:
            self._write(replace(found, project=project, version=_after(found)))

    def end(self, cookie_hash: str) -> None:
        """End a sign-in."""
        found = self.living(cookie_hash)
        if found is not None:
            self._write(replace(found, ended=True, version=_after(found)))

    def _write(self, row: SignIn) -> None:
        self._store.insert("sign_ins", [msgspec.json.encode(row)])
        with self._lock:
            self._open[row.cookie_hash] = row
            now = time.time_ns()
            for cookie_hash in [one for one, seen in self._open.items() if seen.expires_at <= now]:
                del self._open[cookie_hash]
