"""Sessions chosen together, ranges drawn, columns picked, and the first screen of a fresh server."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile

from playwright.sync_api import Locator, Page, Request, expect

from tests.browser.known_store import DIGEST, HISTORY, HOSTILE, REFUND, session_id
from tests.browser.test_sessions import open_list, shows
from tests.serving import Server
from tests.spans import SECOND, attributes, body, span

BULK = (0xD1, 0xD2, 0xD3)


def box(page: Page, trace: int) -> Locator:
    return page.locator(f"[data-session='{session_id(trace)}'] input[type=checkbox]")


def test_chosen_sessions_are_tagged_exported_and_deleted_together(known: Server, page: Page) -> None:
    began = time.time_ns() - 60 * SECOND
    for place, trace in enumerate(BULK):
        made = span(trace, 1, name=f"Bulk {place}", start_ns=began - place * SECOND, ms=5)
        made["attributes"] = attributes({"agentops.tags": ["bulk"]})
        assert known.post("/v1/traces", body(made)).status_code == 200
    open_list(page, known, "?tag=bulk")
    shows(page, *BULK)

    # Shift takes everything between; the box in the head takes and lets go of all.
    box(page, BULK[0]).click()
    box(page, BULK[2]).click(modifiers=["Shift"])
    bar = page.get_by_role("toolbar", name="Chosen sessions")
    asked: list[Request] = []
    page.on("request", lambda one: asked.append(one))
    expect(bar).to_contain_text("3 sessions chosen")
    box(page, BULK[1]).click()
    expect(bar).to_contain_text("2 sessions chosen")

    with page.expect_download() as downloading:
        bar.get_by_role("button", name="Export the chosen sessions").click()
        bar.get_by_role("button", name="JSON", exact=True).click()
    assert downloading.value.suggested_filename == "sessions-json.zip"
    archive = zipfile.ZipFile(io.BytesIO(downloading.value.path().read_bytes()))
    assert sorted(archive.namelist()) == sorted(
        f"session-{session_id(trace)}.json" for trace in (BULK[0], BULK[2])
    )
    inside = json.loads(archive.read(f"session-{session_id(BULK[0])}.json"))
    assert inside["session"]["name"] == "Bulk 0"
    assert [one.url.split("?")[0] for one in asked if "/export" in one.url] == [f"{known.url}/api/export"]

    page.get_by_label("Choose all that are loaded").click()
    bar.get_by_label("Tag to add").fill("seen")
    page.keyboard.press("Enter")
    for trace in BULK:
        told = known.wait(f"/api/sessions/{session_id(trace)}", lambda one: "seen" in one["tags"])
        assert told["tags"] == ["bulk", "seen"]
    expect(bar).to_have_count(0)

    # What another filter hides stays chosen, and is told of wherever something is done.
    page.get_by_label("Choose all that are loaded").click()
    page.get_by_label("Search names").fill("Bulk 1")
    shows(page, BULK[1])
    expect(bar).to_contain_text("3 sessions chosen, 2 of them not shown")
    bar.get_by_role("button", name="Delete").click()
    expect(page.get_by_role("dialog")).to_contain_text("The list does not show 2 of them.")
    page.keyboard.press("Escape")
    page.get_by_label("Search names").fill("")
    shows(page, *BULK)
    expect(bar).not_to_contain_text("not shown")
    bar.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page.get_by_role("heading", name="No session matches")).to_be_visible(timeout=20_000)
    assert known.get("/api/sessions", tag="bulk")["total"] == 0
    changing = [one for one in asked if one.method != "GET"]
    assert [one.method + one.url.removeprefix(known.url) for one in changing] == [
        "PATCH/api/sessions",
        "POST/api/sessions/delete",
    ]


def test_a_drag_across_the_bars_selects_a_range(known: Server, page: Page) -> None:
    open_list(page, known)
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    bars = page.locator(".histogram-box")
    expect(bars.locator("rect").nth(2)).to_be_attached()
    drawn = bars.bounding_box()
    assert drawn is not None
    page.mouse.move(drawn["x"] + 2, drawn["y"] + 20)
    page.mouse.down()
    page.mouse.move(drawn["x"] + drawn["width"] * 0.5, drawn["y"] + 20, steps=5)
    expect(page.locator(".brush")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator(".brush")).to_have_count(0)
    page.mouse.up()
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    assert page.url == f"{known.url}/sessions"
    # All but the bar on the far left, which is two days old.
    page.mouse.move(drawn["x"] + drawn["width"] - 2, drawn["y"] + 20)
    page.mouse.down()
    page.mouse.move(drawn["x"] + drawn["width"] * 0.6, drawn["y"] + 20, steps=5)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since=.*until="))
    shows(page, REFUND, HOSTILE, DIGEST)
    expect(page.locator("[data-total]")).to_have_text("3 of 4 sessions")
    expect(page.locator(".chip.on")).to_contain_text("time")
    page.get_by_role("button", name="Clear time").click()
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    page.get_by_role("button", name=re.compile("^Time range")).click()
    expect(page.get_by_role("button", name=re.compile("Last 24 hours"))).to_contain_text("3")
    page.get_by_role("button", name=re.compile("Last 24 hours")).click()
    shows(page, REFUND, HOSTILE, DIGEST)
    page.go_back()
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)


def test_every_filter_has_values_with_counts_and_narrows(known: Server, page: Page) -> None:
    open_list(page, known)

    def narrow(name: str, value: str, count: int, *left: int) -> None:
        page.get_by_role("button", name=f"Filter by {name}").click()
        choice = page.locator(".facet, .option", has_text=value).first
        expect(choice).to_contain_text(str(count))
        choice.click()
        shows(page, *left)
        page.keyboard.press("Escape")
        page.get_by_role("button", name="Clear all").click()
        shows(page, REFUND, HOSTILE, DIGEST, HISTORY)

    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    narrow("tag", "cron", 1, DIGEST)
    narrow("model", "gpt-4o-2024-08-06", 1, DIGEST)
    narrow("agent", "planner", 1, REFUND)
    narrow("tool", "lookup_order", 1, REFUND)
    narrow("error", "TimeoutError", 1, REFUND)
    narrow("error", "no error", 2, DIGEST, HISTORY)
    narrow("user", "jonas", 1, DIGEST)
    narrow("cost", "$0.01", 1, DIGEST)
    narrow("duration", "10 s", 1, DIGEST)


def test_columns_are_chosen_and_stay(known: Server, page: Page) -> None:
    open_list(page, known)
    heads = page.get_by_role("columnheader")
    expect(heads.filter(has_text="User")).to_have_count(0)
    page.get_by_role("button", name="Columns").click()
    page.get_by_role("checkbox", name="User").check()
    page.get_by_role("checkbox", name="Tokens").uncheck()
    expect(heads.filter(has_text="User")).to_have_count(1)
    expect(page.locator(f"[data-session='{session_id(REFUND)}'] .cell.user")).to_have_text("mira")
    page.reload()
    expect(heads.filter(has_text="User")).to_have_count(1)
    expect(heads.filter(has_text="Tokens")).to_have_count(0)


def test_a_fresh_server_says_how_to_begin_and_moves_on_by_itself(server: Server, page: Page) -> None:
    page.goto(server.url)
    expect(page.get_by_role("heading", name="Record your first session")).to_be_visible()
    snippet = page.locator(".snippets pre")
    expect(snippet).to_contain_text("import agentops")
    expect(snippet).to_contain_text(server.url)
    page.get_by_role("radio", name="OpenTelemetry").click()
    expect(snippet).to_contain_text(f'OTEL_EXPORTER_OTLP_ENDPOINT="{server.url}"')
    assert server.post("/v1/traces", body(span(0xF1, 1, name="The first one"))).status_code == 200
    expect(page.get_by_role("link", name="The first one")).to_be_visible(timeout=10_000)
    expect(page.get_by_role("heading", name="Record your first session")).to_have_count(0)
