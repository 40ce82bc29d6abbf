"""The Sessions page over a known store: what columns say, what filters leave, where keys and links lead."""

from __future__ import annotations

import re
import time

from playwright.sync_api import Page, Route, expect

from tests.browser.known_store import DIGEST, HISTORY, HOSTILE, REFUND, session_id
from tests.serving import Server
from tests.spans import attributes, body, span
from tests.waiting import eventually


def listed(page: Page) -> list[str]:
    """Return the ids of the rows from top to bottom."""
    return page.evaluate(
        """() => [...document.querySelectorAll('.table-row[data-session]')]
          .map((row) => [row.getBoundingClientRect().top, row.dataset.session])
          .sort((a, b) => a[0] - b[0]).map(([, id]) => id)"""
    )


def shows(page: Page, *traces: int) -> None:
    """Wait until these sessions are listed, in this order."""

    def look() -> bool:
        assert listed(page) == [session_id(trace) for trace in traces]
        return True

    eventually(look)


def open_list(page: Page, server: Server, search: str = "") -> None:
    page.goto(f"{server.url}/sessions{search}")
    expect(page.get_by_role("table", name="Sessions")).to_be_visible()


def test_columns_say_what_the_store_holds(known: Server, page: Page) -> None:
    open_list(page, known)
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    row = page.locator(f"[data-session='{session_id(REFUND)}']")
    expect(row.get_by_role("link")).to_have_text("Refund of order 48190")
    expect(row.locator(".cell.name small")).to_have_text("TimeoutError: the bank is slow")
    expect(row.locator(".cell.state [role=img]")).to_have_attribute("aria-label", "Fail")
    expect(row.locator(".cell.duration")).to_have_text("2.00 s")
    expect(row.locator(".cell.events .events")).to_have_attribute(
        "title", "2 llm, 2 tool, 1 agent, 1 operation"
    )
    expect(row.locator(".cell.errors")).to_have_text("1")
    expect(row.locator(".cell.tokens")).to_have_text("3,300")
    # 3,000 input and 300 output tokens of gpt-4.1-mini, at 0.40 and 1.60 dollars a million.
    expect(row.locator(".cell.cost")).to_have_text("$0.0017")
    expect(row.locator(".cell.models")).to_have_text("gpt-4.1-mini")
    # No tag is cut in half: what has no room is counted, and named in the title.
    tags = row.locator(".cell.tags")
    expect(tags.locator(".tags-more")).to_have_text(re.compile(r"\+\d"))
    expect(tags.locator("[title]").last).to_have_attribute("title", re.compile("vip"))
    cell = tags.bounding_box()
    assert cell is not None
    for tag in tags.locator(".tag:visible, .tags-more").all():
        box = tag.bounding_box()
        assert box is not None
        assert box["x"] + box["width"] <= cell["x"] + cell["width"] + 0.5
    expect(page.locator("[data-total]")).to_have_text("4 sessions")


def test_a_lost_network_is_said_and_mended(known: Server, page: Page) -> None:
    open_list(page, known)
    expect(page.locator(".live")).to_have_text("live")
    page.context.set_offline(True)
    expect(page.get_by_text("connection lost, trying again")).to_be_visible()
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    page.context.set_offline(False)
    expect(page.locator(".live")).to_have_text("live", timeout=15_000)

    # A server that is away is no lost network: the browser does not tell when it is back.
    page.route("**/api/**", lambda route: route.abort("internetdisconnected"))
    page.goto(f"{known.url}/sessions?sort=duration")
    expect(page.get_by_text("The server does not answer.")).to_be_visible()
    page.unroute("**/api/**")
    shows(page, DIGEST, HOSTILE, REFUND, HISTORY)


