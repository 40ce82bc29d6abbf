"""The address holds what is on view: back undoes what began; what strangers append to a link does no harm."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Page, expect

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
