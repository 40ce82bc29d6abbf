"""The dashboard in a real Chromium: how soon its pages show, how evenly they move, how far a live one lags.

    python -m benchmarks.bench_dashboard [assets] [sessions] [session] [live] [--keep FOLDER]

Without names everything is measured: what the browser has to load; the Sessions page over 50,000 sessions
(a million spans, made by large_store.py); the Session page with 50,000 and 500,000 events (made by
dashboard/dev/seed.py); a page that is open while 200 events a second arrive for a minute. A picture counts
from the navigation in a browser that rests, with an empty cache, to the frame after the one that painted
rows: the first since the server's start, and the median of three. Frames are counted while a mouse zooms,
drags and scrolls; the distance between two frames is theirs, whatever they did. On a machine with a screen of
60 Hz nothing can be below 16.7 ms. With --keep the stores are made once, below that folder, and found there
by the next run.
"""

from __future__ import annotations

import gzip
import http.client
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from argparse import ArgumentParser
from collections.abc import Callable, Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from uuid import UUID

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks import large_store
from benchmarks.resting import resting_tab
from benchmarks.serving import Serving

SEED = Path(__file__).resolve().parents[1] / "dashboard" / "dev" / "seed.py"
_LOADS = 3
_GESTURE_S = 2.0
_OPENED_S = 120
_SESSIONS = 50_000
_EVENTS = (50_000, 500_000)
_RATE = 200
_FEED_S = 60.0

