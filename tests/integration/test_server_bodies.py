"""What exporters send over HTTP: encodings, limits, refusals one by one."""

from __future__ import annotations

import gzip
import itertools
import json
import random
import socket
import time
import zlib
from collections.abc import Iterator
from typing import Any
from uuid import UUID

import httpx
import pytest
from backports import zstd
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import (
    ExportTraceServiceRequest,
    ExportTraceServiceResponse,
)

from agentops.server.api.gate import needed
from agentops.server.auth import RECORD
from tests.serving import Server, error_of
from tests.spans import SECOND, body, span
from tests.waiting import eventually

EMBEDDED_ONLY = True
_traces = itertools.count(random.getrandbits(60) << 60)


@pytest.fixture
def trace() -> int:
    return next(_traces)


def session_of(trace: int) -> str:
    return str(UUID(int=trace))


def as_protobuf(trace: int, *, name: str = "call", bad: int = 0) -> bytes:
    request = ExportTraceServiceRequest()
    spans = request.resource_spans.add().scope_spans.add().spans
    for number in range(1 + bad):
        one = spans.add()
        one.trace_id = trace.to_bytes(16, "big")
        one.span_id = (number + 1).to_bytes(8, "big") if number == 0 else b"short"
        one.name = name
        one.start_time_unix_nano = time.time_ns() - SECOND
        one.end_time_unix_nano = time.time_ns()
    return request.SerializeToString()


@pytest.mark.parametrize("encoding", ["identity", "gzip", "deflate", "raw deflate", "zstd", "", "gzip, zstd"])
@pytest.mark.parametrize("form", ["json", "protobuf"])
def test_spans_are_taken_in_every_encoding(
    module_server: Server, trace: int, encoding: str, form: str
) -> None:
    plain = json.dumps(body(span(trace, 1))).encode() if form == "json" else as_protobuf(trace)
    packer = zlib.compressobj(wbits=-15)
    packed = {
        "gzip": gzip.compress(plain),
        "deflate": zlib.compress(plain),
        "raw deflate": packer.compress(plain) + packer.flush(),
        "zstd": zstd.compress(plain),
        "gzip, zstd": zstd.compress(gzip.compress(plain)),
    }.get(encoding, plain)
    headers = {
        "content-type": "application/json; charset=utf-8" if form == "json" else "application/x-protobuf"
    }
    if encoding:
        headers["content-encoding"] = encoding.removeprefix("raw ")
    answer = module_server.http.post("/v1/traces", content=packed, headers=headers)
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].partition(";")[0] == headers["content-type"].partition(";")[0]
    assert module_server.get(f"/api/sessions/{session_of(trace)}")["event_counts"]["total"] == 1


def test_an_exporter_whose_address_ends_in_a_slash_is_served(module_server: Server, trace: int) -> None:
    assert module_server.post("/v1/traces/", body(span(trace, 1))).status_code == 200
    assert module_server.get(f"/api/sessions/{session_of(trace)}")["session_id"] == session_of(trace)
    for path in ("/v1/logs/", "/v1/metrics/"):
        assert module_server.post(path, {}).status_code == 200
    assert needed("POST", "/v1/traces/") == needed("POST", "/v1/traces") == RECORD


def test_one_bad_span_is_counted_and_named_and_sinks_nothing(module_server: Server, trace: int) -> None:
    answer = module_server.post(
        "/v1/traces", as_protobuf(trace, bad=2), content_type="application/x-protobuf"
    )
    assert answer.status_code == 200
    partial = ExportTraceServiceResponse.FromString(answer.content).partial_success
    assert partial.rejected_spans == 2
    assert "span_id" in partial.error_message
    assert module_server.get(f"/api/sessions/{session_of(trace)}")["event_counts"]["total"] == 1
    spans = [
        span(trace, 7),
        {**span(trace, 8), "traceId": "zz"},
        {**span(trace, 9), "startTimeUnixNano": "0"},
    ]
    answer = module_server.post("/v1/traces", body(*spans))
    partial_json = answer.json()["partialSuccess"]
    assert int(partial_json["rejectedSpans"]) == 2
    assert "start_time_unix_nano" in partial_json["errorMessage"]


