"""A structure-aware fuzzer of OTLP: requests that Hypothesis builds, in both encodings, and mutations of them.

Hypothesis draws a request whose attributes are those that our dialect tables read, with values of every kind;
each one is written as JSON and as protobuf, and a seeded mutator makes variants of both: bits, cuts, copies,
lengths that lie, JSON values of another type. An input passes when it is taken or refused as malformed: any
other exception would be a 500.
"""

from __future__ import annotations

import gc
import itertools
import random
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

import msgspec
import psutil
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st

from agentops.otlp.decode import decode_logs, decode_traces
from agentops.otlp.refusal import MalformedBody
from agentops.server.ingest.rows import rows
from agentops.server.normalise import normalise_log
from agentops.server.normalise.dialects import INDEX

Encoding = Literal["json", "protobuf"]
Strategy = st.SearchStrategy[Any]
_VARIANTS: Final = 120
"""Mutated inputs made of each drawn request, half of them JSON, half protobuf."""
_ROUND: Final = 20_000
SLOW_S: Final = 2.0
"""An input that takes longer is a hang."""


def _pair(key: str, value: Any) -> dict[str, Any]:
    return {"key": key, "value": value}


def _map(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    return {"kvlistValue": {"values": [_pair(key, value) for key, value in pairs]}}


def _list(found: list[Any]) -> dict[str, Any]:
    return {"arrayValue": {"values": found}}


def _event(name: str, time_ns: str, found: list[Any]) -> dict[str, Any]:
    return {"name": name, "timeUnixNano": time_ns, "attributes": found}


def _traces(spans: list[Any], found: list[Any]) -> tuple[str, dict[str, Any]]:
    return "traces", _request("resourceSpans", "scopeSpans", "spans", spans, found)


def _logs(records: list[Any], found: list[Any]) -> tuple[str, dict[str, Any]]:
    return "logs", _request("resourceLogs", "scopeLogs", "logRecords", records, found)


def _request(
    outer: str, inner: str, leaf: str, items: list[Any], resource_attributes: list[Any]
) -> dict[str, Any]:
    return {
        outer: [
            {
                "resource": {"attributes": resource_attributes},
                inner: [{"scope": {"name": "fuzz"}, leaf: items}],
            }
        ]
    }


_names: Strategy = st.sampled_from(sorted(INDEX)) | st.sampled_from(
    ["gen_ai.prompt.0.content", "llm.input_messages.1.message.role", "gen_ai.completion.999999.role", "x", ""]
)
_words: Strategy = st.sampled_from(
    [
        "chat", "llm", "tool", "session", "gpt-4o", "claude-sonnet-4-5", "Success", '{"a":', "[[[[", "\x00", "\ud83d",
        '[{"role":"user","content":"x"}]', "9" * 400, "NaN", "💥" * 50, "' OR 1=1 --",
    ]
) | st.text(max_size=40)  # fmt: skip
_scalars: Strategy = st.one_of(
    _words.map(lambda text: {"stringValue": text}),
    st.integers(-(2**63), 2**64).map(lambda number: {"intValue": str(number)}),
    st.floats(allow_nan=False, allow_infinity=False).map(lambda number: {"doubleValue": number}),
    st.booleans().map(lambda flag: {"boolValue": flag}),
    st.just({}),
)
_values: Strategy = st.recursive(
    _scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=4).map(_list),
        st.lists(st.tuples(_names, inner), max_size=4).map(_map),
    ),
    max_leaves=6,
)
_attributes: Strategy = st.lists(st.builds(_pair, _names, _values), max_size=8)
_ids: Strategy = st.sampled_from(["", "0", "f" * 31]).map(str) | st.integers(0, 2**128 - 1).map(
    lambda n: f"{n:032x}"
)
_times: Strategy = st.integers(-(2**63), 2**64).map(str) | st.just("1790000000000000000") | st.just("0")
_spans: Strategy = st.fixed_dictionaries(
    {
        "traceId": _ids,
        "spanId": _ids.map(lambda text: text[:16]),
        "parentSpanId": _ids.map(lambda text: text[:16]),
        "name": _words,
        "kind": st.integers(-1, 9),
        "startTimeUnixNano": _times,
        "endTimeUnixNano": _times,
        "attributes": _attributes,
        "status": st.fixed_dictionaries({"code": st.integers(-1, 5), "message": _words}),
        "events": st.lists(
            st.builds(
                _event,
                _words | st.just("exception") | st.just("gen_ai.choice"),
                _times,
                _attributes,
            ),
            max_size=2,
        ),
    }
)
_records: Strategy = st.fixed_dictionaries(
    {
        "traceId": _ids,
        "spanId": _ids.map(lambda text: text[:16]),
        "timeUnixNano": _times,
        "severityNumber": st.integers(-1, 30),
        "body": _values,
        "attributes": _attributes,
        "eventName": _words | st.just("gen_ai.choice"),
    }
)


