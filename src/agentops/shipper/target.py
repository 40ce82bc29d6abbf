"""Where records are shipped to, and the sending of one request there."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlsplit

from agentops import semconv
from agentops.shipper.http import Client, ConnectionFailed, is_loopback
from agentops.shipper.outcome import Outcome, Signal, outcome_of

COMPRESS_LEVEL: Final = 1
PACK_FROM_BYTES: Final = 1 << 20
"""On this machine a larger body, a backlog's, is put into gzip's form as it is: there compressing costs more
time than all the rest of its way."""


@dataclass(frozen=True, slots=True)
class Target:
    """An OTLP/HTTP receiver.

    Args:
        traces_url: Where spans are posted.
        logs_url: Where log records are posted.
        headers: Sent with each request, such as the key.
    """

    traces_url: str
    logs_url: str
    headers: Mapping[str, str] = field(default_factory=dict[str, str])


class HttpSend:
    """Sends request bodies to a target that may change between requests. Its call never raises."""

    def __init__(self, client: Client, target: Callable[[], Target]) -> None:
        self._client = client
        self._target = target
        self.timeout_s = 30.0
        """For one request."""
        self._last: Target | None = None

    def changed(self) -> bool:
        """Return whether the next request goes to another address, or with another key, than the last."""
        try:
            return self._last is not None and self._target() != self._last
        except Exception:
            return False  # The caller's code.

    def is_local(self) -> bool:
        """Return whether the last request went to this machine."""
        return self._last is None or is_loopback(urlsplit(self._last.traces_url).hostname or "")

    def __call__(self, signal: Signal, body: bytes) -> Outcome:
        """Post one OTLP/JSON body and return what became of it."""
        try:
            target = self._last = self._target()
            url = target.traces_url if signal == "traces" else target.logs_url
            stored = len(body) > PACK_FROM_BYTES and self.is_local()
            body = gzipped(body, 0 if stored else COMPRESS_LEVEL)
            headers = {
                "Content-Type": "application/json",
                "Accept": "application/json",
                **target.headers,
                "Content-Encoding": "gzip",
                semconv.SENT_AT_HEADER: str(time.time_ns()),
            }
            answer = self._client.request("POST", url, body, headers, self.timeout_s)
        except ConnectionFailed as error:
            verdict = "held" if error.held else "later"
            return Outcome(verdict, str(error), unreachable=error.unreachable, timed_out=error.timed_out)
        except Exception as error:
            # The target is the caller's code, its address the user's text.
            return Outcome("held", f"{type(error).__name__}: {error}")
        return outcome_of(answer.status, answer.headers, answer.body)


def gzipped(body: bytes, level: int = COMPRESS_LEVEL) -> bytes:
    """Return `body` as gzip, fast rather than small; level 0 only packs it."""
    compress = zlib.compressobj(level, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return compress.compress(body) + compress.flush()
