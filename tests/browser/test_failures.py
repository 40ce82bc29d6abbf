"""A server that refuses or breaks: the page says what failed, offers a retry, does not ask without end."""

from __future__ import annotations

import io
import json
import re
import time
import zipfile
from collections.abc import Iterator

import pytest
from playwright.sync_api import Locator, Page, Request, Route, expect

from tests.browser.known_store import root, session_id, with_attributes
from tests.browser.test_sessions import open_list
from tests.serving import Server
from tests.spans import SECOND, attributes, body, span


@pytest.fixture
def refused(visitor: Page) -> Iterator[Page]:
    """A page whose console may complain of refused requests, but which must not throw."""
    thrown: list[str] = []
    visitor.on("pageerror", lambda error: thrown.append(str(error)))
    yield visitor
    assert thrown == []


def refuse(route: Route, status: int) -> None:
    error = {"code": "broken", "message": f"It broke with {status}.", "hint": "Look into the log."}
    route.fulfill(status=status, content_type="application/json", body=json.dumps({"error": error}))


@pytest.mark.parametrize("status", [403, 500])
@pytest.mark.parametrize("path", ["store", "prices"])
def test_settings_show_the_rest_when_a_part_is_refused(
    known: Server, refused: Page, path: str, status: int
) -> None:
    asked: list[str] = []
    refused.on("request", lambda one: asked.append(one.url))
    refused.route(f"**/api/{path}", lambda route: refuse(route, status))
    refused.goto(f"{known.url}/settings")
    expect(refused.get_by_role("heading", name="About")).to_be_visible(timeout=15_000)
    other = "Prices" if path == "store" else "Store"
    expect(refused.get_by_role("heading", name=other, exact=True)).to_be_visible()
    # Who may not know of the whole store is told nothing of it.
    is_told = (path, status) != ("store", 403)
    expect(refused.get_by_role("alert")).to_have_count(1 if is_told else 0)
    assert sum(url.endswith(f"/api/{path}") for url in asked) < 10
    if is_told:
        expect(refused.get_by_role("alert")).to_contain_text(f"It broke with {status}.")
        refused.unroute(f"**/api/{path}")
        refused.get_by_role("alert").get_by_role("button", name="Try again").click()
        mended = "Store" if path == "store" else "Prices"
        expect(refused.get_by_role("heading", name=mended, exact=True)).to_be_visible()
        expect(refused.get_by_role("alert")).to_have_count(0)


def test_a_page_whose_code_does_not_arrive_says_so_and_loads_anew(known: Server, refused: Page) -> None:
    refused.goto(f"{known.url}/sessions")
    expect(refused.locator(".table-row[data-session]").first).to_be_visible()
    refused.route("**/assets/**", lambda route: route.abort())
    refused.keyboard.press("g")
    refused.keyboard.press("c")
    expect(refused.get_by_role("alert")).to_contain_text("The server does not answer")
    refused.unroute("**/assets/**")
    refused.get_by_role("button", name="Try again").click()
    expect(refused.get_by_role("heading", name="Compare")).to_be_visible()


def test_bars_that_could_not_be_read_are_asked_for_again(known: Server, refused: Page) -> None:
    refused.route("**/api/analytics?*", lambda route: refuse(route, 500))
    refused.goto(f"{known.url}/sessions")
    expect(refused.get_by_role("alert")).to_contain_text("It broke with 500.")
    refused.unroute("**/api/analytics?*")
    refused.get_by_role("button", name="Try again").click()
    expect(refused.locator(".histogram rect").first).to_be_attached()
    expect(refused.get_by_role("alert")).to_have_count(0)


THREE_DAYS_AGO = time.time_ns() - 3 * 86_400 * SECOND


def began(place: int) -> int:
    return THREE_DAYS_AGO - place * SECOND


@pytest.fixture(scope="module")
def many(known: Server) -> Server:
    """The known server with 120 sessions more, older than its others."""
    made = [span(0xE00 + place, 1, name=f"Many {place}", start_ns=began(place), ms=5) for place in range(120)]
    assert known.post("/v1/traces", body(*made)).status_code == 200
    known.wait("/api/sessions", lambda page: page["total"] == 124)
    return known


def test_the_rest_of_a_list_is_asked_for_again(many: Server, refused: Page) -> None:
    refused.route("**/api/sessions?*cursor*", lambda route: refuse(route, 500))
    # A connection that begins late would ask again by itself.
    refused.route("**/api/live", lambda route: route.abort())
    refused.goto(f"{many.url}/sessions")
    table = refused.get_by_role("table", name="Sessions")
    expect(table).to_be_visible()
    table.evaluate("(table) => table.scrollTo(0, 1200)")
    expect(refused.get_by_role("alert")).to_contain_text("It broke with 500.")
    expect(table).to_have_attribute("aria-rowcount", "51")
    refused.unroute("**/api/sessions?*cursor*")
    refused.get_by_role("alert").get_by_role("button", name="Try again").click()
    expect(table).to_have_attribute("aria-rowcount", "125")
    expect(refused.get_by_role("alert")).to_have_count(0)


