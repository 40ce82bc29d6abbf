"""What recording costs the recorded program: one traced call, ours beside others'.

    make bench-sdk
    python -m benchmarks.bench_sdk [CALLS] [ROUNDS]

All trace the same function, with its arguments and result, and send it to the same sink, a server that
answers every request with 200. Bare OpenTelemetry: SDK, batch span processor, OTLP/HTTP exporter, JSON by the
standard library. AgentOps 0.4.21 has its defaults and an environment of its own, made on demand under
build/clients. Each runs in a process of its own, in turn, so that a noisy machine is noisy to all; the table
shows each one's best round, and ratios within this run. Ours is on disk when the call returns.
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


PEER = "0.4.21"
ANSWER = b'{"token": "a.b.c", "project_id": "p", "project_prem_status": "pro"}'
"""What the published client wants to hear when it signs in; nobody else reads the answer."""


class Sink(BaseHTTPRequestHandler):
    """Answers every request with 200."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        """Read and forget."""
        self.rfile.read(int(self.headers["content-length"]))
        self.send_response(200)
        self.send_header("content-length", str(len(ANSWER)))
        self.send_header("content-type", "application/json")
        self.end_headers()
        self.wfile.write(ANSWER)

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


def theirs(url: str) -> tuple[Traced, Callable[[], Any]]:
    """Trace with the published AgentOps; runs in its environment."""
    from opentelemetry import trace

    import agentops
    from agentops.sdk.decorators import operation

    agentops.init(
        api_key="11111111-2222-4333-8444-555555555555",
        endpoint=url,
        exporter_endpoint=f"{url}/v1/traces",
        instrument_llm_calls=False,
        auto_start_session=True,
    )
    provider: Any = trace.get_tracer_provider()
    return operation(work), lambda: provider.force_flush(60_000)


def measured(name: str, url: str, calls: int) -> dict[str, float]:
    """Measure one way of tracing in this process."""
    if name == "none":
        traced, flush = work, lambda: None
    elif name == "bare":
        traced, flush = bare(url)
    elif name == "peer":
        traced, flush = theirs(url)
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


def remembered(url: str, calls: int) -> dict[str, float]:
    """Return the resident set, MB, after a tenth of the calls and after all of them, in SESSIONS sessions."""
    import agentops
    from agentops.sdk.client import client

    agentops.init(endpoint=url, instrument_llm_calls=False, auto_start_session=False)
    traced = agentops.operation(work)
    found: dict[str, float] = {}
    for number in range(SESSIONS):
        with agentops.start_session():
            for call in range(calls // SESSIONS):
                traced(f"question number {call}", call)
        if number in (SESSIONS // 10, SESSIONS - 1):
            client.shipper.flush(60)
            with open("/proc/self/statm") as statm:
                pages = int(statm.read().split()[1])
            found["early" if not found else "late"] = pages * os.sysconf("SC_PAGE_SIZE") / 1e6
    return found


NAMES = {
    "none": "not traced",
    "bare": "OpenTelemetry SDK, batch processor, OTLP/HTTP",
    "ours": "AgentOps, @operation, on disk and shipped",
    "many": f"AgentOps, with {SESSIONS:,} open sessions",
    "peer": f"AgentOps {PEER}, @operation, batch processor, OTLP/HTTP",
}


def in_a_process(python: str, name: str, url: str, calls: int) -> dict[str, float]:
    """Measure one way of tracing in a process of its own."""
    with tempfile.TemporaryDirectory() as home:
        done = subprocess.run(
            [python, __file__, "--one", name, url, str(calls)],
            # The published client asks the package index for news: let nobody answer.
            env={**os.environ, "AGENTOPS_HOME": home, "HTTPS_PROXY": "http://127.0.0.1:9"},
            cwd=home,
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode != 0:
        sys.exit(f"{name} failed:\n{done.stderr[-2000:]}")
    return json.loads(done.stdout.splitlines()[-1])


def main(calls: int, rounds: int) -> None:
    """Run every way in turn and print the table."""
    # Not at the top: this file runs in other environments too, which have no tests.
    from tests.wire.environments import client_python

    server = ThreadingHTTPServer(("127.0.0.1", 0), Sink)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    url = f"http://127.0.0.1:{server.server_address[1]}"
    pythons = dict.fromkeys(NAMES, sys.executable) | {"peer": str(client_python(PEER))}
    best: dict[str, dict[str, float]] = {}
    for _ in range(rounds):
        for name, python in pythons.items():
            found = in_a_process(python, name, url, calls)
            known = best.setdefault(name, found)
            best[name] = {figure: min(known[figure], found[figure]) for figure in found}
    print("| a traced call | p50 us | p99 us | process CPU us, shipping included | p50, CPU by bare |")
    print("|---|---|---|---|---|")
    base = best["bare"]
    for name, shown in NAMES.items():
        found = best[name]
        ratio = f"{found['p50'] / base['p50']:.2f}, {found['cpu'] / base['cpu']:.2f}"
        print(f"| {shown} | {found['p50']:.1f} | {found['p99']:.1f} | {found['cpu']:.1f} | {ratio} |")
    if os.path.exists("/proc/self/statm"):
        many = calls * 50
        found = in_a_process(sys.executable, "memory", url, many)
        print(
            f"\n{many:,} calls in {SESSIONS:,} sessions, one after the other: resident set "
            f"{found['early']:.0f} MB after a tenth, {found['late']:.0f} MB at the end."
        )
    server.shutdown()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--one"]:
        one, address, count = sys.argv[2], sys.argv[3], int(sys.argv[4])
        figures = remembered(address, count) if one == "memory" else measured(one, address, count)
        print(json.dumps(figures), flush=True)
        os._exit(0)
    main(*(int(one) for one in sys.argv[1:3])) if len(sys.argv) == 3 else main(
        int(sys.argv[1]) if len(sys.argv) > 1 else CALLS, ROUNDS
    )
