"""A large store for measuring questions: real sessions through the front door, multiplied inside the engine.

2,500 agent sessions of 20 spans with texts of a natural vocabulary (English words by Zipf's law, every tenth
session Chinese) go through `agentops serve`. Then the engine copies their rows under new ids and times until
the store holds as many spans as asked for: what a copy holds is what ingest would have written.
"""

from __future__ import annotations

import http.client
import random
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from msgspec import Struct
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from agentops.server.store.client import Store
from agentops.server.store.opening import open_store
from agentops.server.store.url import StoreUrl
from benchmarks.agent_sessions import attribute, message
from benchmarks.serving import Serving

SEED_SPANS: Final = 50_000
SPANS_PER_SESSION: Final = 20
RARE: Final = "zyzzogeton"
"""A word of three sessions of the seed."""
COMMON: Final = "order"
CHINESE: Final = "退款"
INSIDE: Final = "yzzoge"
"""A part of the rare word."""
TAGS: Final = ("production", "staging", "customer-query", "high-priority", "experiment-a", "experiment-b")
MODELS: Final = (
    ("openai", "gpt-4o"),
    ("openai", "gpt-4o-mini"),
    ("anthropic", "claude-sonnet-4-20250514"),
    ("gcp.gemini", "gemini-2.5-pro"),
)
TOOLS: Final = ("search_orders", "refund", "lookup_policy", "send_email")
WEEK_NS: Final = 7 * 86400 * 10**9
_SECOND_NS: Final = 10**9
_EARLIER_NS: Final = 600 * _SECOND_NS
"""How much earlier than the seed a copy arrived: a server that starts looks again at the last minute."""
_SYLLABLES: Final = [first + second for first in "bcdfghklmnprstv" for second in "aeiou"]
_HANZI: Final = "我想查询订单状态请问什么时候可以收到货物谢谢客服退款申请已经提交需要三个工作日处理完成"
_COPIED: Final = ("trace_id", "session_id", "declared_session")
_TIMES: Final = ("started_at", "ended_at", "last_seen_at", "at_ns")


