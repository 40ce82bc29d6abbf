"""What arrives as OTLP is what the rest of the server sees, in either encoding, and bad spans go alone."""

from __future__ import annotations

import codecs
import contextlib
import json
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

from agentops.otlp.decode import (
    Encoding,
    MalformedBody,
    Rejected,
    check_metrics,
    decode_logs,
    decode_traces,
)
from agentops.otlp.limits import DROPPED, MAX_ATTRIBUTES, MAX_DEPTH, MAX_TEXT, TOO_DEEP
from agentops.otlp.noted import NOTED
from tests.unit.otlp.bodies import (
    SPAN,
    START,
    TRACE,
    as_json,
    as_protobuf,
    attributes,
    logs,
    span,
    traces,
    value,
)

ENCODINGS: tuple[Encoding, ...] = ("json", "protobuf")


def encode(request: dict[str, Any], encoding: Encoding) -> bytes:
    return as_json(request) if encoding == "json" else as_protobuf(request)


FULL = span(
    {
        "text": "a",
        "empty": "",
        "whole": -5,
        "large": 2**62,
        "real": 0.25,
        "yes": True,
        "no": False,
        "list": ["a", 1, None],
        "map": {"inner": {"deep": [1.5]}},
        "bytes": b"\x00\xff",
        "nothing": None,
    },
    parentSpanId="00f067aa0ba902b8",
    traceState="a=b",
    kind=3,
    status={"code": 2, "message": "broke"},
    events=[
        {
            "name": "exception",
            "timeUnixNano": str(START + 5),
            "attributes": attributes({"exception.type": "E"}),
        }
    ],
    links=[
        {
            "traceId": TRACE,
            "spanId": SPAN,
            "attributes": attributes({"why": "retry"}),
            "traceState": "c=d",
            "droppedAttributesCount": 6,
            "flags": 257,
        }
    ],
    droppedAttributesCount=2,
    droppedEventsCount=3,
    droppedLinksCount=4,
    flags=769,
)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_field_of_a_span_arrives(encoding: Encoding) -> None:
    found = decode_traces(encode(traces(FULL), encoding), encoding)
    assert found.rejected == []
    (got,) = found.spans
    assert msgspec.to_builtins(got) == {
        "trace_id": TRACE,
        "span_id": SPAN,
        "parent_id": "00f067aa0ba902b8",
        "name": "step",
        "start_ns": START,
        "end_ns": START + 1_000_000,
        "resource": {"attributes": {"service.name": "tests"}},
        "scope": {"name": "test", "version": "1", "attributes": {}},
        "attributes": {
            "text": "a",
            "empty": "",
            "whole": -5,
            "large": 2**62,
            "real": 0.25,
            "yes": True,
            "no": False,
            "list": ["a", 1, None],
            "map": {"inner": {"deep": [1.5]}},
            "bytes": "AP8=",
            "nothing": None,
            NOTED: {"/bytes": "bytes"},
            "otel.dropped_attributes_count": 2,
            "otel.dropped_events_count": 3,
            "otel.dropped_links_count": 4,
        },
        "events": [{"name": "exception", "time_ns": START + 5, "attributes": {"exception.type": "E"}}],
        "links": [
            {
                "trace_id": TRACE,
                "span_id": SPAN,
                "attributes": {"why": "retry", "otel.dropped_attributes_count": 6},
                "trace_state": "c=d",
                "flags": 257,
            }
        ],
        "kind": 3,
        "status": 2,
        "status_message": "broke",
        "trace_state": "a=b",
        "flags": 769,
    }


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_start_record_has_no_end(encoding: Encoding) -> None:
    (got,) = decode_traces(encode(traces(span(endTimeUnixNano=None)), encoding), encoding).spans
    assert got.end_ns == 0


