"""Fields of OTLP/JSON as numbers and ids, in each form that exporters write them in."""

from __future__ import annotations

import base64
import binascii
from typing import Final

from agentops.otlp.refusal import LATEST_NS, Refusal

Whole = int | float | str | None


def identity(text: str | None, size: int, field: str) -> str:
    """Return an id as lower-case hex, or "" when it is absent, empty or all zero."""
    if not text:
        return ""
    try:
        if len(text) == 2 * size:
            raw = bytes.fromhex(text)
        else:
            raw = base64.b64decode(text, validate=True)
    except (ValueError, binascii.Error):
        raise Refusal(f"{field} must be {2 * size} hex characters") from None
    if len(raw) != size:
        raise Refusal(f"{field} must be {2 * size} hex characters ({size} bytes)")
    return raw.hex() if any(raw) else ""


def whole(value: Whole, field: str) -> int:
    """Return a whole number."""
    if value is None:
        return 0
    try:
        return int(value)
    except (ValueError, OverflowError):
        raise Refusal(f"{field} must be a whole number") from None


def moment(value: Whole, field: str) -> int:
    """Return unix nanoseconds; what can be no time is 0, as one that is not said."""
    time_ns = whole(value, field)
    return time_ns if 0 <= time_ns <= LATEST_NS else 0


KINDS: Final = ("SPAN_KIND_", ("UNSPECIFIED", "INTERNAL", "SERVER", "CLIENT", "PRODUCER", "CONSUMER"))
STATUSES: Final = ("STATUS_CODE_", ("UNSET", "OK", "ERROR"))
_LEVELS: Final = ("TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL")
SEVERITIES: Final = (
    "SEVERITY_NUMBER_",
    ("UNSPECIFIED", *(f"{level}{nth or ''}" for level in _LEVELS for nth in (0, 2, 3, 4))),
)


def enum(value: Whole, names: tuple[str, tuple[str, ...]], field: str) -> int:
    """Return an enum's number, given as a number, as digits or as a name; out of range is 0 (unspecified)."""
    if type(value) is int:
        return value if 0 <= value < len(names[1]) else 0
    if value is None:
        return 0
    name = str(value).upper().removeprefix(names[0])
    if name in names[1]:
        return names[1].index(name)
    try:
        number = int(value)
    except (ValueError, OverflowError):
        raise Refusal(f"{field} must be a number or a name such as {names[0]}{names[1][1]}") from None
    return number if 0 <= number < len(names[1]) else 0


def uint32(value: Whole) -> int:
    """Return a count or flags; what can be neither is none."""
    try:
        number = int(value or 0)
    except (ValueError, OverflowError):
        return 0
    return number if 0 <= number < 2**32 else 0