@pytest.mark.parametrize(
    ("content", "headers", "status", "code"),
    [
        (b"{", {"content-type": "application/json"}, 400, "malformed_body"),
        (b"\xff\xff\xff", {"content-type": "application/x-protobuf"}, 400, "malformed_body"),
        (b"<xml/>", {"content-type": "text/xml"}, 415, "unsupported_media_type"),
        (b"{}", {}, 415, "unsupported_media_type"),
        (b"{}", {"content-type": "application/json", "content-encoding": "br"}, 415, "unsupported_encoding"),
        (
            b"not gzip",
            {"content-type": "application/json", "content-encoding": "gzip"},
            400,
            "malformed_body",
        ),
        (
            gzip.compress(b"{}", mtime=0)[:-6],
            {"content-type": "application/json", "content-encoding": "gzip"},
            400,
            "malformed_body",
        ),
        # Thousands of empty streams one after the other would keep a thread for minutes.
        (
            gzip.compress(b"", mtime=0) * 20_000,
            {"content-type": "application/json", "content-encoding": "gzip"},
            400,
            "malformed_body",
        ),
        (
            zstd.compress(b"") * 20_000,
            {"content-type": "application/json", "content-encoding": "zstd"},
            400,
            "malformed_body",
        ),
        (
            b"",
            {"content-type": "application/json", "content-encoding": "gzip, gzip, gzip, gzip"},
            415,
            "unsupported_encoding",
        ),
        (
            b'{"a":' * 50_000 + b"1" + b"}" * 50_000,
            {"content-type": "application/json"},
            400,
            "malformed_body",
        ),
    ],
)
@pytest.mark.parametrize("route", ["/v1/traces", "/v1/logs", "/api/import"])
def test_a_bad_body_gets_the_error_shape(
    module_server: Server, route: str, content: bytes, headers: dict[str, str], status: int, code: str
) -> None:
    answer = module_server.http.post(route, content=content, headers=headers)
    assert answer.status_code == status, answer.text
    assert error_of(answer)["code"] == code


def test_metrics_that_are_too_deep_are_refused(module_server: Server) -> None:
    deep = b'{"a":' * 50_000 + b"1" + b"}" * 50_000
    answer = module_server.post("/v1/metrics", deep, content_type="application/json")
    assert (answer.status_code, error_of(answer)["code"]) == (400, "malformed_body")


def test_a_body_over_the_limit_is_refused_before_and_after_decompression(
    start_server: Any, trace: int
) -> None:
    server = start_server(environment={"AGENTOPS_MAX_BODY_BYTES": "100000"})
    headers = {"content-type": "application/json"}
    assert (
        error_of(server.http.post("/v1/traces", content=b" " * 100_001, headers=headers))["code"]
        == "body_too_large"
    )

    def chunks() -> Iterator[bytes]:
        for _ in range(11):
            yield b" " * 10_000

    streamed = server.http.post("/v1/traces", content=chunks(), headers=headers)
    assert streamed.status_code == 413
    for name, packed in (
        ("gzip", gzip.compress(b" " * 10_000_000)),
        ("zstd", zstd.compress(b" " * 10_000_000)),
        ("deflate", zlib.compress(b" " * 10_000_000)),
    ):
        assert len(packed) < 100_000
        bomb = server.http.post("/v1/traces", content=packed, headers={**headers, "content-encoding": name})
        assert bomb.status_code == 413, name
        assert "AGENTOPS_MAX_BODY_BYTES" in error_of(bomb)["hint"]
    assert server.post("/v1/traces", body(span(trace, 1))).status_code == 200


def test_a_sender_that_leaves_in_the_middle_is_nothing_to_report(module_server: Server) -> None:
    def held() -> float:
        lines = module_server.http.get("/metrics").text.splitlines()
        return float(next(line.split()[1] for line in lines if line.startswith("agentops_intake_bytes ")))

    before = len(module_server.log)
    at = httpx.URL(module_server.url)
    with socket.create_connection((at.host, at.port or 0)) as sender:
        sender.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            b"Content-Length: 100000\r\n\r\n" + b" " * 5_000
        )
        eventually(lambda: held() >= 5_000)
    eventually(lambda: held() == 0)
    assert module_server.http.get("/readyz").status_code == 200
    assert not [line for line in module_server.log[before:] if "Traceback" in line or "Error" in line]


def test_who_has_said_all_and_listens_still_is_answered(module_server: Server, trace: int) -> None:
    at = httpx.URL(module_server.url)
    sent = json.dumps(body(span(trace, 1))).encode()
    head = b"%b HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"
    post, ask = head % (b"POST /v1/traces", len(sent)) + sent, head % (b"GET /api/sessions?limit=1", 0)

    def heard(said: bytes) -> bytes:
        with socket.create_connection((at.host, at.port or 0), timeout=30) as sender:
            sender.sendall(said)
            sender.shutdown(socket.SHUT_WR)
            return b"".join(iter(lambda: sender.recv(65_536), b""))

    assert heard(post).startswith(b"HTTP/1.1 200")
    assert heard(post + ask + post).count(b"HTTP/1.1 200") == 3
    # Whoever leaves in the middle, and who listens for what changes, is gone with that.
    assert heard(post[:-1]) == b""
    heard(head % (b"GET /api/live", 0))
