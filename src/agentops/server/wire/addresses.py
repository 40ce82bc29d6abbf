"""Addresses of this server in answers: as the client reached it."""

from __future__ import annotations

from urllib.parse import quote

from fastapi import Request


def base_url(request: Request) -> str:
    """Return the server's address as the client wrote it, without a slash at its end."""
    host = request.scope.get("agentops.host") or request.headers.get("host", "127.0.0.1")
    return f"{request.url.scheme}://{host}"


def session_url(request: Request, session_id: str) -> str:
    """Return the address of a session's page."""
    return f"{base_url(request)}/sessions/{quote(session_id, safe='')}"