class Texts:
    """Makes texts with the word frequencies of natural ones; the same each time."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        own = random.Random(3)
        self._words = [COMMON, "the", "customer", "refund"] + [
            "".join(own.choices(_SYLLABLES, k=own.randrange(2, 5))) for _ in range(20_000)
        ]
        total = 0.0
        self._weights = [total := total + 1 / rank for rank in range(1, len(self._words) + 1)]

    def words(self, count: int) -> str:
        """Return some words."""
        return " ".join(self.random.choices(self._words, cum_weights=self._weights, k=count))

    def hanzi(self, count: int) -> str:
        """Return Chinese letters, some of them in sentences that mean something."""
        said = "".join(self.random.choices(_HANZI[:20], k=count))
        return f"{said}，我要申请{CHINESE}。" if self.random.random() < 0.5 else said


class _Maker:
    def __init__(self, seed: int, now_ns: int) -> None:
        self.texts = Texts(seed)
        self.random = self.texts.random
        self.now_ns = now_ns

    def text(self, words: int, number: int) -> str:
        if number % 10 == 9:
            return self.texts.hanzi(words * 2)
        said = self.texts.words(words)
        return f"{said} {RARE}" if number in (7, 707, 1707) and words > 200 else said

    def session(self, number: int) -> list[Span]:
        trace = self.random.randbytes(16)
        start = self.now_ns - self.random.randrange(WEEK_NS)
        spans: list[Span] = []

        def span(
            name: str,
            kind: str,
            parent: bytes,
            at: int,
            took: int,
            said: dict[str, Any],
            failed: bool = False,
        ) -> bytes:
            one = Span(
                trace_id=trace,
                span_id=self.random.randbytes(8),
                parent_span_id=parent,
                name=name,
                start_time_unix_nano=at,
                end_time_unix_nano=at + took,
                status=Status(code=Status.STATUS_CODE_ERROR, message="upstream timed out")
                if failed
                else Status(),
            )
            known = {"agentops.span.kind": kind, "session.id": trace.hex(), **said}
            one.attributes.extend(attribute(key, value) for key, value in known.items())
            if failed:
                event = one.events.add(name="exception", time_unix_nano=at + took)
                event.attributes.append(attribute("exception.type", "ToolError"))
                event.attributes.append(attribute("exception.message", "upstream timed out"))
            spans.append(one)
            return one.span_id

        root = span(
            f"support-run-{number % 40}",
            "session",
            b"",
            start,
            60 * _SECOND_NS,
            {
                "agentops.tags": self.random.choice(TAGS),
                "user.id": f"user-{number % 500}",
                "input.value": self.text(20, number),
                "output.value": self.text(40, number),
            },
        )
        at = start + 10**7
        for name in ("planner", "executor"):
            agent = span(
                name,
                "agent",
                root,
                at,
                30 * _SECOND_NS,
                {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name},
            )
            for _ in range(4):
                provider, model = self.random.choice(MODELS)
                took = self.random.randrange(3 * 10**8, 5 * 10**9)
                span(
                    f"chat {model}",
                    "llm",
                    agent,
                    at,
                    took,
                    {
                        "gen_ai.operation.name": "chat",
                        "gen_ai.provider.name": provider,
                        "gen_ai.request.model": model,
                        "gen_ai.response.model": model,
                        "gen_ai.usage.input_tokens": self.random.randrange(200, 4000),
                        "gen_ai.usage.output_tokens": self.random.randrange(20, 900),
                        "gen_ai.input.messages": message("user", self.text(260, number)),
                        "gen_ai.output.messages": message("assistant", self.text(120, number)),
                    },
                )
                at += took
                took = self.random.randrange(10**7, 2 * 10**9)
                told = {
                    "gen_ai.operation.name": "execute_tool",
                    "input.value": self.text(15, number),
                    "output.value": self.text(60, number),
                }
                span(self.random.choice(TOOLS), "tool", agent, at, took, told, self.random.random() < 0.03)
                at += took
        span("summarise", "operation", root, at, 10**8, {"input.value": self.text(10, number)})
        return spans


def bodies(spans: int, seed: int = 11, per_body: int = 500) -> Iterator[bytes]:
    """Yield OTLP/protobuf request bodies of sessions over the last seven days."""
    maker = _Maker(seed, time.time_ns() - 60 * _SECOND_NS)
    waiting: list[Span] = []
    for number in range(spans // SPANS_PER_SESSION):
        waiting += maker.session(number)
        if len(waiting) >= per_body:
            yield _body(waiting)
            waiting = []
    if waiting:
        yield _body(waiting)


def large_session(spans: int, seed: int = 5) -> Iterator[bytes]:
    """Yield the bodies of one session of so many events; its id is `large-<spans>`."""
    texts = Texts(seed + spans)
    start = time.time_ns() - 3600 * _SECOND_NS
    trace = texts.random.randbytes(16)
    root = texts.random.randbytes(8)
    agents = [texts.random.randbytes(8) for _ in range(max(1, spans // 100))]
    waiting: list[Span] = []
    for number in range(spans):
        own = agents[number // 100] if number % 100 == 0 and number // 100 < len(agents) else b""
        parent = root if own else agents[min(number // 100, len(agents) - 1)]
        kind = "agent" if own else "llm" if number % 2 else "tool"
        said = {"agentops.span.kind": kind, "session.id": f"large-{spans}"}
        if kind == "llm":
            said["gen_ai.request.model"] = MODELS[number % 4][1]
            said["gen_ai.provider.name"] = MODELS[number % 4][0]
        if not own:
            said["input.value"], said["output.value"] = texts.words(40), texts.words(60)
        failed = number % 50 == 49
        one = Span(
            trace_id=trace,
            span_id=own or texts.random.randbytes(8),
            parent_span_id=parent,
            name=f"step {number % 7}",
            start_time_unix_nano=start + number * 10**6,
            end_time_unix_nano=start + number * 10**6 + texts.random.randrange(10**5, 10**9),
            status=Status(code=Status.STATUS_CODE_ERROR, message="failed") if failed else Status(),
        )
        one.attributes.extend(attribute(key, value) for key, value in said.items())
        waiting.append(one)
        if len(waiting) == 1000:
            yield _body(waiting)
            waiting = []
    last = Span(
        trace_id=trace,
        span_id=root,
        name="large",
        start_time_unix_nano=start,
        end_time_unix_nano=start + (spans + 10_000) * 10**6,
    )
    said = {"agentops.span.kind": "session", "session.id": f"large-{spans}"}
    last.attributes.extend(attribute(key, value) for key, value in said.items())
    yield _body([*waiting, last])


def _body(spans: list[Span]) -> bytes:
    request = ExportTraceServiceRequest()
    group = request.resource_spans.add()
    group.resource.attributes.append(attribute("service.name", "support-bot"))
    scoped = group.scope_spans.add()
    scoped.scope.name = "bench"
    scoped.spans.extend(spans)
    return request.SerializeToString()


def push(port: int, sent: Iterator[bytes]) -> int:
    """Post bodies over one connection; return how many bytes."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=300)
    size = 0
    for body in sent:
        size += len(body)
        connection.request("POST", "/v1/traces", body, {"Content-Type": "application/x-protobuf"})
        answer = connection.getresponse()
        said = answer.read()
        if answer.status != 200:
            raise SystemExit(f"the server refused a body: {answer.status} {said[:300]!r}")
    connection.close()
    return size