# Notes the frame after the one that painted rows.
_WATCH = """
window.__picture = 0;
const look = () => {
  const shown = document.querySelector('.timeline[data-painted], .table-row[data-session]');
  if (!shown) return requestAnimationFrame(look);
  requestAnimationFrame(() => { window.__picture = performance.now(); });
};
requestAnimationFrame(look);
"""
_FRAMES_START = """() => {
  window.__frames = [];
  let last = 0;
  const tick = (at) => {
    if (!window.__frames) return;
    if (last) window.__frames.push(at - last);
    last = at;
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""
_FRAMES_STOP = "() => { const frames = window.__frames; window.__frames = null; return frames; }"
# A turn of the wheel in every frame: in for two thirds of a second, out for a third.
_ZOOM_START = """() => {
  const canvas = document.querySelector('.timeline-canvas');
  const { left, top, width, height } = canvas.getBoundingClientRect();
  const at = { clientX: left + width * 0.6, clientY: top + height / 2, bubbles: true, cancelable: true };
  let turn = 0;
  window.__zooming = true;
  const tick = () => {
    if (!window.__zooming) return;
    canvas.dispatchEvent(new WheelEvent('wheel', { ...at, deltaY: turn++ % 60 < 40 ? -60 : 120 }));
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
}"""
# From the key that changed the search to the frame in which its count of matches stands.
_SEARCH = """(text) => new Promise((resolve) => {
  const field = document.querySelector('input[aria-label="Find in session"]');
  const status = () => document.querySelector('.matches')?.textContent ?? '';
  const before = status();
  const began = performance.now();
  const set = Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set;
  set.call(field, text);
  field.dispatchEvent(new Event('input', { bubbles: true }));
  const told = () => resolve(performance.now() - began);
  const look = () => requestAnimationFrame(status() !== before ? told : look);
  look();
})"""
# From a click on a filter's value to the frame after the one in which the list is another.
_FILTER = """(value) => new Promise((resolve) => {
  const total = () => document.querySelector('[data-total]')?.dataset.total;
  const before = total();
  const box = [...document.querySelectorAll('.facet')].find((one) => one.textContent.includes(value));
  const began = performance.now();
  box.querySelector('input').click();
  const told = () => resolve(performance.now() - began);
  const look = () => {
    const isNew = total() !== before && !document.querySelector('.table.stale');
    requestAnimationFrame(isNew ? told : look);
  };
  look();
})"""
# Notes when the timeline's number of rows grew.
_GROWTH_START = """() => {
  window.__growth = [];
  let last = 0;
  const look = () => {
    const rows = Number(document.querySelector('.timeline')?.dataset.rows ?? 0);
    if (rows > last) window.__growth.push([performance.timeOrigin + performance.now(), rows]);
    last = Math.max(last, rows);
    requestAnimationFrame(look);
  };
  requestAnimationFrame(look);
}"""


def main(arguments: list[str]) -> None:
    """Measure and print."""
    every: dict[str, Callable[[Path], None]] = {
        "assets": measure_assets,
        "sessions": measure_sessions,
        "session": measure_session,
        "live": measure_live,
    }
    known = ArgumentParser(description="Measure the dashboard.")
    known.add_argument("parts", nargs="*", metavar="part", help="what to measure (everything)")
    known.add_argument("--keep", type=Path, help="a folder in which the stores are made once and stay")
    asked = known.parse_args(arguments)
    with tempfile.TemporaryDirectory() as folder:
        for part in asked.parts or every:
            every[part](asked.keep or Path(folder))


def measure_assets(stores: Path) -> None:
    """Print what the browser loads before it shows anything, and how it is cached."""
    print("\nWhat is loaded")
    with Serving(_home(stores, "empty")) as server, _chromium() as browser:
        page = browser.new_page()
        scripts: list[str] = []
        page.on("request", lambda one: scripts.append(one.url) if one.resource_type == "script" else None)
        page.goto(f"{server.url}/sessions", wait_until="load")
        page.wait_for_selector("h1")
        size = 0
        caching: set[str] = set()
        for url in set(scripts):
            connection = http.client.HTTPConnection("127.0.0.1", server.port)
            connection.request("GET", url.removeprefix(server.url))
            answer = connection.getresponse()
            size += len(gzip.compress(answer.read(), 6))
            if "/assets/" in url:
                caching.add(answer.getheader("Cache-Control") or "")
            connection.close()
        _row("initial JavaScript, gzip (at most 250 kB)", f"{size / 1000:.0f} kB")
        _row("Cache-Control of built assets", "; ".join(sorted(caching)))


def measure_sessions(stores: Path) -> None:
    """Print the figures of the Sessions page."""
    print(f"\nSessions page, {_SESSIONS:,} sessions")
    home = _home(stores, "sessions")
    if not (home / "store").exists():
        large_store.make(home, _SESSIONS * large_store.SPANS_PER_SESSION)
    with Serving(home) as server, _chromium() as browser:
        _settled(server)
        address = f"{server.url}/sessions"
        _row("cold load: first rows: first, median (at most 1,000 ms)", _first_picture(browser, address))
        page = _opened(browser, address)
        took: list[float] = []
        for facet, value in (("tag", "staging"), ("model", "gpt-4o-mini"), ("tool", "refund")):
            page.get_by_role("button", name=f"Filter by {facet}").click()
            page.locator(".facet", has_text=value).first.wait_for()
            took += [float(page.evaluate(_FILTER, value)) for _ in range(2)]
            page.keyboard.press("Escape")
        _row(
            "a filter changed: median, slowest (at most 200 ms)",
            f"{statistics.median(took):.0f}, {max(took):.0f} ms",
        )
        page.mouse.move(700, 500)
        _frames(page, "scrolling 10,000 rows", lambda _turn: page.mouse.wheel(0, 1200), 10_000 * 36)
        page.context.close()


def measure_session(stores: Path) -> None:
    """Print the figures of the Session page."""
    for size in _EVENTS:
        print(f"\nA session of {size:,} events")
        home = _home(stores, f"session-{size}")
        with Serving(home) as server, _chromium() as browser:
            made = home / "session"
            if not made.exists():
                seeded = subprocess.run(
                    [sys.executable, str(SEED), server.url, "--sessions", "120", "--big", str(size)],
                    check=True,
                    stdout=subprocess.PIPE,
                    text=True,
                )
                made.write_text(seeded.stdout.split()[-1])
            _settled(server)
            _measure(browser, f"{server.url}/sessions/{made.read_text()}")


def _measure(browser: Browser, address: str) -> None:
    _row("first picture: first, median", _first_picture(browser, address))
    page = _opened(browser, address)
    box = page.locator(".timeline").bounding_box()
    assert box is not None
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def drag(turn: int) -> None:
        page.mouse.move(x + (turn % 40 - 20) * 12, y + (turn % 25 - 12) * 8)

    def scroll(_turn: int) -> None:
        page.keyboard.down("Shift")
        page.mouse.wheel(0, 400)

    page.mouse.move(x, y)
    page.evaluate(_ZOOM_START)
    _frames(page, "timeline, zooming with the wheel", lambda _turn: page.wait_for_timeout(50))
    page.evaluate("() => { window.__zooming = false; }")
    page.keyboard.press("0")
    for _ in range(6):
        page.keyboard.press("w")
    page.mouse.down()
    _frames(page, "timeline, dragging", drag)
    page.mouse.up()
    _frames(page, "timeline, scrolling its rows", scroll)
    page.keyboard.up("Shift")

    page.goto(f"{address}?view=tree")
    page.wait_for_selector(".tree-row[data-event]", timeout=_OPENED_S * 1000)
    page.mouse.move(x, y)
    _frames(page, "tree, all open, scrolling", lambda _turn: page.mouse.wheel(0, 700))
    texts = ("run_tests", "gpt-4o", "planner apply", "git_diff", "failed at turn 3")
    took = [float(page.evaluate(_SEARCH, text)) for text in texts]
    _row("tree, search: median, slowest of 5", f"{statistics.median(took):.0f}, {max(took):.0f} ms")
    _row("memory of the page's process (at most 600 MB)", f"{_renderer_bytes() / 1e6:.0f} MB")
    page.context.close()


def measure_live(stores: Path) -> None:
    """Print how far an open page is behind a session that records many events a second."""
    print(f"\nAn open session while {_RATE} events/s arrive, {_FEED_S:.0f} s")
    with Serving(_home(stores, "live")) as server, _chromium() as browser:
        trace = f"5e{time.time_ns():030x}"
        recorded: list[float] = []
        _post(server, [_span(trace, 1, ended=False)])
        page = _opened_at(browser, f"{server.url}/sessions/{UUID(trace)}")
        page.evaluate(_GROWTH_START)
        page.evaluate(_FRAMES_START)
        feeding = threading.Thread(target=_feed, args=(server, trace, recorded))
        feeding.start()
        while feeding.is_alive():
            page.wait_for_timeout(250)
        page.wait_for_timeout(3000)
        frames = sorted(float(one) for one in page.evaluate(_FRAMES_STOP))
        growth: list[list[float]] = page.evaluate("window.__growth")
        behind = [
            next((at for at, rows in growth if rows > place), float("inf")) / 1000 - at
            for place, at in enumerate(recorded)
        ]
        half = len(behind) // 2
        for name, part in (("first half", behind[:half]), ("second half", behind[half:])):
            ordered = sorted(part)
            middle, high = ordered[len(ordered) // 2], ordered[int(len(ordered) * 0.95)]
            told = f"{middle:.2f}, {high:.2f}, {ordered[-1]:.2f} s"
            _row(f"recorded to shown, {name}: p50, p95, worst (1 s)", told)
        _row("frame p50, p95, worst meanwhile", _told(frames))
        page.context.close()


def _home(stores: Path, name: str) -> Path:
    """Return a server's home of this name, which may have been made before."""
    home = stores / name
    home.mkdir(parents=True, exist_ok=True)
    return home


def _feed(server: Serving, trace: str, recorded: list[float]) -> None:
    """Record events at the rate, sent ten times a second as a shipper does."""
    began = time.time()
    number = 1
    while time.time() - began < _FEED_S:
        due = int((time.time() - began) * _RATE)
        spans: list[dict[str, Any]] = []
        while len(recorded) < due:
            number += 1
            spans.append(_span(trace, number))
            recorded.append(time.time())
        if spans:
            _post(server, spans)
        time.sleep(0.1)


def _span(trace: str, number: int, *, ended: bool = True) -> dict[str, Any]:
    now = time.time_ns()
    kind = "session" if number == 1 else ("llm", "tool")[number % 2]
    return {
        "traceId": trace,
        "spanId": f"{number:016x}",
        "parentSpanId": "" if number == 1 else f"{1:016x}",
        "name": f"event {number}",
        "startTimeUnixNano": str(now - 5_000_000),
        "endTimeUnixNano": str(now) if ended else "0",
        "attributes": [{"key": "agentops.span.kind", "value": {"stringValue": kind}}],
    }


def _post(server: Serving, spans: list[dict[str, Any]]) -> None:
    connection = http.client.HTTPConnection("127.0.0.1", server.port)
    body = json.dumps({"resourceSpans": [{"resource": {}, "scopeSpans": [{"scope": {}, "spans": spans}]}]})
    connection.request("POST", "/v1/traces", body, {"Content-Type": "application/json"})
    assert connection.getresponse().status == 200
    connection.close()


@contextmanager
def _chromium() -> Generator[Browser]:
    path = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not path:
        raise SystemExit("Chromium is needed (Debian: apt install chromium), or set CHROMIUM to its path.")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=path, args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        )
        yield browser
        browser.close()


