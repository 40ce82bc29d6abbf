"""Storing agent sessions: acknowledged, listed, in memory and on disk; then what the usual questions cost.

    python -m benchmarks.bench_server [SPANS] [CONNECTIONS]

The bodies of agent_sessions.py (500 spans each) go to a server of its own over several connections. Beside it
stands what reading the same bodies with protobuf alone costs, in the same run.
"""

from __future__ import annotations

import http.client
import json
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path
from typing import Any

from benchmarks.agent_sessions import bodies
from benchmarks.bench_decode import bare
from benchmarks.serving import Serving

_QUESTION_RUNS = 15
_SETTLE_S = 8
QUESTIONS = {
    "session list, 50": "/api/sessions?limit=50",
    "session list, 50, one model": "/api/sessions?limit=50&model=gpt-4o",
    "session list, text search": "/api/sessions?limit=50&q=refund",
    "facets": "/api/sessions/facets",
    "analytics by model, by hour": "/api/analytics?group_by=model&interval=hour",
}


def main(spans: int, connections: int) -> None:
    """Measure and print."""
    sent = bodies(spans)
    began = time.process_time()
    bare(sent)
    reading_s = time.process_time() - began
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder)) as server:
        before_s = server.cpu_s()
        began = time.perf_counter()
        _push(server.port, sent, connections)
        stored_s = time.perf_counter() - began
        total = _get(server, "/api/sessions?limit=1")["total"]
        listed_s = time.perf_counter() - began
        used_s = server.cpu_s() - before_s
        _row(
            f"{spans} spans, {sum(map(len, sent)) / spans:.0f} bytes each, acknowledged", f"{stored_s:.2f} s"
        )
        _row("", f"{spans / stored_s:,.0f} spans/s")
        _row(f"all {total} sessions listed", f"{listed_s:.2f} s")
        _row("server CPU", f"{used_s / spans * 1e6:.1f} us/span")
        _row("reading the same bodies with protobuf alone", f"{reading_s / spans * 1e6:.1f} us/span")
        _row("server CPU by that", f"{used_s / reading_s:.1f}x")
        _row("resident right after", f"{server.resident_bytes() / 1e6:.0f} MB")
        for name, path in QUESTIONS.items():
            _row(f"{name}: first, p50, p95", _times(server, path))
        time.sleep(_SETTLE_S)
        _row(f"resident, idle for {_SETTLE_S} s", f"{server.resident_bytes() / 1e6:.0f} MB")
        size = sum(path.stat().st_size for path in Path(folder).rglob("*") if path.is_file())
        _row("on disk, everything counted", f"{size / spans:,.0f} bytes/span")


def _push(port: int, sent: list[bytes], connections: int) -> None:
    def lane(mine: list[bytes]) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        for body in mine:
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            told = answer.read()
            if answer.status != 200 or told:
                failures.append(f"{answer.status}: {told!r}")

    failures: list[str] = []
    lanes = [threading.Thread(target=lane, args=(sent[start::connections],)) for start in range(connections)]
    for one in lanes:
        one.start()
    for one in lanes:
        one.join()
    if failures:
        raise SystemExit(f"{len(failures)} requests failed: {failures[0]}")


def _times(server: Serving, path: str) -> str:
    taken: list[float] = []
    for _ in range(_QUESTION_RUNS):
        began = time.perf_counter()
        _get(server, path)
        taken.append((time.perf_counter() - began) * 1e3)
    later = sorted(taken[1:])
    return f"{taken[0]:.0f}, {statistics.median(later):.0f}, {later[int(len(later) * 0.95)]:.0f} ms"


def _get(server: Serving, path: str) -> Any:
    with urllib.request.urlopen(server.url + path) as answer:
        return json.load(answer)


def _row(name: str, figure: str) -> None:
    print(f"{name:58} {figure:>20}", flush=True)


if __name__ == "__main__":
    main(
        int(sys.argv[1]) if len(sys.argv) > 1 else 20_000,
        int(sys.argv[2]) if len(sys.argv) > 2 else 4,
    )
