"""No span and no record makes the reader raise, and what it did not understand is kept."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from agentops import semconv
from agentops.model import Link, SpanEvent
from agentops.server.normalise import Event, normalise, normalise_log, restored
from agentops.server.normalise.content import CONTENT_EVENTS
from agentops.server.normalise.dialects import FLAT, INDEX
from agentops.server.normalise.spans import _event as unguarded  # pyright: ignore[reportPrivateUsage] -- see below
from tests.unit.normalise.spans import span
from tests.unit.normalise.test_logs import record

WORDS = (
    "chat",
    "LLM",
    "agent",
    "tool",
    "session",
    "success",
    "[]",
    "{}",
    '"x"',
    '[{"role":"user","content":[{}]}]',
    '{"messages":[{"role":"a","parts":[{"type":"tool_call"}]}]}',
    '[{"parts":[null]}]',
    '{"kwargs":{},"id":[1]}',
    '[{"type":"image_url","image_url":null}]',
    '{"functionCall":{}}',
)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | TEXT
    | st.sampled_from(WORDS),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            TEXT
            | st.sampled_from(
                (
                    "type",
                    "role",
                    "content",
                    "parts",
                    "id",
                    "name",
                    "tool_calls",
                    "function",
                    "arguments",
                    "text",
                    "source",
                    "message",
                    "image",
                    "result",
                    "kwargs",
                    "data",
                    "messages",
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=6,
)
AS_JSON = PLAIN.map(json.dumps)
FLAT_NAMES = st.tuples(
    st.sampled_from(FLAT),
    st.lists(
        st.sampled_from(
            (
                "0",
                "1",
                "7",
                "message",
                "role",
                "content",
                "contents",
                "message_content",
                "tool_calls",
                "tool_call",
                "function",
                "name",
                "arguments",
                "type",
                "text",
                "image",
                "document",
                "embedding",
                "prompt",
                "completion",
                "",
            )
        ),
        min_size=1,
        max_size=6,
    ),
).map(lambda pair: pair[0] + ".".join(pair[1]))
NAMES = st.sampled_from(sorted(INDEX)) | FLAT_NAMES | TEXT
ATTRIBUTES = st.dictionaries(NAMES, PLAIN | AS_JSON, max_size=6)
EVENTS = st.lists(
    st.builds(
        SpanEvent,
        st.sampled_from((*sorted(CONTENT_EVENTS), "exception", "x")),
        st.integers(0, 2**62),
        ATTRIBUTES,
    ),
    max_size=3,
)


@settings(max_examples=150, deadline=None)
@given(ATTRIBUTES, EVENTS, st.booleans(), st.sampled_from((0, 5, 2**62)), st.integers(0, 3), TEXT)
def test_any_span_is_read_and_kept(
    said: dict[str, Any], events: list[SpanEvent], own: bool, end_ns: int, status: int, name: str
) -> None:
    # Not through the guard of `normalise`: the tables themselves hold.
    given_span = span(
        said, own=own, events=events, end_ns=end_ns, status=status, name=name, links=[Link("a", "b")]
    )
    found = unguarded(given_span)
    assert normalise(given_span) == found
    kept = restored(found.attributes, found.input, found.output)
    kept.pop("agentops.received.end_time_unix_nano", None)
    assert kept == json.loads(msgspec.json.encode(said))
    assert [each["name"] for each in json.loads(found.span_events)] == [each.name for each in events]
    assert msgspec.json.decode(msgspec.json.encode(found), type=Event) == found, (
        "every field has its declared type"
    )
    assert found.kind in (*semconv.KINDS, "session")
    assert found.status in ("ok", "error", "running")
    assert len(found.input_preview) <= 200
    assert len(found.output_preview) <= 200
    for body, form in ((found.input, found.input_format), (found.output, found.output_format)):
        assert form in ("", "messages", "json", "text")
        assert bool(body) == bool(form) or form == "text"
        if form == "messages":
            for message in json.loads(body):
                assert isinstance(message["role"], str)
                assert all(isinstance(part["type"], str) for part in message["parts"])
        elif form == "json":
            json.loads(body)
    tokens = (found.tokens_input, found.tokens_cache_read, found.tokens_cache_write)
    if tokens[0] is not None:
        assert tokens[0] >= (tokens[1] or 0) + (tokens[2] or 0), "the input holds its cached tokens"


@settings(max_examples=80, deadline=None)
@given(ATTRIBUTES, PLAIN | AS_JSON, st.sampled_from((*sorted(CONTENT_EVENTS), "", "x")))
def test_any_record_is_read_and_kept(said: dict[str, Any], body: Any, name: str) -> None:
    found = normalise_log(record(body, said, event_name=name))
    assert json.loads(found.attributes) == json.loads(msgspec.json.encode(said))
    assert found.body or body in (None, "")
    for listed in (found.input, found.output):
        assert listed == "" or isinstance(json.loads(listed), list)


@settings(max_examples=60, deadline=None)
@given(
    st.dictionaries(NAMES, st.text(st.characters(), max_size=100), max_size=6),
    st.text(st.characters(), max_size=5),
)
def test_text_of_any_characters_can_be_stored(said: dict[str, Any], name: str) -> None:
    found = normalise(span(said, name=name))
    msgspec.json.encode(found)
    msgspec.json.encode(normalise_log(record(name, said)))