requests: Strategy = st.one_of(
    st.builds(_traces, st.lists(_spans, min_size=1, max_size=3), _attributes),
    st.builds(_logs, st.lists(_records, min_size=1, max_size=3), _attributes),
)
"""(signal, request as OTLP/JSON)."""


def as_json(request: dict[str, Any]) -> bytes:
    """Return a request as it would be posted, lone surrogates as escapes."""
    import json

    return json.dumps(request).encode()


def as_protobuf(signal: str, request: dict[str, Any]) -> bytes:
    """Return a request in protobuf, values that have no place there left out."""
    shape = _SHAPES["request"] if signal == "traces" else _SHAPES["logs"]
    return _message(shape, request)


# The part of opentelemetry-proto that is fuzzed: field name to its number, wire kind and inner shape. Written out
# here, so that the writer shares nothing with the reader under test.
_SHAPES: Final[dict[str, dict[str, tuple[int, str, str]]]] = {
    "request": {"resourceSpans": (1, "messages", "resourceSpans")},
    "resourceSpans": {"resource": (1, "message", "resource"), "scopeSpans": (2, "messages", "scopeSpans")},
    "scopeSpans": {"scope": (1, "message", "scope"), "spans": (2, "messages", "span")},
    "logs": {"resourceLogs": (1, "messages", "resourceLogs")},
    "resourceLogs": {"resource": (1, "message", "resource"), "scopeLogs": (2, "messages", "scopeLogs")},
    "scopeLogs": {"scope": (1, "message", "scope"), "logRecords": (2, "messages", "record")},
    "resource": {"attributes": (1, "messages", "pair")},
    "scope": {"name": (1, "text", "")},
    "pair": {"key": (1, "text", ""), "value": (2, "message", "value")},
    "value": {
        "stringValue": (1, "text", ""), "boolValue": (2, "varint", ""), "intValue": (3, "varint", ""),
        "doubleValue": (4, "double", ""), "arrayValue": (5, "message", "list"), "kvlistValue": (6, "message", "map"),
    },
    "list": {"values": (1, "messages", "value")},
    "map": {"values": (1, "messages", "pair")},
    "span": {
        "traceId": (1, "hex", ""), "spanId": (2, "hex", ""), "parentSpanId": (4, "hex", ""), "name": (5, "text", ""),
        "kind": (6, "varint", ""), "startTimeUnixNano": (7, "fixed", ""), "endTimeUnixNano": (8, "fixed", ""),
        "attributes": (9, "messages", "pair"), "events": (11, "messages", "event"), "status": (15, "message", "status"),
    },
    "event": {"timeUnixNano": (1, "fixed", ""), "name": (2, "text", ""), "attributes": (3, "messages", "pair")},
    "status": {"message": (2, "text", ""), "code": (3, "varint", "")},
    "record": {
        "timeUnixNano": (1, "fixed", ""), "severityNumber": (2, "varint", ""), "body": (5, "message", "value"),
        "attributes": (6, "messages", "pair"), "traceId": (9, "hex", ""), "spanId": (10, "hex", ""),
        "eventName": (12, "text", ""),
    },
}  # fmt: skip


def _message(shape: dict[str, tuple[int, str, str]], found: dict[str, Any]) -> bytes:
    import struct

    out = bytearray()
    for name, value in found.items():
        if name not in shape:
            continue
        number, kind, inner = shape[name]
        if kind == "messages":
            for one in value:
                out += _delimited(number, _message(_SHAPES[inner], one))
        elif kind == "message":
            out += _delimited(number, _message(_SHAPES[inner], value))
        elif kind == "text":
            out += _delimited(number, value.encode("utf-8", "surrogatepass"))
        elif kind == "hex":
            out += _delimited(number, bytes.fromhex(value if len(value) % 2 == 0 else value + "0"))
        elif kind == "varint":
            out += _varint(number << 3) + _varint(int(value) & (2**64 - 1))
        elif kind == "fixed":
            out += _varint(number << 3 | 1) + struct.pack("<Q", int(value) & (2**64 - 1))
        else:
            out += _varint(number << 3 | 1) + struct.pack("<d", value)
    return bytes(out)


def _delimited(number: int, text: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(text)) + text


