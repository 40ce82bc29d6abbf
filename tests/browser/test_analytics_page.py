"""The Analytics page over a random store: figures as in the API, marks that lead on, state in the address."""

from __future__ import annotations

import random
import re
import time
from typing import Any
from urllib.parse import quote_plus

import pytest
from playwright.sync_api import Page, Route, expect

from tests.browser.known_store import event, root, session_id
from tests.browser.test_hostile_text import nothing_serious
from tests.integration.test_analytics_sums import made, send
from tests.serving import Server
from tests.spans import SECOND, body, ours, span
from tests.waiting import eventually

RANGE = "since=2026-03-20&until=2026-04-10"


@pytest.fixture(scope="module")
def known(module_server: Server) -> Server:
    send(module_server, made(seed=21), random.Random(22))
    return module_server


def asked(server: Server, path: str, **more: Any) -> Any:
    return server.get(path, since="2026-03-20", until="2026-04-10", **more)


def open_page(page: Page, server: Server, search: str = RANGE) -> None:
    page.goto(f"{server.url}/analytics?{search}")
    expect(page.get_by_role("heading", name="Analytics")).to_be_visible()


def grouped(value: int) -> str:
    return f"{value:,}"


def table_of(page: Page, title: str) -> list[list[str]]:
    """Return the cells of a chart's table."""
    page.get_by_role("button", name=f"{title} as a table").click()
    dialog = page.get_by_role("dialog", name=title)
    expect(dialog).to_be_visible()
    cells: list[list[str]] = dialog.locator("tbody tr").evaluate_all(
        "rows => rows.map(row => [...row.cells].map(cell => cell.textContent))"
    )
    dialog.get_by_role("button", name="Close").click()
    return cells


def test_figures_are_those_of_the_api(known: Server, page: Page) -> None:
    open_page(page, known)
    totals = asked(known, "/api/analytics")["totals"]
    for name, value in (
        ("sessions", totals["sessions"]["total"]),
        ("failed", totals["sessions"]["fail"]),
        ("events", totals["events"]["total"]),
    ):
        expect(page.locator(f"[data-total-of={name}] b")).to_have_text(grouped(value))
    cost = page.locator("[data-total-of=cost]")
    assert float(cost.get_attribute("data-value") or "nan") == pytest.approx(totals["cost_usd"])
    expect(cost.locator("b")).to_have_text(f"${totals['cost_usd']:.2f}")
    rate = page.locator("[data-total-of=error-rate]").get_attribute("data-value")
    assert float(rate or "nan") == pytest.approx(totals["error_rate"])
    p95 = page.locator("[data-total-of=latency-p95]").get_attribute("data-value")
    assert float(p95 or "nan") == pytest.approx(totals["latency_ms"]["p95"])
    states = table_of(page, "Sessions by state")
    assert sum(int(row[1]) for row in states) == totals["sessions"]["success"]
    assert sum(int(row[3]) for row in states) == totals["sessions"]["fail"]
    # Days without sessions stand in the table too.
    assert len(states) in (21, 22)
    # No call told what it read from a cache: that is not known, where there were calls.
    assert {row[2] for row in table_of(page, "Tokens by class")} == {"–", "0"}


