"""What whoever runs the server reads: metrics as Prometheus does, logs as a collector does."""

from __future__ import annotations

import http.client
import itertools
import json
import random
import signal
import socket
import threading
import time
from typing import Any

import httpx
from prometheus_client.parser import text_string_to_metric_families

from tests.serving import Server
from tests.spans import body, span
from tests.waiting import eventually

_traces = itertools.count(random.getrandbits(60) << 60)


def metrics(server: Server) -> dict[str, float]:
    text = server.http.get("/metrics")
    assert text.headers["content-type"].startswith("text/plain; version=0.0.4")
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text.text):
        assert family.documentation, family.name
        assert family.type in ("counter", "gauge", "histogram"), family.name
        for sample in family.samples:
            found[sample.name] = found.get(sample.name, 0) + sample.value
    return found


def test_prometheus_reads_what_happened(module_server: Server) -> None:
    before = metrics(module_server)
    trace = next(_traces)
    module_server.post("/v1/traces", body(span(trace, 1), span(trace, 2, 1)))
    module_server.get("/api/sessions")
    after = metrics(module_server)
    assert after["agentops_spans_committed_total"] - before["agentops_spans_committed_total"] == 2
    assert after["agentops_commits_total"] > before["agentops_commits_total"]
    eventually(
        lambda: (
            metrics(module_server)["agentops_summary_passes_total"] > before["agentops_summary_passes_total"]
        )
    )
    assert after["process_resident_memory_bytes"] > 1e7
    refused = {**span(trace, 3), "spanId": "0" * 16}
    assert module_server.post("/v1/traces", body(refused, span(trace, 4))).status_code == 200
    told = metrics(module_server)
    assert told["agentops_spans_refused_total"] - after["agentops_spans_refused_total"] == 1
    assert told["agentops_spans_committed_total"] - after["agentops_spans_committed_total"] == 1
    assert {"agentops_queued_bytes", "agentops_live_listeners", "agentops_commit_failures_total"} <= set(
        after
    )


def test_logs_are_json_a_line_when_asked(start_server: Any) -> None:
    server: Server = start_server(
        arguments=("--port", "0", "--log-format", "json"), environment={"AGENTOPS_GRPC_PORT": "0"}
    )
    server.process.send_signal(signal.SIGTERM)
    server.process.wait(30)
    server.close()
    lines = [line for line in server.log if not line.startswith(("AgentOps is ready", "OTLP over gRPC"))]
    for line in lines:
        told = json.loads(line)
        assert {"time", "level", "logger", "message"} <= set(told)


def test_session_rows_wait_for_whoever_looks(start_server: Any) -> None:
    server: Server = start_server()
    began = time.monotonic()
    for _ in range(40):
        assert server.post("/v1/traces", body(span(next(_traces), 1))).status_code == 200
    passes = metrics(server)["agentops_summary_passes_total"]
    assert passes <= 2 + (time.monotonic() - began)
    assert server.get("/api/sessions", limit=1)["total"] == 40


class Upload:
    """A request whose body is sent piece by piece."""

    def __init__(self, server: Server, size: int) -> None:
        url = httpx.URL(server.url)
        self.socket = socket.create_connection((url.host, url.port or 80), 30)
        self.socket.sendall(
            b"POST /v1/traces HTTP/1.1\r\nHost: %b:%d\r\nContent-Type: application/x-protobuf\r\n"
            b"Content-Length: %d\r\n\r\n" % (url.host.encode(), url.port or 80, size)
        )

    def answer(self) -> http.client.HTTPResponse:
        """Read the answer."""
        found = http.client.HTTPResponse(self.socket)
        found.begin()
        return found


def test_a_crowd_is_told_to_come_again_instead_of_filling_the_memory(start_server: Any) -> None:
    server: Server = start_server()
    large = 60_000_000
    crowd = [Upload(server, large) for _ in range(2)]
    for one in crowd:
        one.socket.sendall(bytes(large - 1))
    eventually(lambda: metrics(server)["agentops_intake_bytes"] == 2 * (large - 1), within_s=30)
    late = Upload(server, large)
    late.socket.sendall(bytes(large))
    told = late.answer()
    assert (told.status, told.headers["Retry-After"]) == (503, "1")
    assert json.loads(told.read())["error"]["code"] == "overloaded"
    assert metrics(server)["agentops_requests_turned_away_total"] == 1
    # Nobody stops an agent by holding large bodies that never end.
    assert server.post("/v1/traces", body(span(next(_traces), 1))).status_code == 200
    for one in crowd:
        one.socket.close()
    eventually(lambda: metrics(server)["agentops_intake_bytes"] == 0, within_s=30)
    late.socket.close()
    assert server.post("/v1/traces", body(span(next(_traces), 1))).status_code == 200


def test_a_leaving_server_turns_away_what_it_is_still_reading(start_server: Any) -> None:
    server: Server = start_server()
    upload = Upload(server, 1000)
    upload.socket.sendall(bytes(500))
    eventually(lambda: metrics(server)["agentops_intake_bytes"] == 500)
    server.process.send_signal(signal.SIGTERM)
    # It leaves as soon as it has closed its listener.
    eventually(lambda: _refuses(server), within_s=30)
    upload.socket.sendall(bytes(500))
    told = upload.answer()
    assert (told.status, told.headers["Retry-After"]) == (503, "1")
    assert json.loads(told.read())["error"]["message"] == "The server is stopping."
    upload.socket.close()
    assert server.process.wait(30) == 0
    assert not any("Traceback" in line for line in server.log)


def _refuses(server: Server) -> bool:
    try:
        httpx.get(f"{server.url}/healthz", timeout=5)
    except httpx.TransportError:
        return True
    return False


def test_a_leaving_server_answers_what_it_took(start_server: Any) -> None:
    server: Server = start_server()
    answers: list[int] = []
    asked = threading.Event()

    def post() -> None:
        with httpx.Client(base_url=server.url, timeout=30) as http:
            while True:
                trace = next(_traces)
                spans = [span(trace, number) for number in range(1, 200)]
                asked.set()
                try:
                    answers.append(http.post("/v1/traces", json=body(*spans)).status_code)
                except (httpx.ConnectError, httpx.RemoteProtocolError, httpx.ReadError):
                    return

    posting = [threading.Thread(target=post) for _ in range(3)]
    for one in posting:
        one.start()
    assert asked.wait(10)
    eventually(lambda: len(answers) >= 5, within_s=30)
    server.process.send_signal(signal.SIGTERM)
    assert server.process.wait(60) == 0
    for one in posting:
        one.join(30)
    assert set(answers) <= {200, 503}
    stored = answers.count(200)
    again: Server = start_server(server.home)
    found = again.wait("/api/sessions", lambda one: one["total"] >= stored, timeout_s=30, limit=1)
    assert found["total"] >= stored
