"""The address holds what is on view: back undoes what began; what strangers append to a link does no harm."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_store import CALL, LOOKUP, REFUND, event_id, session_id
from tests.serving import Server

ADDRESS = f"/sessions/{session_id(REFUND)}"


def test_back_closes_an_event_whatever_was_walked_through(known: Server, page: Page) -> None:
    page.goto(f"{known.url}{ADDRESS}?view=tree")
    for number in (CALL, LOOKUP):
        page.locator(f".tree-row[data-event='{event_id(number)}']").click()
        expect(page.locator(f".event[data-event='{event_id(number)}']")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(f"{known.url}{ADDRESS}?view=tree")
    expect(page.locator(".event")).to_have_count(0)
    page.go_forward()
    expect(page.locator(f".event[data-event='{event_id(LOOKUP)}']")).to_be_visible()


def test_back_leads_out_of_a_zoom_and_a_hidden_kind(known: Server, page: Page) -> None:
    page.goto(known.url + ADDRESS)
    expect(page.locator(".timeline[data-painted]")).to_be_visible()
    page.get_by_role("group", name="Kinds").get_by_role("button", name="tool").click()
    expect(page).to_have_url(re.compile("hide=tool"))
    page.keyboard.press("w")
    expect(page).to_have_url(re.compile("zoom="))
    page.keyboard.press("w")
    expect(page.locator(".timeline")).not_to_have_attribute("data-window", "whole")
    page.go_back()
    expect(page).to_have_url(re.compile(r"hide=tool$"))
    expect(page.locator(".timeline")).to_have_attribute("data-window", "whole")
    page.go_back()
    expect(page).to_have_url(known.url + ADDRESS)


@pytest.mark.parametrize("search", ["?utm_source=mail&constructor=x", "?__proto__=x&order=up&sort=__proto__"])
def test_what_is_no_filter_is_ignored(known: Server, page: Page, search: str) -> None:
    page.goto(f"{known.url}/sessions{search}")
    expect(page.locator("[data-total]")).to_have_attribute("data-total", "4")
    expect(page.get_by_role("button", name="Clear all")).to_have_count(0)
    page.goto(f"{known.url}{ADDRESS}{search}&view=elsewhere&zoom=far")
    expect(page.locator(".timeline[data-rows='6']")).to_be_visible()


def test_what_an_old_address_names_is_told_as_it_is(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/sessions?until=1h")
    expect(page.locator(".chip.on", has_text="time")).to_contain_text(
        re.compile(r"… – \d\d \w{3} \d{4} \d\d:\d\d")
    )
    # A row that is not there (any more) does not make two sessions alike.
    other = known.get("/api/sessions", q="Nightly digest")["sessions"][0]["session_id"]
    page.goto(f"{known.url}/compare?a={session_id(REFUND)}&b={other}&row=999")
    expect(page.get_by_role("heading", name="First divergence")).to_be_visible()
    expect(page.locator("main")).not_to_contain_text("took the same way")
    # A range that ends before it begins holds nothing.
    page.goto(f"{known.url}/analytics?since=1h&until=24h")
    expect(page.get_by_role("heading", name="No session in this range")).to_be_visible()


def test_escape_leaves_the_search_then_the_row_then_the_chosen(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/sessions")
    expect(page.locator(".table-row[data-session]")).to_have_count(4)
    page.keyboard.press("j")
    page.keyboard.press("x")
    page.keyboard.press("/")
    find = page.get_by_label("Search names, prompts, errors")
    expect(find).to_be_focused()
    page.keyboard.press("Escape")
    expect(find).not_to_be_focused()
    expect(page.locator(".table-row.cursor")).to_have_count(1)
    page.keyboard.press("Escape")
    expect(page.locator(".table-row.cursor")).to_have_count(0)
    expect(page.get_by_role("toolbar", name="Chosen sessions")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_role("toolbar", name="Chosen sessions")).to_have_count(0)


@pytest.mark.parametrize("place", ["/sessions", "/analytics"])
def test_a_search_that_was_left_does_not_call_the_reader_back(known: Server, page: Page, place: str) -> None:
    page.goto(known.url + place)
    page.get_by_label("Search names, prompts, errors").fill("refund")
    page.get_by_role("navigation").get_by_role("link", name="Settings").click()
    expect(page.get_by_role("heading", name="This browser")).to_be_visible()
    # Nothing must happen: there is no condition to wait for.
    page.wait_for_timeout(400)
    expect(page).to_have_url(f"{known.url}/settings")
    page.go_back()
    expect(page.get_by_label("Search names, prompts, errors")).to_have_value("refund")


def test_the_field_says_what_is_searched_for_after_back_and_clear(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/sessions")
    find = page.get_by_label("Search names, prompts, errors")
    count = page.locator("[data-total]")
    find.fill(" refund ")
    expect(count).to_have_attribute("data-total", "1")
    expect(page).to_have_url(f"{known.url}/sessions?q=refund")
    expect(find).to_be_focused()
    page.go_back()
    expect(count).to_have_attribute("data-total", "4")
    expect(find).to_have_value("")
    find.press_sequentially("   ")
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{known.url}/sessions")
    find.fill("digest")
    expect(count).to_have_attribute("data-total", "1")
    page.get_by_role("button", name="Clear all").click()
    expect(count).to_have_attribute("data-total", "4")
    expect(find).to_have_value("")


def test_the_search_in_the_logs_has_its_key_and_follows_the_address(known: Server, page: Page) -> None:
    page.goto(f"{known.url}{ADDRESS}?view=logs&event={event_id(CALL)}")
    find = page.get_by_label("Find in the logs")
    expect(find).to_be_visible()
    page.keyboard.press("/")
    expect(find).to_be_focused()
    page.keyboard.type("nowhere")
    expect(page.get_by_text("No log record fits.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(find).not_to_be_focused()
    expect(page.locator(".event")).to_be_visible()
    page.go_back()
    expect(page).to_have_url(f"{known.url}{ADDRESS}?view=logs&event={event_id(CALL)}")
    expect(find).to_have_value("")


@pytest.mark.parametrize(
    ("search", "said"),
    [
        ("min_duration=5m", "duration ≥ 300 s"),
        ("min_duration=500ms", "duration ≥ 0.5 s"),
        ("min_duration=1500", "duration ≥ 1.5 s"),
        ("min_cost=1e-3", "cost ≥ $0.001"),
    ],
)
def test_a_least_amount_of_any_unit_is_told_in_one(known: Server, page: Page, search: str, said: str) -> None:
    page.goto(f"{known.url}/sessions?{search}")
    expect(page.locator(".chip.on .chip-label")).to_have_text(said)


def test_a_least_amount_that_is_no_number_is_refused_and_the_one_before_stays(
    known: Server, page: Page
) -> None:
    page.goto(f"{known.url}/sessions?min_duration=2s")
    menu = page.get_by_role("button", name="Filter by duration ≥ 2 s")
    menu.click()
    field = page.get_by_label("Least duration in s")
    field.fill("a minute")
    page.keyboard.press("Enter")
    assert field.evaluate("(one) => one.matches(':invalid')")
    expect(menu).to_be_visible()
    field.fill("59,5")
    page.keyboard.press("Enter")
    expect(page).to_have_url(re.compile("min_duration=59.5s"))
    expect(page.locator("[data-total]")).to_have_text(re.compile("^1 of"))


def test_a_range_from_an_address_is_told_by_the_readers_clock(known: Server, browser: Browser) -> None:
    page = browser.new_page(timezone_id="Asia/Kolkata")
    range_menu = page.get_by_role("button", name="Time range")
    for page_name in ("sessions", "analytics"):
        page.goto(f"{known.url}/{page_name}?since=2026-11-20T10:00:00Z")
        expect(range_menu).to_contain_text("Since 20 Nov 2026 15:30")
        page.goto(f"{known.url}/{page_name}?since=90m")
        expect(range_menu).to_contain_text("Last 90 minutes")
    # A range of one's own is read by the clock that the page shows.
    page.keyboard.press("u")
    range_menu.click()
    page.get_by_label("From (UTC)").fill("2026-11-20T10:00")
    page.get_by_role("button", name="Apply").click()
    expect(page).to_have_url(re.compile("since=2026-11-20T10:00:00.000Z"))
    page.close()