def test_everything_is_asked_for_once_while_the_code_still_loads(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/analytics")
    expect(page.get_by_role("heading", name="No session in this range")).to_be_visible()
    # How many sessions run is asked for last.
    page.wait_for_function(
        "() => performance.getEntriesByType('resource').some(({ name }) => /state=running/.test(name))"
    )

    def asked() -> list[list[str]]:
        told: list[list[str]] = page.evaluate(
            "() => performance.getEntriesByType('resource')"
            ".filter(({ name }) => /api.(analytics|sessions)/.test(name) && !/limit=1$/.test(name))"
            ".map(({ name, initiatorType }) => [new URL(name).pathname, initiatorType])"
        )
        assert len(told) >= 5
        return sorted(told)

    # A preload that the page did not take would be followed by its own request.
    assert eventually(asked) == [
        ["/api/analytics", "link"],
        ["/api/analytics/breakdown", "link"],
        ["/api/analytics/errors", "link"],
        ["/api/sessions", "link"],
        ["/api/sessions", "link"],
    ]


@pytest.mark.parametrize("by", ["model", "agent", "tool", "tag", "user", "session"])
def test_each_table_says_what_the_api_says_and_leads_to_the_sessions(
    known: Server, page: Page, by: str
) -> None:
    open_page(page, known, f"{RANGE}&by={by}")
    expected = asked(known, "/api/analytics/breakdown", by=by)["groups"]
    assert expected
    rows = page.locator(f"[data-by={by}] [data-group]")
    expect(rows).to_have_count(len(expected))
    for row, group in zip(rows.all(), expected, strict=True):
        assert row.get_attribute("data-group") == group["value"]
        cells = row.locator("td")
        expect(cells.nth(1)).to_have_text(grouped(group["count"]))
        expect(cells.nth(2)).to_have_text(grouped(group["errors"]))
        cost = group["cost_usd"]
        shown = "–" if cost is None else f"${cost:.2f}" if cost >= 1 or cost == 0 else f"${cost:.4f}"
        expect(cells.nth(7)).to_have_text(shown)
        if cost is None and any(one["cost_usd"] for one in expected):
            # A share of the cost: what nobody knows is not nothing.
            expect(cells.nth(8)).to_have_text("–")
    first = expected[0]
    rows.first.get_by_role("link").click()
    filter_of = "name" if by == "session" else by
    expect(page).to_have_url(re.compile(f"/sessions\\?.*{filter_of}="))
    expect(page.locator("[data-total]")).to_have_attribute("data-total", str(first["sessions"]))


def test_a_tag_beside_a_chosen_one_leads_to_the_sessions_with_both(known: Server, page: Page) -> None:
    chosen = asked(known, "/api/analytics/breakdown", by="tag")["groups"][0]["value"]
    open_page(page, known, f"{RANGE}&by=tag&tag={quote_plus(chosen)}")
    groups = asked(known, "/api/analytics/breakdown", by="tag", tag=chosen)["groups"]
    other = next(one for one in groups if one["value"] != chosen)
    page.locator("[data-by=tag] [data-group]", has_text=other["value"]).get_by_role("link").click()
    expect(page.locator("[data-total]")).to_have_attribute("data-total", str(other["sessions"]))


@pytest.mark.parametrize("by", ["model", "agent", "tool"])
def test_a_value_beside_a_chosen_one_leads_to_as_many_sessions_as_it_says(
    known: Server, page: Page, by: str
) -> None:
    chosen = asked(known, "/api/analytics/breakdown", by=by)["groups"][0]["value"]
    groups = asked(known, "/api/analytics/breakdown", by=by, **{by: chosen})["groups"]
    other = next(one for one in groups if one["value"] != chosen)
    assert other["sessions"] < asked(known, "/api/sessions", **{by: other["value"]})["total"]
    open_page(page, known, f"{RANGE}&by={by}&{by}={quote_plus(chosen)}")
    page.locator(f"[data-by={by}] [data-group='{other['value']}']").get_by_role("link").click()
    expect(page.locator("[data-total]")).to_have_attribute("data-total", str(other["sessions"]))
    page.get_by_role("button", name=f"Clear with {by} {other['value']}").click()
    of_chosen = asked(known, "/api/sessions", **{by: chosen})["total"]
    expect(page.locator("[data-total]")).to_have_attribute("data-total", str(of_chosen))


def test_an_error_leads_to_its_sessions_and_not_to_all_of_its_type(known: Server, page: Page) -> None:
    traces = range(0xE0, 0xE3)
    at = time.time_ns()
    for trace, said in zip(traces, ("order 17 is lost", "order 4 is lost", "no such order"), strict=True):
        failed = event(trace, 2, 1, "tool", "find", at, 1, failed=("OrderError", said, ""))
        known.post("/v1/traces", ours(root(trace, said, [], at, 2, 1), failed))
    open_page(page, known, "since=1h")
    page.locator("[data-error=OrderError]", has_text="is lost").get_by_role("link", name="OrderError").click()
    expect(page.locator("[data-total]")).to_have_attribute("data-total", "2")
    expect(page.locator(".chip.on", has_text="with error")).to_contain_text("OrderError: order <n> is lost")
    page.goto("about:blank")
    for trace in traces:
        known.http.delete(f"/api/sessions/{session_id(trace)}")


def test_figures_lead_to_the_sessions_that_they_count(known: Server, page: Page) -> None:
    open_page(page, known, f"{RANGE}&state=success")
    failed = page.locator("[data-total-of=failed]")
    expect(failed.locator("b")).to_have_text("0")
    # A list of those that failed would hold what is not counted here.
    expect(page.locator("a[data-total-of=failed]")).to_have_count(0)
    open_page(page, known, f"{RANGE}&error=false")
    expect(page.locator("[data-total-of=error-rate] b")).to_have_text("0%")
    expect(page.locator("a[data-total-of=error-rate]")).to_have_count(0)
    open_page(page, known, f"{RANGE}&state=success&state=fail")
    counted = asked(known, "/api/analytics", state="fail")["totals"]["sessions"]["total"]
    failed.click()
    expect(page.locator("[data-total]")).to_have_attribute("data-total", str(counted))


def test_sorting_filters_and_lines_are_in_the_address_and_back_works(known: Server, page: Page) -> None:
    open_page(page, known)
    page.get_by_role("columnheader").get_by_role("button", name="Error rate").click()
    expect(page).to_have_url(re.compile("by_sort=error_rate"))
    worst = asked(known, "/api/analytics/breakdown", sort="error_rate")["groups"][0]["value"]
    expect(page.locator("[data-group]").first).to_have_attribute("data-group", worst)
    line = page.locator("[data-chart=sessions]").get_by_role("button", name="Success")
    line.click()
    expect(line).to_have_attribute("aria-pressed", "false")
    expect(page).to_have_url(re.compile("hide=sessions(:|%3A)success"))
    page.reload()
    expect(page.locator("[data-chart=sessions]").get_by_role("button", name="Success")).to_have_attribute(
        "aria-pressed", "false"
    )
    page.get_by_role("button", name="Filter by tag").click()
    page.locator(".facet", has_text="red").click()
    page.keyboard.press("Escape")
    red = asked(known, "/api/analytics", tag="red")["totals"]["sessions"]["total"]
    expect(page.locator("[data-total-of=sessions] b")).to_have_text(grouped(red))
    page.go_back()
    whole = asked(known, "/api/analytics")["totals"]["sessions"]["total"]
    expect(page.locator("[data-total-of=sessions] b")).to_have_text(grouped(whole))


def test_a_drag_zooms_a_click_leads_to_the_sessions_of_an_interval(known: Server, page: Page) -> None:
    open_page(page, known, f"{RANGE}&interval=day")
    over = page.locator("[data-chart=sessions] .u-over")
    box = over.bounding_box()
    assert box is not None
    middle = box["y"] + box["height"] / 2
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    # The crosshair is shared: another chart tells its values of the same moment.
    expect(page.locator("[data-chart=events] .chart-when")).to_have_text(re.compile("2026"))
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.5, middle, steps=4)
    page.keyboard.press("Escape")
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    page.mouse.up()
    page.mouse.move(box["x"] + box["width"] * 0.3, middle)
    assert page.url.endswith(f"{RANGE}&interval=day")
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] * 0.6, middle, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("since=2026-03-2\\d.*until=2026-(03-3|04-0)"))
    page.go_back()
    expect(page).to_have_url(re.compile("since=2026-03-20&until=2026-04-10"))
    expect(over).to_be_visible()
    box = over.bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + box["width"] * 0.36, middle)
    expect(page).to_have_url(re.compile("/sessions\\?"))
    expect(page.locator(".chip.on", has_text="time")).to_be_visible()


