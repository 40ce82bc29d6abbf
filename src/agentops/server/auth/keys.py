"""API keys: made, looked up, revoked and rotated. The store holds keyed hashes; a key is shown once.

A key is a UUID of 122 random bits, in the form that every published AgentOps client demands. Its first 8
characters are its id. All keys are in memory: looking one up costs one keyed hash.
"""

from __future__ import annotations

import hashlib
import threading
import time
import uuid
from collections.abc import Iterable
from typing import Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agentops.errors import AgentOpsError
from agentops.server.auth.caller import SCOPES
from agentops.server.auth.secret import Secret
from agentops.server.store.client import Store

_ID_LENGTH: Final = 8


class NoSuchKey(AgentOpsError):
    """There is no such key in the project."""


class Key(Struct, frozen=True, kw_only=True):
    """A row of api_keys: all that is known of a key. Times are unix nanoseconds, 0 for never."""

    key_hash: str
    project: str
    prefix: str
    fingerprint: str
    name: str
    scope: str
    created_at: int
    expires_at: int = 0
    quota_bytes: int = 0
    used_at: int = 0
    revoked: bool = False
    version: int = 0

    def alive(self, now_ns: int) -> bool:
        """Return whether the key is worth anything."""
        return not self.revoked and (self.expires_at == 0 or self.expires_at > now_ns)

    @property
    def scopes(self) -> frozenset[str]:
        """What it may do."""
        return frozenset(self.scope.split(","))


class _Use(Struct):
    key_hash: str
    used_at: int


def scope_of(words: Iterable[str]) -> str:
    """Return scopes in the form that is stored.

    Raises:
        AgentOpsError: one is unknown, or there is none.
    """
    found = {word.strip().lower() for word in words if word.strip()}
    wrong = found - set(SCOPES)
    if wrong or not found:
        raise AgentOpsError(
            f"scope: {', '.join(sorted(wrong)) or 'none was given'}. "
            f"Use {', '.join(SCOPES)}, or several of them separated by commas."
        )
    return ",".join(word for word in SCOPES if word in found)


def normal(text: str) -> str:
    """Return a key as it is hashed: UUIDs may come with capitals or spaces around."""
    return text.strip().lower()


