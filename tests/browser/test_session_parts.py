"""What a session's page tells beyond its events: what is missing, what was logged, what readers add."""

from __future__ import annotations

import json
import re
import time
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.known_store import REFUND, REFUNDING, event, event_id, root, session_id
from tests.browser.test_hostile_text import nothing_serious
from tests.browser.test_session_views import open_session, panel, timeline
from tests.serving import Server
from tests.spans import MS, SECOND, attributes, ours, value

ASKED = [{"type": "tool_call", "id": "call_7", "name": "weather", "arguments": {"order": 9007199254740993}}]
TOLD = [{"type": "tool_call_response", "id": "call_7", "response": "rain at noon"}]
PIXEL = "data:image/gif;base64,R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7"


def says(role: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    return {"role": role, "parts": parts}


def text(words: str) -> list[dict[str, Any]]:
    return [{"type": "text", "content": words}]


def send(server: Server, *spans: dict[str, Any]) -> None:
    answer = server.post("/v1/traces", ours(*spans))
    assert answer.status_code == 200, answer.text


def test_events_that_are_missing_are_named(known: Server, page: Page) -> None:
    trace, at = 0xAB1, time.time_ns() - 60 * SECOND
    # Six were numbered; 3, 4 and 6 never came.
    made = [
        event(trace, number + 1, 1, "tool", f"step {number}", at + number * MS, 5) for number in (1, 2, 5)
    ]
    send(known, root(trace, "Gaps", [], at, 100, 6), *made)
    page.goto(f"{known.url}/sessions/{session_id(trace)}")
    expect(page.locator("dl.metrics")).to_contain_text("6 sent · 3 stored")
    page.get_by_role("button", name=re.compile("missing")).click()
    told = page.locator(".ledger")
    expect(told).to_contain_text("6 sent, 3 stored")
    expect(told).to_contain_text("Missing 3 events: number 3–4, 6")
    nothing_serious(page, "missing events")


def test_a_tools_answer_stands_beside_the_call_and_pictures_are_shown_or_asked_for(
    known: Server, page: Page
) -> None:
    trace, at = 0xAB2, time.time_ns() - 50 * SECOND
    question = [
        *text("Weather?"),
        {"type": "uri", "modality": "image", "uri": "https://example.com/sky.png"},
        {"type": "uri", "modality": "image", "mime_type": "image/gif", "uri": PIXEL},
        {"type": "blob", "modality": "audio", "mime_type": "audio/wav", "content": "AAAA"},
    ]
    thought = [{"type": "reasoning", "content": "I should ask the tool."}, *ASKED]
    first = [says("user", question)]
    second = [*first, says("assistant", thought), says("tool", TOLD)]

    def call(number: int, asked: list[dict[str, Any]], answer: list[dict[str, Any]]) -> dict[str, Any]:
        said = {
            "gen_ai.operation.name": "chat",
            "gen_ai.response.model": "gpt-4o",
            "gen_ai.input.messages": json.dumps(asked),
            "gen_ai.output.messages": json.dumps([says("assistant", answer)]),
        }
        return event(trace, number, 1, "llm", f"turn {number}", at + number * SECOND, 500, **said)

    calls = (call(2, first, thought), call(3, second, text("It **rains**:\n\n```\nnoon\n```")))
    send(known, root(trace, "Tools", [], at, 9000, 2), *calls)
    asked_for: list[str] = []
    page.on("request", lambda request: asked_for.append(request.url))
    page.goto(f"{known.url}/sessions/{session_id(trace)}?view=messages")
    cards = page.locator(".call-card")
    expect(cards).to_have_count(2)
    # The answer is read under the call that asked for it; the next call starts where it says something new.
    expect(cards.first).to_contain_text("rain at noon")
    expect(cards.nth(1).get_by_role("button", name="Show 3 earlier messages")).to_be_visible()
    expect(cards.nth(1)).not_to_contain_text("rain at noon")
    expect(cards.nth(1).locator("pre code")).to_have_text("noon\n")
    cards.first.get_by_text("reasoning").click()
    expect(cards.first).to_contain_text("I should ask the tool.")
    # A picture that came along is shown, one that lies elsewhere waits for a click.
    expect(cards.first.locator("img")).to_have_attribute("src", PIXEL)
    expect(cards.first.get_by_role("link", name="open")).to_have_attribute(
        "href", "https://example.com/sky.png"
    )
    assert [url for url in asked_for if "example.com" in url] == []
    expect(cards.first.get_by_role("link", name="save")).to_have_attribute("download", "file.wav")
    # A number keeps its digits. What is copied is what was said, on an address without a clipboard too.
    expect(cards.first).to_contain_text("9007199254740993")
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    cards.nth(1).get_by_role("button", name="Copy the code").click()
    expect(cards.nth(1).get_by_text("copied")).to_be_visible()
    page.get_by_label("Find in session").focus()
    page.keyboard.press("Control+V")
    expect(page.get_by_label("Find in session")).to_have_value("noon")


def test_the_beginning_of_a_long_answer_is_unfolded_and_its_numbers_keep_their_digits(
    known: Server, page: Page
) -> None:
    trace, at = 0xABD, time.time_ns() - 50 * SECOND
    # The page reads what is longer than 500,000 characters a little at a time.
    rows = [{"id": 2**60 + number, "words": f"row {number} " + "long " * 40} for number in range(3_000)]
    made = {"agentops.entity.input": '{"page": 1}', "agentops.entity.output": json.dumps({"rows": rows})}
    send(known, root(trace, "Long", [], at, 100, 1), event(trace, 2, 1, "tool", "listing", at, 5, **made))
    with page.expect_response(re.compile(f"/events/{event_id(2)}")) as asked:
        page.goto(f"{known.url}/sessions/{session_id(trace)}?event={event_id(2)}")
    output = panel(page).get_by_role("region", name="Output")
    expect(output).to_contain_text("rows: [")
    # An attribute that says the same again is not sent again, unless the reader wants to see it there.
    assert len(asked.value.body()) < 1.1 * len(made["agentops.entity.output"])
    panel(page).get_by_text("Attributes").click()
    repeated = panel(page).locator(".attributes > div", has_text="agentops.entity.output")
    expect(repeated).to_contain_text("the same as in the output above")
    repeated.get_by_role("button", name="Show agentops.entity.output here too").click()
    expect(repeated.get_by_role("button", name="Copy agentops.entity.output")).to_be_visible()
    expect(repeated).to_contain_text("row 0 long")
    expect(output.locator(".branch .branch .branch")).to_have_count(100)
    output.get_by_role("button", name="{ id, words }").last.click()
    expect(output).to_contain_text(f"id: {2**60 + 99}")
    expect(output).to_contain_text("row 99 long")
    expect(output.get_by_role("button", name="Show more (2,900 left)")).to_be_visible()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    output.get_by_role("button", name="Copy the output").click()
    expect(output.get_by_text("copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert json.loads(copied) == {"rows": rows}


def test_all_events_that_hold_a_text_are_found(known: Server, page: Page) -> None:
    trace, at, many = 0xABE, time.time_ns() - 50 * SECOND, 1_020
    made = [
        event(trace, number, 1, "tool", "step", at + number * MS, 1, **{"agentops.entity.output": "a needle"})
        for number in range(2, many + 2)
    ]
    send(known, root(trace, "Haystack", [], at, 2000, many), *made)
    page.goto(f"{known.url}/sessions/{session_id(trace)}?find=needle")
    expect(page.locator(".matches")).to_have_text("1,020")
    page.goto("about:blank")
    known.http.delete(f"/api/sessions/{session_id(trace)}")


def test_a_call_that_answered_in_plain_text_is_read_as_a_conversation(known: Server, page: Page) -> None:
    trace, at = 0xABF, time.time_ns() - 50 * SECOND
    said = {
        "openinference.span.kind": "LLM",
        "llm.input_messages.0.message.role": "user",
        "llm.input_messages.0.message.content": "What is the answer?",
        "output.value": "It is forty-two.",
    }
    send(known, root(trace, "Plain", [], at, 100, 1), event(trace, 2, 1, "llm", "ask", at, 5, **said))
    page.goto(f"{known.url}/sessions/{session_id(trace)}?view=messages")
    said_by = page.locator(".call-card .message")
    expect(said_by).to_have_count(2)
    expect(said_by.last).to_contain_text("It is forty-two.")
    page.goto("about:blank")
    known.http.delete(f"/api/sessions/{session_id(trace)}")


def test_logs_are_narrowed_by_severity_and_text_and_lead_to_their_event(known: Server, page: Page) -> None:
    def record(number: int, severity: int, words: str) -> dict[str, Any]:
        return {
            "timeUnixNano": str(time.time_ns() - 600 * SECOND + number),
            "severityNumber": severity,
            "severityText": {9: "INFO", 13: "WARN", 17: "ERROR"}[severity],
            "body": value(words),
            "traceId": f"{REFUND:032x}",
            "spanId": event_id(REFUNDING),
            "attributes": attributes({"session.id": session_id(REFUND)}),
        }

    records = [
        record(1, 9, "asking the bank"),
        record(2, 13, "the bank is slow today"),
        record(3, 17, "gave up"),
    ]
    sent: dict[str, Any] = {"resourceLogs": [{"scopeLogs": [{"logRecords": records}]}]}
    assert known.post("/v1/logs", sent).status_code == 200
    known.wait(f"/api/sessions/{session_id(REFUND)}/logs", lambda told: len(told["logs"]) == 3)
    open_session(page, known, "?view=logs")
    lines = page.get_by_role("region", name="Logs").locator("tr")
    expect(lines).to_have_count(3)
    expect(lines.nth(1)).to_contain_text("the bank is slow today")
    page.get_by_role("radio", name="Warnings").click()
    expect(lines).to_have_count(2)
    expect(page).to_have_url(re.compile("level=13"))
    page.get_by_label("Find in the logs").fill("gave")
    expect(lines).to_have_count(1)
    expect(page).to_have_url(re.compile("find=gave"))
    lines.first.get_by_role("button", name="refund").click()
    expect(panel(page)).to_contain_text("the bank is slow")


def test_a_reader_renames_notes_and_deletes(known: Server, browser: Browser) -> None:
    # Not the `page` fixture: Chromium notes as an error that the deleted session is asked for once more.
    page = browser.new_page()
    trace = 0xAB3
    send(known, root(trace, "To be renamed", [], time.time_ns() - 40 * SECOND, 10, 0))
    page.goto(f"{known.url}/sessions/{session_id(trace)}")
    page.get_by_role("button", name="To be renamed").click()
    page.get_by_label("Session name").fill("A better name")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("A better name")
    page.get_by_role("button", name="+ note").click()
    page.get_by_role("textbox", name="Note").fill("Ask the bank about this one.")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Note")).to_contain_text("Ask the bank about this one.")
    # The two are on their way at the same time: either may be the first there.
    known.wait(
        f"/api/sessions/{session_id(trace)}",
        lambda one: (one["name"], one["note"]) == ("A better name", "Ask the bank about this one."),
    )
    page.get_by_role("button", name="Delete").click()
    page.get_by_role("dialog").get_by_role("button", name="Delete").click()
    expect(page).to_have_url(re.compile("/sessions$"))
    assert known.http.get(f"/api/sessions/{session_id(trace)}").status_code == 404
    page.close()


def test_changes_that_follow_each_other_fast_are_all_kept(known: Server, page: Page) -> None:
    trace = 0xAB9
    send(known, root(trace, "Hasty", ["one", "two", "three"], time.time_ns() - 20 * SECOND, 10, 0))
    path = f"/api/sessions/{session_id(trace)}"
    known.wait(path, lambda told: told["tags"] == ["one", "two", "three"])
    page.goto(f"{known.url}/sessions/{session_id(trace)}")
    for tag in ("one", "two"):
        page.get_by_role("button", name=f"Remove the tag {tag}").click()
    for tag in ("four", "five"):
        page.get_by_role("button", name="+ tag").click()
        page.get_by_label("New tag").fill(tag)
        page.keyboard.press("Enter")
    page.get_by_title("Rename").click()
    page.get_by_label("Session name").fill("Unhurried")
    page.keyboard.press("Enter")
    # Shown at once, the old name never again.
    assert page.get_by_role("heading", level=1).inner_text() == "Unhurried"
    kept = ["three", "four", "five"]
    known.wait(path, lambda told: told["name"] == "Unhurried" and told["tags"] == kept)
    expect(page.locator(".title .tag")).to_have_text([f"{tag}×" for tag in kept])
    page.goto("about:blank")
    known.http.delete(path)


def test_tags_given_elsewhere_meanwhile_stay(known: Server, page: Page) -> None:
    trace = 0xABA
    send(known, root(trace, "In two tabs", ["one", "two"], time.time_ns() - 20 * SECOND, 10, 0))
    path = f"/api/sessions/{session_id(trace)}"
    known.wait(path, lambda told: told["tags"] == ["one", "two"])
    # The page does not hear of what others do.
    page.route("**/api/live", lambda route: route.fulfill(content_type="text/event-stream", body=""))
    page.goto(f"{known.url}/sessions/{session_id(trace)}")
    expect(page.locator(".title .tag")).to_have_text(["one×", "two×"])
    known.http.patch(path, json={"tags": ["one", "two", "theirs"]})
    page.get_by_role("button", name="Remove the tag one").click()
    known.wait(path, lambda told: told["tags"] == ["two", "theirs"])
    page.get_by_role("button", name="+ tag").click()
    page.get_by_label("New tag").fill("mine")
    page.keyboard.press("Enter")
    known.wait(path, lambda told: told["tags"] == ["two", "theirs", "mine"])
    expect(page.locator(".title .tag")).to_have_text(["two×", "theirs×", "mine×"])
    page.goto("about:blank")
    known.http.delete(path)


def test_a_note_that_is_being_written_stays_when_another_one_arrives(known: Server, page: Page) -> None:
    trace = 0xAC0
    send(known, root(trace, "Noted", [], time.time_ns() - 20 * SECOND, 10, 0))
    path = f"/api/sessions/{session_id(trace)}"
    page.goto(f"{known.url}/sessions/{session_id(trace)}")
    page.get_by_role("button", name="+ note").click()
    page.keyboard.type("What I think")
    with page.expect_response(re.compile(f"{session_id(trace)}$")):
        known.http.patch(path, json={"note": "Theirs", "name": "Noted by two"})
    expect(page.get_by_role("heading", level=1)).to_have_text("Noted by two")
    expect(page.get_by_role("textbox", name="Note")).to_have_value("What I think")
    page.keyboard.press("Escape")
    expect(page.get_by_role("region", name="Note")).to_contain_text("Theirs")
    # Who wrote nothing takes nothing back.
    page.get_by_role("button", name="Change the note").click()
    known.http.patch(path, json={"note": "Theirs, anew", "name": "Renamed by them"})
    expect(page.get_by_role("heading", level=1)).to_have_text("Renamed by them")
    page.keyboard.press("Control+Enter")
    expect(page.get_by_role("region", name="Note")).to_contain_text("Theirs, anew")
    page.get_by_role("button", name="Renamed by them").click()
    known.http.patch(path, json={"name": "Renamed again"})
    expect(page).to_have_title(re.compile("Renamed again"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Renamed again")
    told = known.get(path)
    assert (told["note"], told["name"]) == ("Theirs, anew", "Renamed again")
    page.goto("about:blank")
    known.http.delete(path)


def test_what_is_folded_in_the_tree_is_on_the_timeline(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/sessions/{session_id(REFUND)}?view=tree")
    expect(page.locator(".tree-row[data-event]")).to_have_count(6)
    page.get_by_role("button", name="Fold").click()
    page.get_by_role("button", name="Close all").click()
    expect(page.locator(".tree-row[data-event]")).to_have_count(1)
    page.keyboard.press("1")
    expect(page.locator(".timeline[data-rows='6']")).to_be_visible()
    page.keyboard.press("2")
    expect(page.locator(".tree-row[data-event]")).to_have_count(1)


def test_the_panel_grows_no_further_than_it_shows(known: Server, page: Page) -> None:
    page.goto(f"{known.url}/sessions/{session_id(REFUND)}")
    divider = page.get_by_role("separator", name="Width of the event panel")
    divider.focus()
    for _ in range(40):
        page.keyboard.press("ArrowLeft")
    widest = page.locator(".panel").evaluate("(panel) => panel.clientWidth")
    page.keyboard.press("ArrowRight")
    assert page.locator(".panel").evaluate("(panel) => panel.clientWidth") <= widest - 20


def test_running_and_interrupted_events_say_so(known: Server, page: Page) -> None:
    trace, at = 0xAB4, time.time_ns() - 5 * SECOND
    begun = root(trace, "Killed", [], at, 1, 1)
    stopped = event(trace, 2, 1, "tool", "never came back", at, 1)
    for one in (begun, stopped):
        del one["endTimeUnixNano"]
    begun["attributes"] = [one for one in begun["attributes"] if "end_state" not in one["key"]]
    send(known, begun, stopped)
    page.goto(f"{known.url}/sessions/{session_id(trace)}?view=tree&event={event_id(2)}")
    row = page.locator(f".tree-row[data-event='{event_id(2)}']")
    expect(row).to_contain_text("running")
    expect(panel(page).locator(".pill")).to_have_text("running")
    expect(page.locator(".pill[data-state]").first).to_have_text("Running")
    # The session ends, the tool never did.
    send(known, root(trace, "Killed", [], at, 5000, 1, state="Indeterminate"))
    expect(row).to_contain_text("interrupted", timeout=10_000)
    expect(panel(page).locator(".pill")).to_have_text("interrupted")
    expect(page.locator(".pill[data-state]").first).to_contain_text("Indeterminate")
    page.keyboard.press("Escape")
    told = page.get_by_role("region", name="What was under way when it stopped")
    expect(told).to_contain_text(re.compile("never came back.*for 5"))


def test_what_runs_is_timed_by_the_servers_clock(known: Server, page: Page) -> None:
    trace, at = 0xABB, time.time_ns() - 5 * SECOND
    begun = root(trace, "Underway", [], at, 1, 1)
    tool = event(trace, 2, 1, "tool", "still at it", at + SECOND, 1)
    for one in (begun, tool):
        del one["endTimeUnixNano"]
    begun["attributes"] = [one for one in begun["attributes"] if "end_state" not in one["key"]]
    send(known, begun, tool)
    page.add_init_script("const told = Date.now; Date.now = () => told() + 3_600_000")
    page.goto(f"{known.url}/sessions/{session_id(trace)}")
    told = page.get_by_role("region", name="Under way")
    expect(told.locator(".num").first).to_have_text(re.compile(r"^for 0:\d\d$"))
    page.goto("about:blank")
    known.http.delete(f"/api/sessions/{session_id(trace)}")


@pytest.mark.parametrize(
    ("key", "shown"),
    [("1", "Timeline"), ("2", "Tree"), ("3", "Messages"), ("4", "Logs and errors"), ("5", "Raw")],
)
def test_a_number_shows_a_view(known: Server, page: Page, key: str, shown: str) -> None:
    open_session(page, known, "?view=raw" if key != "5" else "")
    page.keyboard.press(key)
    expect(page.get_by_role("tab", name=re.compile(f"^{shown}"))).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tabpanel", name=shown).locator("> *").first).to_be_visible()


def test_arrows_lead_from_tab_to_tab(known: Server, page: Page) -> None:
    open_session(page, known, "?view=raw")
    tabs = page.get_by_role("tablist", name="Views of the session")
    tabs.get_by_role("tab", name="Raw").focus()
    for key, shown in (
        ("ArrowRight", "Timeline"),
        ("ArrowRight", "Tree"),
        ("End", "Raw"),
        ("ArrowLeft", "Logs and"),
    ):
        page.keyboard.press(key)
        tab = tabs.get_by_role("tab", name=shown)
        expect(tab).to_be_focused()
        expect(tab).to_have_attribute("aria-selected", "true")
    # No event was selected meanwhile, and one stop of Tab is enough for all of them.
    assert page.url.endswith("?view=logs")
    page.keyboard.press("Tab")
    expect(tabs.locator(":focus")).to_have_count(0)


def test_the_timelines_keys_zoom_pan_and_frame(known: Server, page: Page) -> None:
    open_session(page, known)
    drawn = timeline(page)

    def window() -> str:
        return drawn.get_attribute("data-window") or ""

    def pressed(key: str) -> tuple[float, float]:
        before = window()
        page.keyboard.press(key)
        expect(drawn).not_to_have_attribute("data-window", before)
        first, last = window().split("-")
        return float(first), float(last)

    first, second = pressed("w"), pressed("w")
    assert round(second[1] - second[0]) == round((first[1] - first[0]) / 1.4)
    third = pressed("d")
    assert third[0] > second[0]
    assert pressed("a")[0] < third[0]
    for _ in range(3):
        page.keyboard.press("s")
    expect(drawn).to_have_attribute("data-window", "whole")
    # A press on the small picture goes there: near its right end, to the end of the session.
    strip = page.locator("canvas.strip")
    box = strip.bounding_box()
    assert box is not None
    strip.click(position={"x": box["width"] - 30, "y": 20})
    expect(drawn).to_have_attribute("data-window", "1800-2000")
    page.get_by_role("button", name="Ruler: relative").click()
    page.get_by_role("button", name="Clock time").click()
    expect(page).to_have_url(re.compile("ruler=clock"))


@pytest.mark.parametrize("path", ["/sessions", f"/sessions/{session_id(REFUND)}", "/settings"])
def test_a_narrow_screen_is_for_reading(known: Server, browser: Browser, path: str) -> None:
    context = browser.new_context(viewport={"width": 390, "height": 844}, has_touch=True)
    page = context.new_page()
    page.goto(known.url + path)
    expect(page.locator(".table-row[data-session], .timeline[data-painted], .settings").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    if path.endswith(session_id(REFUND)):
        page.goto(f"{known.url}{path}?view=tree")
        page.locator(f".tree-row[data-event='{event_id(REFUNDING)}']").click()
        # The event lies over the list, and gives way.
        expect(panel(page)).to_contain_text("the bank is slow")
        page.get_by_role("button", name="Back to the events").click()
        expect(page.locator(f".tree-row[data-event='{event_id(REFUNDING)}']")).to_be_visible()
    context.close()


def test_what_failed_says_how_much_more_did(known: Server, page: Page) -> None:
    trace, at = 0xAB9, time.time_ns() - 86_400 * SECOND
    calls = [
        event(trace, number, 1, "tool", f"tool {number}", at + number * MS, 1, failed=("E", "no", ""))
        for number in range(2, 9)
    ]
    send(known, root(trace, "Seven errors", [], at, 300, 7), *calls)
    page.goto(f"{known.url}/sessions/{session_id(trace)}")
    failed = page.get_by_role("region", name="What failed")
    expect(failed.get_by_role("listitem")).to_have_count(5)
    failed.get_by_role("link", name="and 2 more").click()
    expect(page).to_have_url(re.compile("view=logs"))
    expect(page.get_by_role("region", name="Errors").get_by_role("article")).to_have_count(7)
    known.http.delete(f"/api/sessions/{session_id(trace)}")
