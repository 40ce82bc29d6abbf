"""Make the golden cases: run real clients under real instrumentation and keep what they would have sent.

    python tests/golden/capture.py SET        SET: openinference, anthropic-sdk, openllmetry, otel-openai-v2,
                                             otel-genai, agentops-0.4

Run it with the Python of an environment that holds the instrumentation of SET (the pins are beside each set
below) and `opentelemetry-exporter-otlp-proto-common`. It writes cases/SET-NAME.otlp.json: OTLP/JSON with ids,
times and ports made the same each time. Expected rows are written by `python -m tests.golden.expect`, and
read by a person.
"""

from __future__ import annotations

import base64
import contextlib
import importlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, cast

sys.path.insert(0, str(Path(__file__).parent))
import standin  # pyright: ignore[reportImplicitRelativeImport] -- also runs where this repository is not installed

CASES = Path(__file__).resolve().parent / "cases"
START_NS = 1_790_000_000_000_000_000
TOOLS = [
    {
        "type": "function",
        "function": {
            "name": "get_weather",
            "description": "Weather of a city",
            "parameters": {
                "type": "object",
                "properties": {"city": {"type": "string"}},
                "required": ["city"],
            },
        },
    }
]
ASK = [
    {"role": "system", "content": "You are terse."},
    {"role": "user", "content": "What is the capital of France?"},
]
PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="

Call = Callable[[str], Any]


def openai_calls(url: str) -> dict[str, Callable[[], Any]]:
    from openai import OpenAI

    client = OpenAI(api_key="test", base_url=f"{url}/v1", max_retries=0)
    chat: Any = client.chat.completions.create
    after_tool = [
        *ASK[:1],
        {"role": "user", "content": "Weather in Paris?"},
        {
            "role": "assistant",
            "content": None,
            "tool_calls": [
                {
                    "id": "call_1",
                    "type": "function",
                    "function": {"name": "get_weather", "arguments": '{"city": "Paris"}'},
                }
            ],
        },
        {"role": "tool", "tool_call_id": "call_1", "content": '{"celsius": 21}'},
    ]
    image = [
        {
            "role": "user",
            "content": [
                {"type": "text", "text": "What is this?"},
                {"type": "image_url", "image_url": {"url": f"data:image/png;base64,{PIXEL}"}},
                {"type": "image_url", "image_url": {"url": "https://example.com/cat.png"}},
            ],
        }
    ]
    responses: Any = client.responses.create
    return {
        "openai-chat": lambda: chat(model="gpt-4o", messages=ASK, temperature=0.2),
        "openai-stream": lambda: list(chat(model="gpt-4o", messages=ASK, stream=True)),
        "openai-stream-usage": lambda: list(
            chat(model="gpt-4o", messages=ASK, stream=True, stream_options={"include_usage": True})
        ),
        "openai-tool-call": lambda: chat(
            model="gpt-4o", messages=[*ASK[:1], {"role": "user", "content": "Weather in Paris?"}], tools=TOOLS
        ),
        "openai-tool-result": lambda: chat(model="gpt-4o", messages=after_tool, tools=TOOLS),
        "openai-cache": lambda: chat(model="gpt-4o", messages=[{"role": "user", "content": "cached? think"}]),
        "openai-image": lambda: chat(model="gpt-4o", messages=image),
        "openai-error": lambda: chat(model="missing-model", messages=ASK),
        "openai-responses": lambda: responses(
            model="gpt-4o", instructions="You are terse.", input="Capital of France?"
        ),
        "openai-embedding": lambda: client.embeddings.create(model="text-embedding-3-small", input="Paris"),
    }


def anthropic_calls(url: str) -> dict[str, Callable[[], Any]]:
    from anthropic import Anthropic

    client = Anthropic(api_key="test", base_url=url, max_retries=0)
    create: Any = client.messages.create
    ask = {"max_tokens": 64, "system": "You are terse.", "messages": ASK[1:]}
    tools = [
        {
            "name": "get_weather",
            "description": "Weather of a city",
            "input_schema": {"type": "object", "properties": {"city": {"type": "string"}}},
        }
    ]
    after_tool = [
        {"role": "user", "content": "Weather in Paris?"},
        {
            "role": "assistant",
            "content": [
                {"type": "text", "text": "Let me look."},
                {"type": "tool_use", "id": "toolu_1", "name": "get_weather", "input": {"city": "Paris"}},
            ],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "toolu_1", "content": '{"celsius": 21}'}],
        },
    ]
    cached = [{"role": "user", "content": "cached?"}]
    model = "claude-sonnet-4-20250514"
    return {
        "anthropic-chat": lambda: create(model=model, **ask),
        "anthropic-stream": lambda: list(create(model=model, stream=True, **ask)),
        "anthropic-tool-call": lambda: create(
            model=model,
            max_tokens=64,
            messages=[{"role": "user", "content": "Weather in Paris?"}],
            tools=tools,
        ),
        "anthropic-tool-result": lambda: create(model=model, max_tokens=64, messages=after_tool, tools=tools),
        "anthropic-cache": lambda: create(model=model, max_tokens=64, messages=cached),
        "anthropic-error": lambda: create(model="missing-model", **ask),
    }


