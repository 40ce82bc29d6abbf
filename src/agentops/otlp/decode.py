"""OTLP request bodies, protobuf or JSON, as model values.

Promises: only MalformedBody is ever raised. A span or log record that cannot be used is refused alone, with a
reason that names its field; the rest of the batch is kept. What a limit cuts off says so where it was cut.
"""

from __future__ import annotations

from codecs import BOM_UTF8
from typing import Literal

from msgspec import Struct

from agentops.model import LogRecord, Span
from agentops.otlp import json_body, protobuf_body, protobuf_repair
from agentops.otlp.refusal import MalformedBody, Refusals, Rejected

Encoding = Literal["json", "protobuf"]

__all__ = [
    "Decoded",
    "DecodedLogs",
    "Encoding",
    "MalformedBody",
    "Rejected",
    "check_metrics",
    "decode_logs",
    "decode_traces",
]


class Decoded(Struct, frozen=True):
    """The spans of a request, in its order, and what was refused, by reason."""

    spans: list[Span]
    rejected: list[Rejected]


class DecodedLogs(Struct, frozen=True):
    """The log records of a request, in its order, and what was refused, by reason."""

    records: list[LogRecord]
    rejected: list[Rejected]


def decode_traces(body: bytes, encoding: Encoding) -> Decoded:
    """Decode the body of an ExportTraceServiceRequest.

    Raises:
        MalformedBody: The body as a whole cannot be read.
    """
    spans: list[Span] = []
    refusals = Refusals()
    if encoding == "protobuf":
        protobuf_body.read_spans(body, spans, refusals)
    else:
        json_body.read_spans(body.removeprefix(BOM_UTF8), spans, refusals)
    return Decoded(spans, refusals.counted())


def decode_logs(body: bytes, encoding: Encoding) -> DecodedLogs:
    """Decode the body of an ExportLogsServiceRequest.

    Raises:
        MalformedBody: The body as a whole cannot be read.
    """
    records: list[LogRecord] = []
    refusals = Refusals()
    if encoding == "protobuf":
        protobuf_body.read_logs(body, records, refusals)
    else:
        json_body.read_logs(body.removeprefix(BOM_UTF8), records, refusals)
    return DecodedLogs(records, refusals.counted())


def check_metrics(body: bytes, encoding: Encoding) -> None:
    """See whether a body is an ExportMetricsServiceRequest; nothing of it is kept.

    Raises:
        MalformedBody: It is none.
    """
    if encoding == "protobuf":
        protobuf_repair.check_frame(body)
    else:
        json_body.check_metrics(body.removeprefix(BOM_UTF8))
