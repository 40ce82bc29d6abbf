"""What one value and one span may hold: cut in sight, JSON still JSON, masked before it is cut."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry import trace

import agentops
from agentops.otlp import encode
from agentops.sdk.bounds import MAX_ATTRIBUTES, SPAN_VALUES, bounded, level
from agentops.sdk.capture import Cutting
from agentops.sdk.client import client
from tests.recorded import Journal

Read = Callable[[], Journal]
LIMIT = 10_000

JSON = st.recursive(
    st.none() | st.integers(-(2**40), 2**40) | st.text('aé😀\n"', max_size=300),
    lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text("ab", max_size=5), inner, max_size=5),
    max_leaves=20,
)


def test_what_fits_comes_back_as_it_is() -> None:
    given = {"a": "x" * 100, "n": 1, "list": (1.5, 2.5), "none": None}
    assert bounded(given, LIMIT, Cutting()) is given


def test_an_image_in_a_conversation_is_cut_and_the_answer_stays() -> None:
    image = "data:image/png;base64," + base64.b64encode(bytes(50_000)).decode()
    messages = [
        {
            "role": "user",
            "parts": [{"type": "text", "content": "What is it?"}, {"type": "blob", "content": image}],
        },
        {"role": "assistant", "parts": [{"type": "text", "content": "A cat."}]},
    ]
    cutting = Cutting()
    text = bounded({"gen_ai.input.messages": json.dumps(messages)}, LIMIT, cutting)["gen_ai.input.messages"]
    assert len(text) <= LIMIT
    found = json.loads(text)
    assert found[1] == messages[1]
    assert found[0]["parts"][0]["content"] == "What is it?"
    kept = found[0]["parts"][1]["content"]
    assert kept.startswith(image[:5000])
    assert kept.endswith(f"… [cut: {len(image)} characters]")
    assert cutting.values == 1


def test_a_text_that_is_no_json_is_cut_as_text_and_by_its_bytes() -> None:
    found = bounded({"a": "[no json" + "é" * LIMIT}, LIMIT, Cutting())["a"]
    assert found.endswith(f"… [cut: {LIMIT + 8} characters]")
    assert LIMIT - 100 < len(found.encode()) < LIMIT + 100


def test_vectors_are_cut_by_their_items() -> None:
    found = bounded({"embedding": tuple(float(one) for one in range(5000))}, LIMIT, Cutting())["embedding"]
    assert found[:3] == [0.0, 1.0, 2.0]
    assert found[-1] == f"… [cut: {5000 - len(found) + 1} of 5000 items]"


def test_a_span_of_many_values_is_cut_as_a_whole_and_its_small_ones_stay() -> None:
    attributes = {f"message.{number}": "x" * LIMIT for number in range(20)} | {"model": "gpt-4o"}
    found = bounded(attributes, LIMIT, Cutting())
    assert found["model"] == "gpt-4o"
    assert sum(map(len, found.values())) < LIMIT * SPAN_VALUES + 20 * 50
    assert all("… [cut: 10000 characters]" in found[f"message.{number}"] for number in range(20))


def test_attributes_beyond_number_are_dropped_and_counted() -> None:
    given = {f"a{number}": 1 for number in range(MAX_ATTRIBUTES + 8)}
    # The last of a span's attributes, and what makes it an event of its session.
    found = bounded({**given, "session.id": "s", "agentops.record.seq": 7}, LIMIT, Cutting())
    assert len(found) == MAX_ATTRIBUTES
    assert (found["session.id"], found["agentops.record.seq"]) == ("s", 7)
    assert found["agentops.limits.dropped"] == 11


@given(sizes=st.lists(st.integers(0, 1000), min_size=1, max_size=30), room=st.integers(0, 20_000))
def test_the_level_is_the_greatest_that_fits(sizes: list[int], room: int) -> None:
    def taken(size: int) -> int:
        return sum(min(one, size) for one in sizes)

    found = level(sizes, room)
    assert taken(found) <= room
    assert found >= max(sizes) or taken(found + 1) > room


@settings(max_examples=60, deadline=None)
@given(value=JSON, limit=st.integers(300, 3000))
def test_json_stays_json_within_its_size(value: Any, limit: int) -> None:
    text = json.dumps([value], ensure_ascii=False)
    cutting = Cutting()
    found = bounded({"a": text}, limit, cutting)["a"]
    # Blanks between values may go, and make one that was a little too long fit.
    assert (json.loads(found) == [value]) == (cutting.values == 0)
    # A marker stands for what was cut; where there are many values each may need one.
    assert len(found.encode()) <= max(2 * limit, limit + 1000)


def test_what_instrumentation_records_is_cut_and_masked_before_it_is_written(
    home: object, journal: Read
) -> None:
    agentops.init(instrument_llm_calls=False, redact=[r"secret-\d+"], max_value_bytes=2000)
    with trace.get_tracer("somebody").start_as_current_span("call") as span:
        # Half of it would stand before the cut, and no pattern would know it for one.
        span.set_attribute("input.value", "x" * 1990 + " secret-123456789012 " + "y" * 5000)
        span.set_attribute("messages", json.dumps([{"content": "secret-1 " + "z" * 9000}]))
        span.add_event("told", {"what": "secret-2 " + "w" * 9000})
    recorded = journal().named("call")
    assert "secret" not in journal().text
    assert recorded.attributes["input.value"].startswith("x" * 1900)
    # The length is that of what could be written: masked.
    assert "characters]" in recorded.attributes["input.value"]
    assert json.loads(recorded.attributes["messages"])[0]["content"].startswith("[redacted] zzz")
    assert len(json.dumps(recorded.events)) < 3000
    assert client.recorder.cutting.values >= 3


def test_a_secret_at_the_cut_of_a_captured_value_is_masked(home: object, journal: Read) -> None:
    agentops.init(instrument_llm_calls=False, redact=[r"\b\d{16}\b"], max_value_bytes=1000)

    @agentops.operation
    def pay(text: str) -> str:
        return text

    for before in (960, 970, 980, 990):
        pay("x" * before + " 1234567890123456 " + "y" * 9000)
    assert "123456" not in journal().text


def test_what_a_program_puts_on_our_own_span_is_cut_too(session: agentops.Session, journal: Read) -> None:
    agentops.configure(max_value_bytes=1000)

    @agentops.operation
    def work() -> None:
        span = trace.get_current_span()
        span.set_attribute("big", "x" * 5000)
        span.update_name("n" * 5000)

    work()
    (recorded,) = journal().events
    assert recorded.attributes["big"] == "x" * 1000 + "… [cut: 5000 characters]"
    assert recorded.name == "n" * 1000 + "… [cut: 5000 characters]"


NAMES = st.text(max_size=30)
VALUES = (
    st.text(max_size=50)
    | st.integers(-(2**70), 2**70)
    | st.booleans()
    | st.none()
    | st.floats()
    | st.lists(st.text(max_size=5), max_size=3)
)


@settings(max_examples=60, deadline=None)
@given(
    trace_id=st.integers(1, 2**128 - 1),
    ids=st.tuples(st.integers(1, 2**64 - 1), st.integers(1, 2**64 - 1)),
    name=NAMES,
    state=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=40),
    attributes=st.dictionaries(NAMES, VALUES, max_size=6),
    end_ns=st.sampled_from((0, 6)),
    status=st.sampled_from((0, 1)),
)
def test_a_plain_line_says_what_the_longer_way_says(
    trace_id: int,
    ids: tuple[int, int],
    name: str,
    state: str,
    attributes: dict[str, Any],
    end_ns: int,
    status: int,
) -> None:
    tail = encode.scope("agentops", "1")
    head = encode.line_head(trace_id, state)
    pairs = encode.plain_pairs(attributes)
    plain = encode.plain_line(head, *ids, name, 5, end_ns, pairs, tail, status)
    general = encode.span_line(
        tail, trace_id, *ids, name, 1, 5, end_ns, attributes, status=status, trace_state=state
    )
    found, wanted = json.loads(plain), json.loads(general)
    for one in (found, wanted):
        one["spans"][0].setdefault("traceState", "")
        one["spans"][0].setdefault("attributes", [])
    assert found == wanted
    assert list(found) == ["spans", "scope"]


@pytest.mark.parametrize("text", ["\ud800", "x\udfff"])
def test_lone_surrogates_are_repaired_whichever_way(
    session: agentops.Session, journal: Read, text: str
) -> None:
    @agentops.operation(name=f"n{text}")
    def work(given: str) -> str:
        return given

    assert work(text) == text
    (recorded,) = journal().events
    assert recorded.output == text.replace("\ud800", "?").replace("\udfff", "?")