@pytest.mark.parametrize("encoding", ENCODINGS)
@pytest.mark.parametrize(
    ("bad", "field"),
    [
        (span(traceId=TRACE[:-2]), "trace_id"),
        (span(traceId="0" * 32), "trace_id"),
        (span(traceId=None), "trace_id"),
        (span(spanId=SPAN + "00"), "span_id"),
        (span(spanId="0" * 16), "span_id"),
        (span(parentSpanId="abcd"), "parent_span_id"),
        (span(startTimeUnixNano=None), "start_time_unix_nano is missing"),
        (span(startTimeUnixNano=str(2**63)), "start_time_unix_nano"),
        (span(endTimeUnixNano=str(2**64 - 1)), "end_time_unix_nano"),
    ],
)
def test_a_bad_span_is_refused_alone_and_named(encoding: Encoding, bad: dict[str, Any], field: str) -> None:
    found = decode_traces(
        encode(traces(span(name="before"), bad, bad, span(name="after")), encoding), encoding
    )
    assert [each.name for each in found.spans] == ["before", "after"]
    assert [each.count for each in found.rejected] == [2]
    assert field in found.rejected[0].reason


def test_a_kind_of_no_name_is_refused_with_the_names_form() -> None:
    found = decode_traces(as_json(traces(span(kind="WHAT"), span(kind="3"), span(kind="client"))), "json")
    assert [one.kind for one in found.spans] == [3, 3]
    assert found.rejected == [
        Rejected("kind must be a number or a name such as SPAN_KIND_INTERNAL", 1),
    ]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_all_zero_parent_is_no_parent(encoding: Encoding) -> None:
    (got,) = decode_traces(encode(traces(span(parentSpanId="0" * 16)), encoding), encoding).spans
    assert got.parent_id == ""


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("json", b""),
        ("json", b"nonsense"),
        ("json", b"[]"),
        ("json", b'"x"'),
        ("json", b'{"resourceSpans": 3}'),
        ("json", b'{"resourceSpans": [{"scopeSpans": "x"}]}'),
        ("json", b'{"resourceSpans": [{"resource": 3, "scopeSpans": []}]}'),
        ("json", b'{"resourceSpans": ' + b"[" * 100_000),
        ("protobuf", b"nonsense"),
        ("protobuf", as_protobuf(traces(FULL))[:-10]),
    ],
)
def test_a_body_that_is_no_request_is_malformed(encoding: Encoding, body: bytes) -> None:
    with pytest.raises(MalformedBody, match=r"^The body "):
        decode_traces(body, encoding)
    with pytest.raises(MalformedBody, match=r"^The body "):
        decode_logs(body.replace(b"Spans", b"Logs"), encoding)


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_an_empty_request_is_fine(encoding: Encoding) -> None:
    assert decode_traces(encode(traces(), encoding), encoding).spans == []
    assert decode_traces(b"{}" if encoding == "json" else b"", encoding).spans == []


def test_one_span_of_a_wrong_type_does_not_sink_a_json_batch() -> None:
    found = decode_traces(
        as_json(traces(span(name="a"), span(name=5), span(events="x"), span(name="b"))), "json"
    )
    assert [each.name for each in found.spans] == ["a", "b"]
    assert [(each.reason.partition(":")[0], each.count) for each in found.rejected] == [
        ("name", 1),
        ("events", 1),
    ]


def test_json_is_read_generously() -> None:
    loose = span(
        {"a": "b"},
        traceId=TRACE.upper(),
        spanId="APBnqgupArc=",
        kind="SPAN_KIND_CLIENT",
        status={"code": "STATUS_CODE_ERROR", "message": None},
        startTimeUnixNano=START,
        links=None,
        unknownField={"x": 1},
    )
    loose["events"] = None
    loose["attributes"].append({"key": "n", "value": {"intValue": 7}})
    loose["attributes"].append({"key": "none", "value": None})
    (got,) = decode_traces(as_json(traces(loose)), "json").spans
    assert (got.trace_id, got.span_id, got.kind, got.status, got.start_ns) == (TRACE, SPAN, 3, 2, START)
    assert got.attributes == {"a": "b", "n": 7, "none": None}


def test_a_byte_order_mark_before_json_is_skipped() -> None:
    body = codecs.BOM_UTF8 + as_json(traces(span({"a": "b"})))
    assert decode_traces(body, "json") == decode_traces(as_json(traces(span({"a": "b"}))), "json")
    assert decode_logs(codecs.BOM_UTF8 + b"{}", "json").records == []
    check_metrics(codecs.BOM_UTF8 + b"{}", "json")


