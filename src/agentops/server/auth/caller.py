"""The caller: whose project a request is about, and what it may do there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

RECORD: Final = "record"
READ: Final = "read"
ADMIN: Final = "admin"
SCOPES: Final = (RECORD, READ, ADMIN)
DEFAULT_PROJECT: Final = "default"
"""The project of a server without keys, and the first one of a server with them."""


class Denied(Exception):
    """A request that may not be answered: a status, a code, and what to do."""

    def __init__(
        self, status: int, code: str, message: str, hint: str, headers: dict[str, str] | None = None
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.hint = hint
        self.headers = headers


@dataclass(frozen=True, slots=True)
class Caller:
    """Who asks.

    Attributes:
        project: The only project that the request reads and writes.
        scopes: Some of SCOPES; `admin` brings the other two along.
        key_id: The first 8 characters of the key behind it; empty without one.
        key_hash: That key's keyed hash; empty without one.
        session_id: The session that a client's token names, or "".
        sign_in: Hash of the dashboard's cookie, when that is what was shown.
        everywhere: Whether it may create, rename, delete and look at any project (an admin key of the first
            project, or whoever can read the server's secret file).
    """

    project: str
    scopes: frozenset[str]
    key_id: str = ""
    key_hash: str = ""
    session_id: str = ""
    sign_in: str = ""
    everywhere: bool = False

    def may(self, scope: str) -> bool:
        """Return whether the caller has a scope."""
        return scope in self.scopes or ADMIN in self.scopes


ANYBODY: Final = Caller(DEFAULT_PROJECT, frozenset(SCOPES), everywhere=True)
"""The caller of a server without keys, which serves its own machine only."""


def unauthorised(message: str) -> Denied:
    """Return the refusal of a request whose key or token is missing or worth nothing."""
    return Denied(
        401,
        "unauthorised",
        message,
        "Send a key of this server as 'Authorization: Bearer <key>' or 'X-Agentops-Api-Key: <key>'; "
        "`agentops keys create` makes one.",
        {"WWW-Authenticate": 'Bearer realm="agentops"'},
    )


def lacking(scope: str, caller: Caller) -> Denied:
    """Return the refusal of a request that the caller's key is not meant for."""
    have = ", ".join(word for word in SCOPES if word in caller.scopes) or "none"
    return Denied(
        403,
        "scope_missing",
        f"This needs a key with the scope {scope!r}; the key that was sent has: {have}.",
        f"Make one with: agentops keys create --scope {scope}",
    )


def not_everywhere() -> Denied:
    """Return the refusal of a question about the whole server to an admin of one project."""
    return Denied(
        403,
        "scope_missing",
        "This is about the whole server: it needs an admin key of the server's first project.",
        "Use that key, or the `agentops` command on the server's machine.",
    )