def test_sorting_is_the_servers_and_in_the_address(known: Server, page: Page) -> None:
    open_list(page, known)
    page.get_by_role("columnheader").get_by_role("button", name="Cost").click()
    expect(page).to_have_url(re.compile("sort=cost"))
    shows(page, DIGEST, REFUND, *_rest(known, "cost"))
    page.get_by_role("columnheader").get_by_role("button", name="Duration").click()
    shows(page, DIGEST, HOSTILE, REFUND, HISTORY)
    expect(page.get_by_role("columnheader", name="Duration")).to_have_attribute("aria-sort", "descending")
    page.get_by_role("columnheader").get_by_role("button", name="Duration").click()
    shows(page, HISTORY, REFUND, HOSTILE, DIGEST)
    page.go_back()
    shows(page, DIGEST, HOSTILE, REFUND, HISTORY)


def _rest(server: Server, sort: str) -> list[int]:
    """Return the sessions after the two that cost something, as the API orders them."""
    found = server.get("/api/sessions", sort=sort)["sessions"]
    known = {session_id(trace): trace for trace in (REFUND, DIGEST, HOSTILE, HISTORY)}
    return [known[one["session_id"]] for one in found][2:]


def test_filters_come_with_counts_become_chips_and_go_back(known: Server, page: Page) -> None:
    open_list(page, known)
    page.get_by_role("button", name="Filter by state").click()
    fail = page.locator(".facet", has_text="fail")
    expect(fail).to_contain_text("2")
    fail.click()
    shows(page, REFUND, HOSTILE)
    expect(page).to_have_url(re.compile("state=fail"))
    page.keyboard.press("Escape")
    page.get_by_role("button", name="Filter by model").click()
    page.locator(".facet", has_text="gpt-4.1-mini").click()
    shows(page, REFUND)
    expect(page.locator(".chip.on")).to_have_count(2)
    page.get_by_role("button", name="Clear state").click()
    page.get_by_role("button", name="Clear model").click()
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    page.go_back()
    expect(page.locator(".chip.on")).to_have_count(1)
    # A filter without matches says so and offers the way out.
    open_list_empty = f"{known.url}/sessions?tag=nobody-has-this"
    page.goto(open_list_empty)
    expect(page.get_by_role("heading", name="No session matches")).to_be_visible()
    page.get_by_role("button", name="Show all sessions").click()
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)


def test_search_looks_into_prompts(known: Server, page: Page) -> None:
    open_list(page, known)
    page.keyboard.press("/")
    page.keyboard.type("what happened today")
    shows(page, DIGEST)
    expect(page).to_have_url(re.compile("q=what"))


def test_the_keyboard_walks_opens_returns_and_lists_itself(known: Server, page: Page) -> None:
    open_list(page, known)
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("j")
    page.keyboard.press("k")
    page.keyboard.press("k")
    expect(page.locator(".table-row.cursor")).to_have_attribute("data-session", session_id(REFUND))
    # Who does not see the row is told of it: the focus is there.
    expect(page.locator("[aria-current=true]")).to_be_focused()
    expect(page.locator("[aria-current=true]")).to_have_attribute("data-session", session_id(REFUND))
    page.keyboard.press("Enter")
    expect(page).to_have_url(f"{known.url}/sessions/{session_id(REFUND)}")
    expect(page.get_by_role("heading", level=1)).to_have_text("Refund of order 48190")
    page.go_back()
    expect(page.locator("[aria-current=true]")).to_have_attribute("data-session", session_id(REFUND))
    page.keyboard.press("j")
    expect(page.locator("[aria-current=true]")).to_be_focused()
    expect(page.locator("[aria-current=true]")).not_to_have_attribute("data-session", session_id(REFUND))
    page.keyboard.press("Escape")
    expect(page.locator("[data-session][aria-current]")).to_have_count(0)
    page.keyboard.press("g")
    page.keyboard.press("s")
    expect(page.get_by_role("table", name="Sessions")).to_be_visible()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("Search sessions")
    page.keyboard.press("Escape")
    expect(page.get_by_role("dialog", name="Keys")).to_have_count(0)


