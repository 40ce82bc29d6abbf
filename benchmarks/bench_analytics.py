"""The Analytics page over a large store: each of its questions, and the page in a real Chromium.

    python -m benchmarks.bench_analytics [SPANS] [FOLDER]

Makes a store of SPANS (default 1,000,000, all within seven days) in FOLDER, or uses the one that is there.
The page first, three times: from the navigation in a browser that rests, with an empty cache, until every
card has its answer, and from a change of range or filter until the next answers stand. Then each question
three times, alone. CPU is the least that the server spent on one: other load changes that less than the time.
"""

from __future__ import annotations

import http.client
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Final
from urllib.parse import urlencode
from urllib.request import urlopen

import psutil
from playwright.sync_api import Browser
from tests.browser.chromium import chromium

from benchmarks.large_store import SEED_SPANS, make
from benchmarks.resting import resting_tab
from benchmarks.serving import Serving

_TIMES: Final = 3
_RANGE: Final = {"since": "7d", "interval": "hour", "tz": "Europe/Berlin"}
QUESTIONS: Final = {
    "charts: totals and series": ("/api/analytics", _RANGE),
    "charts: cost by model": ("/api/analytics/breakdown", {**_RANGE, "by": "model"}),
    "charts, one model": ("/api/analytics", {**_RANGE, "model": "gpt-4o"}),
    "charts, last 24 hours": ("/api/analytics", {**_RANGE, "since": "24h"}),
    "table by tool": ("/api/analytics/breakdown", {**_RANGE, "by": "tool"}),
    "table by tag": ("/api/analytics/breakdown", {**_RANGE, "by": "tag"}),
    "table by session name": ("/api/analytics/breakdown", {**_RANGE, "by": "session"}),
    "most frequent errors": ("/api/analytics/errors", {"since": "7d", "limit": "20"}),
    "slowest sessions": ("/api/sessions", {"since": "7d", "sort": "duration", "limit": "8"}),
    "two tags compared": ("/api/compare/groups", {"since": "7d", "tag_a": "staging", "tag_b": "production"}),
    "waste": ("/api/analytics/waste", {"since": "7d"}),
}
# Notes when every card has its answer, looked at in each frame.
_WATCH: Final = """
window.__isSettled = () => document.querySelector('[data-group]')
    && !document.querySelector('.card[aria-busy=true], .analytics[data-stale], .stale');
window.__settled = new Promise((resolve) => {
  const look = () => (window.__isSettled() ? resolve(performance.now()) : requestAnimationFrame(look));
  requestAnimationFrame(look);
});
"""
# From a change of the address to the frame in which the next answers stand. What it changed is asked for
# in the frames after it.
_CHANGED: Final = """(to) => new Promise((resolve) => {
  const began = performance.now();
  let frames = 0;
  const look = () => {
    frames += 1;
    if (frames > 3 && window.__isSettled()) resolve(performance.now() - began);
    else requestAnimationFrame(look);
  };
  history.pushState({}, '', to);
  dispatchEvent(new Event('popstate'));
  requestAnimationFrame(look);
})"""


def main(spans: int, folder: Path) -> None:
    """Measure and print."""
    if not (folder / "store").exists():
        made = make(folder, max(spans, SEED_SPANS))
        print(f"made {made.spans:,} spans in {made.sessions:,} sessions in {made.seconds:.0f} s")
    print(f"load average {psutil.getloadavg()[0]:.1f}, {psutil.cpu_count()} cores")
    with Serving(folder) as server:
        _rested(server)
        print(f"{'':28}{'first':>9}{'middle':>9}{'CPU':>9}  ms")
        with chromium() as browser:
            _page(server, browser)
        for name, (path, asked) in QUESTIONS.items():
            _ask(server, name, f"{path}?{urlencode(asked)}")


def _rested(server: Serving) -> None:
    """Wait until the server has computed what a copied store left it: questions wait for that."""
    while True:
        began = time.perf_counter()
        _get(server, "/api/sessions?limit=1")
        if time.perf_counter() - began < 1:
            return


def _page(server: Serving, browser: Browser) -> None:
    """Open the page and change it, with a new browser's context each time."""
    measured: dict[str, list[tuple[float, float]]] = {}
    address = f"{server.url}/analytics"
    for _ in range(_TIMES):
        page = resting_tab(browser)
        page.add_init_script(_WATCH)
        cpu = server.cpu_s()
        page.goto(address, wait_until="commit")
        taken = float(page.evaluate("window.__settled"))
        measured.setdefault("page, cold", []).append((taken, (server.cpu_s() - cpu) * 1000))
        for change in ("since=24h", "since=30d", "since=7d&tag=staging", "since=7d&model=gpt-4o"):
            cpu = server.cpu_s()
            taken = float(page.evaluate(_CHANGED, f"?{change}"))
            measured.setdefault(f"changed: {change}", []).append((taken, (server.cpu_s() - cpu) * 1000))
        page.context.close()
    for name, times in measured.items():
        _told(name, [taken for taken, _ in times], [spent for _, spent in times])


def _get(server: Serving, address: str) -> None:
    with urlopen(server.url + address, timeout=120) as answer:
        answer.read()


def _ask(server: Serving, name: str, address: str) -> None:
    line = http.client.HTTPConnection("127.0.0.1", server.port, timeout=120)
    taken: list[float] = []
    spent: list[float] = []
    for _ in range(_TIMES):
        cpu, began = server.cpu_s(), time.perf_counter()
        line.request("GET", address)
        answer = line.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"{address}: {answer.status} {said[:300]!r}")
        taken.append((time.perf_counter() - began) * 1000)
        spent.append((server.cpu_s() - cpu) * 1000)
    line.close()
    _told(name, taken, spent)


def _told(name: str, taken: list[float], spent: list[float]) -> None:
    print(f"{name:28}{taken[0]:9.0f}{statistics.median(taken):9.0f}{min(spent):9.0f}", flush=True)


if __name__ == "__main__":
    given = sys.argv[1:]
    with tempfile.TemporaryDirectory(prefix="agentops-analytics-") as temporary:
        main(int(given[0]) if given else 1_000_000, Path(given[1]) if len(given) > 1 else Path(temporary))
