"""The dashboard in a real Chromium: how soon it shows a session, how evenly it moves, how fast it searches.

    python -m benchmarks.bench_dashboard [EVENTS ...]

Each size (50,000 and 500,000 events unless told otherwise) is one session on a server of its own, seeded by
dashboard/dev/seed.py. The first picture is the frame after the one that painted rows, counted from the
navigation, with an empty cache, the median of three loads. Frames are counted while a mouse zooms, drags and
scrolls; the distance between two frames is theirs, whatever they did. On a machine with a screen of 60 Hz
nothing can be below 16.7 ms.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.serving import Serving

SEED = Path(__file__).resolve().parents[1] / "dashboard" / "dev" / "seed.py"
_LOADS = 3
_GESTURE_S = 2.0
_OPENED_S = 120

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
_FRAMES_STOP = "() => { const frames = window.__frames; window.__frames = null; return frames; }"
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


def main(sizes: list[int]) -> None:
    """Measure and print."""
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("Chromium is needed (Debian: apt install chromium), or set CHROMIUM to its path.")
    for size in sizes:
        with (
            tempfile.TemporaryDirectory() as folder,
            Serving(Path(folder)) as server,
            sync_playwright() as playwright,
        ):
            seeded = subprocess.run(
                [sys.executable, str(SEED), server.url, "--sessions", "120", "--big", str(size)],
                check=True,
                stdout=subprocess.PIPE,
                text=True,
            )
            session = seeded.stdout.split()[-1]
            # The store merges what it was given; a reader comes later.
            time.sleep(3)
            browser = playwright.chromium.launch(
                executable_path=chromium,
                args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
            )
            print(f"\nA session of {size:,} events")
            _measure(browser, server.url, session)
            browser.close()


def _measure(browser: Browser, url: str, session: str) -> None:
    address = f"{url}/sessions/{session}"
    _row("sessions page, first rows", f"{_first_picture(browser, f'{url}/sessions'):.0f} ms")
    _row("first picture", f"{_first_picture(browser, address):.0f} ms")
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
    _row("tree, search: median, slowest of 5", f"{statistics.median(took):.0f} ms, {max(took):.0f} ms")
    _row("memory of the page's process", f"{_renderer_bytes() / 1e6:.0f} MB")
    page.context.close()


def _opened(browser: Browser, address: str) -> Page:
    page = browser.new_context(viewport={"width": 1440, "height": 900}).new_page()
    page.add_init_script(_WATCH)
    page.goto(address, wait_until="commit")
    page.wait_for_function("() => window.__picture > 0", timeout=_OPENED_S * 1000)
    return page


def _first_picture(browser: Browser, address: str) -> float:
    took: list[float] = []
    for _ in range(_LOADS):
        page = _opened(browser, address)
        took.append(float(page.evaluate("window.__picture")))
        page.context.close()
    return statistics.median(took)


def _frames(page: Page, name: str, move: Callable[[int], Any]) -> None:
    """Move for a while and print how far the page's frames were apart."""
    page.evaluate(_FRAMES_START)
    until = time.perf_counter() + _GESTURE_S
    turn = 0
    while time.perf_counter() < until:
        move(turn)
        turn += 1
    frames = sorted(float(each) for each in page.evaluate(_FRAMES_STOP))
    at = frames[min(len(frames) - 1, int(len(frames) * 0.95))]
    _row(
        f"{name}: frame p50, p95, worst",
        f"{statistics.median(frames):.1f} ms, {at:.1f} ms, {frames[-1]:.1f} ms",
    )


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
    print(f"{name:<48} {value}", flush=True)


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [50_000, 500_000])
