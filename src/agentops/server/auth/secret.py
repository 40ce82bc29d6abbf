"""The server's secret: 32 random bytes in `<home>/secret`, which hashes keys and signs tokens.

It is not in the store: a copy of the store alone neither verifies a key nor forges a token. Servers that
share a ClickHouse store share it through AGENTOPS_SECRET. Without it, all keys are worth nothing.
"""

from __future__ import annotations

import contextlib
import hashlib
import hmac
import os
import secrets
from pathlib import Path
from typing import Final

from agentops.errors import AgentOpsError

_BYTES: Final = 32
_SHORTEST_GIVEN: Final = 32


class Secret:
    """Derives what the server needs from its secret; never shown, never logged."""

    def __init__(self, root: bytes) -> None:
        self._keys = _derived(root, b"keys")
        self._tokens = _derived(root, b"tokens")
        self.name = _derived(root, b"name").hex()[:8]
        """Tells which secret hashed a key, and nothing else about it."""

    def __repr__(self) -> str:
        return "Secret(***)"

    def hash_of(self, key: str) -> str:
        """Return what is stored of a key (or of a cookie): a keyed hash, fit for random keys."""
        return f"{self.name}:{hmac.digest(self._keys, key.encode(), 'sha256').hex()}"

    def signature(self, text: bytes) -> bytes:
        """Return a token's signature."""
        return hmac.digest(self._tokens, text, "sha256")


def _derived(root: bytes, purpose: bytes) -> bytes:
    return hashlib.blake2b(purpose, key=root[:64], digest_size=32).digest()


def open_secret(home: Path, given: str | None = None) -> Secret:
    """Return the secret of a home, made when there is none.

    Args:
        home: folder of everything local.
        given: text of AGENTOPS_SECRET, which wins over the file.

    Raises:
        AgentOpsError: the given one is short, or the file cannot be read, written or used.
    """
    if given:
        if len(given) < _SHORTEST_GIVEN:
            raise AgentOpsError(
                f"AGENTOPS_SECRET has {len(given)} characters and needs {_SHORTEST_GIVEN} or more. "
                "Make one with: openssl rand -hex 32"
            )
        return Secret(hashlib.sha256(given.encode()).digest())
    path = home / "secret"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
        _make(path)
        root = path.read_bytes()
        if path.stat().st_mode & 0o077:
            path.chmod(0o600)
    except OSError as error:
        raise AgentOpsError(f"The server's secret {path} cannot be read or written: {error}.") from None
    if len(root) != _BYTES:
        raise AgentOpsError(
            f"The server's secret {path} is damaged ({len(root)} bytes instead of {_BYTES}). Put it back "
            "from a backup, or delete it: then every key is worth nothing and new ones must be made."
        )
    return Secret(root)


def _make(path: Path) -> None:
    """Write a new secret unless there is one; two that start at once agree on one."""
    if path.exists():
        return
    fresh = path.with_name(f".secret-{os.getpid()}-{secrets.token_hex(4)}")
    file = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        os.write(file, secrets.token_bytes(_BYTES))
        os.fsync(file)
    finally:
        os.close(file)
    try:
        with contextlib.suppress(FileExistsError):
            os.link(fresh, path)
    finally:
        fresh.unlink()