def test_keys_reach_nothing_behind_an_open_menu(known: Server, page: Page) -> None:
    open_list(page, known)
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    page.keyboard.press("j")
    page.get_by_role("button", name="Filter by state").click()
    page.locator(".facet input").first.focus()
    for key in ("j", "x", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".table-row.cursor")).to_have_attribute("data-session", session_id(REFUND))
    expect(page.locator(".table-row.chosen")).to_have_count(0)
    # The focus that goes on leaves the menu closed behind it.
    expect(page.locator(".surface")).to_be_visible()
    page.locator(".facet input").last.focus()
    page.keyboard.press("Tab")
    expect(page.locator(".surface")).to_have_count(0)
    expect(page).to_have_url(f"{known.url}/sessions")


def test_keys_are_letters_whatever_caps_lock_and_alphabet(known: Server, page: Page) -> None:
    open_list(page, known)
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)

    def press(key: str, code: str, **more: bool) -> None:
        page.evaluate(
            "(given) => document.body.dispatchEvent(new KeyboardEvent('keydown', {bubbles: true, ...given}))",
            {"key": key, "code": code, **more},
        )

    held = page.locator(".table-row.cursor")
    press("J", "KeyJ", modifierCapsLock=True)
    expect(held).to_have_attribute("data-session", session_id(REFUND))
    press("\u043e", "KeyJ")
    expect(held).to_have_attribute("data-session", session_id(HOSTILE))
    press("x", "KeyX")
    press("\u041e", "KeyJ", modifierCapsLock=True)
    expect(held).to_have_attribute("data-session", session_id(DIGEST))
    press("x", "KeyX", modifierCapsLock=True, shiftKey=True)
    expect(page.locator(".table-row.chosen")).to_have_count(2)


def test_a_view_is_kept_under_a_name_chosen_again_and_deleted(known: Server, page: Page) -> None:
    open_list(page, known, "?state=fail&sort=duration")
    shows(page, HOSTILE, REFUND)
    page.get_by_role("button", name="Saved views").click()
    page.get_by_label("Name of the view").fill("Failures, longest first")
    page.keyboard.press("Enter")
    page.goto(f"{known.url}/sessions")
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    page.get_by_role("button", name="Saved views").click()
    page.get_by_role("button", name="Failures, longest first", exact=True).click()
    shows(page, HOSTILE, REFUND)
    expect(page).to_have_url(re.compile(r"state=fail.*sort=duration|sort=duration.*state=fail"))
    page.get_by_role("button", name="Saved views").click()
    page.get_by_role("button", name="Delete the view Failures, longest first").click()
    expect(page.get_by_role("button", name="Failures, longest first", exact=True)).to_have_count(0)


def test_who_chooses_by_key_goes_on_from_there(known: Server, page: Page) -> None:
    open_list(page, known)
    times = page.get_by_role("button", name="Time range")
    times.focus()
    for key in ("Enter", "Tab", "Enter"):
        page.keyboard.press(key)
    expect(page.locator(".surface")).to_have_count(0)
    expect(times).to_be_focused()
    keys = page.get_by_role("button", name="keys")
    keys.focus()
    page.keyboard.press("Enter")
    page.get_by_role("dialog", name="Keys").get_by_role("button", name="Close").click()
    expect(keys).to_be_focused()


def test_what_is_kept_in_one_tab_holds_in_the_others(known: Server, page: Page) -> None:
    open_list(page, known, "?state=fail")
    other = page.context.new_page()
    open_list(other, known, "?state=success")
    for tab, name in ((page, "Failed ones"), (other, "Good ones")):
        tab.get_by_role("button", name="Saved views").click()
        tab.get_by_label("Name of the view").fill(name)
        tab.keyboard.press("Enter")
    for tab in (page, other):
        # The name of the view that is on stands on the button.
        tab.get_by_role("button", name="Saved views").click()
        expect(tab.locator(".saved-view .option")).to_have_text(["Failed ones", "Good ones"])
        tab.keyboard.press("Escape")
    page.keyboard.press("t")
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    expect(other.locator("html")).to_have_attribute("data-theme", "dark")


