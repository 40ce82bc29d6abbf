"""The gate: nothing of the API is answered before it is known who asks, and that they may.

What a route needs follows from its path and method, so that a new one is closed until somebody opens it:
everything that begins as the API does, and every path of its OpenAPI document, takes a caller.
"""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from anyio import CapacityLimiter, to_thread
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from agentops.server.api.errors import API_PREFIXES, answer
from agentops.server.auth import ADMIN, READ, RECORD, Auth, Caller, Denied
from agentops.server.auth.caller import lacking, not_everywhere
from agentops.server.auth.registry import COOKIE, KEY_HEADER

_OPEN: Final = frozenset(
    (
        "/healthz",
        "/readyz",
        "/openapi.json",
        "/docs",
        "/api/sign-in",
        "/api/me",
        "/v3/auth/token",
        "/public/v1/auth/access_token",
    )
)
"""What needs no caller, or finds out itself who asks."""
_ANY_CALLER: Final = frozenset(("/api/sign-out",))
_SHOWS_KEY: Final = frozenset(("/v2/create_session", "/v2/reauthorize_jwt"))
"""Where the published 0.3 clients show their key, with a stale token beside it at times."""
_ADMINS: Final = ("/api/keys", "/api/projects", "/api/audit", "/metrics")
_RECORDING: Final = re.compile(
    r"/v1/(traces|logs|metrics)/?"
    r"|/v2/(create_session|update_session|create_events|update_events|create_agent|reauthorize_jwt)"
    r"|/v4/(logs|objects)/upload/?"
)
_SAFE: Final = frozenset(("GET", "HEAD"))
_limiter: CapacityLimiter | None = None


def needed(method: str, path: str) -> str:
    """Return the scope that a request needs; "" when any caller will do."""
    if path in _ANY_CALLER:
        return ""
    if path.startswith(_ADMINS):
        return ADMIN
    if _RECORDING.fullmatch(path):
        return RECORD
    return READ if method in _SAFE else ADMIN


class Gate:
    """Finds a request's caller, who is then in its scope as `agentops.caller`, or refuses it."""

    def __init__(self, app: FastAPI, auth: Auth) -> None:
        self._app: ASGIApp = app
        self._auth = auth
        paths = app.openapi()["paths"]
        self._elsewhere = frozenset(path for path in paths if not path.startswith(API_PREFIXES))

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on with its caller."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        path: str = scope["path"]
        if path in _OPEN or not self._is_guarded(path):
            await self._app(scope, receive, send)
            return
        try:
            caller = await self._caller(scope, path)
            needs = needed(scope["method"], path)
            if needs and not caller.may(needs):
                raise lacking(needs, caller)
            if path == "/metrics" and not caller.everywhere:
                # They are the whole server's, not a project's.
                raise not_everywhere()
            if needs == RECORD:
                self._auth.check_quota(caller)
        except Denied as denied:
            await answer(denied.status, denied.code, denied.message, denied.hint, denied.headers)(
                scope, receive, send
            )
            return
        scope["agentops.caller"] = caller
        await self._app(scope, receive, send)

    def _is_guarded(self, path: str) -> bool:
        # A path that decodes to something else again is judged by that, too.
        return any(
            one.startswith(API_PREFIXES)
            or f"{one}/".startswith(API_PREFIXES)
            or one.rstrip("/") in self._elsewhere
            for one in (path, unquote(path))
        )

    async def _caller(self, scope: Scope, path: str) -> Caller:
        """Return who asks.

        Raises:
            Denied: nobody we know, or a browser that another site made ask.
        """
        headers = shown(scope)
        try:
            try:
                caller = self._auth.authenticate(headers, prefer_key=path in _SHOWS_KEY)
            except Denied:
                if not shows_something(headers):
                    raise
                await looked_again(self._auth)
                caller = self._auth.authenticate(headers, prefer_key=path in _SHOWS_KEY)
        except Denied:
            if headers.keys() & {"authorization", "x-agentops-api-key"}:
                self._auth.audit.refused(address_of(scope))
            raise
        if (
            caller.sign_in
            and scope["method"] not in _SAFE
            and headers.get("sec-fetch-site", "same-origin")
            not in (
                "same-origin",
                "none",
            )
        ):
            raise Denied(
                403, "forbidden_origin", "Another site made this request.", "Use the dashboard itself."
            )
        if self._auth.required and caller.key_id:
            self._auth.audit.used(
                caller.key_id, needed(scope["method"], path), address_of(scope), caller.project
            )
        return caller


async def looked_again(auth: Auth) -> None:
    """Let `auth` look for what other servers made, off the event loop, one at a time."""
    global _limiter
    if _limiter is None:
        _limiter = CapacityLimiter(1)
    await to_thread.run_sync(auth.look_again, time.monotonic(), limiter=_limiter)


def shows_something(headers: Mapping[str, str]) -> bool:
    """Return whether a request shows a key, a token or a sign-in, whatever it is worth."""
    return bool(headers.keys() & {"authorization", KEY_HEADER}) or COOKIE in headers.get("cookie", "")


def shown(scope: Scope) -> dict[str, str]:
    """Return the headers that say who asks, by lower-case name."""
    found: dict[str, str] = {}
    for name, value in scope["headers"]:
        if name in (b"authorization", b"x-agentops-api-key", b"sec-fetch-site"):
            found[name.decode()] = value.decode("latin-1")
        elif name == b"cookie":
            before = found.get("cookie")
            text = value.decode("latin-1")
            found["cookie"] = f"{before}; {text}" if before else text
    return found


def address_of(scope: Scope) -> str:
    """Return the address that a request comes from, as far as the server knows."""
    client = scope.get("client")
    return client[0] if client else ""
