"""The pages fit their window: nothing is cut off at 1280 pixels or on a phone, and choosing moves nothing."""

from __future__ import annotations

import re
import time
from typing import Final

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.browser.known_store import REFUND, event, event_id, root, session_id
from tests.serving import Server
from tests.spans import MS, SECOND, ours
from tests.waiting import eventually

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


_ON_PAPER = """(chart) => {
  chart.style.width = '300px';
  const [box, drawn] = ['.chart-box', 'canvas'].map((one) => chart.querySelector(one)
    .getBoundingClientRect().width);
  return box - drawn;
}"""


def test_a_chart_is_as_wide_as_the_paper(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/analytics")
    chart = page.locator(".chart", has=page.locator("canvas")).first
    expect(chart).to_be_visible()
    page.emulate_media(media="print")
    assert chart.evaluate(_ON_PAPER) == 0


@pytest.mark.parametrize(("width", "height"), [(390, 844), (720, 450)])
def test_what_a_menu_opens_stays_in_the_window(
    known: Server, browser: Browser, width: int, height: int
) -> None:
    """On a phone, and on a page enlarged to double; and there nothing that can be done is gone."""
    page = browser.new_page(viewport={"width": width, "height": height})
    page.goto(f"{known.url}/sessions")
    for name in ("tag", "model", "agent", "error", "duration"):
        page.get_by_role("button", name=f"Filter by {name}").click()
        expect(page.locator(".surface .facet, .surface .option").first).to_be_visible()
        box = page.locator(".surface").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width
        assert box["y"] + box["height"] <= height
        page.keyboard.press("Escape")
    page.goto(f"{known.url}/sessions/{session_id(REFUND)}")
    expect(page.get_by_role("button", name="Delete")).to_have_count(1 if width > 600 else 0)
    page.close()


@pytest.mark.parametrize("path", ["/sessions", f"/sessions/{session_id(REFUND)}?view=tree"])
def test_a_page_enlarged_fourfold_shows_what_it_is_about(known: Server, browser: Browser, path: str) -> None:
    page = browser.new_page(viewport={"width": 320, "height": 256})
    page.goto(f"{known.url}{path}")
    row = page.locator(".table-row[data-session], .tree-row[data-event]").first
    row.scroll_into_view_if_needed()
    expect(row).to_be_in_viewport(ratio=0.9)
    row.click()
    expect(page).to_have_url(re.compile(r"/sessions/.+" if path == "/sessions" else "event="))
    page.close()


def test_a_line_from_right_to_left_keeps_its_beginning(known: Server, page: Page) -> None:
    trace, at = 0xAC2, time.time_ns() - 86_400 * SECOND
    reason = "انتهت مهلة الاتصال بالبنك قبل أن يصل الرد إلى الخادم (timeout)"
    sent = ours(
        root(
            trace,
            "سؤال عن الطلب",
            [],
            at,
            300,
            1,
            state="Fail",
            **{"agentops.session.end_state_reason": reason},
        ),
        event(trace, 2, 1, "tool", "ابحث", at, 200, failed=("Error", reason, "")),
    )
    assert known.post("/v1/traces", sent).status_code == 200
    page.goto(f"{known.url}/sessions")
    row = page.locator(f"[data-session='{session_id(trace)}']")
    # Where the first letter stands: inside its box, at the right.
    first = """(cell) => {
      const range = document.createRange();
      range.setStart(cell.firstChild, 0);
      range.setEnd(cell.firstChild, 1);
      const [letter, box] = [range.getBoundingClientRect(), cell.getBoundingClientRect()];
      const isRight = letter.left > (box.left + box.right) / 2;
      return isRight && letter.left >= box.left && letter.right <= box.right + 1;
    }"""
    assert row.locator("small").evaluate(first)
    row.get_by_role("link").click()
    assert page.locator(".pill bdi").evaluate(first)
    assert (
        page.locator(".ranking small").evaluate("(line) => getComputedStyle(line).unicodeBidi") == "plaintext"
    )
    known.http.delete(f"/api/sessions/{session_id(trace)}")


def test_the_arrows_choose_one_of_few(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/settings")
    times = page.get_by_role("radiogroup", name="Times")
    times.get_by_role("radio", name="Local").focus()
    page.keyboard.press("ArrowRight")
    expect(times.get_by_role("radio", name="UTC")).to_be_focused()
    expect(times.get_by_role("radio", name="UTC")).to_be_checked()
    page.keyboard.press("ArrowRight")
    expect(times.get_by_role("radio", name="Local")).to_be_checked()
    # One stop of Tab for all of them.
    page.keyboard.press("Tab")
    expect(
        page.get_by_role("radiogroup", name="Wheel on the timeline").get_by_role(
            "radio", name="Zooms", exact=True
        )
    ).to_be_focused()


def test_a_value_beyond_the_most_frequent_is_filtered_by(known: Server, page: Page) -> None:
    at = time.time_ns() - 86_400 * 5 * SECOND
    traces = range(0xB00, 0xB00 + 102)
    sent = ours(
        *(
            root(trace, "one of many", ["many"], at, 10, 0, **{"user.id": f"reader-{trace - 0xB00:03}"})
            for trace in traces
        )
    )
    assert known.post("/v1/traces", sent).status_code == 200
    page.goto(f"{known.url}/sessions?tag=many")
    expect(page.locator("[data-total]")).to_contain_text("102 of")
    page.get_by_role("button", name="Filter by user").click()
    menu = page.locator(".surface")
    expect(menu.get_by_text("The 100 most frequent.")).to_be_visible()
    menu.get_by_role("searchbox").fill("reader-101")
    expect(menu.get_by_text("Enter takes it as it is typed")).to_be_visible()
    page.keyboard.press("Enter")
    expect(page.locator("[data-total]")).to_contain_text("1 of")
    # How many sessions have it is not known here: none it is not.
    expect(menu.get_by_label("reader-101")).to_be_checked()
    known.post("/api/sessions/delete", {"sessions": [session_id(trace) for trace in traces]})


SHIFTS: Final = """window.shifts = [];
  new PerformanceObserver((list) => window.shifts.push(...list.getEntries().map((one) => one.value)))
    .observe({ type: 'layout-shift', buffered: true })"""


def test_what_comes_late_moves_nothing(known: Server, browser: Browser) -> None:
    """On a phone the header takes more lines than are known at first; errors get their stacks one by one."""
    trace, at = 0xAC3, time.time_ns() - 86_400 * SECOND
    stack = "Traceback\n" + "\n".join(f'  File "/app/{line}.py", line {line}, in work' for line in range(8))
    failures = [
        event(trace, number, 1, "tool", f"tool {number}", at, 9, failed=("E", "no", stack))
        for number in (2, 3, 4)
    ]
    sent = ours(root(trace, "Of some words that fill two lines there", ["one", "two"], at, 30, 3), *failures)
    assert known.post("/v1/traces", sent).status_code == 200
    page = browser.new_page(viewport={"width": 390, "height": 844})
    page.add_init_script(SHIFTS)
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)

    def are_held(count: int) -> bool:
        # Whoever asks the page something hears of what it asks.
        return page.evaluate("true") and len(held) == count

    session = re.compile(rf"/api/sessions/{session_id(trace)}$")
    page.route(session, hold)
    page.route(re.compile(r"/events/[0-9a-f]{16}\?"), hold)
    page.goto(f"{known.url}/sessions/{session_id(trace)}?view=logs", wait_until="commit")
    expect(page.locator(".crumb")).to_be_visible()
    eventually(lambda: are_held(1))
    page.unroute(session)
    held.pop().continue_()
    expect(page.get_by_role("heading", level=1)).to_contain_text("two lines there")
    eventually(lambda: are_held(3))
    for answer in reversed(held):
        answer.continue_()
    expect(page.locator(".log-card")).to_have_count(3)
    expect(page.get_by_role("region", name="Logs")).to_be_visible()
    drawn = "new Promise((done) => requestAnimationFrame(() => setTimeout(() => done(window.shifts))))"
    assert sum(page.evaluate(drawn)) < 0.001
    page.close()
    known.http.delete(f"/api/sessions/{session_id(trace)}")


def test_a_dialog_closes_by_a_click_beside_it_alone(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/settings")
    page.get_by_role("button", name="keys").click()
    dialog = page.get_by_role("dialog", name="Keys")
    box = dialog.bounding_box()
    assert box is not None
    # On its own margin, and with a text selected beyond its edge.
    page.mouse.click(box["x"] + 6, box["y"] + box["height"] / 2)
    page.mouse.move(box["x"] + 60, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] - 40, box["y"] + box["height"] / 2)
    page.mouse.up()
    expect(dialog).to_be_visible()
    page.mouse.click(box["x"] - 40, box["y"] + box["height"] / 2)
    expect(dialog).to_have_count(0)
