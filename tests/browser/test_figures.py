"""Numbers at their edges: one day, a price of many digits, a call without an answer yet, counts in tables."""

from __future__ import annotations

import time
from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.known_store import session_id
from tests.conftest import StartServer
from tests.serving import Server
from tests.spans import SECOND, body, span

PRICES = """
[[price]]
model = "house"
input = 0.00875
output = 3
request = 0.00002
"""


def test_settings_tell_one_day_and_all_digits_of_a_price(
    start_server: StartServer, page: Page, tmp_path: Path
) -> None:
    prices = tmp_path / "prices.toml"
    prices.write_text(PRICES)
    server = start_server(environment={"AGENTOPS_RETENTION_DAYS": "1", "AGENTOPS_PRICES": str(prices)})
    page.goto(f"{server.url}/settings")
    expect(page.get_by_role("region", name="Retention")).to_contain_text("deleted 1 day after")
    own = page.get_by_role("list", name="Prices of your own")
    expect(own).to_contain_text("input $0.00875, output $3, request $0.00002")


def test_a_call_without_an_answer_is_not_said_to_have_had_one(module_server: Server, page: Page) -> None:
    trace = 0xF1
    started = time.time_ns() - 3 * SECOND
    root = span(trace, 1, name="root", start_ns=started, ms=None, agentops__span__kind="session")
    calls = [
        span(
            trace,
            number,
            1,
            name=name,
            start_ns=started,
            ms=ms,
            agentops__span__kind="llm",
            gen_ai__request__model="m",
        )
        for number, name, ms in ((2, "asking", None), (3, "answered", 5.0))
    ]
    assert module_server.post("/v1/traces", body(root, *calls)).status_code == 200
    path = f"/sessions/{session_id(trace)}"
    module_server.wait(f"/api{path}", lambda answer: answer["event_counts"]["llm"] == 2)
    panel = page.get_by_role("complementary", name="Selected event")
    page.goto(f"{module_server.url}{path}?event={3:016x}")
    expect(panel).to_contain_text("the answer carried no usage")
    page.goto(f"{module_server.url}{path}?event={2:016x}")
    expect(panel.get_by_role("heading").first).to_contain_text("asking")
    expect(panel.locator("dl.numbers")).to_be_visible()
    expect(panel).not_to_contain_text("the answer carried no usage")


def test_a_chart_as_a_table_tells_whole_counts(module_server: Server, page: Page) -> None:
    trace = 0xF2
    root = span(trace, 1, name="root", agentops__span__kind="session")
    call = span(
        trace,
        2,
        1,
        agentops__span__kind="llm",
        gen_ai__request__model="m",
        gen_ai__usage__input_tokens=14_321,
        gen_ai__usage__output_tokens=2_591,
    )
    assert module_server.post("/v1/traces", body(root, call)).status_code == 200
    module_server.wait(f"/api/sessions/{session_id(trace)}", lambda answer: answer["tokens"]["total"])
    page.goto(f"{module_server.url}/analytics?interval=week")
    page.get_by_role("button", name="Tokens by class as a table").click()
    cells = page.get_by_role("dialog", name="Tokens by class").get_by_role("row").last.get_by_role("cell")
    assert cells.all_inner_texts()[1:] == ["14,321", "–", "–", "2,591", "–"]


def test_a_range_of_one_interval_has_lines_too(module_server: Server, page: Page) -> None:
    trace = 0xF3
    # A Tuesday.
    root = span(trace, 1, name="of one day", start_ns=1_772_539_200 * SECOND, agentops__span__kind="session")
    made = span(trace, 2, 1, name="look", start_ns=1_772_539_200 * SECOND, agentops__span__kind="tool")
    assert module_server.post("/v1/traces", body(root, made)).status_code == 200
    module_server.wait(
        f"/api/sessions/{session_id(trace)}", lambda answer: answer["event_counts"]["total"] == 1
    )
    page.goto(f"{module_server.url}/analytics?since=2026-03-03&until=2026-03-04&interval=week&by=tool")
    line = page.locator("[data-group=look] .sparkline polyline")
    expect(line).to_have_count(1)
    assert line.evaluate("(line) => line.getBBox().width") == 96
