"""Take the screenshots named in docs/screenshots.md, into build/screenshots/ unless told otherwise.

Two servers with stores of their own run meanwhile: one seeded, one empty. Nothing outside a temporary folder
is read or written but the pictures. `--only session` takes those whose name contains the word.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, sync_playwright

ROOT = Path(__file__).resolve().parent.parent
PLAN = ROOT / "docs" / "screenshots.md"
PICTURES = ROOT / "build" / "screenshots"
SEED = ROOT / "dashboard" / "dev" / "seed.py"
BIG = 50_000


@dataclass(frozen=True, slots=True)
class Shot:
    """One picture: which page, how it is shown."""

    name: str
    store: str
    address: str
    theme: str
    width: int
    height: int


def plan() -> list[Shot]:
    """Read the pictures from the table of docs/screenshots.md."""
    shots: list[Shot] = []
    for line in PLAN.read_text().splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        size = re.fullmatch(r"(\d+)x(\d+)", cells[-1])
        if size and len(cells) == 5:
            shots.append(Shot(cells[0], cells[1], cells[2], cells[3], int(size[1]), int(size[2])))
    return shots


def first_session(url: str, query: str, most_events: int = 10**9) -> str:
    """Return the id of the first listed session with no more events, waiting until there is one."""
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        for session in read(f"{url}/api/sessions?{query}")["sessions"]:
            if session["event_counts"]["total"] <= most_events:
                return session["session_id"]
        time.sleep(0.2)
    raise SystemExit(f"No session came up for {query}.")


def read(url: str) -> Any:
    """Return the JSON at a URL."""
    with urllib.request.urlopen(url, timeout=30) as response:
        return json.load(response)


@contextmanager
def server(home: Path) -> Generator[str]:
    """Run `agentops serve` with its home in `home`; give its URL."""
    env = {**os.environ, "AGENTOPS_HOME": str(home)}
    process = subprocess.Popen(
        [sys.executable, "-m", "agentops.cli", "serve", "--port", "0", "--grpc-port", "off"],
        env=env,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"http://[\w.]+:\d+", line)
        if not found:
            raise SystemExit(f"The server did not start: {line!r}")
        yield found[0]
    finally:
        process.terminate()
        process.wait(timeout=20)


@contextmanager
def seeded(url: str) -> Generator[dict[str, str]]:
    """Fill the server's store and keep one session running; give the names that addresses use."""
    subprocess.run(
        [
            sys.executable,
            str(SEED),
            url,
            "--sessions",
            "120",
            "--live",
            "2",
            "--small",
            "--hostile",
            "--big",
            str(BIG),
        ],
        check=True,
        stdout=subprocess.DEVNULL,
    )
    feed = subprocess.Popen(
        [sys.executable, str(SEED), url, "--feed", "600", "--rate", "1", "--seed", "3"],
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        assert feed.stdout is not None
        names = {"live": feed.stdout.readline().strip()}
        names["failed"] = first_session(url, "state=fail&tag=production&sort=errors", most_events=40)
        names["big"] = first_session(url, "tag=stress")
        names["none"] = first_session(url, "q=Nothing+to+do")
        names["one"] = first_session(url, "q=A+single+question")
        names["hostile"] = first_session(url, "q=onerror")
        timeline = read(f"{url}/api/sessions/{names['failed']}/timeline")
        events = list(zip(timeline["event_id"], timeline["kind"], timeline["status"], strict=True))
        names["call"] = [event for event, kind, _ in events if kind == "llm"][2]
        names["error"] = next(event for event, _, status in events if status == "error")
        yield names
    finally:
        feed.terminate()
        feed.wait(timeout=20)


def address(shot: Shot, url: str, names: dict[str, str], folder: Path) -> str:
    """Return where the page is; one of a saved session (`file:` and its name) is saved first."""
    place = shot.address.format(**names)
    if not place.startswith("file:"):
        return url + place
    saved = folder / f"{shot.name}.html"
    with urllib.request.urlopen(f"{url}/api/sessions/{place[5:]}/export?format=html", timeout=30) as answer:
        saved.write_bytes(answer.read())
    return saved.as_uri()


def take(browser: Browser, shot: Shot, url: str, names: dict[str, str], picture: Path) -> None:
    """Open a page as the shot says, wait until it shows its content, and save the picture."""
    context = browser.new_context(
        viewport={"width": shot.width, "height": shot.height},
        color_scheme="dark" if shot.theme == "dark" else "light",
        device_scale_factor=2,
    )
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.goto(address(shot, url, names, picture.parent))
    shown = (
        ".table-row[data-session], .first-run, .settings, .view > *, .empty, .panel .event[data-loaded=true]"
    )
    page.wait_for_selector(shown)
    page.wait_for_load_state("load")
    page.evaluate("() => document.fonts.ready.then(() => true)")
    # The bars above the list come after its rows, and the bodies of events after their names.
    page.wait_for_function(
        "() => !document.querySelector('.awaited') && (!document.querySelector('.histogram') || "
        "document.querySelector('.histogram rect'))",
        timeout=60_000,
    )
    page.wait_for_timeout(1500)
    page.screenshot(path=picture)
    context.close()
    if problems:
        raise SystemExit(f"{shot.name}: the page reported {problems}")


def main() -> None:
    """Take all pictures, or those that `--only` names."""
    parser = argparse.ArgumentParser(description="Take the screenshots named in docs/screenshots.md.")
    parser.add_argument("--only", default="", help="a part of the names of the pictures to take")
    parser.add_argument("--into", type=Path, default=PICTURES, help="the folder of the pictures")
    given = parser.parse_args()
    only: str = given.only
    into: Path = given.into
    chromium = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if not chromium:
        raise SystemExit("Chromium is needed (Debian: apt install chromium), or set CHROMIUM to its path.")
    into.mkdir(parents=True, exist_ok=True)
    started = time.monotonic()
    with (
        tempfile.TemporaryDirectory() as folder,
        server(Path(folder) / "seeded") as full,
        server(Path(folder) / "empty") as empty,
        seeded(full) as names,
        sync_playwright() as playwright,
    ):
        browser = playwright.chromium.launch(
            executable_path=chromium,
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        for shot in plan():
            if only in shot.name:
                picture = into / f"{shot.name}.png"
                take(browser, shot, full if shot.store == "seeded" else empty, names, picture)
                print(f"{time.monotonic() - started:6.1f} s  {picture}")
        browser.close()


if __name__ == "__main__":
    main()
