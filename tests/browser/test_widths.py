"""The pages fit their window: nothing is cut off at 1280 pixels or on a phone, and choosing moves nothing."""

from __future__ import annotations

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_store import REFUND, event_id, session_id
from tests.serving import Server

_BEYOND = """() => [...document.querySelectorAll('.table-row[data-session] .cell, .table-row.head > div')]
  .filter((one) => one.getBoundingClientRect().right > innerWidth + 1).map((one) => one.className)"""


@pytest.mark.parametrize(("width", "height"), [(1280, 800), (390, 844)])
def test_every_cell_of_the_list_is_on_the_screen(
    known: Server, browser: Browser, width: int, height: int
) -> None:
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(f"{known.url}/sessions")
    row = page.locator(f"[data-session='{session_id(REFUND)}']")
    expect(row).to_contain_text("Refund of order 48190")
    expect(row.locator(".cell.cost")).to_have_text("$0.0017")
    expect(row.locator(".cell.errors")).to_be_visible()
    assert page.evaluate(_BEYOND) == []
    # A list of values is as wide as its longest one and no narrower than its field.
    page.get_by_role("button", name="Filter by cost").click()
    box = page.locator(".surface").bounding_box()
    assert box is not None
    assert box["width"] >= 190
    page.close()


def test_choosing_moves_no_row(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/sessions")
    row = page.locator(f"[data-session='{session_id(REFUND)}']")
    before = row.bounding_box()
    row.get_by_role("checkbox").check()
    expect(page.get_by_role("toolbar", name="Chosen sessions")).to_be_visible()
    assert row.bounding_box() == before


def test_the_event_fills_a_phone_and_back_closes_it(known: Server, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.goto(f"{known.url}/sessions/{session_id(REFUND)}?view=tree")
    page.locator(f".tree-row[data-event='{event_id(4)}']").click()
    panel = page.locator(".panel")
    expect(panel.locator(".event[data-loaded=true]")).to_be_visible()
    assert panel.bounding_box() == {"x": 0, "y": 0, "width": 390, "height": 844}
    page.go_back()
    expect(panel).to_have_count(0)
    expect(page.locator(".tree-row[data-event]")).to_have_count(6)
    page.close()
