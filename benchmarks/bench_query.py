"""What the usual questions cost over a large store, over HTTP: p50 and p95 beside what is wanted.

    python -m benchmarks.bench_query [SPANS] [FOLDER]

Makes a store of SPANS (default 1,000,000 in 50,000 sessions) in FOLDER, or uses the one that is there, with
one session of 50,000 and one of 500,000 events beside it. Each question is asked a number of times: first
alone, then while 5,000 spans arrive every second. The first run of a text search counts as the others do.
CPU is the server's processor time for one question, with whatever merges and arrives meanwhile: on a machine
that is busy with other things it says more than the times do.
"""

from __future__ import annotations

import http.client
import json
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlencode

from benchmarks.agent_sessions import SPANS_PER_BODY, bodies
from benchmarks.large_store import CHINESE, COMMON, INSIDE, RARE, SEED_SPANS, make
from benchmarks.serving import Serving

_RUNS = 20
_ARRIVING_A_SECOND = 5_000
LARGE = (50_000, 500_000)
_LIST = "/api/sessions?limit=50&"
FILTERS = {
    "no filter": {},
    "model": {"model": "gpt-4o"},
    "tag": {"tag": "staging"},
    "agent": {"agent": "planner"},
    "tool": {"tool": "refund"},
    "user": {"user": "user-7"},
    "state": {"state": "success"},
    "errors": {"error": "true"},
    "error type": {"error": "ToolError"},
    "since 24h": {"since": "24h"},
    "min_cost": {"min_cost": "0.05"},
    "min_duration": {"min_duration": "1s"},
    "sort by cost": {"sort": "cost"},
    "sort by duration": {"sort": "duration"},
}
SEARCHES = {"rare word": RARE, "common word": COMMON, "Chinese": CHINESE, "inside a word": INSIDE}


def main(spans: int, folder: Path) -> None:
    """Measure and print."""
    if not (folder / "store").exists():
        made = make(folder, max(spans, SEED_SPANS), LARGE)
        print(f"made {made.spans:,} spans in {made.sessions:,} sessions in {made.seconds:.0f} s")
    with Serving(folder) as server:
        size = _Asking(server)
        held = json.loads(size.get("/api/store"))
        print(f"{held['spans']:,} spans, {held['sessions']:,} sessions, {held['bytes'] / 1e9:.2f} GB on disk")
        print(f"{'':52}{'wanted':>10}{'p50':>10}{'p95':>10}{'worst':>10}{'CPU':>10}  ms")
        _measure(server, "")
        with _Arriving(server.port) as arriving:
            time.sleep(2)
            _measure(server, f", {_ARRIVING_A_SECOND:,} spans/s arriving", slack=3)
        print(f"{arriving.acknowledged:,} spans were acknowledged meanwhile, {arriving.rate:,.0f} a second")
        print(f"resident: {server.resident_bytes() / 1e6:.0f} MB")


def _measure(server: Serving, when: str, slack: int = 1) -> None:
    asking = _Asking(server)
    page = json.loads(asking.get(_LIST))
    session = page["sessions"][25]["session_id"]
    for name, chosen in FILTERS.items():
        _row(f"session page, {name}{when}", 60 * slack, asking, lambda c=chosen: _LIST + urlencode(c))
    for name, text in SEARCHES.items():
        _row(f"search, {name}{when}", 250 * slack, asking, lambda t=text: _LIST + urlencode({"q": t}), 8)
    _row(
        f"events of a session{when}", 30 * slack, asking, lambda: f"/api/sessions/{session}/events?limit=100"
    )
    _row(
        f"analytics, 7 days by model{when}",
        120 * slack,
        asking,
        lambda: "/api/analytics?since=7d&group_by=model&interval=day",
    )
    _row(f"facets{when}", 0, asking, lambda: "/api/sessions/facets")
    if when:
        return
    cursors = _deep(asking, 1000)
    _row("session page 1,000", 60, asking, lambda: _LIST + urlencode({"cursor": cursors}))
    for size, wanted in zip(LARGE, (150, 1500), strict=True):
        path = f"/api/sessions/large-{size}"
        if asking.status(path) != 200:
            continue
        _row(f"timeline of {size:,} events", wanted, asking, lambda p=path: f"{p}/timeline", 5)
        _row(f"first page of its events{when}", 30, asking, lambda p=path: f"{p}/events?limit=100")
        after = json.loads(asking.get(f"{path}/events?limit=1000"))["next_cursor"]
        for _ in range(20):
            after = json.loads(asking.get(f"{path}/events?{urlencode({'limit': 1000, 'cursor': after})}"))[
                "next_cursor"
            ]
        deep = urlencode({"limit": 100, "cursor": after})
        _row("a page after 21,000 of its events", 30, asking, lambda p=path, d=deep: f"{p}/events?{d}")


def _deep(asking: _Asking, pages: int) -> str:
    """Return the cursor of a page far down the list."""
    cursor = ""
    for _ in range(pages * 50 // 500):
        asked = {"limit": 500, **({"cursor": cursor} if cursor else {})}
        found = json.loads(asking.get("/api/sessions?" + urlencode(asked)))["next_cursor"]
        if found is None:
            break
        cursor = found
    return cursor


def _row(name: str, wanted_ms: int, asking: _Asking, path: Callable[[], str], runs: int = _RUNS) -> None:
    taken: list[float] = []
    before_s = asking.server.cpu_s()
    for _ in range(runs):
        began = time.perf_counter()
        asking.get(path())
        taken.append((time.perf_counter() - began) * 1e3)
    cpu = (asking.server.cpu_s() - before_s) / runs * 1e3
    taken.sort()
    p95 = taken[min(len(taken) - 1, round(len(taken) * 0.95) - 1)]
    wanted = f"{wanted_ms}" if wanted_ms else "-"
    mark = "" if not wanted_ms or p95 <= wanted_ms else "  over"
    times = "".join(f"{one:10.1f}" for one in (taken[len(taken) // 2], p95, taken[-1], cpu))
    print(f"{name:56}{wanted:>6}{times}{mark}", flush=True)


class _Asking:
    """One kept connection that asks."""

    def __init__(self, server: Serving) -> None:
        self.server = server
        self._connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)

    def get(self, path: str) -> bytes:
        """Return the body of an answer that must be 200."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        body = answer.read()
        if answer.status != 200:
            raise SystemExit(f"GET {path}: {answer.status} {body[:300]!r}")
        return body

    def status(self, path: str) -> int:
        """Return an answer's status."""
        self._connection.request("GET", path)
        answer = self._connection.getresponse()
        answer.read()
        return answer.status


class _Arriving:
    """Sends spans at a steady rate while it is open."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._bodies = bodies(20_000)
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.acknowledged = 0
        self.rate = 0.0

    def __enter__(self) -> _Arriving:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join()

    def _run(self) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=120)
        began = time.monotonic()
        sent = 0
        while not self._stop.is_set():
            body = self._bodies[sent % len(self._bodies)]
            connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
            answer = connection.getresponse()
            answer.read()
            sent += 1
            self.acknowledged += SPANS_PER_BODY if answer.status == 200 else 0
            self._stop.wait(max(0.0, began + sent * SPANS_PER_BODY / _ARRIVING_A_SECOND - time.monotonic()))
        self.rate = self.acknowledged / (time.monotonic() - began)


if __name__ == "__main__":
    wanted_spans = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    if len(sys.argv) > 2:
        main(wanted_spans, Path(sys.argv[2]))
    else:
        with tempfile.TemporaryDirectory() as temporary:
            main(wanted_spans, Path(temporary))