def test_chosen_sessions_that_are_gone_hold_the_others_up_in_nothing(many: Server, refused: Page) -> None:
    refused.goto(f"{many.url}/sessions?q=Many")
    rows = refused.locator(".table-row[data-session]")
    expect(rows.first).to_be_visible()
    for place in (1, 2, 3):
        refused.locator(f"[data-session='{session_id(0xE00 + place)}'] input").click()
    # The page hears of it, or not yet: another tab deletes one of them.
    refused.route("**/api/live", lambda route: route.abort())
    many.http.delete(f"/api/sessions/{session_id(0xE01)}")
    edits: list[str] = []
    refused.on("request", lambda asked: edits.append(asked.url) if asked.method == "PATCH" else None)
    refused.get_by_label("Tag to add").fill("kept")
    refused.keyboard.press("Enter")
    for place in (2, 3):
        many.wait(f"/api/sessions/{session_id(0xE00 + place)}", lambda one: "kept" in one["tags"])
    expect(refused.get_by_role("toolbar", name="Chosen sessions")).to_have_count(0)
    assert len(edits) == 1


def test_a_note_that_could_not_be_kept_is_not_lost(many: Server, refused: Page) -> None:
    path = f"/api/sessions/{session_id(0xE00 + 7)}"
    refused.goto(f"{many.url}/sessions/{session_id(0xE00 + 7)}")
    refused.route(
        f"**{path}", lambda one: refuse(one, 500) if one.request.method == "PATCH" else one.continue_()
    )
    refused.get_by_role("button", name="+ note").click()
    field = refused.get_by_role("textbox", name="Note")
    field.fill("Half an hour's thoughts")
    refused.keyboard.press("Control+Enter")
    expect(refused.get_by_role("alert")).to_contain_text("It broke with 500.")
    expect(field).to_have_value("Half an hour's thoughts")
    refused.unroute(f"**{path}")
    field.focus()
    refused.keyboard.press("Control+Enter")
    expect(refused.get_by_role("region", name="Note")).to_contain_text("Half an hour's thoughts")
    expect(refused.get_by_role("alert")).to_have_count(0)
    many.wait(path, lambda told: told["note"] == "Half an hour's thoughts")


def all_loaded(page: Page, server: Server) -> Locator:
    """Open the list of the many and go down it until all are there; return the table."""
    page.goto(f"{server.url}/sessions?q=Many")
    table = page.get_by_role("table", name="Sessions")
    expect(table.locator("[data-session]").first).to_be_visible()
    table.evaluate("(table) => table.scrollTo(0, 1500)")
    expect(table).to_have_attribute("aria-rowcount", re.compile("12[01]"))
    return table


def test_what_is_done_to_many_is_stopped_half_way(many: Server, refused: Page) -> None:
    all_loaded(refused, many)
    refused.get_by_label("Choose all that are loaded").click()
    bar = refused.get_by_role("toolbar", name="Chosen sessions")
    held: list[Route] = []
    refused.route("**/export?*", lambda one: held.append(one))
    bar.get_by_role("button", name="Export the chosen sessions").click()
    bar.get_by_role("button", name="JSON", exact=True).click()
    expect(bar).to_contain_text("0 of")
    bar.get_by_role("button", name="Stop").click()
    (one,) = held
    part = one.request.url.count("session=")
    assert 1 < part < 120
    one.continue_()
    expect(bar).to_contain_text(re.compile(f"stopped after {part} of 1(19|20) sessions"), timeout=15_000)
    bar.get_by_role("button", name="Let go").click()
    expect(bar).to_have_count(0)


def test_news_of_many_rows_reaches_each_of_them(many: Server, refused: Page) -> None:
    table = all_loaded(refused, many)
    expect(refused.locator(".live")).to_have_text("live")
    told = [
        with_attributes(
            span(0xE00 + place, 1, name=f"Many {place}", start_ns=began(place), ms=5),
            {"agentops.tags": ["swept"]},
        )
        for place in range(60, 110)
    ]
    assert many.post("/v1/traces", body(*told)).status_code == 200
    for place in (60, 80, 109):
        table.evaluate(f"(table) => table.scrollTo(0, {place - 5} * 36)")
        row = refused.locator(f"[data-session='{session_id(0xE00 + place)}']")
        expect(row.locator(".cell.tags")).to_contain_text("swept", timeout=15_000)


def test_a_session_deleted_on_its_page_is_gone_from_the_list_one_returns_to(
    many: Server, refused: Page
) -> None:
    table = all_loaded(refused, many)
    table.evaluate("(table) => table.scrollTo(0, 90 * 36)")
    row = refused.locator(f"[data-session='{session_id(0xE00 + 95)}']")
    row.get_by_role("link").click()
    refused.get_by_role("button", name="Delete").click()
    refused.get_by_role("dialog").get_by_role("button", name="Delete").click()
    # Who is done with a session returns to the list that it was in.
    refused.wait_for_url(f"{many.url}/sessions?q=Many")
    expect(refused.locator(f"[data-session='{session_id(0xE00 + 94)}']")).to_be_visible()
    expect(row).to_have_count(0)


