"""By keyboard alone: what the keys move to is on view, whole, wherever a long list is scrolled to."""

from __future__ import annotations

import re
import time

import pytest
from playwright.sync_api import Locator, Page, expect

from tests.browser.known_store import session_id
from tests.serving import Server
from tests.spans import MS, SECOND, body, span

SESSIONS = 60
EVENTS = 90
LONG = 0xE0


@pytest.fixture(scope="module")
def tall(module_server: Server) -> Server:
    """A server whose list, and one of whose sessions, is longer than the window."""
    start = time.time_ns() - 600 * SECOND
    roots = [
        span(
            LONG + number,
            1,
            name=f"session {number}",
            start_ns=start - number * SECOND,
            ms=900,
            agentops__span__kind="session",
        )
        for number in range(SESSIONS)
    ]
    events = [span(LONG, 2 + number, 1, start_ns=start + number * MS, ms=5) for number in range(EVENTS)]
    assert module_server.post("/v1/traces", body(*roots, *events)).status_code == 200
    module_server.wait("/api/sessions", lambda page: page["total"] == SESSIONS)
    return module_server


def is_whole(row: Locator, scroller: Locator) -> None:
    """Fail unless the row lies between the scroller's head and its foot."""
    expect(row).to_be_visible()
    box, around = row.bounding_box(), scroller.bounding_box()
    head = scroller.locator(".head").first.bounding_box()
    assert box
    assert around
    assert head
    assert head["y"] + head["height"] - 1 <= box["y"]
    assert box["y"] + box["height"] <= around["y"] + around["height"] + 1


def test_the_list_scrolls_to_the_row_that_a_key_moves_to(tall: Server, page: Page) -> None:
    page.goto(f"{tall.url}/sessions")
    table = page.get_by_role("table", name="Sessions")
    expect(table).to_have_attribute("aria-rowcount", re.compile("5[01]|6[01]"))
    for key, times in (("j", 30), ("k", 25)):
        for number in range(times):
            page.keyboard.press(key)
            at = number if key == "j" else 28 - number
            held = table.locator(f".table-row.cursor[data-session='{session_id(LONG + at)}']")
            expect(held).to_be_focused()
            is_whole(held, table)


def test_the_bar_of_what_is_chosen_hides_no_row_that_a_key_moves_to(tall: Server, page: Page) -> None:
    page.goto(f"{tall.url}/sessions")
    table = page.get_by_role("table", name="Sessions")
    expect(table.locator(f"[data-session='{session_id(LONG)}']")).to_be_visible()
    page.keyboard.press("j")
    page.keyboard.press("x")
    bar = page.get_by_role("toolbar", name="Chosen sessions")
    expect(bar).to_be_visible()
    for place in range(1, 26):
        page.keyboard.press("j")
        held = table.locator(f".table-row.cursor[data-session='{session_id(LONG + place)}']")
        expect(held).to_be_focused()
        box, over = held.bounding_box(), bar.bounding_box()
        assert box
        assert over
        assert box["y"] + box["height"] <= over["y"]


def test_a_session_scrolls_to_the_event_that_a_key_moves_to(tall: Server, page: Page) -> None:
    page.goto(f"{tall.url}/sessions/{session_id(LONG)}?view=tree")
    tree = page.get_by_role("treegrid", name="Events as a tree")
    # Its head is a row too.
    expect(tree).to_have_attribute("aria-rowcount", str(EVENTS + 1))
    for key, places in (("j", range(40)), ("k", range(38, 10, -1))):
        for place in places:
            page.keyboard.press(key)
            chosen = tree.locator(".tree-row.selected")
            expect(chosen).to_have_attribute("aria-rowindex", str(place + 2))
            is_whole(chosen, tree)


def test_tab_turns_within_a_dialog_which_gives_the_focus_back(tall: Server, page: Page) -> None:
    page.goto(f"{tall.url}/sessions/{session_id(LONG)}")
    opener = page.get_by_role("button", name="Delete", exact=True)
    opener.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Delete this session?")
    close, keep = dialog.get_by_role("button", name="Close"), dialog.get_by_role("button", name="Keep")
    does = dialog.get_by_role("button", name="Delete")
    for stop in (close, keep, does, close, keep):
        expect(stop).to_be_focused()
        page.keyboard.press("Tab")
    expect(does).to_be_focused()
    for stop in (keep, close, does):
        page.keyboard.press("Shift+Tab")
        expect(stop).to_be_focused()
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(opener).to_be_focused()


def compose(field: Locator, key: str) -> None:
    """Press a key that an input method answers: it takes or gives up what is being composed."""
    field.evaluate(
        """(at, key) =>
          at.dispatchEvent(new KeyboardEvent('keydown', {key, isComposing: true, bubbles: true}))""",
        key,
    )


def test_who_edits_by_keys_goes_on_where_the_edit_began(tall: Server, page: Page) -> None:
    page.goto(f"{tall.url}/sessions/{session_id(LONG + 1)}")
    heading = page.get_by_role("heading", level=1)
    heading.get_by_role("button").press("Enter")
    page.get_by_label("Session name").fill("名前")
    page.keyboard.press("Enter")
    expect(heading.get_by_role("button", name="名前")).to_be_focused()
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    expect(heading.get_by_role("button", name="名前")).to_be_focused()
    add = page.get_by_role("button", name="+ tag")
    add.press("Enter")
    page.get_by_label("New tag").fill("mine")
    page.keyboard.press("Enter")
    expect(add).to_be_focused()
    page.get_by_role("button", name="Remove the tag mine").press("Enter")
    expect(add).to_be_focused()
    page.get_by_role("button", name="+ note").press("Enter")
    page.get_by_role("textbox", name="Note").fill("Seen")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("button", name="Change the note")).to_be_focused()
    path = f"/api/sessions/{session_id(LONG + 1)}"
    tall.wait(path, lambda told: (told["name"], told["tags"], told["note"]) == ("名前", [], "Seen"))


def test_a_key_of_an_input_method_ends_no_edit(tall: Server, page: Page) -> None:
    page.goto(f"{tall.url}/sessions/{session_id(LONG + 2)}")
    page.get_by_role("heading", level=1).get_by_role("button").click()
    name = page.get_by_label("Session name")
    name.fill("にほn")
    compose(name, "Enter")
    compose(name, "Escape")
    expect(name).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="+ tag").click()
    tag = page.get_by_label("New tag")
    tag.fill("に")
    compose(tag, "Enter")
    compose(tag, "Escape")
    expect(tag).to_be_focused()
    page.keyboard.press("Escape")
    page.get_by_role("button", name="+ note").click()
    note = page.get_by_role("textbox", name="Note")
    compose(note, "Escape")
    expect(note).to_be_focused()
    page.goto(f"{tall.url}/sessions")
    search = page.get_by_role("searchbox").first
    search.click()
    compose(search, "Escape")
    expect(search).to_be_focused()


def test_a_name_that_is_being_written_stays_when_another_one_arrives(tall: Server, page: Page) -> None:
    path = f"/sessions/{session_id(LONG + 3)}"
    page.goto(f"{tall.url}{path}")
    page.get_by_role("heading", level=1).get_by_role("button").click()
    name = page.get_by_label("Session name")
    name.fill("Mine")
    tall.http.patch(f"/api{path}", json={"name": "Theirs"})
    expect(page).to_have_title(re.compile("Theirs"))
    expect(name).to_have_value("Mine")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Mine")
    tall.wait(f"/api{path}", lambda told: told["name"] == "Mine")