def _settled(server: Serving) -> None:
    """Wait until the server rests: a store merges what it was given, a reader comes later."""
    resting = 0
    for _ in range(240):
        before = server.cpu_s()
        time.sleep(0.5)
        resting = resting + 1 if server.cpu_s() - before < 0.1 else 0
        if resting == 4:
            return


def _opened(browser: Browser, address: str) -> Page:
    page = _opened_at(browser, address)
    page.wait_for_function("() => window.__picture > 0", timeout=_OPENED_S * 1000)
    return page


def _opened_at(browser: Browser, address: str) -> Page:
    page = resting_tab(browser)
    page.add_init_script(_WATCH)
    page.goto(address, wait_until="commit")
    return page


def _first_picture(browser: Browser, address: str) -> str:
    took: list[float] = []
    for _ in range(_LOADS):
        page = _opened(browser, address)
        took.append(float(page.evaluate("window.__picture")))
        page.context.close()
    return f"{took[0]:.0f}, {statistics.median(took):.0f} ms"


def _frames(page: Page, name: str, move: Callable[[int], Any], until_px: float | None = None) -> None:
    """Move for a while, or until the list was scrolled so far; print how far the page's frames were apart."""
    page.evaluate(_FRAMES_START)
    until = time.perf_counter() + (_GESTURE_S if until_px is None else _OPENED_S)
    turn = 0
    while time.perf_counter() < until:
        move(turn)
        turn += 1
        if until_px is not None and page.evaluate("document.querySelector('.table').scrollTop") >= until_px:
            break
    _row(f"{name}: frame p50, p95, worst", _told(sorted(float(each) for each in page.evaluate(_FRAMES_STOP))))


def _told(frames: list[float]) -> str:
    at = frames[min(len(frames) - 1, int(len(frames) * 0.95))]
    return f"{statistics.median(frames):.1f}, {at:.1f}, {frames[-1]:.1f} ms"


def _renderer_bytes() -> int:
    """Return the resident memory of the largest page process below this one."""
    sizes = [0]
    for child in psutil.Process().children(recursive=True):
        try:
            if "--type=renderer" in child.cmdline():
                sizes.append(int(child.memory_info().rss))
        except psutil.NoSuchProcess:
            continue
    return max(sizes)


def _row(name: str, value: str) -> None:
    print(f"{name:<62} {value}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
