"""The guard before every route: who may ask, and what a page of ours may load.

A browser can be made to send requests to a local server (DNS rebinding, forms of other sites). Host says
which name the browser believes it talks to, Origin which page asks: both must be this server's own.
"""

from __future__ import annotations

import ipaddress
import re
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from agentops.server.api.errors import answer

_HOST: Final = re.compile(r"(?:\[(?P<address>[0-9A-Fa-f:.]+)\]|(?P<name>[^:\[\]]+))(?::[0-9]*)?")
_PAGE_HEADERS: Final = (
    (
        b"content-security-policy",
        (
            b"default-src 'self'; img-src 'self' data: blob:; media-src 'self' data: blob:; "
            b"object-src 'none'; "
            b"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        ),
    ),
    (b"x-content-type-options", b"nosniff"),
    (b"referrer-policy", b"no-referrer"),
    (b"cross-origin-resource-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"x-frame-options", b"DENY"),
    (b"permissions-policy", b"camera=(), microphone=(), geolocation=(), payment=(), usb=()"),
)
_TLS_HEADERS: Final = (*_PAGE_HEADERS, (b"strict-transport-security", b"max-age=31536000"))


def is_loopback(host: str) -> bool:
    """Return whether a host name or address means this machine only."""
    name = host.strip("[]").rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class Guard:
    """The outermost ASGI application: checks Host and Origin and sets the security headers."""

    def __init__(self, app: ASGIApp, local_only: bool) -> None:
        self._app = app
        self._local_only = local_only

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        host = origin = ""
        for name, value in scope["headers"]:
            if name == b"host":
                # Two are of no browser, and name nobody.
                host = f"{host},{value.decode('latin-1')}" if host else value.decode("latin-1")
            elif name == b"origin":
                origin = value.decode("latin-1")
        # The name that a trusted proxy was asked under (see server/forwarded.py).
        host = scope.get("agentops.host", host)
        # This machine's name is every program's of it: those that speak plain HTTP stay reachable.
        strict = scope.get("scheme") == "https" and not is_loopback(_hostname(host))
        extra = _TLS_HEADERS if strict else _PAGE_HEADERS

        async def send_guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [*message.get("headers", ()), *extra]
            await send(message)

        refused = self._refusal(host, origin)
        if refused:
            hint = (
                "Open the server by its own address, such as 127.0.0.1."
                if self._local_only
                else "Open the dashboard by the server's own address. A proxy must pass Host on, or be named "
                "with --forwarded-allow-ips and send X-Forwarded-Host."
            )
            await answer(403, "forbidden_origin", refused, hint)(scope, receive, send_guarded)
            return
        try:
            await self._app(scope, receive, send_guarded)
        except Exception:
            # The application has answered and logged it (errors.py); the HTTP server would only log it again.
            return

    def _refusal(self, host: str, origin: str) -> str:
        # A request without Host is HTTP/1.0 or a bare client: no browser.
        name = _hostname(host)
        if self._local_only and host and not is_loopback(name):
            return f"The Host header names {name!r}, but this server answers for this machine only."
        if origin and origin != "null":
            if origin.partition("://")[2].lower() != host.lower():
                return f"A page of {origin} may not use this server."
        elif origin == "null":
            return "A page without an origin may not use this server."
        return ""


def _hostname(host: str) -> str:
    found = _HOST.fullmatch(host)
    return found["address"] or found["name"] if found else host