def test_snake_case_names_are_understood() -> None:
    body = b"""{"resource_spans": [{"scope_spans": [{"spans": [{"trace_id": "%s", "span_id": "%s",
        "name": "s",
        "start_time_unix_nano": "5", "end_time_unix_nano": 6,
        "attributes": [{"key": "a_b", "value": {"string_value": "c_d"}}]}]}]}]}""" % (
        TRACE.encode(),
        SPAN.encode(),
    )
    (got,) = decode_traces(body, "json").spans
    assert (got.start_ns, got.end_ns, got.attributes) == (5, 6, {"a_b": "c_d"})


def test_text_that_is_not_unicode_is_mended_not_lost() -> None:
    surrogate = as_json(traces(span({"a": "x\ud800y"}))).replace(b"step", b"st\xffep")
    (got,) = decode_traces(surrogate, "json").spans
    assert (got.name, got.attributes) == ("st\ufffdep", {"a": "x\ufffdy"})

    cut = as_protobuf(traces(span({"a": "good"}), span({"a": "caf\u00e9"}))).replace(
        "\u00e9".encode(), b"\xc3x"
    )
    found = decode_traces(cut, "protobuf")
    assert [each.attributes["a"] for each in found.spans] == ["good", "caf\ufffdx"]
    assert found.rejected == []


def test_numbers_that_json_has_not_become_their_names() -> None:
    body = as_json(traces(span())).replace(
        b'"attributes": []',
        b'"attributes": [{"key": "a", "value": {"doubleValue": NaN}},'
        b' {"key": "b", "value": {"doubleValue": "-Infinity"}}]',
    )
    (got,) = decode_traces(body, "json").spans
    assert got.attributes == {"a": "NaN", "b": "-Infinity", NOTED: {"/a": "double", "/b": "double"}}
    (got,) = decode_traces(as_protobuf(traces(span({"a": float("inf")}))), "protobuf").spans
    assert got.attributes == {"a": "Infinity", NOTED: {"/a": "double"}}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_key_that_comes_twice_has_the_type_of_its_last_value(encoding: Encoding) -> None:
    one = span({"a": b"\x00", "b": {"c": b"\x00"}, "d": b"\x00"})
    for key, text in (("a", "AAAA"), ("b", "text")):
        one["attributes"].append({"key": key, "value": {"stringValue": text}})
    (got,) = decode_traces(encode(traces(one), encoding), encoding).spans
    assert got.attributes == {"a": "AAAA", "b": "text", "d": "AA==", NOTED: {"/d": "bytes"}}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_where_bytes_and_such_numbers_stand_is_noted(encoding: Encoding) -> None:
    said: dict[str, Any] = {
        "a/b~c": [1, {"x": b"\x00"}],
        "": [[float("-inf")]],
        "plain": ["AP8=", "NaN", 0.0],
    }
    (got,) = decode_traces(encode(traces(span(said)), encoding), encoding).spans
    assert got.attributes == {
        "a/b~c": [1, {"x": "AA=="}],
        "": [["-Infinity"]],
        "plain": ["AP8=", "NaN", 0.0],
        NOTED: {"/a~1b~0c/1/x": "bytes", "//0/0": "double"},
    }


def nested(depth: int) -> Any:
    found: Any = "bottom"
    for _ in range(depth):
        found = [found]
    return found


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_values_nested_too_deeply_are_cut_visibly(encoding: Encoding) -> None:
    found = decode_traces(
        encode(traces(span({"a": nested(MAX_DEPTH + 3)}), span({"b": 1})), encoding), encoding
    )
    value: Any = found.spans[0].attributes["a"]
    for _ in range(MAX_DEPTH):
        (value,) = value
    assert value == TOO_DEEP
    assert found.spans[1].attributes == {"b": 1}


