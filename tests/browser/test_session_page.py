"""A session recorded by the real SDK, sent to a real server, read off the pages in a real browser."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.known_store import event_id, session_id
from tests.serving import Server
from tests.spans import MS, SECOND, body, span
from tests.waiting import eventually

ROOT = Path(__file__).resolve().parents[2]


class Program:
    """tests/browser/recorded_program.py, running: one step at a time."""

    def __init__(self, server: Server, home: Path) -> None:
        env = {
            name: value for name, value in os.environ.items() if not name.startswith(("AGENTOPS_", "OTEL_"))
        }
        env |= {
            "AGENTOPS_API_ENDPOINT": server.url,
            "AGENTOPS_HOME": str(home),
            "PYTHONPATH": str(ROOT),
        }
        self._process = subprocess.Popen(
            [sys.executable, Path(__file__).with_name("recorded_program.py")],
            env=env,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.session_id: str = self._answer()["session_id"]

    def do(self, step: str) -> dict[str, Any]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{step}\n")
        self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict[str, Any]:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())

    def close(self) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(20)
        self._process.stdout.close()


@pytest.fixture
def program(module_server: Server, tmp_path: Path) -> Iterator[Program]:
    started = Program(module_server, tmp_path / "home")
    # The program's first record travels on its own time; a test begins where the server knows the session.
    module_server.wait(f"/api/sessions/{started.session_id}", lambda told: told["state"] == "running")
    yield started
    started.close()


def metrics(page: Page) -> dict[str, str]:
    """Return the header's numbers by their names."""
    pairs = page.locator("dl.metrics > div")
    names, values = pairs.locator("dt").all_inner_texts(), pairs.locator("dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def tree(page: Page) -> list[str]:
    """Return the tree's rows as text, cells joined by one space."""
    rows = page.get_by_role("treegrid").locator("[data-event]")
    return [re.sub(r"\s+", " ", text).strip() for text in rows.all_inner_texts()]


def test_the_list_shows_a_session_while_it_runs_and_as_it_ended(
    module_server: Server, page: Page, program: Program
) -> None:
    page.goto(module_server.url)
    row = page.locator(f"[data-session='{program.session_id}']")
    expect(row).to_have_attribute("data-state", "running", timeout=10_000)
    expect(row.get_by_role("link")).to_have_text("Where is my parcel")

    program.do("work")
    program.do("end")

    # The open page follows, without being loaded again.
    expect(row).to_have_attribute("data-state", "success", timeout=10_000)
    expect(row.locator(".cell.tags .tag")).to_have_text(["browser", "parcels"])
    expect(row.locator(".cell.events .events")).to_have_attribute("title", "1 llm, 2 tool, 1 agent")
    expect(row.locator(".cell.errors")).to_have_text("1")
    expect(row.locator(".cell.tokens")).to_have_text("1,500")
    # 800 fresh, 400 cached and 300 written tokens of gpt-4.1-mini at 0.40, 0.10 and 1.60 dollars a million
    # are 0.00084 dollars; the tool reported 0.002.
    expect(row.locator(".cell.cost")).to_have_text("$0.0028")


def test_the_session_page_shows_numbers_tree_and_what_went_in_and_out(
    module_server: Server, page: Page, program: Program
) -> None:
    program.do("work")
    program.do("end")
    page.goto(f"{module_server.url}/sessions/{program.session_id}?view=tree")
    expect(page.get_by_role("heading", level=1)).to_contain_text("Where is my parcel")
    expect(page.locator(".pill[data-state]").first).to_have_attribute("data-state", "success", timeout=10_000)

    def all_is_stored() -> bool:
        assert metrics(page)["Recorded"] == "4 sent · 4 stored"
        return True

    eventually(all_is_stored)
    shown = metrics(page)
    assert shown["Cost"] == "$0.0028"
    assert shown["Tokens"] == "1,500 400 cached"
    assert (shown["LLM calls"], shown["Tool calls"], shown["Events"], shown["Errors"]) == ("1", "2", "4", "1")

    names = [re.match(r"\w+ \S+", row) for row in tree(page)]
    assert [name[0] for name in names if name] == [
        "agent courier",
        "tool track_parcel",
        "tool charge_card",
        "llm ChatCompletion",
    ]
    levels = [
        row.get_attribute("aria-level") for row in page.get_by_role("treegrid").locator("[data-event]").all()
    ]
    assert levels == ["1", "2", "2", "2"]

    page.get_by_role("treegrid").get_by_text("gpt-4.1-mini").first.click()
    panel = page.get_by_role("complementary")
    # Chat is shown as chat, and what looks like markup stays the text that it is.
    expect(panel).to_contain_text("You answer for a bicycle shop.")
    expect(panel).to_contain_text("Where is <b>my</b> parcel?")
    expect(panel).to_contain_text("It left Utrecht this morning.")
    expect(panel).to_contain_text("$0.000840")
    # The address names the selection: loaded anew, the page shows the same.
    page.reload()
    expect(panel).to_contain_text("Where is <b>my</b> parcel?")

    page.get_by_role("treegrid").get_by_text("charge_card").first.click()
    expect(panel).to_contain_text("ValueError")
    expect(panel).to_contain_text("The card has expired: 12.50 EUR refused")


def test_an_event_comes_to_the_open_page_by_itself(
    module_server: Server, page: Page, program: Program
) -> None:
    page.goto(f"{module_server.url}/sessions/{program.session_id}?view=tree")
    tree = page.get_by_role("treegrid")
    expect(tree).to_be_visible()
    # How soon is measured by benchmarks/bench_dashboard.py.
    for name in ("tick-0", "tick-1"):
        program.do(f"tick {name}")
        expect(tree).to_contain_text(name, timeout=10_000)


def test_a_link_opened_before_the_session_arrives_moves_on_by_itself(
    module_server: Server, browser: Browser
) -> None:
    # Not the `page` fixture: Chromium itself notes each 404 as an error of the page.
    page = browser.new_page()
    trace, held = 0xE1, list[Route]()
    address = f"{module_server.url}/sessions/{session_id(trace)}?view=tree"
    page.goto(address)
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for the first event of this session")
    assert module_server.post("/v1/traces", body(span(trace, 1, name="Early", ms=None))).status_code == 200
    expect(page.get_by_role("heading", level=1)).to_have_text("Early", timeout=10_000)
    assert module_server.post("/v1/traces", body(span(trace, 2, 1, name="first step"))).status_code == 200
    expect(page.get_by_role("treegrid")).to_contain_text("first step", timeout=10_000)

    # Deleted while it is looked at, it does not stay as if it were there.
    assert module_server.http.delete(f"/api/sessions/{session_id(trace)}").status_code == 204
    expect(page.get_by_role("heading", level=1)).to_have_text("This session was deleted", timeout=10_000)

    # The refusal of the timeline may arrive after the news that the session is there.
    late = 0xE2
    page.route(f"**/{session_id(late)}/timeline?*", lambda route: held.append(route), times=1)
    page.goto(f"{module_server.url}/sessions/{session_id(late)}?view=tree", wait_until="commit")
    expect(page.get_by_role("heading", level=1)).to_have_text("Waiting for the first event of this session")
    told = body(span(late, 1, name="Late", ms=None), span(late, 2, 1, name="second step"))
    assert module_server.post("/v1/traces", told).status_code == 200
    expect(page.get_by_role("heading", level=1)).to_have_text("Late", timeout=10_000)
    held[0].fulfill(status=404, json={"error": {"code": "session_not_found", "message": "No.", "hint": ""}})
    expect(page.get_by_role("treegrid").locator(f"[data-event='{event_id(2)}']")).to_be_visible(
        timeout=10_000
    )
    page.close()


def test_a_long_session_is_followed_by_what_is_new(module_server: Server, page: Page) -> None:
    trace, many = 0xE3, 2_100
    began = time.time_ns() - 100 * SECOND

    def send(*spans: dict[str, Any]) -> None:
        assert module_server.post("/v1/traces", body(*spans)).status_code == 200

    def step(number: int, ms: float | None = 1) -> dict[str, Any]:
        return span(trace, number, 1, name=f"step {number}", start_ns=began + number * MS, ms=ms)

    send(
        span(trace, 1, name="Long", start_ns=began, ms=None),
        *map(step, range(2, many + 1)),
        step(many + 1, None),
    )
    asked: list[str] = []
    page.on("request", lambda one: asked.append(one.url) if "/timeline" in one.url else None)
    page.goto(f"{module_server.url}/sessions/{session_id(trace)}?event={event_id(many + 1)}")
    drawn = page.locator(".timeline")
    expect(drawn).to_have_attribute("data-rows", str(many + 1), timeout=10_000)
    send(*map(step, range(many + 2, many + 12)))
    expect(drawn).to_have_attribute("data-rows", str(many + 11), timeout=10_000)
    assert "after=" in asked[-1]
    status = page.get_by_role("complementary").locator(".pill")
    expect(status).to_have_text("running")
    # When it ends, what never did is told of anew.
    with page.expect_request(lambda one: "/timeline" in one.url and "after=" not in one.url, timeout=10_000):
        send(span(trace, 1, name="Long", start_ns=began, ms=9_000))
    expect(status).to_have_text("interrupted", timeout=10_000)
    expect(drawn).to_have_attribute("data-rows", str(many + 11))
