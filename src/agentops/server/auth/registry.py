"""`Auth`: from the headers of a request to its caller, for every door of the server.

Without keys everybody who reaches the server is its one caller. With keys, what a request shows is tried in
this order: bearer token or key, `X-Agentops-Api-Key`, the dashboard's cookie. What is shown and worth
something wins over what rides along and is not.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from agentops.server.auth import tokens
from agentops.server.auth.audit import Audit
from agentops.server.auth.caller import (
    ADMIN,
    ANYBODY,
    DEFAULT_PROJECT,
    SCOPES,
    Caller,
    Denied,
    unauthorised,
)
from agentops.server.auth.keys import Key, Keys, normal
from agentops.server.auth.limits import Buckets
from agentops.server.auth.projects import Project, Projects
from agentops.server.auth.secret import Secret, open_secret
from agentops.server.auth.signins import SignIns
from agentops.server.store.client import Store
from agentops.server.store.edits import recorded_tables

_log: Final = logging.getLogger("agentops.server")
COOKIE: Final = "agentops_sign_in"
KEY_HEADER: Final = "x-agentops-api-key"
_SIGN_IN_TRIES: Final = 10
_SIGN_IN_REFILL_PER_S: Final = 10 / 60
_EVERYBODYS_TRIES: Final = 200
_TIDY_S: Final = 1.5
_LOOK_AGAIN_S: Final = 0.2
_NOTE_USE_S: Final = 30.0
_OPERATOR_S: Final = 60


class Auth:
    """Keys, projects, sign-ins and tokens of an open store."""

    def __init__(
        self,
        store: Store,
        home: Path,
        *,
        required: bool,
        secret: Secret | None = None,
        quota_bytes: int = 0,
        on_ended: Callable[[], None] | None = None,
    ) -> None:
        """Know nothing yet.

        Args:
            store: the open store; `start` or `load` reads it.
            home: folder of the secret and the audit log.
            required: whether requests must show a key.
            secret: the server's secret; None opens that of the home.
            quota_bytes: telemetry a minute for keys that name no quota of their own; 0: no limit.
            on_ended: called when a key or a sign-in ends, so that open streams are looked at again.
        """
        self.required = required
        self.secret = secret or open_secret(home)
        self.store = store
        self.audit = Audit(home)
        self.projects = Projects(store)
        self.keys = Keys(store, self.secret)
        self.sign_ins = SignIns(store, self.secret)
        self._loaded = False
        self._reading = threading.Lock()
        self._read_at = 0.0
        self.on_ended = on_ended or (lambda: None)
        self._quota_bytes = quota_bytes
        self._quotas = Buckets(1, 1)
        self._tries = Buckets(_SIGN_IN_TRIES, _SIGN_IN_REFILL_PER_S, 1)
        self._all_tries = Buckets(_EVERYBODYS_TRIES, _EVERYBODYS_TRIES / 60, 1)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._tidy, name="agentops-keys", daemon=True)

    def start(self) -> None:
        """Read what the store knows; start noting uses, and seeing what other servers of the store change."""
        if self.required:
            self.load()
            self._thread.start()
        else:
            # How long a project keeps its sessions is asked on every server.
            self.projects.reload()

    def load(self) -> None:
        """Read what the store knows, once: a server without keys needs it only when asked about them."""
        if not self._loaded:
            self._reload()
            self._loaded = True

    def _reload(self) -> None:
        self.keys.reload()
        self.projects.reload()
        self.sign_ins.reload()

    def look_again(self, asked_at: float) -> None:
        """Read what other servers of the store may just have made: a key, a sign-in.

        Args:
            asked_at: since when the caller waits (time.monotonic()); one look serves all who wait for one.
        """
        if self.store.url.embedded or not self.required:
            return
        with self._reading:
            if self._read_at > asked_at:
                return
            # A crowd with keys that are none costs the store so many looks a second and no more.
            if self._stopping.wait(max(0.0, self._read_at + _LOOK_AGAIN_S - time.monotonic())):
                return
            self._read_at = time.monotonic()
            try:
                self._reload()
            except Exception as error:
                _log.warning("Keys could not be looked up in the store: %s", error)

    def stop(self) -> None:
        """Note what was used and end."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join(5)

    def first_key(self) -> str | None:
        """Make the first admin key of a server that has none yet; return it, or None when there is one."""
        if self.keys.any_admin():
            return None
        text, key = self.keys.create(DEFAULT_PROJECT, "first key", ADMIN)
        self.audit.note("key.created", key=key.prefix, scope=key.scope, project=key.project, by="first start")
        return text

    # Who asks.

    def authenticate(self, headers: Mapping[str, str], *, prefer_key: bool = False) -> Caller:
        """Return the caller of a request.

        Args:
            headers: by lower-case name: `authorization`, `x-agentops-api-key`, `cookie` matter.
            prefer_key: whether a key in its own header wins over a bearer token: clients that keep their
                headers send stale tokens along when they show a key.

        Raises:
            Denied: 401, nothing that was shown is worth anything.
        """
        bearer = _bearer(headers.get("authorization", ""))
        shown = headers.get(KEY_HEADER, "")
        if not self.required:
            claims = tokens.read(self.secret, bearer) if bearer.count(".") == 2 else None
            return (
                Caller(ANYBODY.project, ANYBODY.scopes, session_id=claims.sid, everywhere=True)
                if claims and claims.sid
                else ANYBODY
            )
        tries = (
            (self._of_key, shown), (self._of_bearer, bearer)
        ) if prefer_key else ((self._of_bearer, bearer), (self._of_key, shown))  # fmt: skip
        for look, text in tries:
            found = look(text) if text else None
            if found is not None:
                return found
        if "cookie" in headers:
            found = self._of_cookie(headers["cookie"])
            if found is not None:
                return found
        if bearer or shown:
            raise unauthorised(
                "The key or token that was sent is not one of this server's, has ended or was revoked."
            )
        raise unauthorised("This server answers to its keys only, and the request has none.")

    def still(self, caller: Caller) -> bool:
        """Return whether a caller that was let in, some time ago, would be let in now."""
        if not self.required:
            return True
        if caller.sign_in:
            sign_in = self.sign_ins.living(caller.sign_in)
            if sign_in is None or caller.project not in (sign_in.project, DEFAULT_PROJECT):
                return False
        return not caller.key_hash or self.keys.living(caller.key_hash) is not None

    def _of_key(self, text: str) -> Caller | None:
        key = self.keys.find(text)
        return _caller(key) if key else None

    def _of_bearer(self, text: str) -> Caller | None:
        if text.count(".") != 2:
            return self._of_key(text)
        claims = tokens.read(self.secret, text)
        if claims is None:
            return None
        if claims.use == "operator":
            return Caller(DEFAULT_PROJECT, frozenset(SCOPES), key_id="operator", everywhere=True)
        key = self.keys.living(claims.key) if claims.key else None
        return _caller(key, session_id=claims.sid) if key else None

    def _of_cookie(self, text: str) -> Caller | None:
        # By hand: the standard parser drops all when another program of the host set one that it dislikes.
        pairs = (one.strip().partition("=") for one in text.split(";"))
        shown = (self.sign_ins.find(value.strip()) for name, _, value in pairs if name.strip() == COOKIE)
        sign_in = next((one for one in shown if one is not None), None)
        key = self.keys.living(sign_in.key_hash) if sign_in else None
        if sign_in is None or key is None:
            return None
        base = _caller(key)
        return Caller(
            project=sign_in.project if self.projects.exists(sign_in.project) else key.project,
            scopes=base.scopes,
            key_id=base.key_id,
            key_hash=base.key_hash,
            sign_in=sign_in.cookie_hash,
            everywhere=base.everywhere,
        )

    # What callers are given.

    def token(self, key: Key | None, caller: Caller | None = None, session_id: str = "") -> str:
        """Return a token that is worth what a key (or the caller's key) is worth.

        Args:
            key: the key, or None for the caller's, and on a server without keys.
            caller: who asks.
            session_id: the session that the token is for.
        """
        key_hash = key.key_hash if key else caller.key_hash if caller else ""
        project = key.project if key else caller.project if caller else DEFAULT_PROJECT
        now = int(time.time())
        claims = tokens.Claims(now + tokens.LIFE_S, now, key=key_hash, project=project, sid=session_id)
        return tokens.written(self.secret, claims)

    def check_try(self, address: str) -> None:
        """Count an attempt to show a key from an address.

        Raises:
            Denied: 429, there were too many of late.
        """
        wait = max(self._tries.wait_s(address), self._all_tries.wait_s("everybody"))
        if wait:
            raise Denied(
                429,
                "too_many_attempts",
                "There were too many attempts with keys that are none.",
                f"Try again in {int(wait) + 1} seconds.",
                {"Retry-After": str(int(wait) + 1)},
            )

    def failed_try(self, address: str) -> None:
        """Remember that a key was wrong."""
        self._tries.take(address)
        self._all_tries.take("everybody")
        self.audit.note("key.refused", address=address)

    def exchange(self, text: str, address: str) -> Key | None:
        """Return the living key that somebody shows to get a token or a sign-in, or None.

        A right key is not held up by others' wrong ones from the same address: nobody guesses 122 random
        bits, at whatever rate.

        Raises:
            Denied: 429, it is a wrong one, and there were too many of late.
        """
        key = self.keys.find(normal(text))
        if key is None:
            self.check_try(address)
            self.failed_try(address)
        return key

    def delete_project(self, project: Project, settle: Callable[[], object] = lambda: None) -> None:
        """Remove a project, its keys, and everything that was recorded in it.

        Args:
            project: which one.
            settle: waits for what was taken before its keys ended.

        Raises:
            AgentOpsError: it is the first project, which a server always has.
            Unavailable: nothing was done, as the disk has no room for that.
        """
        self.store.check_room(*recorded_tables(self.store))
        if project.project != DEFAULT_PROJECT:
            for key in self.keys.listed(project.project):
                self.keys.revoke(key)
            self.on_ended()
            settle()
        self.projects.delete(project)

    # How much a key may send.

    def check_quota(self, caller: Caller) -> None:
        """Let a request with telemetry pass, or not.

        Raises:
            Denied: 429, the key has sent what it may for now.
        """
        quota = self._quota(caller)
        if not quota:
            return
        wait = self._quotas.wait_s(caller.key_hash, quota, quota / 60)
        if wait:
            seconds = int(wait) + 1
            raise Denied(
                429,
                "quota_exceeded",
                f"The key {caller.key_id} has sent more than its {quota} bytes a minute.",
                f"Send it again after {seconds} seconds; nothing of this request was stored. "
                "A key's quota is set with: agentops keys create --quota",
                {"Retry-After": str(seconds)},
            )

    def took(self, caller: Caller, size: int) -> None:
        """Count bytes of telemetry of a caller."""
        quota = self._quota(caller)
        if quota:
            self._quotas.take(caller.key_hash, size, quota, quota / 60)

    def _quota(self, caller: Caller) -> int:
        if not caller.key_hash:
            return 0
        key = self.keys.living(caller.key_hash)
        return (key.quota_bytes if key else 0) or self._quota_bytes

    def _tidy(self) -> None:
        while not self._stopping.wait(_TIDY_S):
            try:
                if not self.store.url.embedded:
                    self._reload()
                    self.on_ended()
                self.keys.save_uses(_NOTE_USE_S)
            except Exception as error:
                _log.warning("Keeping keys up to date failed, trying again: %s", error)
        try:
            self.keys.save_uses()
        except Exception as error:
            _log.warning("When keys were last used could not be written down: %s", error)


def operator_token(secret: Secret) -> str:
    """Return the short-lived token with which this machine's `agentops` command speaks to its own server."""
    now = int(time.time())
    return tokens.written(secret, tokens.Claims(now + _OPERATOR_S, now, use="operator"))


def _bearer(text: str) -> str:
    scheme, _, value = text.strip().partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def _caller(key: Key, session_id: str = "") -> Caller:
    return Caller(
        project=key.project,
        scopes=key.scopes,
        key_id=key.prefix,
        key_hash=key.key_hash,
        session_id=session_id,
        everywhere=key.project == DEFAULT_PROJECT and ADMIN in key.scopes,
    )
