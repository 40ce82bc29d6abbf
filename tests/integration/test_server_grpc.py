"""OTLP over gRPC, with OpenTelemetry's own exporters: it is stored, refused and put off as over HTTP."""

from __future__ import annotations

import contextlib
import random
import socket
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast
from uuid import UUID

import grpc
import pytest
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.proto.collector.logs.v1.logs_service_pb2_grpc import LogsServiceStub
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2 import ExportMetricsServiceRequest
from opentelemetry.proto.collector.metrics.v1.metrics_service_pb2_grpc import MetricsServiceStub
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2_grpc import TraceServiceStub
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import SimpleLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.trace import NonRecordingSpan, SpanContext, TraceFlags, set_span_in_context

from tests.serving import Server
from tests.waiting import eventually

EMBEDDED_ONLY = True
_LIMIT = 200_000


def address_of(server: Server) -> str:
    line = eventually(lambda: next((line for line in server.log if "OTLP over gRPC at" in line), ""))
    return line.rpartition(" ")[2].strip()


@pytest.fixture(scope="module")
def grpc_server(
    tmp_path_factory: pytest.TempPathFactory, make_server: Callable[..., Server]
) -> Iterator[Server]:
    environment = {"AGENTOPS_GRPC_PORT": "0", "AGENTOPS_MAX_BODY_BYTES": str(_LIMIT)}
    server = make_server(tmp_path_factory.mktemp("home"), environment=environment)
    yield server
    server.close()


@pytest.fixture
def channel(grpc_server: Server) -> Iterator[grpc.Channel]:
    with grpc.insecure_channel(address_of(grpc_server)) as opened:
        yield opened


def request(trace: int, *, name: str = "call", bad: int = 0) -> ExportTraceServiceRequest:
    body = ExportTraceServiceRequest()
    spans = body.resource_spans.add().scope_spans.add().spans
    for number in range(1 + bad):
        one = spans.add()
        one.trace_id = trace.to_bytes(16, "big")
        one.span_id = b"short" if number else (1).to_bytes(8, "big")
        one.name = name
        one.start_time_unix_nano = 1_700_000_000 * 10**9
        one.end_time_unix_nano = one.start_time_unix_nano + 1
    return body


@pytest.mark.parametrize("compression", [grpc.Compression.NoCompression, grpc.Compression.Gzip])
def test_a_program_with_the_exporter_is_recorded(grpc_server: Server, compression: grpc.Compression) -> None:
    exporter = OTLPSpanExporter(f"http://{address_of(grpc_server)}", insecure=True, compression=compression)
    provider = TracerProvider(resource=Resource({"service.name": "grpc"}))
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracer = provider.get_tracer("t")
    with tracer.start_as_current_span("outer") as outer, tracer.start_as_current_span("inner"):
        trace = outer.get_span_context().trace_id
    provider.shutdown()
    events = grpc_server.get(f"/api/sessions/{UUID(int=trace)}/events")["events"]
    assert [one["name"] for one in events] == ["outer", "inner"]


def test_logs_land_in_their_session(grpc_server: Server, channel: grpc.Channel) -> None:
    trace = random.getrandbits(100)
    TraceServiceStub(channel).Export(request(trace))
    exporter = OTLPLogExporter(f"http://{address_of(grpc_server)}", insecure=True)
    provider = LoggerProvider()
    provider.add_log_record_processor(SimpleLogRecordProcessor(exporter))
    span = NonRecordingSpan(SpanContext(trace, 1, is_remote=True, trace_flags=TraceFlags(1)))
    provider.get_logger("t").emit(
        LogRecord(context=set_span_in_context(span), body="it said so", severity_number=SeverityNumber.WARN)
    )
    provider.shutdown()
    logs = grpc_server.get(f"/api/sessions/{UUID(int=trace)}/logs")
    assert "it said so" in str(logs)


def test_bad_spans_are_refused_one_by_one(grpc_server: Server, channel: grpc.Channel) -> None:
    trace = random.getrandbits(100)
    answer = cast(Any, TraceServiceStub(channel).Export(request(trace, bad=2)))
    assert answer.partial_success.rejected_spans == 2
    assert "span" in answer.partial_success.error_message
    assert grpc_server.get(f"/api/sessions/{UUID(int=trace)}")["event_counts"]["total"] == 1
    whole = cast(Any, TraceServiceStub(channel).Export(request(trace)))
    assert not whole.HasField("partial_success")


