"""The one-file export: opened from disk without a network it shows what the server showed, and is inert."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_store import ANSWER, HOSTILE, LOOKUP, REFUND, REFUNDING, event_id, session_id
from tests.serving import Server


def saved(server: Server, trace: int, folder: Path) -> str:
    """Save a session's page; return its address."""
    answer = server.http.get(f"/api/sessions/{session_id(trace)}/export", params={"format": "html"})
    assert answer.status_code == 200
    file = folder / "session.html"
    file.write_bytes(answer.content)
    return file.as_uri()


@pytest.fixture
def offline(browser: Browser) -> Iterator[Page]:
    """A page without a network. It fails the test if anything throws, complains or asks for anything."""
    context = browser.new_context(viewport={"width": 1440, "height": 900}, offline=True)
    page = context.new_page()
    broken: list[str] = []
    page.on("pageerror", lambda error: broken.append(str(error)))
    # What a test tries against the page's policy is refused aloud.
    tried = "Executing inline script violates"
    page.on(
        "console",
        lambda said: (
            broken.append(said.text) if said.type == "error" and not said.text.startswith(tried) else None
        ),
    )
    page.on(
        "request",
        lambda asked: None if asked.url.startswith(("file:", "data:", "blob:")) else broken.append(asked.url),
    )
    page.on("dialog", lambda dialog: broken.append(dialog.message))
    yield page
    owned = page.evaluate("window.owned")
    context.close()
    assert broken == []
    assert owned is None


def test_a_saved_session_reads_the_same_in_every_view(known: Server, offline: Page, tmp_path: Path) -> None:
    page = offline
    page.goto(saved(known, REFUND, tmp_path))
    expect(page.get_by_role("heading", level=1)).to_have_text("Refund of order 48190")
    metrics = page.locator("dl.metrics")
    for figure in ("$0.0017", "3,300", "6 sent · 6 stored"):
        expect(metrics).to_contain_text(figure)
    # The timeline, in its list beside the canvas, and the selection of one of its events.
    expect(page.locator(".timeline[data-painted]")).to_have_attribute("data-rows", "6")
    told = page.get_by_role("list", name="Events on view").get_by_role("listitem")
    expect(told.nth(4)).to_contain_text("tool refund, level 3, 400 ms, error, TimeoutError: the bank is slow")
    page.keyboard.press("e")
    expect(page).to_have_url(re.compile(f"#/sessions/.*event={event_id(REFUNDING)}"))
    expect(page.get_by_role("complementary")).to_contain_text('File "/app/refund.py", line 41, in refund')

    page.keyboard.press("2")
    rows = page.get_by_role("treegrid").locator("[data-event]")
    expect(rows).to_have_count(6)
    page.keyboard.press("/")
    # The browser searches bodies too: this stands in an output only.
    page.keyboard.type("lost")
    expect(page.locator(f".tree-row[data-event='{event_id(LOOKUP)}']")).to_be_visible()
    expect(rows).to_have_count(3)
    page.keyboard.press("Escape")
    page.keyboard.press("3")
    expect(page.locator(".call-card")).to_have_count(2)
    expect(page.locator(f".call-card[data-event='{event_id(ANSWER)}']")).to_contain_text("It did not work.")
    page.keyboard.press("4")
    expect(page.get_by_role("region", name="Errors")).to_contain_text("the bank is slow")
    page.keyboard.press("5")
    expect(page.get_by_role("tabpanel")).to_contain_text("TimeoutError")
    page.go_back()
    expect(page.get_by_role("tab", name=re.compile("^Logs"))).to_have_attribute("aria-selected", "true")
    # A link into the file leads to the same place, and nothing offers what a file cannot do.
    page.reload()
    expect(page.get_by_role("complementary")).to_contain_text("the bank is slow")
    for name in ("Export", "Delete", "+ tag"):
        expect(page.get_by_role("button", name=name)).to_have_count(0)


def test_a_saved_session_of_hostile_text_is_inert(known: Server, offline: Page, tmp_path: Path) -> None:
    offline.goto(saved(known, HOSTILE, tmp_path))
    expect(offline.get_by_role("heading", level=1)).to_contain_text("<script>window.owned=1</script>")
    for view in "12345":
        offline.keyboard.press(view)
        expect(offline.get_by_role("tabpanel").locator("> *").first).to_be_visible()
    offline.keyboard.press("2")
    offline.get_by_role("treegrid").locator("[data-event]").first.click()
    shown = offline.locator(".panel .event[data-loaded=true]")
    expect(shown).to_contain_text("⟨ESC⟩[31m")
    expect(shown).to_contain_text("<script>window.owned=1</script>")
    assert offline.locator("#root script, #root img:not([src^='data:']), #root svg[onload]").count() == 0
    # What would run if the page were broken out of is forbidden as well.
    assert offline.evaluate(
        """() => new Promise((resolve) => {
          document.addEventListener('securitypolicyviolation', () => resolve(true), { once: true });
          const script = document.createElement('script');
          script.textContent = 'window.owned = 2';
          document.body.append(script);
          setTimeout(() => resolve(window.owned === undefined ? 'silent' : 'ran'), 2000);
        })"""
    )
