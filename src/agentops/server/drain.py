"""Answers that come before their request's body was read: they go out at once, and the rest is dropped.

A client that is still writing when the connection closes sees a broken pipe instead of the answer that says
why. Most read the answer only when they have written everything.
"""

from __future__ import annotations

import asyncio
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_MOST_BYTES: Final = 256 * 1024 * 1024
_PAUSE_S: Final = 30.0
_MOST_S: Final = 300.0
_BODY: Final = frozenset((b"content-length", b"transfer-encoding"))


class Drained:
    """The ASGI application around all others: the end of an early answer waits for the end of its request."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        names = {name for name, _ in scope["headers"]} if scope["type"] == "http" else frozenset[bytes]()
        if not names & _BODY:
            await self._app(scope, receive, send)
            return
        done = False
        # Whoever asks first whether to send the body does not send it after an answer.
        coming = b"expect" not in names

        async def receive_noted() -> Message:
            nonlocal done, coming
            coming = True
            message = await receive()
            done = not message.get("more_body", False)
            return message

        async def send_first(message: Message) -> None:
            if message["type"] == "http.response.start":
                if message["status"] == 413 and not done:
                    message["headers"] = [*message.get("headers", ()), (b"connection", b"close")]
            elif not message.get("more_body", False) and not done and coming:
                await send({**message, "more_body": True})
                await _dropped(receive)
                message = {"type": "http.response.body", "body": b""}
            await send(message)

        await self._app(scope, receive_noted, send_first)


async def _dropped(receive: Receive) -> None:
    """Read the rest of a body, within limits."""
    size = 0
    try:
        async with asyncio.timeout(_MOST_S):
            while size < _MOST_BYTES:
                async with asyncio.timeout(_PAUSE_S):
                    message = await receive()
                size += len(message.get("body", b""))
                if not message.get("more_body", False):
                    return
    except TimeoutError:
        return