@dataclass(frozen=True, slots=True)
class Made:
    """What a store holds, and how long it took to make."""

    spans: int
    sessions: int
    seconds: float


class _Column(Struct):
    table: str
    name: str
    type: str


def make(home: Path, spans: int, large: tuple[int, ...] = (), merged: bool = True) -> Made:
    """Make a store in a home folder.

    Args:
        home: an empty folder.
        spans: how many, a multiple of 50,000.
        large: sizes of single large sessions to add.
        merged: whether to merge the tables afterwards, as time does.
    """
    began = time.perf_counter()
    with Serving(home) as server:
        push(server.port, bodies(min(spans, SEED_SPANS)))
    opened = open_store(StoreUrl.parse(f"chdb://{home / 'store'}"))
    try:
        store = opened.store
        multiply(store, spans // SEED_SPANS)
        if merged:
            for table in _tables(store):
                store.command(f"OPTIMIZE TABLE {table}")
    finally:
        opened.close()
    if large:
        with Serving(home) as server:
            for size in large:
                push(server.port, large_session(size))
    return Made(spans, spans // SPANS_PER_SESSION, time.perf_counter() - began)


def multiply(store: Store, times: int) -> None:
    """Make a store `times` as large by copies of its sessions under new ids and times."""
    steps: list[int] = []
    while times > 1:
        step = next((one for one in (10, 20, 5, 4, 2) if times % one == 0), times)
        steps.append(step)
        times //= step
    for level, step in enumerate(steps):
        for table, columns in _tables(store).items():
            salt, shift = f"toString(copy + {level * 1000})", f"(copy + {level * 97})"
            shown = ", ".join(_copied(column, salt, shift) for column in columns)
            names = ", ".join(f"`{column.name}`" for column in columns)
            # One statement: it reads what there was before it began.
            store.command(
                f"INSERT INTO {table} ({names}) SELECT {shown} FROM {table} CROSS JOIN "
                f"(SELECT number + 1 AS copy FROM numbers({step - 1})) AS copies "
                "SETTINGS max_insert_threads = 2, max_block_size = 8192"
            )


def _tables(store: Store) -> dict[str, list[_Column]]:
    """Return the tables that hold rows of sessions or spans, with their stored columns."""
    found: dict[str, list[_Column]] = {}
    for column in store.rows(
        "SELECT table, name, type FROM system.columns WHERE database = currentDatabase() "
        "AND default_kind NOT IN ('MATERIALIZED', 'ALIAS') ORDER BY table, position",
        None,
        _Column,
    ):
        found.setdefault(column.table, []).append(column)
    left_out = {"edits", "migrations", "projects", "api_keys"}
    return {
        table: columns
        for table, columns in found.items()
        if table not in left_out and any(column.name in _COPIED for column in columns)
    }


def _copied(column: _Column, salt: str, shift: str) -> str:
    name = f"`{column.name}`"
    if column.name in _COPIED:
        if column.type == "FixedString(16)":
            return f"MD5(concat({name}, {salt})) AS {name}"
        return f"if({name} = '', '', lower(hex(MD5(concat({name}, {salt}))))) AS {name}"
    if column.name == "received_at":
        return f"{name} - {_EARLIER_NS} AS {name}"
    if column.name in _TIMES and "64" in column.type:
        return f"if({name} = 0, 0, {name} - {shift} * {7 * _SECOND_NS}) AS {name}"
    return name