def test_metrics_are_taken_and_dropped(channel: grpc.Channel) -> None:
    request = ExportMetricsServiceRequest()
    group = request.resource_metrics.add()
    group.resource.attributes.add(key="service.name").value.string_value = "test"
    gauge = group.scope_metrics.add().metrics.add(name="load").gauge
    gauge.data_points.add(as_double=0.5).attributes.add(key="cpu").value.int_value = 1
    assert not MetricsServiceStub(channel).Export(request).HasField("partial_success")


@pytest.mark.parametrize("service", ["trace.v1.Trace", "logs.v1.Logs", "metrics.v1.Metrics"])
def test_what_is_no_request_is_refused_for_good(channel: grpc.Channel, service: str) -> None:
    path = f"/opentelemetry.proto.collector.{service}Service/Export"
    call = cast(Any, channel.unary_unary(path))
    with pytest.raises(grpc.RpcError) as refused:
        call(b"\xff\xff\xff")
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


def test_a_request_over_the_limit_is_refused_packed_or_not(channel: grpc.Channel) -> None:
    large = request(1, name="x" * (_LIMIT + 1))
    for compression in (grpc.Compression.NoCompression, grpc.Compression.Gzip):
        with pytest.raises(grpc.RpcError) as refused:
            TraceServiceStub(channel).Export(large, compression=compression)
        assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
    LogsServiceStub(channel)


def test_keys_decide_over_grpc_too(tmp_path: Path, make_server: Callable[..., Server]) -> None:
    environment = {"AGENTOPS_GRPC_PORT": "0", "AGENTOPS_AUTH": "true"}
    server = make_server(tmp_path / "keys", environment=environment)
    try:
        key = next(line for line in server.log if "first key" in line).rpartition(" ")[2].strip()
        trace = random.getrandbits(100)
        with grpc.insecure_channel(address_of(server)) as channel:
            for metadata in ((), (("authorization", "Bearer nobody"),)):
                with pytest.raises(grpc.RpcError) as refused:
                    TraceServiceStub(channel).Export(request(trace), metadata=metadata)
                assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED
                assert "Bearer <key>" in str(refused.value.details())
            shown = (("authorization", f"Bearer {key}"),)
            TraceServiceStub(channel).Export(request(trace), metadata=shown)
        found = server.http.get(
            f"/api/sessions/{UUID(int=trace)}", headers={"authorization": f"Bearer {key}"}
        )
        assert found.json()["event_counts"]["total"] == 1
        used = (tmp_path / "keys" / "audit.jsonl").read_text()
        assert f'"what":"key.used","key":"{key[:8]}","scope":"record","address":"127.0.0.1"' in used
        assert '"what":"key.refused","address":"127.0.0.1"' in used
        small = server.http.post(
            "/api/keys",
            json={"scope": "record", "quota_bytes_per_minute": 10},
            headers={"authorization": f"Bearer {key}"},
        ).json()["key"]
        with grpc.insecure_channel(address_of(server)) as channel:
            shown = (("authorization", f"Bearer {small}"),)
            TraceServiceStub(channel).Export(request(trace), metadata=shown)
            with pytest.raises(grpc.RpcError) as refused:
                TraceServiceStub(channel).Export(request(trace), metadata=shown)
            assert refused.value.code() is grpc.StatusCode.RESOURCE_EXHAUSTED
            assert "quota" in str(refused.value.details())
    finally:
        server.close()


def test_the_port_of_another_program_stops_only_who_asked_for_it(
    tmp_path: Path, make_server: Callable[..., Server]
) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        with pytest.raises(RuntimeError, match=port):
            make_server(tmp_path / "taken", environment={"AGENTOPS_GRPC_PORT": port})
    with socket.socket() as other:
        with contextlib.suppress(OSError):  # Whoever has it already serves as well.
            other.bind(("127.0.0.1", 4317))
            other.listen()
        server = make_server(tmp_path / "free", environment={"AGENTOPS_GRPC_PORT": ""})
        try:
            eventually(lambda: any("--grpc-port" in line for line in server.log))
            assert server.get("/healthz")["status"] == "ok"
        finally:
            server.close()