def test_the_first_interval_leads_to_its_part_in_the_range(known: Server, page: Page) -> None:
    within = {"since": "2026-03-27T12:05:00Z", "until": "2026-04-10"}
    open_page(page, known, f"since={within['since']}&until={within['until']}&interval=day")
    told = sum(int(value) for value in table_of(page, "Sessions by state")[0][1:])
    assert 0 < told < asked(known, "/api/sessions")["total"]
    # Most of that day's sessions began before the range does.
    assert told < known.get("/api/sessions", since="2026-03-27", until="2026-03-28")["total"]
    box = page.locator("[data-chart=sessions] .u-over").bounding_box()
    assert box is not None
    page.mouse.click(box["x"] + 5, box["y"] + box["height"] / 2)
    expect(page.locator("[data-total]")).to_have_attribute("data-total", str(told))
    # Nor does a drag across the first bar of the list lead out of it.
    bars = page.locator(".histogram-box")
    expect(bars.locator("rect").first).to_be_attached()
    drawn = bars.bounding_box()
    assert drawn is not None
    page.mouse.move(drawn["x"] + 1, drawn["y"] + 20)
    page.mouse.down()
    page.mouse.move(drawn["x"] + drawn["width"] * 0.9, drawn["y"] + 20, steps=4)
    page.mouse.up()
    expect(page).to_have_url(re.compile("until=2026-03-27"))
    expect(page.locator("[data-total]")).to_have_attribute("data-total", str(told))


