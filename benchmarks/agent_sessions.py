"""The load of the benchmarks: agent sessions of 20 spans, as OTLP/protobuf bodies.

Each session is a root, two agents, and under each four model calls with a tool call beside them; a model call
has 20 attributes and 4 KB, under OpenTelemetry's and OpenInference's names at once; 3% of the tools fail.
The same seed gives the same bytes.
"""

from __future__ import annotations

import random
from typing import Any

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

TEXT = """the agent should look up an invoice or a refund policy for this customer and then plan its next
step before the tool answers with order ticket search results summary price inventory shipping address"""
WORDS = TEXT.split()
MODELS = (("openai", "gpt-4o"), ("anthropic", "claude-sonnet-4-20250514"), ("gcp.gemini", "gemini-2.5-pro"))
SPANS_PER_BODY = 500


def attribute(key: str, value: str | int | float) -> KeyValue:
    """Return one attribute as it travels."""
    if isinstance(value, str):
        return KeyValue(key=key, value=AnyValue(string_value=value))
    if isinstance(value, int):
        return KeyValue(key=key, value=AnyValue(int_value=value))
    return KeyValue(key=key, value=AnyValue(double_value=value))


def message(role: str, text: str) -> str:
    """Return a conversation of one message as JSON."""
    return f'[{{"role":"{role}","parts":[{{"type":"text","content":"{text}"}}]}}]'


class Sessions:
    """Makes agent sessions of 20 spans, the same ones each time."""

    def __init__(self) -> None:
        self.random = random.Random(7)
        self.at_ns = 1_790_000_000_000_000_000

    def text(self, words: int) -> str:
        """Return some words."""
        return " ".join(self.random.choices(WORDS, k=words))

    def span(
        self, trace: bytes, parent: bytes, name: str, kind: str, said: dict[str, Any], failed: bool = False
    ) -> Span:
        """Return one span."""
        self.at_ns += 1_000_000
        span = Span(
            trace_id=trace,
            span_id=self.random.randbytes(8),
            parent_span_id=parent,
            name=name,
            kind=Span.SPAN_KIND_INTERNAL,
            start_time_unix_nano=self.at_ns,
            end_time_unix_nano=self.at_ns + 500_000_000,
            status=Status(code=Status.STATUS_CODE_ERROR, message="ToolError: timed out")
            if failed
            else Status(),
        )
        known = {"openinference.span.kind": kind, "session.id": trace.hex(), **said}
        span.attributes.extend(attribute(key, value) for key, value in known.items())
        if failed:
            event = span.events.add(name="exception", time_unix_nano=self.at_ns)
            event.attributes.append(attribute("exception.type", "ToolError"))
            event.attributes.append(attribute("exception.message", "timed out"))
            event.attributes.append(attribute("exception.stacktrace", self.text(60)))
        return span

    def session(self) -> list[Span]:
        """Return the spans of one session."""
        trace = self.random.randbytes(16)
        root = self.span(trace, b"", "support", "CHAIN", {"input.value": self.text(20), "user.id": "user-1"})
        spans = [root]
        for name in ("planner", "executor"):
            agent = self.span(
                trace,
                root.span_id,
                name,
                "AGENT",
                {"gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": name},
            )
            spans.append(agent)
            for _ in range(4):
                spans.append(self.call(trace, agent.span_id))
                told = {
                    "gen_ai.tool.name": "search",
                    "input.value": self.text(15),
                    "output.value": self.text(60),
                }
                failed = self.random.random() < 0.03
                spans.append(self.span(trace, agent.span_id, "search", "TOOL", told, failed))
        spans.append(self.span(trace, root.span_id, "summarise", "CHAIN", {"input.value": self.text(10)}))
        return spans

    def call(self, trace: bytes, parent: bytes) -> Span:
        """Return one model call with 20 attributes."""
        provider, model = self.random.choice(MODELS)
        asked, answered = self.text(260), self.text(120)
        tokens_in, tokens_out = self.random.randrange(200, 4000), self.random.randrange(20, 900)
        said = {
            "agentops.span.kind": "llm",
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider,
            "gen_ai.system": provider,
            "gen_ai.request.model": model,
            "gen_ai.response.model": model,
            "gen_ai.request.temperature": 0.2,
            "gen_ai.request.max_tokens": 1024,
            "gen_ai.usage.input_tokens": tokens_in,
            "gen_ai.usage.output_tokens": tokens_out,
            "gen_ai.input.messages": message("user", asked),
            "gen_ai.output.messages": message("assistant", answered),
            "gen_ai.agent.name": "planner",
            "llm.model_name": model,
            "llm.token_count.prompt": tokens_in,
            "llm.token_count.completion": tokens_out,
            "input.value": asked,
            "output.value": answered,
        }
        return self.span(trace, parent, f"chat {model}", "LLM", said)


def bodies(spans: int) -> list[bytes]:
    """Return request bodies that hold `spans` spans together."""
    sessions = Sessions()
    made: list[Span] = []
    while len(made) < spans:
        made += sessions.session()
    found: list[bytes] = []
    for start in range(0, spans, SPANS_PER_BODY):
        request = ExportTraceServiceRequest()
        group = request.resource_spans.add()
        group.resource.attributes.append(attribute("service.name", "support-bot"))
        scoped = group.scope_spans.add()
        scoped.scope.name = "bench"
        scoped.spans.extend(made[start : min(start + SPANS_PER_BODY, spans)])
        found.append(request.SerializeToString())
    return found
