"""What recording costs the recorded program: one traced call, ours beside the bare OpenTelemetry SDK.

    python -m benchmarks.bench_sdk [CALLS] [ROUNDS]

Both trace the same function, with its arguments and result as JSON, and send it to the same sink, a server
that answers every request with 200. Bare OpenTelemetry: SDK, batch span processor, OTLP/HTTP exporter. Each
runs in a process of its own, alternating, so that a noisy machine is noisy to both; the table shows each
one's best round. Ours is on disk when the call returns.
"""

from __future__ import annotations

import gc
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

CALLS = 20_000
ROUNDS = 3
WARM_UP = 500
SESSIONS = 1000
"""Open sessions in the run with many of them."""


class Sink(BaseHTTPRequestHandler):
    """Answers every request with 200."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read and forget."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", "2")
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(b"{}")

    do_GET = do_POST

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 -- the name it overrides
        """Say nothing."""


def work(question: str, k: int = 3) -> dict[str, Any]:
    """Do what the traced function does: nothing much."""
    return {"answer": question, "k": k}


Traced = Callable[[str, int], dict[str, Any]]


def bare(url: str) -> tuple[Traced, Callable[[], Any]]:
    """Trace with the OpenTelemetry SDK alone."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider()
    exporter = OTLPSpanExporter(endpoint=f"{url}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter, max_queue_size=10**6))
    tracer = provider.get_tracer("bench")

    def traced(question: str, k: int = 3) -> dict[str, Any]:
        with tracer.start_as_current_span("work") as span:
            span.set_attribute("input", json.dumps({"question": question, "k": k}))
            result = work(question, k)
            span.set_attribute("output", json.dumps(result))
            return result

    return traced, lambda: provider.force_flush(60_000)


def ours(url: str, sessions: int = 1) -> tuple[Traced, Callable[[], Any]]:
    """Trace with the operation decorator, in one of `sessions` open sessions."""
    import agentops
    from agentops.sdk.client import client

    agentops.init(endpoint=url, instrument_llm_calls=False, auto_start_session=False)
    kept = [agentops.start_session() for _ in range(sessions)]
    if sessions > 1:
        kept[0].__enter__()
    return agentops.operation(work), lambda: client.shipper.flush(60)


def measured(name: str, url: str, calls: int) -> dict[str, float]:
    """Measure one way of tracing in this process."""
    if name == "none":
        traced, flush = work, lambda: None
    elif name == "bare":
        traced, flush = bare(url)
    else:
        traced, flush = ours(url, SESSIONS if name == "many" else 1)
    for number in range(WARM_UP):
        traced(f"q{number}", number)
    gc.collect()
    times: list[float] = []
    cpu = time.process_time()
    for number in range(calls):
        began = time.perf_counter()
        traced(f"question number {number}", number)
        times.append(time.perf_counter() - began)
    flush()
    cpu = time.process_time() - cpu
    times.sort()
    return {"p50": times[calls // 2] * 1e6, "p99": times[calls * 99 // 100] * 1e6, "cpu": cpu / calls * 1e6}


NAMES = {
    "none": "not traced",
    "bare": "OpenTelemetry SDK, batch processor, OTLP/HTTP",
    "ours": "AgentOps, @operation, on disk and shipped",
    "many": f"AgentOps, with {SESSIONS:,} open sessions",
}


def main(calls: int, rounds: int) -> None:
    """Run every way in turn and print the table."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name in NAMES:
            with tempfile.TemporaryDirectory() as home:
                done = subprocess.run(
                    [sys.executable, __file__, "--one", name, url, str(calls)],
                    env={**os.environ, "AGENTOPS_HOME": home},
                    capture_output=True,
                    text=True,
                    check=True,
                )
            found = json.loads(done.stdout)
            known = best.setdefault(name, found)
            best[name] = {figure: min(known[figure], found[figure]) for figure in found}
    print("| a traced call | p50 us | p99 us | process CPU us, shipping included | p50, CPU by bare |")
    print("|---|---|---|---|---|")
    base = best["bare"]
    for name, shown in NAMES.items():
        found = best[name]
        ratio = f"{found['p50'] / base['p50']:.2f}, {found['cpu'] / base['cpu']:.2f}"
        print(f"| {shown} | {found['p50']:.1f} | {found['p99']:.1f} | {found['cpu']:.1f} | {ratio} |")
    server.shutdown()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        print(json.dumps(measured(sys.argv[2], sys.argv[3], int(sys.argv[4]))), flush=True)
        os._exit(0)
    main(*(int(one) for one in sys.argv[1:3])) if len(sys.argv) == 3 else main(
        int(sys.argv[1]) if len(sys.argv) > 1 else CALLS, ROUNDS
    )