def test_an_interval_is_pointed_at_from_its_beginning_to_its_end(known: Server, page: Page) -> None:
    open_page(page, known, f"{RANGE}&interval=day")
    days = [row[0] for row in table_of(page, "Sessions by state")]
    box = page.locator("[data-chart=sessions] .u-over").bounding_box()
    assert box is not None
    at = len(days) // 2
    for part in (0.1, 0.9):
        page.mouse.move(box["x"] + box["width"] * (at + part) / len(days), box["y"] + 20)
        for chart in ("sessions", "latency"):
            expect(page.locator(f"[data-chart={chart}] .chart-when")).to_have_text(days[at])


def test_an_empty_range_says_so_and_the_keyboard_leads_here(known: Server, page: Page) -> None:
    open_page(page, known, "since=2001-01-01&until=2001-01-02")
    expect(page.get_by_role("heading", name="No session in this range")).to_be_visible()
    page.get_by_role("button", name="Show all time").click()
    expect(page.locator("[data-total-of=sessions] b")).to_be_visible()
    page.goto(f"{known.url}/sessions")
    expect(page.get_by_role("heading", name="Sessions")).to_be_visible()
    parts: list[Route] = []
    its_part = re.compile(r"/AnalyticsPage.*\.js")
    page.route(its_part, lambda part: parts.append(part))
    with page.expect_request(its_part):
        page.keyboard.press("g")
        page.keyboard.press("a")
    expect(page).to_have_url(re.compile("/analytics"))
    page.keyboard.press("/")
    for part in parts:
        part.continue_()
    expect(page.get_by_role("heading", name="Analytics")).to_be_visible()
    expect(page.get_by_role("searchbox")).to_be_focused()
    page.keyboard.press("Escape")
    expect(page.get_by_role("searchbox")).not_to_be_focused()


