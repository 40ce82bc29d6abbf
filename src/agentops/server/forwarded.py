"""Behind a proxy: whose word about the client counts.

Only a peer that `--forwarded-allow-ips` names may say, by X-Forwarded-For, -Proto and -Host, who asks and
under which name. From anybody else these headers are nothing.
"""

from __future__ import annotations

import ipaddress
from typing import cast

from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from agentops.errors import AgentOpsError


class Forwarded:
    """Puts what a trusted proxy says about the client into the request's scope."""

    def __init__(self, app: ASGIApp, trusted: list[str]) -> None:
        self._trusted = networks(trusted)
        self._app = app
        # Its types are uvicorn's own names for the same ASGI.
        self._inner = cast(ASGIApp, ProxyHeadersMiddleware(app, trusted))  # type: ignore[arg-type]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] == "http" and self._trusts(scope.get("client")):
            for name, value in scope["headers"]:
                if name == b"x-forwarded-host":
                    scope["agentops.host"] = value.decode("latin-1").rpartition(",")[2].strip()
        await self._inner(scope, receive, send)

    def _trusts(self, client: tuple[str, int] | None) -> bool:
        if client is None:
            return False
        try:
            address = ipaddress.ip_address(client[0])
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


def networks(words: list[str]) -> list[ipaddress.IPv4Network | ipaddress.IPv6Network]:
    """Return the networks that addresses and CIDR blocks name.

    Raises:
        AgentOpsError: one is none.
    """
    try:
        return [ipaddress.ip_network(word, strict=False) for word in words]
    except ValueError as error:
        raise AgentOpsError(
            f"--forwarded-allow-ips: {error}. "
            "Name the proxy's addresses, separated by commas: 10.0.0.5 or 10.0.0.0/24."
        ) from None
