"""By fingers: on the timeline one pans, two zoom, a tap selects, and up and down scrolls."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_store import CALL, REFUND, event_id, session_id
from tests.serving import Server

ROW_PX = 22
STEPS = 8


@pytest.fixture
def tablet(browser: Browser) -> Iterator[Page]:
    """A page of a tablet."""
    context = browser.new_context(viewport={"width": 1180, "height": 820}, has_touch=True)
    yield context.new_page()
    context.close()


def move(page: Page, fingers: Sequence[tuple[tuple[float, float], tuple[float, float]]]) -> None:
    """Put fingers down, move each from one point to another, and lift them."""
    session = page.context.new_cdp_session(page)

    def send(kind: str, share: float) -> None:
        points = [
            {"x": x + (to_x - x) * share, "y": y + (to_y - y) * share, "id": number}
            for number, ((x, y), (to_x, to_y)) in enumerate(fingers)
        ]
        session.send(
            "Input.dispatchTouchEvent",
            {"type": kind, "touchPoints": [] if kind == "touchEnd" else points},
        )

    send("touchStart", 0)
    for step in range(1, STEPS + 1):
        send("touchMove", step / STEPS)
    send("touchEnd", 1)


def window(page: Page, before: str) -> tuple[float, float]:
    """Return the window that the timeline shows, in milliseconds, once it is another one than before."""
    timeline = page.locator(".timeline")
    expect(timeline).not_to_have_attribute("data-window", before)
    first, last = (timeline.get_attribute("data-window") or "").split("-")
    return float(first), float(last)


def test_two_fingers_zoom_one_pans_and_a_tap_selects(known: Server, tablet: Page) -> None:
    tablet.goto(f"{known.url}/sessions/{session_id(REFUND)}")
    expect(tablet.locator(".timeline[data-painted]")).to_be_visible()
    rows = tablet.locator(".timeline-canvas").bounding_box()
    assert rows
    x, y = rows["x"] + rows["width"] / 2, rows["y"] + 250
    move(tablet, [((x - 60, y), (x - 180, y)), ((x + 60, y), (x + 180, y))])
    first, last = window(tablet, "whole")
    shown = tablet.locator(".timeline").get_attribute("data-window") or ""
    # Two seconds, of which a third is left, around the middle.
    assert last - first == pytest.approx(2000 / 3, rel=0.02)
    assert (first + last) / 2 == pytest.approx(1000, rel=0.02)
    move(tablet, [((x, y), (x + 120, y + 4))])
    earlier, until = window(tablet, shown)
    assert until - earlier == pytest.approx(last - first, rel=0.01)
    assert first - earlier == pytest.approx(120 / (rows["width"] - 28) * (last - first), rel=0.05)
    assert tablet.evaluate("visualViewport.scale") == 1
    move(tablet, [((x - 180, y), (x - 20, y)), ((x + 180, y), (x + 20, y))])
    expect(tablet.locator(".timeline")).to_have_attribute("data-window", "whole")
    tablet.touchscreen.tap(rows["x"] + 60, rows["y"] + 2.5 * ROW_PX)
    expect(tablet).to_have_url(re.compile(f"event={event_id(CALL)}"))