def openinference(provider: Any, url: str) -> dict[str, Callable[[], Any]]:
    """openinference-instrumentation-openai 0.1.66, -anthropic 3.1.0; openai 3.52.0, anthropic 2.11.0."""
    anthropic = importlib.import_module("openinference.instrumentation.anthropic")
    openai = importlib.import_module("openinference.instrumentation.openai")

    openai.OpenAIInstrumentor().instrument(tracer_provider=provider)
    anthropic.AnthropicInstrumentor().instrument(tracer_provider=provider)
    return {**openai_calls(url), **anthropic_calls(url)}


def anthropic_sdk(provider: Any, url: str) -> dict[str, Callable[[], Any]]:
    """Calls of anthropic 2.11.0, which traces itself to the global provider."""
    from opentelemetry import trace

    trace.set_tracer_provider(provider)
    return anthropic_calls(url)


def openllmetry(provider: Any, url: str) -> dict[str, Callable[[], Any]]:
    """opentelemetry-instrumentation-openai 0.62.4, -anthropic 0.62.4."""
    anthropic = importlib.import_module("opentelemetry.instrumentation.anthropic")
    openai = importlib.import_module("opentelemetry.instrumentation.openai")

    openai.OpenAIInstrumentor().instrument(tracer_provider=provider)
    anthropic.AnthropicInstrumentor().instrument(tracer_provider=provider)
    return {**openai_calls(url), **anthropic_calls(url)}


def otel_openai_v2(provider: Any, url: str) -> dict[str, Callable[[], Any]]:
    """opentelemetry-instrumentation-openai-v2 2.4b0, util-genai 0.4b0; content as log records."""
    openai_v2 = importlib.import_module("opentelemetry.instrumentation.openai_v2")

    openai_v2.OpenAIInstrumentor().instrument(tracer_provider=provider, logger_provider=LOGS[0])
    return openai_calls(url)


def otel_genai(provider: Any, url: str) -> dict[str, Callable[[], Any]]:
    """opentelemetry-instrumentation-genai-openai 1.3b0, -genai-anthropic 1.3b0, with content on the spans."""
    genai_anthropic = importlib.import_module("opentelemetry.instrumentation.genai.anthropic")
    genai_openai = importlib.import_module("opentelemetry.instrumentation.genai.openai")

    for instrumentor in (genai_openai.OpenAIInstrumentor(), genai_anthropic.AnthropicInstrumentor()):
        instrumentor.instrument(tracer_provider=provider, logger_provider=LOGS[0])
    return {**openai_calls(url), **anthropic_calls(url)}


def agentops_04(_provider: Any, url: str) -> dict[str, Callable[[], Any]]:
    """Published AgentOps 0.4.21; its spans are read before it exports them."""
    agentops = importlib.import_module("agentops")
    decorators = importlib.import_module("agentops.sdk.decorators")
    agent, operation, tool = decorators.agent, decorators.operation, decorators.tool

    @tool(cost=0.05)
    def look_up(city: str) -> dict[str, int]:
        return {"celsius": 21}

    @operation
    def plan(question: str) -> str:
        return f"plan for {question}"

    @agent
    class Planner:
        def __init__(self, name: str) -> None:
            self.name = name

        @operation
        def run(self) -> str:
            return plan("Paris") + str(look_up("Paris"))

    def decorated() -> None:
        Planner("planner").run()

    def failing() -> None:
        @operation
        def broken() -> None:
            raise ValueError("no such city")

        with contextlib.suppress(ValueError):
            broken()

    def session_of(inner: Callable[[], Any]) -> Callable[[], Any]:
        def run() -> None:
            context = agentops.start_trace("golden", tags=["a", "b"])
            try:
                inner()
            finally:
                agentops.end_trace(context, "Success")

        return run

    calls = {**openai_calls(url), **anthropic_calls(url)}
    kept = (
        "openai-chat",
        "openai-stream-usage",
        "openai-tool-call",
        "anthropic-chat",
        "anthropic-cache",
        "openai-error",
    )
    found: dict[str, Callable[[], Any]] = {
        "decorators": session_of(decorated),
        "failure": session_of(failing),
    }
    found.update({name: session_of(calls[name]) for name in kept})
    return found


SETS: dict[str, Callable[[Any, str], dict[str, Callable[[], Any]]]] = {
    "openinference": openinference,
    "anthropic-sdk": anthropic_sdk,
    "openllmetry": openllmetry,
    "otel-openai-v2": otel_openai_v2,
    "otel-genai": otel_genai,
    "agentops-0.4": agentops_04,
}
LOGS: list[Any] = []


