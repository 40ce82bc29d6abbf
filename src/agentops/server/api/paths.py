"""Paths as they were sent: a session's id is any text, so that only the encoded path says where it ends.

Servers hand on the decoded path, in which the id `a/b` is two segments and `%66acets` the route `facets`.
Under the prefixes below routes therefore match the path as it was sent, and `SessionId` decodes its segment.
"""

from __future__ import annotations

from typing import Annotated, Final
from urllib.parse import quote, unquote

from fastapi import Path
from pydantic import AfterValidator
from starlette.types import ASGIApp, Receive, Scope, Send

_PREFIXES: Final = (b"/api/sessions/", b"/v2/sessions/")
_ENDLESS: Final = "/api/live"
_OTLP: Final = ("/v1/traces/", "/v1/logs/", "/v1/metrics/")
"""What exporters ask for whose setting ends in a slash: they drop what is answered with 404."""

SessionId = Annotated[
    str,
    Path(description="as the session says it, percent-encoded: any text, `/` included (`%2F`)"),
    AfterValidator(unquote),
]
EventId = Annotated[str, Path(description="16 hex characters"), AfterValidator(unquote)]


class Paths:
    """Lets routes see paths undecoded where ids are in them, OTLP's without a last slash, and HEAD as GET."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http":
            scope = dict(scope)
            path: str = scope["path"]
            raw: bytes = scope.get("raw_path") or quote(path).encode()
            if raw.startswith(_PREFIXES):
                scope["path"] = raw.decode("latin-1")
            elif path in _OTLP:
                scope["path"] = path.rstrip("/")
            if scope["method"] == "HEAD" and path != _ENDLESS:
                # The HTTP server sends no body to who asked with HEAD.
                scope["method"] = "GET"
        await self._app(scope, receive, send)
