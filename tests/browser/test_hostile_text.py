"""What strangers wrote does nothing on any page: no script runs, nothing is fetched, nothing hides."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.known_store import HISTORY, HOSTILE, REFUND, event_id, session_id
from tests.serving import Server

AXE = Path(__file__).resolve().parents[2] / "dashboard" / "node_modules" / "axe-core" / "axe.min.js"
VIEWS = ("timeline", "tree", "messages", "logs", "raw")


@pytest.fixture
def guarded(page: Page, known: Server) -> Iterator[Page]:
    """A page that fails the test when it asks another server for anything, or runs what it shows."""
    strangers: list[str] = []

    def note(url: str) -> None:
        parts = urlsplit(url)
        if parts.scheme in ("http", "https", "ws", "wss") and f"{parts.scheme}://{parts.netloc}" != known.url:
            strangers.append(url)

    page.on("request", lambda request: note(request.url))
    page.on("dialog", lambda dialog: strangers.append(dialog.message))
    yield page
    assert strangers == []
    assert page.evaluate("window.owned") is None


@pytest.mark.parametrize("view", VIEWS)
def test_hostile_text_is_inert_in_every_view(known: Server, guarded: Page, view: str) -> None:
    guarded.goto(f"{known.url}/sessions/{session_id(HOSTILE)}?view={view}&event={event_id(2)}")
    shown = guarded.locator(".panel .event[data-loaded=true]")
    expect(shown).to_be_visible(timeout=15_000)
    expect(shown).to_contain_text("<script>window.owned=1</script>")
    expect(shown).to_contain_text("⟨U+202E⟩")
    expect(shown).to_contain_text("⟨ESC⟩[31m")
    assert (
        guarded.locator(
            "#root script, #root img:not([src^='data:']), #root svg[onload], #root a[href^=javascript]"
        ).count()
        == 0
    )
    # 5 MB of one letter come in pieces: the page stays small enough to answer.
    assert guarded.evaluate("document.body.innerText.length") < 1_000_000


def test_hostile_text_is_inert_in_the_list_and_its_filters(known: Server, guarded: Page) -> None:
    guarded.goto(f"{known.url}/sessions")
    row = guarded.locator(f"[data-session='{session_id(HOSTILE)}']")
    expect(row.get_by_role("link")).to_contain_text("<script>window.owned=1</script>")
    expect(row.get_by_role("link")).to_contain_text("⟨U+202E⟩")
    for name in ("tag", "model", "error", "user"):
        guarded.get_by_role("button", name=f"Filter by {name}").click()
        expect(guarded.locator(".facet").first).to_be_visible()
        guarded.keyboard.press("Escape")


PAGES = {
    "sessions": "/sessions",
    "nothing matches": "/sessions?tag=none",
    "timeline": f"/sessions/{session_id(REFUND)}?event={event_id(4)}",
    "glance": f"/sessions/{session_id(REFUND)}",
    "tree": f"/sessions/{session_id(REFUND)}?view=tree&event={event_id(6)}",
    "messages": f"/sessions/{session_id(REFUND)}?view=messages",
    "logs": f"/sessions/{session_id(REFUND)}?view=logs",
    "raw": f"/sessions/{session_id(REFUND)}?view=raw",
    "no events": f"/sessions/{session_id(HISTORY)}",
    "settings": "/settings",
}


def nothing_serious(page: Page, name: str) -> None:
    """Run axe on the page as it stands: in both themes, and on a small screen, where more has to scroll."""
    # Playwright evaluates past the page's policy, which forbids a script tag of ours too.
    page.evaluate(AXE.read_text())
    wide = page.viewport_size
    assert wide is not None
    small: ViewportSize = {"width": 390, "height": 420}
    looks: list[tuple[Literal["dark", "light"], ViewportSize]] = [
        ("dark", wide),
        ("light", wide),
        ("light", small),
    ]
    for theme, size in looks:
        page.emulate_media(color_scheme=theme)
        page.set_viewport_size(size)
        # The page draws itself for the size in its next frame.
        page.evaluate("new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)))")
        found: dict[str, Any] = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")
        serious = [
            (broken["id"], [node["html"][:160] for node in broken["nodes"]][:4])
            for broken in found["violations"]
            if broken["impact"] in ("serious", "critical")
        ]
        assert serious == [], f"{name}, {theme}, {size}"
    page.set_viewport_size(wide)


@pytest.mark.parametrize("name", PAGES)
def test_axe_finds_nothing_serious(known: Server, page: Page, name: str) -> None:
    assert AXE.is_file(), "axe-core is a development dependency of the dashboard: run npm ci in dashboard/."
    page.goto(known.url + PAGES[name])
    ready = ".table-row[data-session], .view > *, .settings, .empty h2"
    expect(page.locator(ready).first).to_be_visible()
    if "event=" in PAGES[name]:
        expect(page.locator(".panel .event[data-loaded=true]")).to_be_visible()
    nothing_serious(page, name)


def test_axe_finds_nothing_serious_in_menus_choices_and_the_saved_page(
    known: Server, page: Page, tmp_path: Path
) -> None:
    page.goto(f"{known.url}/sessions")
    page.get_by_label("Choose all that are loaded").click()
    expect(page.get_by_role("toolbar", name="Chosen sessions")).to_be_visible()
    page.get_by_role("button", name="Filter by state").click()
    expect(page.locator(".facet").first).to_be_visible()
    nothing_serious(page, "chosen")
    # One that failed, with its reason beside the name, under the keys.
    page.keyboard.press("j")
    page.keyboard.press("j")
    nothing_serious(page, "the row under the keys")
    page.keyboard.press("Escape")
    page.goto(f"{known.url}/sessions/00000000-0000-0000-0000-0000000000a1?view=tree")
    page.get_by_role("button", name="Fold").click()
    expect(page.get_by_role("button", name="Close every agent")).to_be_visible()
    nothing_serious(page, "fold")
    page.keyboard.press("Escape")
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_be_visible()
    nothing_serious(page, "keys")
    page.goto(f"{known.url}/analytics?since=all")
    page.get_by_role("button", name="Sessions by state as a table").click()
    expect(page.get_by_role("dialog", name="Sessions by state")).to_be_visible()
    nothing_serious(page, "chart as a table")
    saved = tmp_path / "saved.html"
    saved.write_bytes(
        known.http.get(f"/api/sessions/{session_id(REFUND)}/export", params={"format": "html"}).content
    )
    page.goto(saved.as_uri())
    expect(page.locator(".timeline[data-painted]")).to_be_visible()
    nothing_serious(page, "saved")