def fixed(body: dict[str, Any], port: str) -> dict[str, Any]:
    """Return an OTLP/JSON body with ids, times, ports and paths that are the same each time."""
    ids: dict[str, str] = {}
    times: dict[int, int] = {}

    def walk(node: Any) -> Iterator[dict[str, Any]]:
        if isinstance(node, dict):
            yield cast(dict[str, Any], node)
            below: list[Any] = list(node.values())  # pyright: ignore[reportUnknownArgumentType, reportUnknownMemberType] -- plain JSON
            for value in below:
                yield from walk(value)
        elif isinstance(node, list):
            for value in cast(list[Any], node):
                yield from walk(value)

    nodes = list(walk(body))
    names = ("startTimeUnixNano", "endTimeUnixNano", "timeUnixNano", "observedTimeUnixNano")
    for moment in sorted({int(node[name]) for node in nodes for name in names if name in node}):
        times[moment] = START_NS + len(times) * 1_000_000
    for node in nodes:
        for name in names:
            if name in node:
                node[name] = str(times[int(node[name])])
        for name, width in (("traceId", 32), ("spanId", 16), ("parentSpanId", 16)):
            if node.get(name):
                raw = base64.b64decode(node[name]).hex()
                node[name] = ids.setdefault(raw, f"{len(ids) + 1:0{width}x}")
        node.pop("flags", None)
        if re.search("time_to_|time_elapsed|duration", str(node.get("key"))) and "doubleValue" in node.get(
            "value", {}
        ):
            node["value"]["doubleValue"] = 0.05
    text = json.dumps(body, indent=1, ensure_ascii=False).replace(port, "8000")
    text = re.sub(r'File \\"[^"]*?/([\w.]+)\\", line \d+', r'File \\"\1\\", line 1', text)
    text = re.sub(r"0x[0-9a-f]{6,}", "0x0", text)
    return json.loads(text)


def main(chosen: str) -> None:
    from google.protobuf.json_format import MessageToDict
    from opentelemetry.exporter.otlp.proto.common._log_encoder import encode_logs
    from opentelemetry.exporter.otlp.proto.common.trace_encoder import encode_spans
    from opentelemetry.sdk._logs import LoggerProvider
    from opentelemetry.sdk._logs.export import InMemoryLogRecordExporter, SimpleLogRecordProcessor
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    if chosen == "otel-genai":
        os.environ["OTEL_SEMCONV_STABILITY_OPT_IN"] = "gen_ai_latest_experimental"
        os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "SPAN_AND_EVENT"
    else:
        os.environ["OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT"] = "true"
    # A recorded client may write files where it runs.
    os.chdir(tempfile.mkdtemp())
    server, url = standin.start()
    spans = InMemorySpanExporter()
    logs = InMemoryLogRecordExporter()
    resource = Resource({"service.name": "golden"})
    provider = TracerProvider(resource=resource)
    provider.add_span_processor(SimpleSpanProcessor(spans))
    logger_provider = LoggerProvider(resource=resource)
    logger_provider.add_log_record_processor(SimpleLogRecordProcessor(logs))
    LOGS.append(logger_provider)
    if chosen == "agentops-0.4":
        from opentelemetry import trace

        importlib.import_module("agentops").init(
            api_key="00000000-0000-4000-8000-000000000000",
            endpoint=url,
            exporter_endpoint=f"{url}/v1/traces",
            auto_start_session=False,
        )
        current: Any = trace.get_tracer_provider()
        current.add_span_processor(SimpleSpanProcessor(spans))
    CASES.mkdir(exist_ok=True)
    for name, call in SETS[chosen](provider, url).items():
        spans.clear()
        logs.clear()
        try:
            call()
        except Exception as error:
            print(f"{name}: {type(error).__name__}: {error}")
        if not spans.get_finished_spans():
            print(f"{name}: not recorded by {chosen}")
            continue
        body: dict[str, Any] = MessageToDict(encode_spans(spans.get_finished_spans()))
        if logs.get_finished_logs():
            body.update(MessageToDict(encode_logs(logs.get_finished_logs())))
        port = url.rpartition(":")[2]
        case = {"case": f"{chosen}-{name}", **fixed(body, port)}
        path = CASES / f"{chosen}-{name}.otlp.json"
        path.write_text(json.dumps(case, indent=1, ensure_ascii=False) + "\n")
        print(path.name, len(spans.get_finished_spans()), "spans", len(logs.get_finished_logs()), "logs")
    server.shutdown()
    # Exporters of the recorded libraries may hold the process; nothing of theirs is wanted.
    os._exit(0)


if __name__ == "__main__":
    main(sys.argv[1])
