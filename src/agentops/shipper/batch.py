"""Bodies out of lines: pure functions from journal lines to OTLP/JSON requests. Nothing is parsed."""

from __future__ import annotations

from typing import Final

import msgspec

from agentops.shipper.outcome import Signal

TRACES_START: Final = b'{"spans":['
LOGS_START: Final = b'{"logRecords":['
_LOGS_ON_A_LATER_LINE: Final = b"\n" + LOGS_START
_TRACES_ON_A_LATER_LINE: Final = b"\n" + TRACES_START
_OPENING: Final[dict[Signal, tuple[bytes, bytes]]] = {
    "traces": (b'{"resourceSpans":[', b',"scopeSpans":['),
    "logs": (b'{"resourceLogs":[', b',"scopeLogs":['),
}
_whole = msgspec.json.Decoder(msgspec.Raw)


def body_of(signal: Signal, resource: bytes, lines: list[bytes]) -> bytes:
    """Return the request body that carries `lines` (without newlines)."""
    return joined(signal, resource, b",".join(lines))


def joined(signal: Signal, resource: bytes, records: bytes) -> bytes:
    """Return the request body that carries `records`, which are separated by commas already."""
    return together(signal, [(resource, records)])


def together(signal: Signal, groups: list[tuple[bytes, bytes]]) -> bytes:
    """Return the request body that carries groups of (resource, records separated by commas)."""
    opening, middle = _OPENING[signal]
    parts = [b"".join((b'{"resource":', resource, middle, records, b"]}")) for resource, records in groups]
    return b"".join((opening, b",".join(parts), b"]}"))


def only_signal(lines: bytes) -> Signal | None:
    """Return the one signal of these newline-terminated lines, None when they mix or begin otherwise."""
    if lines.startswith(TRACES_START):
        return None if _LOGS_ON_A_LATER_LINE in lines else "traces"
    if lines.startswith(LOGS_START):
        return None if _TRACES_ON_A_LATER_LINE in lines else "logs"
    return None


def signal_of(line: bytes) -> Signal | None:
    """Return the signal of one line, or None when it is not a record."""
    if line.startswith(TRACES_START):
        return "traces"
    if line.startswith(LOGS_START):
        return "logs"
    return None


def is_whole(line: bytes) -> bool:
    """Return whether a line is one complete JSON object: joined with others it spoils none of them."""
    try:
        _whole.decode(line)
    except (msgspec.DecodeError, UnicodeDecodeError):
        return False
    return line.startswith(b"{")
