"""Where records are shipped to, and the sending of one request there."""

from __future__ import annotations

import time
import zlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Final

from agentops import semconv
from agentops.shipper.http import Client, ConnectionFailed
from agentops.shipper.outcome import Outcome, Signal, outcome_of

COMPRESS_LEVEL: Final = 1


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

    def __call__(self, signal: Signal, body: bytes) -> Outcome:
        """Post one OTLP/JSON body and return what became of it."""
        try:
            target = self._target()
            url = target.traces_url if signal == "traces" else target.logs_url
            body = gzipped(body)
            headers = {
                "Content-Type": "application/json",
                "Accept": "application/json",
                **target.headers,
                "Content-Encoding": "gzip",
                semconv.SENT_AT_HEADER: str(time.time_ns()),
            }
            answer = self._client.request("POST", url, body, headers, self.timeout_s)
        except ConnectionFailed as error:
            return Outcome("later", str(error), unreachable=error.unreachable, timed_out=error.timed_out)
        except Exception as error:
            # The target is the caller's code, its address the user's text.
            return Outcome("held", f"{type(error).__name__}: {error}")
        return outcome_of(answer.status, answer.headers, answer.body)


def gzipped(body: bytes) -> bytes:
    """Return `body` as gzip, fast rather than small."""
    compress = zlib.compressobj(COMPRESS_LEVEL, zlib.DEFLATED, zlib.MAX_WBITS | 16)
    return compress.compress(body) + compress.flush()
