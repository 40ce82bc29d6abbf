"""Answers to OTLP requests, in the encoding of the request.

`ExportTraceServiceResponse`, `ExportLogsServiceResponse` and the metrics one share a shape: an optional
`partial_success` (field 1) with a count (field 1) and a text (field 2). See the OpenTelemetry protocol,
collector/*.proto.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from agentops.otlp.refusal import Rejected

if TYPE_CHECKING:
    from agentops.otlp.decode import Encoding


def accepted(encoding: Encoding, rejected: list[Rejected], noun: str) -> bytes:
    """Return the body of a 200 answer.

    Args:
        encoding: of the request.
        rejected: what was refused, by reason.
        noun: "Spans", "LogRecords" or "DataPoints".
    """
    count = sum(one.count for one in rejected)
    message = "; ".join(f"{one.count} refused: {one.reason}" for one in rejected)
    if encoding == "json":
        # Protobuf's JSON mapping writes 64-bit integers as text.
        partial = {f"rejected{noun}": str(count), "errorMessage": message} if count else {}
        return msgspec.json.encode({"partialSuccess": partial})
    if not count:
        return b""
    text = message.encode()
    partial_bytes = b"\x08" + varint(count) + b"\x12" + varint(len(text)) + text
    return b"\x0a" + varint(len(partial_bytes)) + partial_bytes


def varint(number: int) -> bytes:
    """Encode a whole number as protobuf does."""
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)
