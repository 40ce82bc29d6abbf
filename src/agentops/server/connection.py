"""Connections: how long a client may take to say what it wants, and how much of a header it may say.

A connection that says nothing, or drips its header, is closed after `HEADER_S`; a header over `HEADER_BYTES`
is refused with 431. Both cost nothing while a request is answered. What a body may take is `Patience`'s:
time, and, where it is a form of ours and no telemetry, room.
"""

from __future__ import annotations

import asyncio
import resource
import time
from typing import Any, Final

import msgspec
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from agentops.server.auth import Denied

HEADER_S: Final = 20.0
HEADER_BYTES: Final = 64 * 1024
BODY_PAUSE_S: Final = 30.0
BODY_BYTES_PER_S: Final = 1024
"""The least that a body must bring on average, once BODY_PAUSE_S have passed."""
FORM_BYTES: Final = 2 * 1024 * 1024
"""The most of a body that is read whole before anybody looks at it: a key's name, a session's note."""
SIGN_IN_BYTES: Final = 64 * 1024
"""The most of the one form that anybody may send."""
_MOST_FILES: Final = 65_536
_ENDLESS: Final = "/api/live"
"""Its listeners are gone when they say no more."""


def plain_address(address: str) -> str:
    """Return an address as its owner knows it: 10.0.0.7 comes to a server at "::" as ::ffff:10.0.0.7."""
    return address[7:] if address.startswith("::ffff:") and "." in address else address


class Connection(HttpToolsProtocol):
    """uvicorn's protocol with limits on what comes before a request's body."""

    _timer: asyncio.TimerHandle | None = None
    _header_bytes = 0
    _said_bytes = 0
    _reading_header = True

    def connection_made(self, transport: Any) -> None:
        """Begin to wait for a request."""
        super().connection_made(transport)
        if self.client is not None:
            self.client = plain_address(self.client[0]), self.client[1]
        self._wait()

    def data_received(self, data: bytes) -> None:
        """Take bytes; those of a header are counted."""
        if not self._reading_header and (self.cycle is None or self.cycle.response_complete):  # pyright: ignore[reportUnnecessaryComparison] -- None before the first request
            self._reading_header = True
            self._header_bytes = 0
            self._wait()
        if self._reading_header:
            self._header_bytes += len(data)
        super().data_received(data)
        if self._reading_header and self._header_bytes > HEADER_BYTES and not self.transport.is_closing():
            self._refuse_header()

    def on_message_begin(self) -> None:
        """Begin to count: the bytes that end a header may bring a body, or the next request, too."""
        self._said_bytes = 0
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Take a part of the address."""
        self._said_bytes += len(url)
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Take a line of the header."""
        self._said_bytes += len(name) + len(value) + len(": \r\n")
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Begin to answer, unless the header is too large."""
        if self._said_bytes > HEADER_BYTES:
            # The parser stops, and send_400_response is told.
            raise ValueError("The header is too large.")
        self._reading_header = False
        self._stop_waiting()
        super().on_headers_complete()

    def eof_received(self) -> bool:  # pyright: ignore[reportIncompatibleMethodOverride] -- asyncio takes it
        """Stay open for the answers to a client that has said all that it will, and listens still."""
        last = self.cycle
        if last is None or last.response_complete or last.more_body or self.scheme == "https":  # pyright: ignore[reportUnnecessaryComparison] -- None before the first request
            return False
        if last.scope["path"] == _ENDLESS:
            return False
        last.keep_alive = False
        return True

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no HTTP, or a header that is too large, in the one shape of errors."""
        if self._said_bytes > HEADER_BYTES:
            self._refuse_header()
            return
        self._say(b"400 Bad Request", "malformed_request", msg, "Send a request of HTTP/1.1.")
        self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        self._stop_waiting()
        super().connection_lost(exc)

    def _wait(self) -> None:
        self._stop_waiting()
        self._timer = self.loop.call_later(HEADER_S, self._late)

    def _stop_waiting(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _late(self) -> None:
        self._timer = None
        if not self.transport.is_closing():
            self._refuse(b"408 Request Timeout", f"A request must be said within {HEADER_S:.0f} s.")

    def _refuse_header(self) -> None:
        if len(self.url or b"") > HEADER_BYTES // 2:
            self._refuse(
                b"414 URI Too Long",
                f"An address and its header may have {HEADER_BYTES} bytes.",
                "Ask by a shorter address.",
            )
        else:
            self._refuse(b"431 Request Header Fields Too Large", f"A header may have {HEADER_BYTES} bytes.")

    def _refuse(self, status: bytes, message: str, hint: str = "Send smaller headers, at once.") -> None:
        if self._header_bytes:
            self._say(status, f"http_{status[:3].decode()}", message, hint)
        self.transport.close()

    def _say(self, status: bytes, code: str, message: str, hint: str) -> None:
        body = msgspec.json.encode({"error": {"code": code, "message": message, "hint": hint}})
        self.transport.write(
            b"HTTP/1.1 %b\r\ncontent-type: application/json\r\ncontent-length: %d\r\n"
            b"connection: close\r\n\r\n%b" % (status, len(body), body)
        )


class Patience:
    """Ends the reading of a body that pauses for long or drips, and of a form that is larger than one is.

    Routes that take telemetry, uploads and imports count their bodies themselves (ingest/intake.py).
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on."""
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        began = time.monotonic()
        path: str = scope["path"]
        form = path.startswith("/api/") and path != "/api/import"
        most = SIGN_IN_BYTES if path == "/api/sign-in" else FORM_BYTES
        declared = next((int(value) for name, value in scope["headers"] if name == b"content-length"), 0)
        size = 0
        done = False

        async def receive_in_time() -> Message:
            nonlocal size, done
            if done:
                return await receive()
            if form and declared > most:
                raise _too_large(most)
            try:
                async with asyncio.timeout(BODY_PAUSE_S):
                    message = await receive()
            except TimeoutError:
                raise _too_slow() from None
            size += len(message.get("body", b""))
            done = not message.get("more_body", False)
            took = time.monotonic() - began
            if not done and took > BODY_PAUSE_S and size < took * BODY_BYTES_PER_S:
                raise _too_slow()
            if form and size > most:
                raise _too_large(most)
            return message

        await self._app(scope, receive_in_time, send)


def _too_slow() -> Denied:
    return Denied(
        408,
        "body_too_slow",
        f"The request's body paused for {BODY_PAUSE_S:.0f} s, or brought less than {BODY_BYTES_PER_S} bytes "
        "a second.",
        "Send it again, in one go.",
        {"Connection": "close"},
    )


def _too_large(most: int) -> Denied:
    return Denied(
        413,
        "body_too_large",
        f"The request body is larger than the {most} bytes that this route takes.",
        "Send less; sessions are moved with POST /api/import.",
    )


def allow_many_files() -> None:
    """Let this process hold as many connections as the system allows it (65,536 at most)."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = _MOST_FILES if hard == resource.RLIM_INFINITY else min(hard, _MOST_FILES)
    if soft != resource.RLIM_INFINITY and soft < most:
        try:
            resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
        except (OSError, ValueError):
            return