def _varint(number: int) -> bytes:
    out = bytearray()
    while number > 0x7F:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def variants(signal: str, request: dict[str, Any], dice: random.Random) -> Iterator[tuple[Encoding, bytes]]:
    """Yield a request in both encodings, and mutations of both."""
    plain: list[tuple[Encoding, bytes]] = [
        ("json", as_json(request)),
        ("protobuf", as_protobuf(signal, request)),
    ]
    yield from plain
    for number in range(_VARIANTS - 2):
        encoding, body = plain[number % 2]
        yield encoding, _mutated(body, dice, encoding)


_JSON_PIECES: Final = (
    b"null",
    b"[]",
    b"{}",
    b"-1",
    b"1e999",
    b'"\\ud800"',
    b"true",
    b"[" * 300,
    b'"' + b"9" * 50 + b'"',
)


def _mutated(body: bytes, dice: random.Random, encoding: Encoding) -> bytes:
    found = bytearray(body)
    for _ in range(dice.choice((1, 1, 1, 2, 4))):
        if not found:
            return b""
        at = dice.randrange(len(found))
        match dice.randrange(7):
            case 0:
                found[at] ^= 1 << dice.randrange(8)
            case 1:
                found[at] = dice.choice((0, 0x7F, 0x80, 0xFF))
            case 2:
                del found[at:]
            case 3:
                del found[at : at + dice.randrange(1, 9)]
            case 4:
                end = min(len(found), at + dice.randrange(1, 64))
                found[at:at] = found[at:end]
            case 5:
                found[at:at] = bytes(dice.randrange(256) for _ in range(dice.randrange(1, 6)))
            case _ if encoding == "json":
                found[at : at + dice.randrange(4)] = dice.choice(_JSON_PIECES)
            case _:
                # A length that lies, or a varint without end.
                found[at : at + 1] = dice.choice((b"\xff" * 10, b"\xff\xff\xff\xff\x0f", b"\x80"))
    return bytes(found)


@dataclass(slots=True)
class Outcome:
    """What a run saw. `resident_mb`: the memory that this process held after each round."""

    inputs: int = 0
    taken: int = 0
    refused: int = 0
    slowest_s: float = 0.0
    resident_mb: list[int] = field(default_factory=list[int])


def take(signal: str, encoding: Encoding, body: bytes) -> bool:
    """Pass an input through everything between a request's body and the store; False when it is malformed."""
    try:
        if signal == "traces":
            decoded = decode_traces(body, encoding)
            if decoded.spans:
                rows(decoded.spans, "fuzz", 1_790_000_000_000_000_000, None)
        else:
            seen: dict[str, int] = {}
            for record in decode_logs(body, encoding).records:
                msgspec.json.encode(normalise_log(record, seen))
    except MalformedBody:
        return False
    return True


def _nothing(signal: str, encoding: Encoding, body: bytes) -> None:
    del signal, encoding, body


def run(
    inputs: int, start: int, also: Callable[[str, Encoding, bytes], None] = _nothing, each: int = 500
) -> Outcome:
    """Fuzz until so many inputs were tried; `also` gets one in `each`.

    It goes in rounds, as Hypothesis remembers all that it drew in one: what is left afterwards is ours.

    Raises:
        AssertionError: an input took longer than SLOW_S.
        Exception: what an input raised that is no refusal, after Hypothesis made the request smaller.
    """
    outcome = Outcome()
    this = psutil.Process()
    for number in itertools.count():
        _round(outcome, min(_ROUND, inputs - outcome.inputs), start + number, also, each)
        gc.collect()
        outcome.resident_mb.append(this.memory_info().rss // 2**20)
        if outcome.inputs >= inputs:
            return outcome
    raise AssertionError


def _round(
    outcome: Outcome, inputs: int, start: int, also: Callable[[str, Encoding, bytes], None], each: int
) -> None:
    @seed(start)
    @settings(
        max_examples=max(1, -(-inputs // _VARIANTS)),
        deadline=None,
        database=None,
        phases=(Phase.generate, Phase.shrink),
        suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
    )
    @given(requests, st.integers(0, 2**32))
    def fuzz(found: tuple[str, dict[str, Any]], dice: int) -> None:
        signal, request = found
        for encoding, body in variants(signal, request, random.Random(dice)):
            began = time.process_time()
            taken = take(signal, encoding, body)
            took = time.process_time() - began
            assert took < SLOW_S, f"{took:.1f} s for {signal} {encoding} {body!r}"
            outcome.slowest_s = max(outcome.slowest_s, took)
            outcome.inputs += 1
            outcome.taken += taken
            outcome.refused += not taken
            if outcome.inputs % each == 0:
                also(signal, encoding, body)

    fuzz()
