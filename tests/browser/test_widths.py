"""The pages fit their window: nothing is cut off at 1280 pixels or on a phone, and choosing moves nothing."""

from __future__ import annotations

import time

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_store import REFUND, event, event_id, root, session_id
from tests.serving import Server
from tests.spans import MS, SECOND, ours

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


@pytest.mark.parametrize("width", [1280, 390])
def test_names_forty_levels_deep_stay_beside_their_numbers(
    known: Server, browser: Browser, width: int
) -> None:
    trace, at = 0xAC1, time.time_ns() - 86_400 * 3 * SECOND
    chain = [
        event(trace, number + 1, number, "operation", f"level {number}", at + number * MS, 200)
        for number in range(1, 41)
    ]
    sent = ours(root(trace, "Deep", [], at, 300, 40), *chain)
    assert known.post("/v1/traces", sent).status_code == 200
    page = browser.new_page(viewport={"width": width, "height": 800})
    page.goto(f"{known.url}/sessions/{session_id(trace)}?view=tree&event={event_id(41)}")
    last = page.locator(f".tree-row[data-event='{event_id(41)}']")
    expect(last.locator(".label")).to_have_text("operation level 40")
    name, number = last.locator(".label").bounding_box(), last.locator(".num").first.bounding_box()
    assert name is not None
    assert number is not None
    assert name["x"] + name["width"] <= number["x"]
    assert name["width"] > 45
    page.close()
    known.http.delete(f"/api/sessions/{session_id(trace)}")


def test_a_session_on_paper_keeps_its_panel(known: Server, page: Page) -> None:
    page.emulate_media(media="print", color_scheme="dark")
    page.goto(f"{known.url}/sessions/{session_id(REFUND)}?view=tree")
    expect(page.get_by_role("heading", name="What failed")).to_be_visible()
    panel = page.locator(".panel").bounding_box()
    assert panel is not None
    assert panel["width"] > 300
    # Dark ink: paper is white whatever the screen was.
    assert page.locator("h1").evaluate("(name) => getComputedStyle(name).color") == "rgb(23, 26, 33)"


_INK_OF_THE_STRIP = """() => {
  const strip = document.querySelector('.timeline canvas');
  const copy = Object.assign(document.createElement('canvas'), { width: 1, height: 1 });
  const context = copy.getContext('2d', { willReadFrequently: true });
  context.drawImage(strip, -2, -strip.height / 4);
  return Math.max(...context.getImageData(0, 0, 1, 1).data.slice(0, 3));
}"""


def test_what_is_drawn_in_the_dark_is_printed_on_white(known: Server, page: Page) -> None:
    page.emulate_media(color_scheme="dark")
    page.goto(f"{known.url}/sessions/{session_id(REFUND)}")
    expect(page.locator("[data-painted]")).to_be_visible()
    assert page.evaluate(_INK_OF_THE_STRIP) < 60
    # The printer does not wait for a frame: what it takes must be drawn when it is told of.
    page.evaluate("window.requestAnimationFrame = () => 0")
    page.emulate_media(media="print", color_scheme="dark")
    page.wait_for_function(f"() => ({_INK_OF_THE_STRIP})() > 200")
    # Browsers print no backgrounds by themselves: a kind's would be lost.
    ink = page.locator(".square").first.evaluate("(mark) => getComputedStyle(mark).printColorAdjust")
    assert ink == "exact"