def test_new_sessions_enter_while_the_page_is_open(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/sessions?tag=arriving")
    expect(page.get_by_role("heading", name="No session matches")).to_be_visible()
    began = time.time_ns()
    made = span(0xB1, 1, name="Arrived", start_ns=began, ms=5)
    made["attributes"] = attributes({"agentops.tags": ["arriving"]})
    assert known.post("/v1/traces", body(made)).status_code == 200
    expect(page.get_by_role("link", name="Arrived")).to_be_visible(timeout=10_000)
    page.goto("about:blank")
    known.http.delete(f"/api/sessions/{session_id(0xB1)}")


def timing(page: Page, named: str) -> dict[str, float]:
    """Return when the first request of this address began and ended, by the page's own clock."""
    found: list[dict[str, float]] = page.evaluate(
        """(named) => performance.getEntriesByType('resource')
          .filter((one) => one.name.includes(named) && one.responseEnd > 0)
          .map(({ startTime, responseEnd }) => ({ startTime, responseEnd }))
          .sort((one, other) => one.startTime - other.startTime)""",
        named,
    )
    return found[0]


def test_rows_come_before_everything_else(known: Server, page: Page) -> None:
    facets: list[str] = []
    page.on("request", lambda one: facets.append(one.url) if "/facets" in one.url else None)
    # The rows are asked for while the code that shows them is on its way, however long that takes.
    code: list[Route] = []
    page.route("**/assets/index-*.js", lambda one: code.append(one))
    with page.expect_request(re.compile(r"/api/sessions\?sort=")):
        page.goto(f"{known.url}/sessions", wait_until="commit")
    page.unroute("**/assets/index-*.js")
    for one in code:
        one.continue_()
    shows(page, REFUND, HOSTILE, DIGEST, HISTORY)
    expect(page.locator(".histogram-box rect").first).to_be_attached()
    # The bars follow once they are there.
    rows, bars = timing(page, "/api/sessions?sort="), timing(page, "/api/analytics?")
    assert rows["responseEnd"] <= bars["startTime"]
    assert facets == []
    page.get_by_role("button", name="Filter by tag").click()
    facet = page.locator(".facet", has_text="vip")
    facet.wait_for()
    assert facets == [f"{known.url}/api/sessions/facets?facet=tag"]
    facet.click()
    shows(page, REFUND)
    expect(page.locator(".facet")).to_have_count(4)
    rows, counts = timing(page, "/api/sessions?tag=vip"), timing(page, "/api/sessions/facets?tag=vip")
    assert rows["responseEnd"] <= counts["startTime"]


def test_a_list_that_was_flown_through_is_whole_once_it_rests(known: Server, page: Page) -> None:
    many = [span(0xF00 + place, 1, name=f"Flown {place}", ms=5) for place in range(140)]
    assert known.post("/v1/traces", body(*many)).status_code == 200
    open_list(page, known)
    expect(page.locator(".table-row .row-link").first).to_be_visible()
    # The first page is as long as a large screen; the rest is asked for.
    page.locator(".table").evaluate("(table) => table.scrollTo(0, 1200)")
    expect(page.locator(".table")).to_have_attribute("aria-rowcount", "145")
    # Each time that rows were drawn is looked at: on a slow machine the list rests before the next frame.
    in_flight = page.locator(".table").evaluate(
        """(table) => new Promise((resolve) => {
          let found = [0, 1000];
          const seen = new MutationObserver(() => {
            const rows = [...table.querySelectorAll('.table-row[data-session]')];
            const whole = rows.filter((row) => row.querySelector('.row-link')).length;
            if (rows.length > 20 && whole < found[1]) found = [rows.length, whole];
          });
          seen.observe(table, { childList: true, subtree: true });
          table.scrollTo(0, 3600);
          requestAnimationFrame(() => requestAnimationFrame(() => (seen.disconnect(), resolve(found))));
        })"""
    )
    assert in_flight[0] > 20
    assert in_flight[1] <= 8
    expect(page.locator(".table-row[data-session]:not(:has(.row-link))")).to_have_count(0)
    expect(page.locator(".table-row[data-session] .cell.cost").last).to_have_text("$0.00")
