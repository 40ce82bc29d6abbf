"""Bodies that the generated classes refuse, read again so that one bad span does not sink its batch.

Two things make them refuse a whole body for one span: a text that is not UTF-8 (exporters that truncate text
by bytes send those) and a value nested deeper than protobuf allows. The wire format does not tell text from
bytes, nor bytes from an embedded message; so the same body is read through twins of the generated classes in
which every text is bytes, and every span is bytes too. Then each span is parsed alone, with its texts
repaired where needed.
"""

from __future__ import annotations

from functools import cache
from typing import Any, Final

from google.protobuf import descriptor_pb2, descriptor_pool, message_factory
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.common.v1 import common_pb2
from opentelemetry.proto.logs.v1 import logs_pb2
from opentelemetry.proto.resource.v1 import resource_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

from agentops.otlp.refusal import MalformedBody

_FILES: Final[tuple[Any, ...]] = (
    common_pb2,
    resource_pb2,
    trace_pb2,
    logs_pb2,
    trace_service_pb2,
    logs_service_pb2,
)
_OPAQUE: Final = {("ScopeSpans", "spans"), ("ScopeLogs", "log_records")}


def repaired_traces(body: bytes) -> tuple[trace_service_pb2.ExportTraceServiceRequest, int]:
    """Return the request with what could be read of it, and how many spans could not.

    Raises:
        MalformedBody: Not even the frame around the spans can be read.
    """
    frame = _frame(body, "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest")
    broken = 0
    for group in frame.resource_spans:
        for scoped in group.scope_spans:
            spans, lost = _readable(scoped.spans, trace_pb2.Span, "opentelemetry.proto.trace.v1.Span")
            broken += lost
            del scoped.spans[:]
            scoped.spans.extend(spans)
    _mend(frame, trace_service_pb2.ExportTraceServiceRequest.DESCRIPTOR)
    return trace_service_pb2.ExportTraceServiceRequest.FromString(frame.SerializeToString()), broken


def repaired_logs(body: bytes) -> tuple[logs_service_pb2.ExportLogsServiceRequest, int]:
    """Return the request with what could be read of it, and how many records could not.

    Raises:
        MalformedBody: Not even the frame around the records can be read.
    """
    frame = _frame(body, "opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest")
    broken = 0
    for group in frame.resource_logs:
        for scoped in group.scope_logs:
            kept, lost = _readable(
                scoped.log_records, logs_pb2.LogRecord, "opentelemetry.proto.logs.v1.LogRecord"
            )
            broken += lost
            del scoped.log_records[:]
            scoped.log_records.extend(kept)
    _mend(frame, logs_service_pb2.ExportLogsServiceRequest.DESCRIPTOR)
    return logs_service_pb2.ExportLogsServiceRequest.FromString(frame.SerializeToString()), broken


def check_frame(body: bytes) -> None:
    """See whether this can be an export request of any signal: the frames around their items are alike.

    Raises:
        MalformedBody: Not even the frame can be read.
    """
    _frame(body, "opentelemetry.proto.collector.trace.v1.ExportTraceServiceRequest")


def _frame(body: bytes, name: str) -> Any:
    try:
        return _twin(name).FromString(body)
    except DecodeError:
        raise MalformedBody(
            "The body is not an OTLP protobuf message, or it was cut off on its way."
        ) from None


def _readable(items: list[bytes], strict: Any, twin_name: str) -> tuple[list[bytes], int]:
    """Return the items that parse, with their texts repaired, and the number of the others."""
    kept: list[bytes] = []
    for item in items:
        try:
            strict.FromString(item)
            kept.append(item)
            continue
        except DecodeError:
            pass
        try:
            message = _twin(twin_name).FromString(item)
            _mend(message, strict.DESCRIPTOR)
            mended = message.SerializeToString()
            strict.FromString(mended)
            kept.append(mended)
        except DecodeError:
            continue
    return kept, len(items) - len(kept)


def _mend(message: Message, strict: Descriptor) -> None:
    """Replace what is not UTF-8 in the texts of `message`, a twin of a `strict` message, in place."""
    for field, value in message.ListFields():
        as_declared = strict.fields_by_name[field.name]
        if as_declared.type == FieldDescriptor.TYPE_STRING:
            if field.is_repeated:
                value[:] = [_utf8(item) for item in value]
            else:
                setattr(message, field.name, _utf8(value))
        elif as_declared.message_type is not None and field.message_type is not None:
            for item in value if field.is_repeated else (value,):
                _mend(item, as_declared.message_type)


def _utf8(text: bytes) -> bytes:
    return text.decode("utf-8", "replace").encode()


@cache
def _twins() -> descriptor_pool.DescriptorPool:
    """Make the descriptors of OTLP with every text, and every span and log record in its scope, as bytes."""
    pool = descriptor_pool.DescriptorPool()
    for generated in _FILES:
        file = descriptor_pb2.FileDescriptorProto()
        generated.DESCRIPTOR.CopyToProto(file)
        for message in file.message_type:
            _loosen(message)
        pool.Add(file)
    return pool


def _loosen(message: descriptor_pb2.DescriptorProto) -> None:
    for field in message.field:
        opaque = (message.name, field.name) in _OPAQUE
        if opaque or field.type == descriptor_pb2.FieldDescriptorProto.TYPE_STRING:
            field.type = descriptor_pb2.FieldDescriptorProto.TYPE_BYTES
            field.ClearField("type_name")
    for nested in message.nested_type:
        _loosen(nested)


@cache
def _twin(name: str) -> Any:
    return message_factory.GetMessageClass(_twins().FindMessageTypeByName(name))