@pytest.mark.parametrize("width", [1280, 390])
def test_axe_finds_nothing_serious_and_nothing_is_cut(known: Server, page: Page, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 900})
    open_page(page, known)
    expect(page.locator("[data-group]").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    nothing_serious(page, f"analytics at {width}")


def test_a_change_of_range_asks_for_the_charts_first(known: Server, page: Page) -> None:
    open_page(page, known)
    expect(page.locator("[data-total-of=sessions] b")).to_be_visible()
    asked_for: list[str] = []
    page.on("request", lambda one: asked_for.append(one.url) if "/api/" in one.url else None)
    dearest = re.compile("/api/sessions.*sort=cost")
    with page.expect_request(dearest):
        page.get_by_role("button", name="Clear all").click()
    # The page's head asks for what runs at moments of its own.
    of_the_page = [url for url in asked_for if "/api/analytics?" in url or dearest.search(url)]
    assert "/api/analytics?" in of_the_page[0]


def test_news_that_may_have_been_missed_is_asked_for(known: Server, page: Page) -> None:
    # More sessions changed than the server names; the connection is opened anew after each word.
    missed = 'retry: 2500\ndata: {"sessions": ["*"]}\n\n'
    page.route("**/api/live", lambda route: route.fulfill(content_type="text/event-stream", body=missed))
    open_page(page, known, RANGE)
    with page.expect_request(re.compile("/api/analytics\\?"), timeout=20_000):
        pass


def test_one_session_is_compared_with_others_as_what_it_was_named(known: Server, page: Page) -> None:
    b = asked(known, "/api/sessions", limit=1)["sessions"][0]["session_id"]
    page.goto(f"{known.url}/compare?b={b}")
    offered = page.get_by_role("region", name="Compare with")
    expect(offered).to_contain_text("is B; choose A")
    offered.get_by_role("link").first.click()
    expect(page).to_have_url(re.compile(f"/compare\\?a=[^&]+&b={re.escape(quote_plus(b))}$"))
    expect(page.locator("[data-figure=Events]")).to_be_visible()


def test_a_session_that_runs_is_followed_where_it_is_compared(known: Server, page: Page) -> None:
    trace = 0xC0FFEE
    running, at = session_id(trace), time.time_ns()
    begun = root(trace, "Compared", [], at, 1, 1)
    del begun["endTimeUnixNano"]
    begun["attributes"] = [one for one in begun["attributes"] if "end_state" not in one["key"]]
    known.post("/v1/traces", ours(begun, event(trace, 2, 1, "tool", "first", at, 1)))
    other = asked(known, "/api/sessions", limit=1)["sessions"][0]["session_id"]
    page.goto(f"{known.url}/compare?a={running}&b={other}")
    counted = page.locator("[data-figure=Events] td").nth(1)
    expect(counted).to_have_text("1")
    known.post("/v1/traces", ours(event(trace, 3, 1, "tool", "second", at + 1000, 1)))
    expect(counted).to_have_text("2", timeout=15_000)
    page.goto("about:blank")
    known.http.delete(f"/api/sessions/{running}")


def test_waste_compare_and_settings_say_what_the_api_says(known: Server, page: Page) -> None:
    open_page(page, known, f"{RANGE}&view=waste")
    headings = asked(known, "/api/analytics/waste")["headings"]
    expect(page.locator("[data-waste]")).to_have_count(len(headings))
    for one in headings:
        shown = page.locator(f"[data-waste={one['heading']}] > header")
        expect(shown).to_contain_text(f"{one['count']:,} call")
    nothing_serious(page, "waste")
    a, b = (one["session_id"] for one in asked(known, "/api/sessions", limit=2)["sessions"])
    found = known.get("/api/compare", a=a, b=b)
    page.goto(f"{known.url}/compare?a={a}&b={b}")
    row = page.locator("[data-figure=Events] td")
    expect(row.nth(1)).to_have_text(str(found["a"]["event_counts"]["total"]))
    expect(row.nth(2)).to_have_text(str(found["b"]["event_counts"]["total"]))
    index, differing = next((at, row) for at, row in enumerate(found["rows"]) if row["differs"] == ["model"])
    page.locator(f"[data-row='{index}'] button").click()
    expect(page.locator(".values")).to_have_text(
        f"model{differing['a']['model']} → {differing['b']['model']}"
    )
    nothing_serious(page, "two sessions compared")
    page.goto(f"{known.url}/compare?tag_a=red&tag_b=blue")
    for metric in known.get("/api/compare/groups", tag_a="red", tag_b="blue")["metrics"]:
        expect(page.locator(f"[data-metric={metric['metric']}]")).to_have_attribute(
            "data-verdict", metric["verdict"]
        )
    nothing_serious(page, "two tags compared")
    page.set_viewport_size({"width": 320, "height": 800})
    assert page.evaluate(
        "[...document.querySelectorAll('.chart')].every((one) => one.scrollWidth <= one.clientWidth)"
    )
    page.set_viewport_size({"width": 1440, "height": 900})
    page.goto(f"{known.url}/settings")
    spans = known.get("/api/store")["spans"]
    expect(page.locator("[data-store-bytes]")).to_contain_text(f"{spans:,} spans")
    expect(page.locator("[data-model]")).to_have_count(len(known.get("/api/prices")["models"]))
    page.get_by_label("Days that sessions are kept").fill("9000")
    page.get_by_role("button", name="Keep so long").click()
    expect(page.get_by_text("Sessions are deleted 9,000 days after")).to_be_visible()
    nothing_serious(page, "settings")


def test_costs_that_differ_in_late_digits_and_texts_of_one_side_say_so(known: Server, page: Page) -> None:
    start = time.time_ns() - 60 * SECOND
    for trace, cost, asked_for in ((0xC1, 0.0017112, "asked of the first alone"), (0xC2, 0.0017113, "")):
        root = span(trace, 1, name="dear", start_ns=start, ms=90, agentops__span__kind="session")
        made = span(
            trace,
            2,
            1,
            name="look",
            start_ns=start,
            agentops__span__kind="tool",
            gen_ai__usage__cost=cost,
            agentops__entity__input=asked_for,
        )
        assert known.post("/v1/traces", body(root, made)).status_code == 200
    first, second = session_id(0xC1), session_id(0xC2)
    for one in (first, second):
        known.wait(f"/api/sessions/{one}", lambda answer: answer["event_counts"]["tool"] == 1)
    page.goto(f"{known.url}/compare?a={first}&b={second}")
    expect(page.locator(".values")).to_have_text("cost$0.0017112 → $0.0017113")
    expect(page.locator("[data-diff=input] h3")).to_have_text("Input of A alone")
    for one in (first, second):
        known.http.delete(f"/api/sessions/{one}")


_PAINTED_AT_THE_END = """() => {
  const canvas = document.querySelector('[data-chart=sessions] canvas');
  const over = document.querySelector('[data-chart=sessions] .u-over');
  if (!over) return false;
  const [whole, plot] = [canvas, over].map((one) => one.getBoundingClientRect());
  const scale = canvas.width / whole.width;
  const left = (plot.right - 6 - whole.left) * scale;
  const top = (plot.bottom - 10 - whole.top) * scale;
  const { data } = canvas.getContext('2d').getImageData(left, top, 6 * scale, 2);
  const colour = (at) => Math.max(...data.slice(at, at + 3)) - Math.min(...data.slice(at, at + 3));
  return Array.from({ length: data.length / 4 }, (_, pixel) => colour(4 * pixel)).some((one) => one > 60);
}"""


def test_the_bar_of_the_interval_that_runs_is_drawn(known: Server, page: Page) -> None:
    known.post("/v1/traces", body(span(0xBA5, 1, start_ns=time.time_ns())))
    open_page(page, known, "")
    page.wait_for_function(_PAINTED_AT_THE_END)


def test_all_time_is_drawn_to_its_end_however_long_it_is(known: Server, page: Page) -> None:
    long_ago = time.time_ns() - 500 * 86_400 * SECOND
    known.post("/v1/traces", body(span(0xBA6, 1, name="long ago", start_ns=long_ago, ms=5)))
    (old,) = known.wait("/api/sessions", lambda found: found["sessions"], q="long ago")["sessions"]
    # By the hour it were 12,000 bars, of which the newest had no room.
    open_page(page, known, "since=all&interval=hour")
    expect(page.get_by_role("button", name="Interval: By week")).to_be_visible()
    rows = table_of(page, "Sessions by state")
    drawn = sum(int(value.replace(",", "")) for row in rows for value in row[1:])
    assert drawn == known.get("/api/analytics")["totals"]["sessions"]["total"]
    page.goto("about:blank")
    known.http.delete(f"/api/sessions/{old['session_id']}")
