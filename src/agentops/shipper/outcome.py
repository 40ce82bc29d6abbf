"""What became of one request: accepted, refused for good, to be tried later, or held until somebody acts."""

from __future__ import annotations

import email.utils
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal

import msgspec

Signal = Literal["traces", "logs"]
Verdict = Literal["accepted", "refused", "later", "held"]

REFUSED_STATUSES: Final = frozenset({400, 413, 415, 422})
"""The request itself is at fault: sending it again is useless, a part of it may be fine."""
LATER_STATUSES: Final = frozenset({408, 425, 429})
"""With every 5xx: the server is busy or broken, the request is fine."""
KEY_STATUSES: Final = frozenset({401, 403})
NOT_FOR_THE_KEY: Final = "forbidden_origin"
"""Our servers' code of a 403 that no other key changes: the address is not one that they answer to."""
LONGEST_RETRY_AFTER_S: Final = 300.0


@dataclass(frozen=True, slots=True)
class Outcome:
    """The answer to one request.

    Attributes:
        verdict: `accepted`: committed. `refused`: never to be taken as it is. `later`: try again. `held`:
            nothing will be taken until somebody changes a key or an address; try again, but seldom.
        reason: Why, for people.
        refused_records: Records that an accepting server refused (OTLP partial success).
        retry_after_s: How long the server asks to be left alone.
        unreachable: Nothing answers at the address: there is no use in waiting for it now.
        timed_out: The request took too long; a smaller one may not.
        key_refused: It is the key that is not accepted.
    """

    verdict: Verdict
    reason: str = ""
    refused_records: int = 0
    retry_after_s: float | None = None
    unreachable: bool = False
    timed_out: bool = False
    key_refused: bool = False


ACCEPTED: Final = Outcome("accepted")


class _PartialSuccess(msgspec.Struct, rename="camel"):
    rejected_spans: int | str = 0
    rejected_log_records: int | str = 0
    error_message: str = ""


class _Message(msgspec.Struct):
    message: str
    code: str = ""


class _Error(msgspec.Struct):
    error: _Message


class _ExportAnswer(msgspec.Struct, rename="camel"):
    partial_success: _PartialSuccess | None = None


def outcome_of(status: int, headers: Mapping[str, str], body: bytes) -> Outcome:
    """Read the answer to an OTLP/HTTP export (https://opentelemetry.io/docs/specs/otlp/#otlphttp-response)."""
    if 200 <= status < 300:
        if headers.get("content-type", "").lower().startswith("text/html"):
            # The sign-in page of a hotel's network, say: it has stored nothing.
            return Outcome("held", f"HTTP {status}: a web page answers instead of a server for telemetry")
        return _accepted(body)
    said = _said(body)
    reason = f"HTTP {status}: {said.message}".rstrip(": ")
    if status in REFUSED_STATUSES:
        return Outcome("refused", reason)
    if status in LATER_STATUSES or status >= 500:
        return Outcome("later", reason, retry_after_s=retry_after_s(headers.get("retry-after"), time.time()))
    if 300 <= status < 400 and headers.get("location"):
        # A redirected POST would arrive as a GET, or take the key to another host: the user decides.
        reason = f"HTTP {status}: it redirects to {headers['location'][:200]}"
    return Outcome("held", reason, key_refused=status in KEY_STATUSES and said.code != NOT_FOR_THE_KEY)


def _said(body: bytes) -> _Message:
    """Return what an answer says for people: our servers' message, else the beginning of whatever it is."""
    try:
        said = msgspec.json.decode(body, type=_Error).error
        return _Message(said.message[:200], said.code)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return _Message(body[:200].decode("utf-8", "replace").strip())


def _accepted(body: bytes) -> Outcome:
    try:
        partial = msgspec.json.decode(body, type=_ExportAnswer).partial_success if body else None
        if partial is None:
            return ACCEPTED
        refused = int(partial.rejected_spans) + int(partial.rejected_log_records)
    except (msgspec.DecodeError, ValueError, UnicodeDecodeError, RecursionError):
        return ACCEPTED
    return Outcome("accepted", partial.error_message, refused_records=max(0, refused))


def retry_after_s(value: str | None, now_s: float) -> float | None:
    """Return the seconds a Retry-After header asks for (a number or an HTTP date), at most five minutes."""
    if value is None:
        return None
    text = value.strip()
    try:
        seconds = float(text)
    except ValueError:
        try:
            seconds = email.utils.parsedate_to_datetime(text).timestamp() - now_s
        except ValueError:
            return None
    return min(max(seconds, 0.0), LONGEST_RETRY_AFTER_S) if seconds == seconds else None
