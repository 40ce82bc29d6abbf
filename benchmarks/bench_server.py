"""Storing agent sessions: acknowledged, listed, in memory and on disk; then what the usual questions cost.

    python -m benchmarks.bench_server [SPANS] [CONNECTIONS]
    python -m benchmarks.bench_server steady [SPANS] [CONNECTIONS]

The bodies of agent_sessions.py (500 spans each) go to a server of its own over several connections, after
some others that warm it. Beside it stands what reading the same bodies with protobuf alone costs, in the same
run, and what the two large parts of the work cost alone: making the rows in Python, and the engine's own
fsynced inserts of them (a commit holds some 1,000 rows), merges not counted.

`steady` sends the same bodies again and again under new ids, a million spans by default, and prints the rate
and the resident memory at every tenth of the way: neither may creep.
"""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import random
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops.otlp.decode import decode_traces
from agentops.server import prices
from agentops.server.ingest import receive
from agentops.server.store.opening import open_store
from agentops.server.store.upkeep import compact, sizes
from agentops.server.store.url import StoreUrl
from agentops.server.store.write import SPAN_COLUMNS
from benchmarks.agent_sessions import bodies
from benchmarks.bench_decode import bare
from benchmarks.serving import Serving

_QUESTION_RUNS = 15
_SETTLE_S = 8
_WARM_SPANS = 4_000
_STEADY_BODIES = 40
_REPLACED_GO_S = 90
_COMMIT_ROWS = 1_000
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
    with tempfile.TemporaryDirectory() as folder:
        with Serving(Path(folder)) as server:
            _push(server.port, renamed(bodies(_WARM_SPANS), 1), connections)
            _get(server, "/api/sessions?limit=1")
            before_s = server.cpu_s()
            began = time.perf_counter()
            _push(server.port, sent, connections)
            stored_s = time.perf_counter() - began
            total = _get(server, "/api/sessions?limit=1")["total"]
            listed_s = time.perf_counter() - began
            used_s = server.cpu_s() - before_s
            each = sum(map(len, sent)) / spans
            _row(f"{spans} spans, {each:.0f} bytes each, acknowledged", f"{stored_s:.2f} s")
            _row("", f"{spans / stored_s:,.0f} spans/s")
            _row(f"all {total} sessions listed", f"{listed_s:.2f} s")
            _row("wall time by reading the same bodies with protobuf alone", f"{stored_s / reading_s:.1f}x")
            _row("server CPU", f"{used_s / spans * 1e6:.1f} us/span")
            _row("reading the same bodies with protobuf alone", f"{reading_s / spans * 1e6:.1f} us/span")
            _row("server CPU by that", f"{used_s / reading_s:.1f}x")
            rows, made_s = _made(sent)
            _row("making the rows in Python, alone", f"{made_s / spans * 1e6:.1f} us/span")
            inserted_s = _inserted(rows)
            _row("inserting them with the engine, alone", f"{inserted_s / spans * 1e6:.1f} us/span")
            _row("resident right after", f"{server.resident_bytes() / 1e6:.0f} MB")
            for name, path in QUESTIONS.items():
                _row(f"{name}: first, p50, p95", _times(server, path))
            time.sleep(_SETTLE_S)
            _row(f"resident, idle for {_SETTLE_S} s", f"{server.resident_bytes() / 1e6:.0f} MB")
        stored = spans + _WARM_SPANS
        _row("on disk at once, everything counted", f"{_disk(folder) / stored:,.0f} bytes/span")
        _merge(Path(folder) / "store")
        _row("on disk after merges, everything counted", f"{_disk(folder) / stored:,.0f} bytes/span")