def test_what_fails_half_way_says_how_far_it_came_and_leaves_the_rest_chosen(
    known: Server, refused: Page
) -> None:
    traces = range(0xD100, 0xD100 + 102)
    began = time.time_ns() - 60 * SECOND
    spans = [span(one, 1, name="Half", start_ns=began + place * SECOND) for place, one in enumerate(traces)]
    for made in spans:
        made["attributes"] = attributes({"agentops.tags": ["half"]})
    assert known.post("/v1/traces", body(*spans)).status_code == 200
    open_list(refused, known, "?tag=half")
    expect(refused.locator("[data-total]")).to_have_attribute("data-total", "102")
    table = refused.get_by_role("table", name="Sessions")
    table.evaluate("all => all.scrollTo(0, all.scrollHeight)")
    expect(table).to_have_attribute("aria-rowcount", "103")
    refused.get_by_label("Choose all that are loaded").click()
    bar = refused.get_by_role("toolbar", name="Chosen sessions")
    expect(bar).to_contain_text("102 sessions chosen")

    # One that is gone meanwhile is told of, and holds up nothing.
    assert known.http.delete(f"/api/sessions/{session_id(traces[0])}").status_code == 204
    with refused.expect_download() as downloading:
        bar.get_by_role("button", name="Export the chosen sessions").click()
        bar.get_by_role("button", name="CSV", exact=True).click()
    assert len(zipfile.ZipFile(io.BytesIO(downloading.value.path().read_bytes())).namelist()) == 101
    expect(bar).to_contain_text("101 exported, 1 session no longer there")

    asked: list[Route] = []

    def once(route: Route) -> None:
        asked.append(route)
        if len(asked) == 1:
            route.continue_()
        else:
            refuse(route, 500)

    refused.route("**/api/sessions/delete", once)
    bar.get_by_role("button", name="Delete").click()
    refused.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(bar).to_contain_text("failed after 100 of 102 sessions", timeout=20_000)
    expect(bar).to_contain_text("It broke with 500.")
    refused.unroute("**/api/sessions/delete")
    # The one that was gone already is among the two.
    expect(refused.locator("[data-total]")).to_have_attribute("data-total", "1")
    bar.get_by_role("button", name="Delete").click()
    expect(refused.get_by_role("dialog")).to_contain_text("Delete 2 sessions?")
    refused.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(bar).to_have_count(0)
    assert known.get("/api/sessions", tag="half")["total"] == 0


def test_a_list_that_is_brought_up_to_date_again_says_no_more_that_it_could_not(
    known: Server, refused: Page
) -> None:
    open_list(refused, known)
    expect(refused.locator(".live")).to_have_text("live")
    refused.locator(".table-row[data-session] input").first.click()
    refused.route(re.compile(r"/api/sessions(\?|$)"), lambda route: refuse(route, 500))
    refused.get_by_label("Tag to add").fill("seen")
    refused.keyboard.press("Enter")
    failure = refused.locator(".list-failure")
    expect(failure).to_contain_text("It broke with 500.")
    refused.unroute(re.compile(r"/api/sessions(\?|$)"))
    assert known.post("/v1/traces", body(span(0xE99, 1, name="News"))).status_code == 200
    expect(failure).to_have_count(0, timeout=15_000)
    known.http.delete(f"/api/sessions/{session_id(0xE99)}")


def test_a_page_that_nobody_sees_holds_no_connection(known: Server, page: Page) -> None:
    page.add_init_script(
        "window.isUnseen = true; Object.defineProperty(document, 'hidden', {get: () => window.isUnseen});"
        "window.look = (seen) => {window.isUnseen = !seen;"
        " document.dispatchEvent(new Event('visibilitychange'))}"
    )
    listening: list[Request] = []
    page.on("request", lambda one: listening.append(one) if one.url.endswith("/api/live") else None)
    trace, path = 0xC7, f"/api/sessions/{session_id(0xC7)}"
    sent = body(root(trace, "Unseen", [], time.time_ns() - 20 * SECOND, 10, 0))
    assert known.post("/v1/traces", sent).status_code == 200
    page.goto(f"{known.url}/sessions/{session_id(trace)}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Unseen")
    assert listening == []
    with page.expect_request("**/api/live"):
        page.evaluate("look(true)")
    with page.expect_event("requestfailed", lambda one: one in listening):
        page.evaluate("look(false)")
    # What changed meanwhile is asked for when somebody looks again.
    known.http.patch(path, json={"name": "Seen again"})
    page.evaluate("look(true)")
    expect(page.get_by_role("heading", level=1)).to_have_text("Seen again")
    page.goto("about:blank")
    known.http.delete(path)
