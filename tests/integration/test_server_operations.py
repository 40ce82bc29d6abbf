"""What whoever runs the server reads: metrics as Prometheus does, logs as a collector does."""

from __future__ import annotations

import itertools
import json
import random
import signal
import threading
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