def steady(spans: int, connections: int) -> None:
    """Send many spans and print how rate and memory hold."""
    first = bodies(_STEADY_BODIES * 500)
    rounds = max(1, spans // (_STEADY_BODIES * 500))
    every = max(1, rounds // 10)
    with tempfile.TemporaryDirectory() as folder, Serving(Path(folder)) as server:
        done = 0
        began, used_s = time.perf_counter(), server.cpu_s()
        for number in range(rounds):
            _push(server.port, renamed(first, number + 2), connections)
            done += 1
            if done == every or number + 1 == rounds:
                took_s = time.perf_counter() - began
                count = done * _STEADY_BODIES * 500
                stored = (number + 1) * _STEADY_BODIES * 500
                cpu = (server.cpu_s() - used_s) / count * 1e6
                _row(
                    f"{stored:,} spans",
                    f"{count / took_s:,.0f} spans/s, {cpu:.0f} us CPU/span, "
                    f"{server.resident_bytes() / 1e6:.0f} MB, {_disk(folder) / stored:,.0f} bytes/span",
                )
                done, began, used_s = 0, time.perf_counter(), server.cpu_s()


def renamed(sent: Iterable[bytes], number: int) -> Iterator[bytes]:
    """Yield the bodies with other trace ids and session ids, for each number others."""
    for body in sent:
        changed = body
        for trace_id in sorted(_traces(body)):
            # Session by session the same in every body that holds a piece of it.
            other = random.Random(trace_id + number.to_bytes(8, "big")).randbytes(16)
            changed = changed.replace(trace_id, other).replace(trace_id.hex().encode(), other.hex().encode())
        yield changed


def _traces(body: bytes) -> set[bytes]:
    known = _KNOWN.get(id(body))
    if known is None:
        request = ExportTraceServiceRequest.FromString(body)
        known = _KNOWN[id(body)] = {
            span.trace_id
            for group in request.resource_spans
            for scoped in group.scope_spans
            for span in scoped.spans
        }
    return known


_KNOWN: dict[int, set[bytes]] = {}


def _made(sent: list[bytes]) -> tuple[list[bytes], float]:
    """Return the rows of the bodies, and the seconds of processor time it took to make them."""
    prices.warm()
    rows: list[bytes] = []
    began = time.process_time()
    for body in sent:
        rows += receive.rows(decode_traces(body, "protobuf").spans, "default", time.time_ns(), None).spans
    return rows, time.process_time() - began


def _inserted(rows: list[bytes]) -> float:
    """Insert rows into a store of their own; return the seconds of processor time it took."""
    with tempfile.TemporaryDirectory() as folder:
        opened = open_store(StoreUrl.parse(f"chdb://{folder}/store"))
        try:
            opened.store.command("SYSTEM STOP MERGES")
            client = opened.store.connect()
            for setting in ("max_threads", "max_insert_threads"):
                client.set_client_setting(setting, "1")
            began = time.process_time()
            for start in range(0, len(rows), _COMMIT_ROWS):
                opened.store.insert("spans", rows[start : start + _COMMIT_ROWS], client, SPAN_COLUMNS)
            return time.process_time() - began
        finally:
            opened.close()


def _merge(store: Path) -> None:
    """Merge everything, and wait until the files of what was replaced are gone."""
    opened = open_store(StoreUrl.parse(f"chdb://{store}"))
    try:
        compact(opened.store)
        deadline = time.monotonic() + _REPLACED_GO_S
        while sizes(opened.store).replaced_bytes and time.monotonic() < deadline:
            time.sleep(1)
    finally:
        opened.close()


def _disk(folder: str) -> int:
    total = 0
    for place, _, names in os.walk(folder):
        for name in names:
            with contextlib.suppress(OSError):
                total += os.lstat(os.path.join(place, name)).st_size
    return total


def _push(port: int, sent: Iterable[bytes], connections: int) -> None:
    waiting = iter(sent)
    taking = threading.Lock()

    def lane() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port)
        while True:
            with taking:
                body = next(waiting, None)
            if body is None:
                return
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            told = answer.read()
            if answer.status != 200 or told:
                failures.append(f"{answer.status}: {told!r}")

    failures: list[str] = []
    lanes = [threading.Thread(target=lane) for _ in range(connections)]
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
    given = sys.argv[1:]
    measure: Callable[[int, int], None] = main
    if given[:1] == ["steady"]:
        measure = steady
        given = given[1:]
    numbers = [int(text) for text in given]
    most = 1_000_000 if measure is steady else 60_000
    measure(numbers[0] if numbers else most, numbers[1] if len(numbers) > 1 else 4)
