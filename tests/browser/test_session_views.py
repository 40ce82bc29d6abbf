"""A session of known content through every view: the page says what the API says, and keeps one selection."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Locator, Page, expect

from tests.browser.known_store import (
    AGENT,
    ANSWER,
    CALL,
    HISTORY,
    LOOKUP,
    REFUND,
    REFUNDING,
    WORK,
    event_id,
    session_id,
)
from tests.serving import Server
from tests.spans import SECOND, body, span

ROW_PX = 22
STRIP_PX = 68


def open_session(page: Page, server: Server, search: str = "") -> None:
    page.goto(f"{server.url}/sessions/{session_id(REFUND)}{search}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Refund of order 48190")


def timeline(page: Page) -> Locator:
    drawn = page.locator(".timeline[data-painted]")
    expect(drawn).to_be_visible()
    return drawn


def panel(page: Page) -> Locator:
    return page.get_by_role("complementary", name="Selected event")


def figures(place: Locator) -> dict[str, str]:
    """Return named numbers."""
    names, values = place.locator("dt").all_inner_texts(), place.locator("dd").all_inner_texts()
    return dict(zip(names, values, strict=True))


def test_the_header_says_what_the_api_says(known: Server, page: Page) -> None:
    open_session(page, known)
    told = known.get(f"/api/sessions/{session_id(REFUND)}")
    expect(page.locator("dl.metrics dt").first).to_be_visible()
    shown = figures(page.locator("dl.metrics"))
    assert shown["LLM calls"] == str(told["event_counts"]["llm"]) == "2"
    assert shown["Tool calls"] == str(told["event_counts"]["tool"]) == "2"
    assert shown["Events"] == str(told["event_counts"]["total"]) == "6"
    assert shown["Errors"] == str(told["event_counts"]["error"]) == "1"
    assert shown["Tokens"] == f"{told['tokens']['total']:,}" == "3,300"
    assert shown["Cost"] == f"${told['cost_usd']:.4f}" == "$0.0017"
    assert shown["Recorded"] == "6 sent · 6 stored"
    expect(page.locator(".pill[data-state]").first).to_have_text("Fail · TimeoutError: the bank is slow")
    # While nothing is selected the panel answers why, and where time and money went, by model.
    expect(panel(page).get_by_role("region", name="What failed")).to_contain_text("refund")
    money = panel(page).get_by_role("region", name="Where the money went").get_by_role("listitem")
    expect(money).to_have_text(re.compile(r"ChatCompletion gpt-4\.1-mini ×2\s*\$0\.0017\s*100%"))


def test_a_click_on_the_canvas_and_arrows_select(known: Server, page: Page) -> None:
    open_session(page, known)
    drawn = timeline(page)
    expect(drawn).to_have_attribute("data-rows", "6")
    # Rows in the order of the tree: work, agent, call, lookup, refund, answer.
    page.locator(".timeline-canvas").click(position={"x": 200, "y": ROW_PX * 3 + ROW_PX // 2})
    expect(page).to_have_url(re.compile(f"event={event_id(LOOKUP)}"))
    expect(panel(page).get_by_role("heading", level=2)).to_contain_text("lookup_order")
    page.keyboard.press("ArrowDown")
    expect(page).to_have_url(re.compile(f"event={event_id(REFUNDING)}"))
    expect(panel(page)).to_contain_text("the bank is slow")
    page.keyboard.press("ArrowLeft")
    expect(page).to_have_url(re.compile(f"event={event_id(AGENT)}"))
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(f"event={event_id(REFUNDING)}"))
    page.keyboard.press("Escape")
    expect(page).not_to_have_url(re.compile("event="))


def test_zoom_and_pan_are_in_the_address_and_come_back(known: Server, page: Page) -> None:
    open_session(page, known, f"?event={event_id(CALL)}")
    timeline(page)
    page.keyboard.press("f")
    expect(page).to_have_url(re.compile(r"zoom=[\d.-]+"))
    first = page.url
    page.keyboard.press("d")
    expect(page).not_to_have_url(first)
    page.keyboard.press("0")
    expect(page).not_to_have_url(re.compile("zoom="))
    page.goto(first)
    expect(timeline(page)).to_have_attribute("data-window", re.compile(r"\d"))


def test_hovering_tells_the_essentials_with_the_model(known: Server, page: Page) -> None:
    open_session(page, known)
    box = timeline(page).bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 200, box["y"] + STRIP_PX + ROW_PX * 2 + ROW_PX // 2)
    card = page.locator(".hover-card")
    expect(card).to_contain_text("ChatCompletion gpt-4.1-mini")
    expect(card).to_contain_text("600 ms · 1,100 tokens · $0.000560")


def test_the_list_beside_the_canvas_reads_the_same(known: Server, page: Page) -> None:
    open_session(page, known)
    timeline(page)
    told = page.get_by_role("list", name="Events on view").get_by_role("listitem")
    expect(told).to_have_count(6)
    expect(told.nth(2)).to_have_text("llm ChatCompletion, gpt-4.1-mini, level 3, 600 ms, $0.000560")
    expect(told.nth(4)).to_contain_text("tool refund, level 3, 400 ms, error, TimeoutError: the bank is slow")


def test_hidden_kinds_and_the_search_are_in_the_address(known: Server, page: Page) -> None:
    open_session(page, known)
    timeline(page)
    page.get_by_role("group", name="Kinds").get_by_role("button", name="tool").click()
    expect(page).to_have_url(re.compile("hide=tool"))
    expect(page.locator(".timeline")).to_have_attribute("data-rows", "4")
    page.keyboard.press("/")
    page.keyboard.type("gpt-4.1")
    expect(page.locator(".matches")).to_have_text("2")
    expect(page).to_have_url(re.compile("find=gpt-4.1"))


def test_the_tree_sums_folds_and_filters(known: Server, page: Page) -> None:
    open_session(page, known, "?view=tree")
    rows = page.get_by_role("treegrid").locator("[data-event]")
    expect(rows).to_have_count(6)
    planner = page.locator(f".tree-row[data-event='{event_id(AGENT)}']")
    assert planner.get_by_role("gridcell").all_inner_texts()[1:] == ["1.80 s", "3,300", "$0.0017", "1"]
    call = page.locator(f".tree-row[data-event='{event_id(CALL)}']")
    expect(call.locator(".model")).to_have_text("gpt-4.1-mini")
    planner.get_by_role("button", name="Close").click()
    expect(rows).to_have_count(2)
    # An error is found in what is folded, and the first one again after the last.
    page.keyboard.press("e")
    expect(rows).to_have_count(6)
    page.keyboard.press("k")
    expect(page).to_have_url(re.compile(f"event={event_id(LOOKUP)}"))
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(f"event={event_id(REFUNDING)}"))
    page.keyboard.press("/")
    page.keyboard.type("lookup")
    # The match, and what it lies in.
    expect(rows).to_have_count(3)
    expect(page.locator(f".tree-row[data-event='{event_id(WORK)}']")).to_be_visible()


def test_messages_show_who_said_what(known: Server, page: Page) -> None:
    open_session(page, known, "?view=messages")
    cards = page.locator(".call-card")
    expect(cards).to_have_count(2)
    expect(cards.first).to_contain_text("You answer for a shop.")
    expect(cards.first).to_contain_text("Refund my order.")
    expect(cards.first).to_contain_text("I will look it up.")
    # Markdown is rendered, and the model stands beside the name.
    expect(cards.nth(1).locator("strong", has_text="not")).to_be_visible()
    expect(cards.nth(1).locator("header").first).to_contain_text("ChatCompletion gpt-4.1-mini")
    page.keyboard.press("/")
    page.keyboard.type("work")
    expect(page.locator(".matches")).to_have_text("1")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile(f"event={event_id(ANSWER)}"))
    # The keys walk from call to call.
    page.keyboard.press("Escape")
    page.keyboard.press("k")
    expect(page).to_have_url(re.compile(f"event={event_id(CALL)}"))
    cards.nth(1).get_by_role("button", name="ChatCompletion").click()
    expect(page).to_have_url(re.compile(f"event={event_id(ANSWER)}"))


def test_errors_show_their_stack_and_raw_shows_json(known: Server, page: Page) -> None:
    open_session(page, known, "?view=logs")
    errors = page.get_by_role("region", name="Errors")
    expect(errors.locator("article")).to_have_count(1)
    expect(errors).to_contain_text('File "/app/refund.py", line 41, in refund')
    page.keyboard.press("5")
    expect(page).to_have_url(re.compile("view=raw"))
    expect(page.get_by_role("tabpanel")).to_contain_text("user_id: mira")
    page.go_back()
    expect(page).to_have_url(re.compile("view=logs"))


def test_a_selection_stays_through_views_and_a_reload(known: Server, page: Page) -> None:
    open_session(page, known, f"?event={event_id(LOOKUP)}")
    for view in ("Tree", "Messages", "Logs and errors", "Raw", "Timeline"):
        page.get_by_role("tab", name=re.compile(f"^{view}")).click()
        expect(page.get_by_role("tab", name=re.compile(f"^{view}"))).to_have_attribute(
            "aria-selected", "true"
        )
        expect(panel(page).get_by_role("heading", level=2)).to_contain_text("lookup_order")
    page.reload()
    expect(panel(page)).to_contain_text("lost")


def test_tags_and_name_are_edited_where_they_stand(known: Server, page: Page) -> None:
    open_session(page, known)
    page.get_by_role("button", name="+ tag").click()
    page.keyboard.type("looked at")
    page.keyboard.press("Enter")
    expect(page.get_by_role("button", name="Remove the tag looked at")).to_be_visible()
    told = known.wait(f"/api/sessions/{session_id(REFUND)}", lambda one: "looked at" in one["tags"])
    assert told["tags"][0] == "production"
    page.get_by_role("button", name="Remove the tag looked at").click()
    known.wait(f"/api/sessions/{session_id(REFUND)}", lambda one: "looked at" not in one["tags"])


def test_light_dark_and_utc_are_one_key_away(known: Server, page: Page) -> None:
    open_session(page, known)
    timeline(page)

    def background() -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light = background()
    page.keyboard.press("t")
    assert background() != light
    page.reload()
    timeline(page)
    assert background() != light
    page.keyboard.press("u")
    expect(page.get_by_role("button", name="UTC")).to_be_visible()


def test_events_grow_on_the_open_page_and_nothing_jumps(known: Server, page: Page) -> None:
    trace, began = 0xC1, time.time_ns()
    made = span(trace, 1, name="Growing", start_ns=began, ms=None)
    assert (
        known.post("/v1/traces", body(made, span(trace, 2, 1, name="first", start_ns=began))).status_code
        == 200
    )
    page.goto(f"{known.url}/sessions/{session_id(trace)}?event={event_id(2)}")
    expect(panel(page).get_by_role("heading", level=2)).to_contain_text("first")
    more = [
        span(trace, number, 1, name=f"later {number}", start_ns=began + number * SECOND)
        for number in range(3, 9)
    ]
    assert known.post("/v1/traces", body(*more)).status_code == 200
    expect(timeline(page)).to_have_attribute("data-rows", "8", timeout=10_000)
    expect(page).to_have_url(re.compile(f"event={event_id(2)}"))
    expect(panel(page).get_by_role("heading", level=2)).to_contain_text("first")
    page.goto("about:blank")
    known.http.delete(f"/api/sessions/{session_id(trace)}")


def test_a_session_without_events_says_so(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/sessions/{session_id(HISTORY)}")
    expect(page.get_by_role("tabpanel")).to_contain_text("This session recorded no events.")
    assert figures(page.locator("dl.metrics"))["Recorded"] == "0 sent · 0 stored"