def test_a_span_nested_beyond_protobufs_own_limit_is_refused_alone() -> None:
    request = ExportTraceServiceRequest.FromString(as_protobuf(traces(span({"a": 1}), span({"b": "x"}))))
    value = request.resource_spans[0].scope_spans[0].spans[0].attributes[0].value
    for _ in range(400):
        value = value.array_value.values.add()
    value.string_value = "bottom"
    found = decode_traces(request.SerializeToString(), "protobuf")
    assert [each.attributes for each in found.spans] == [{"b": "x"}]
    assert [each.count for each in found.rejected] == [1]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_what_exceeds_a_limit_is_cut_and_counted(encoding: Encoding) -> None:
    many = {f"k{n}": n for n in range(MAX_ATTRIBUTES + 5)}
    (got,) = decode_traces(encode(traces(span(many)), encoding), encoding).spans
    assert got.attributes[DROPPED] == 5
    assert len(got.attributes) == MAX_ATTRIBUTES + 1
    (got,) = decode_traces(encode(traces(span({"a": "x" * (MAX_TEXT + 9)})), encoding), encoding).spans
    assert got.attributes["a"].endswith(f"x… [cut: {MAX_TEXT + 9} characters]")
    (got,) = decode_traces(encode(traces(span({"a": 1}, droppedAttributesCount=4)), encoding), encoding).spans
    assert got.attributes == {"a": 1, "otel.dropped_attributes_count": 4}


RECORD = {
    "timeUnixNano": str(START),
    "severityNumber": 13,
    "severityText": "WARN",
    "body": value({"a": [1]}),
    "attributes": attributes({"k": "v"}),
    "traceId": TRACE,
    "spanId": SPAN,
    "eventName": "gen_ai.choice",
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_every_field_of_a_log_record_arrives(encoding: Encoding) -> None:
    bare = {"observedTimeUnixNano": str(START + 1), "body": value("hello")}
    bad = {**RECORD, "traceId": "abcd"}
    found = decode_logs(encode(logs(RECORD, bad, bare), encoding), encoding)
    full, short = found.records
    assert (full.time_ns, full.severity, full.severity_text, full.body) == (START, 13, "WARN", {"a": [1]})
    assert (full.attributes, full.trace_id, full.span_id, full.event_name) == (
        {"k": "v"},
        TRACE,
        SPAN,
        "gen_ai.choice",
    )
    assert (short.time_ns, short.body, short.trace_id, short.severity) == (START + 1, "hello", "", 0)
    assert [each.count for each in found.rejected] == [1]
    assert "trace_id" in found.rejected[0].reason


PLAIN = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**63), 2**63 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text()
    | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


@settings(max_examples=150, deadline=None)
@given(st.dictionaries(st.text(max_size=8), PLAIN, max_size=6), st.text())
def test_both_encodings_say_the_same(said: dict[str, Any], name: str) -> None:
    request = traces(span(said, name=name))
    assert decode_traces(as_json(request), "json") == decode_traces(as_protobuf(request), "protobuf")


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200), st.integers(0, 400), st.sampled_from(ENCODINGS))
def test_no_body_raises_anything_else(noise: bytes, at: int, encoding: Encoding) -> None:
    whole = encode(traces(FULL, FULL), encoding)
    for body in (noise, whole[:at] + noise + whole[at:], whole[:at] + noise + whole[at + len(noise) :]):
        for decode in (decode_traces, decode_logs):
            with contextlib.suppress(MalformedBody):
                decode(body, encoding)


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
        lambda inner: (
            st.lists(inner, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    (
                        "resourceSpans",
                        "scopeSpans",
                        "spans",
                        "traceId",
                        "attributes",
                        "key",
                        "value",
                        "arrayValue",
                        "values",
                        "stringValue",
                        "intValue",
                        "events",
                        "status",
                        "code",
                        "resource",
                        "scope",
                    )
                ),
                inner,
                max_size=4,
            )
        ),
        max_leaves=20,
    )
)
def test_no_json_of_any_shape_raises_anything_else(plain: Any) -> None:
    for request in (plain, {"resourceSpans": [{"scopeSpans": [{"spans": [plain, span()]}]}]}):
        try:
            found = decode_traces(json.dumps(request).encode(), "json")
        except MalformedBody:
            continue
        if isinstance(request, dict) and request is not plain:
            assert SPAN in [each.span_id for each in found.spans]


def test_refusals_are_counted_by_reason() -> None:
    found = decode_traces(as_json(traces(*[span(traceId="ab")] * 3, span(startTimeUnixNano="0"))), "json")
    assert found.rejected == [
        Rejected("trace_id must be 32 hex characters", 3),
        Rejected("start_time_unix_nano is missing", 1),
    ]