class Keys:
    """All keys of a store. Safe to use from any thread."""

    def __init__(self, store: Store, secret: Secret) -> None:
        self._store = store
        self._secret = secret
        self._lock = threading.Lock()
        self._rotating = threading.Lock()
        self._by_hash: dict[str, Key] = {}
        self._used: dict[str, int] = {}
        self._noted: dict[str, int] = {}

    def reload(self) -> None:
        """Read all keys from the store; other servers of it may have changed them."""
        rows = self._store.rows("SELECT * FROM api_keys FINAL", None, Key)
        uses = self._store.rows("SELECT * FROM key_uses FINAL", None, _Use)
        with self._lock:
            for row in rows:
                known = self._by_hash.get(row.key_hash)
                if known is None or row.version > known.version:
                    self._by_hash[row.key_hash] = row
            for use in uses:
                self._used[use.key_hash] = max(use.used_at, self._used.get(use.key_hash, 0))

    def find(self, text: str) -> Key | None:
        """Return the living key that a text is."""
        if len(text) > 200 or not text.isascii():
            return None
        return self.living(self._secret.hash_of(normal(text)))

    def living(self, key_hash: str) -> Key | None:
        """Return the key of a hash, if it is worth anything now; it counts as used."""
        key = self._by_hash.get(key_hash)
        now = time.time_ns()
        if key is None or not key.alive(now):
            return None
        self._used[key_hash] = now
        return key

    def by_fingerprint(self, fingerprint: str) -> Key | None:
        """Return the living key whose recorder names itself by this (see the journal's header)."""
        now = time.time_ns()
        with self._lock:
            return next(
                (key for key in self._by_hash.values() if key.fingerprint == fingerprint and key.alive(now)),
                None,
            )

    def any_admin(self) -> bool:
        """Return whether there is a living admin key that this server's secret verifies."""
        now = time.time_ns()
        mine = self._secret.name + ":"
        with self._lock:
            return any(
                key.key_hash.startswith(mine) and key.alive(now) and "admin" in key.scopes
                for key in self._by_hash.values()
            )

    def others(self) -> bool:
        """Return whether there are living keys, and all of them were made with another secret."""
        now = time.time_ns()
        mine = self._secret.name + ":"
        with self._lock:
            living = [key.key_hash for key in self._by_hash.values() if key.alive(now)]
        return bool(living) and not any(one.startswith(mine) for one in living)

    def listed(self, project: str | None = None) -> list[Key]:
        """Return the keys of a project (of all with None), newest first, with when each was last used."""
        with self._lock:
            found = [
                replace(key, used_at=self._used.get(key.key_hash, 0))
                for key in self._by_hash.values()
                if project is None or key.project == project
            ]
        return sorted(found, key=lambda key: -key.created_at)

    def create(
        self, project: str, name: str, scope: str, *, expires_at: int = 0, quota_bytes: int = 0
    ) -> tuple[str, Key]:
        """Make a key; return it, which is the only time it is seen, and what is known of it."""
        with self._lock:
            taken = {key.prefix for key in self._by_hash.values()}
        text = str(uuid.uuid4())
        while text[:_ID_LENGTH] in taken:
            text = str(uuid.uuid4())
        now = time.time_ns()
        key = Key(
            key_hash=self._secret.hash_of(text),
            project=project,
            prefix=text[:_ID_LENGTH],
            fingerprint=hashlib.sha256(text.encode()).hexdigest()[:16],
            name=name,
            scope=scope,
            created_at=now,
            expires_at=expires_at,
            quota_bytes=quota_bytes,
            version=now,
        )
        self._write(key)
        return text, key

    def named(self, key_id: str, project: str | None = None) -> Key:
        """Return the key of an id (its first characters).

        Raises:
            NoSuchKey: there is none in the project (in any, with None).
        """
        wanted = normal(key_id)[:_ID_LENGTH]
        with self._lock:
            for key in self._by_hash.values():
                if key.prefix == wanted and (project is None or key.project == project):
                    return key
        raise NoSuchKey(
            f"There is no key {key_id[:_ID_LENGTH]!r}. `agentops keys list` shows the keys there are."
        )

    def revoke(self, key: Key) -> Key:
        """End a key at once, with every token and sign-in made from it."""
        if key.revoked:
            return key
        ended = replace(key, revoked=True, used_at=0, version=max(time.time_ns(), key.version + 1))
        self._write(ended)
        return ended

    def rotate(self, key: Key) -> tuple[str, Key]:
        """Make a key that replaces another, which ends.

        Raises:
            NoSuchKey: it has ended, by another who rotated it at the same time, say.
        """
        with self._rotating:
            if not self._by_hash.get(key.key_hash, key).alive(time.time_ns()):
                raise NoSuchKey(f"The key {key.prefix!r} has ended. Make a new one.")
            text, fresh = self.create(
                key.project, key.name, key.scope, expires_at=key.expires_at, quota_bytes=key.quota_bytes
            )
            self.revoke(key)
        return text, fresh

    def save_uses(self, at_least_every_s: float = 0.0) -> None:
        """Write down when keys were last used, for those whose note is older than that."""
        every = int(at_least_every_s * 1e9)
        due = {
            key_hash: at
            for key_hash, at in list(self._used.items())
            if at > self._noted.get(key_hash, 0) + every
        }
        if due:
            self._store.insert(
                "key_uses",
                [msgspec.json.encode({"key_hash": one, "used_at": at}) for one, at in due.items()],
            )
            self._noted.update(due)

    def _write(self, key: Key) -> None:
        self._store.insert("api_keys", [msgspec.json.encode(key)])
        with self._lock:
            self._by_hash[key.key_hash] = key
