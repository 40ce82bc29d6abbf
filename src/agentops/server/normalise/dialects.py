"""Which attribute says what, dialect by dialect, the most specific first.

Each table maps a field to the attribute names that may hold it, best first. `INDEX` turns the tables around:
a span's attributes are walked once, and each known name knows its field, its rank and its reader. A value
that its reader cannot use does not count, so the next best name is taken.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from agentops import semconv
from agentops.server.normalise import values
from agentops.server.normalise.tokens import TIERS

Reader = Callable[[Any], Any]
Table = Mapping[str, tuple[str, ...]]

OWN: Final[Table] = {
    "session": (semconv.SESSION_ID,),
    "kind": (semconv.SPAN_KIND,),
    "input": (semconv.INPUT,),
    "output": (semconv.OUTPUT,),
    "agent": (semconv.AGENT_NAME,),
    "agent_id": (semconv.AGENT_ID,),
    "tool": (semconv.TOOL_NAME,),
    "cost": (semconv.TOTAL_COST,),
    "first_token_ns": (semconv.FIRST_TOKEN_NS,),
    "characters": (semconv.CHARACTERS,),
    "audio_seconds": (semconv.AUDIO_SECONDS,),
    "source_id": (semconv.EVENT_ID,),
    "user": (semconv.USER_ID,),
    "tags": (semconv.TAGS,),
    "seq": (semconv.RECORD_SEQ,),
    "session_name": (semconv.SESSION_NAME,),
    "end_state": (semconv.END_STATE,),
    "end_reason": (semconv.END_STATE_REASON,),
    "inherited": (semconv.INHERITED,),
    "records_sent": (semconv.RECORDS_SENT,),
    "heartbeat_ns": (semconv.HEARTBEAT_NS,),
    "host_env": (semconv.HOST_ENV,),
    "error_message": (semconv.ERROR_DETAILS,),
    "logs": (semconv.LOGS,),
}
"""What our own SDK writes."""

OTEL: Final[Table] = {
    "session": ("gen_ai.conversation.id",),
    "kind": ("gen_ai.operation.name",),
    "provider": ("gen_ai.provider.name",),
    "model": ("gen_ai.response.model",),
    "request_model": ("gen_ai.request.model",),
    "response_id": ("gen_ai.response.id",),
    "finish": ("gen_ai.response.finish_reasons",),
    "system": ("gen_ai.system_instructions",),
    "input_messages": ("gen_ai.input.messages",),
    "output_messages": ("gen_ai.output.messages",),
    "tool_input": ("gen_ai.tool.call.arguments",),
    "tool_output": ("gen_ai.tool.call.result",),
    "tool_call_id": ("gen_ai.tool.call.id",),
    "input": ("gen_ai.retrieval.query.text",),
    "output": ("gen_ai.retrieval.documents",),
    "tokens_input": ("gen_ai.usage.input_tokens",),
    "tokens_output": ("gen_ai.usage.output_tokens",),
    "tokens_total": ("gen_ai.usage.total_tokens",),
    "cache_read": ("gen_ai.usage.cache_read.input_tokens",),
    "cache_write": ("gen_ai.usage.cache_creation.input_tokens", "gen_ai.usage.cache_write.input_tokens"),
    "reasoning": ("gen_ai.usage.reasoning.output_tokens",),
    "cost": ("gen_ai.usage.cost",),
    "first_token_s": ("gen_ai.response.time_to_first_chunk", "gen_ai.response.time_to_first_token"),
    "error_type": ("error.type", "exception.type"),
    "error_message": ("error.message", "exception.message"),
    "error_stack": ("exception.stacktrace",),
    "user": ("enduser.id", "gen_ai.user.id"),
}
"""OpenTelemetry's GenAI conventions, as published now."""

OPENLLMETRY: Final[Table] = {
    "session": ("traceloop.association.properties.session_id",),
    "kind": ("traceloop.span.kind", "llm.request.type", "gen_ai.request.type"),
    "provider": ("gen_ai.system",),
    "finish": (
        "gen_ai.response.finish_reason",
        "gen_ai.response.stop_reason",
        "llm.response.finish_reason",
        "llm.response.stop_reason",
    ),
    "input_messages": ("gen_ai.prompt",),
    "output_messages": ("gen_ai.completion",),
    "entity": ("traceloop.entity.name",),
    "input": ("traceloop.entity.input",),
    "output": ("traceloop.entity.output",),
    "tokens_input": ("gen_ai.usage.prompt_tokens", "llm.usage.prompt_tokens", "llm.usage.input_tokens"),
    "tokens_output": (
        "gen_ai.usage.completion_tokens",
        "llm.usage.completion_tokens",
        "llm.usage.output_tokens",
    ),
    "tokens_total": ("llm.usage.total_tokens",),
    "cache_read": (
        "gen_ai.usage.cache_read_input_tokens",
        "llm.usage.cache_read_input_tokens",
        "cache_read_input_tokens",
    ),
    "cache_write": (
        "gen_ai.usage.cache_creation_input_tokens",
        "llm.usage.cache_creation_input_tokens",
        "cache_creation_input_tokens",
    ),
    "reasoning": ("gen_ai.usage.reasoning_tokens", "llm.usage.reasoning_tokens"),
    "user": ("traceloop.association.properties.user_id", "gen_ai.user", "llm.user"),
}
"""OpenTelemetry up to 1.36, and OpenLLMetry."""

OPENINFERENCE: Final[Table] = {
    "kind": ("openinference.span.kind",),
    "provider": ("llm.provider", "llm.system", "decision.provider", "decision.system"),
    "model": (
        "llm.response.model_name",
        "llm.model_name",
        "embedding.model_name",
        "reranker.model_name",
        "decision.response.model_name",
        "decision.model_name",
    ),
    "request_model": ("llm.request.model_name",),
    "finish": ("llm.finish_reason",),
    "input_messages": ("llm.input_messages",),
    "output_messages": ("llm.output_messages",),
    "tool": ("tool.name",),
    "tool_parameters": ("tool.parameters",),
    "agent": ("agent.name",),
    "input": ("input.value", "reranker.query"),
    "output": ("output.value",),
    "input_mime": ("input.mime_type",),
    "output_mime": ("output.mime_type",),
    "tokens_input": ("llm.token_count.prompt", "decision.token_count.input"),
    "tokens_output": ("llm.token_count.completion", "decision.token_count.output"),
    "tokens_total": ("llm.token_count.total",),
    "cache_read": ("llm.token_count.prompt_details.cache_read", "llm.token_count.prompt_details.cache_input"),
    "cache_write": ("llm.token_count.prompt_details.cache_write",),
    "reasoning": ("llm.token_count.completion_details.reasoning",),
    "input_audio": ("llm.token_count.prompt_details.audio",),
    "output_audio": ("llm.token_count.completion_details.audio",),
    "cost": ("llm.cost.total",),
    "tags": ("tag.tags",),
    "parameters": ("llm.invocation_parameters", "embedding.invocation_parameters"),
}
"""OpenInference, whose messages, documents and embeddings are flattened (see `flattened`)."""

AGENTOPS_04: Final[Table] = {
    "input": (
        "agentops.session.input",
        "agentops.agent.input",
        "agentops.operation.input",
        "agentops.task.input",
        "agentops.workflow.input",
        "agentops.tool.input",
        "agentops.llm.input",
        "agentops.guardrail.input",
        "agentops.chain.input",
        "workflow.input",
    ),
    "output": (
        "agentops.session.output",
        "agentops.agent.output",
        "agentops.operation.output",
        "agentops.task.output",
        "agentops.workflow.output",
        "agentops.tool.output",
        "agentops.llm.output",
        "agentops.guardrail.output",
        "agentops.chain.output",
        "workflow.final_output",
        "workflow.output",
    ),
    "agent_id": ("agent.id",),
    "tool_output": ("tool.result",),
    "entity": ("agentops.entity.name", "operation.name"),
    "first_token_s": ("gen_ai.streaming.time_to_first_token",),
}
"""The published AgentOps 0.4 clients, beside the old OpenTelemetry names."""

OTHERS: Final[Table] = {
    "session": ("langfuse.session.id", "gcp.vertex.agent.session_id"),
    "kind": ("langfuse.observation.type", "ai.operationId"),
    "user": ("langfuse.user.id",),
    "provider": ("ai.model.provider",),
    "model": ("ai.response.model", "ai.model.id", "langfuse.observation.model.name"),
    "response_id": ("ai.response.id", "anthropic.message.id"),
    "finish": ("anthropic.message.stop_reason", "ai.response.finishReason"),
    "input_messages": ("pydantic_ai.all_messages", "all_messages_events", "ai.prompt.messages"),
    "input": ("ai.prompt", "gcp.vertex.agent.llm_request", "langfuse.observation.input"),
    "output": (
        "final_result",
        "ai.response.text",
        "ai.response.object",
        "ai.response.toolCalls",
        "gcp.vertex.agent.llm_response",
        "langfuse.observation.output",
    ),
    "tool_input": ("tool_arguments", "ai.toolCall.args", "gcp.vertex.agent.tool_call_args"),
    "tool_output": ("tool_response", "ai.toolCall.result", "gcp.vertex.agent.tool_response"),
    "tool": ("ai.toolCall.name",),
    "agent": ("agent_name",),
    "cache_read": (
        "gen_ai.usage.details.cache_read_input_tokens",
        "gen_ai.usage.details.cache_read_tokens",
        "gen_ai.usage.details.cached_tokens",
        "ai.usage.cachedInputTokens",
    ),
    "cache_write": (
        "gen_ai.usage.details.cache_creation_input_tokens",
        "gen_ai.usage.details.cache_write_tokens",
    ),
    "reasoning": (
        "gen_ai.usage.details.reasoning_tokens",
        "gen_ai.usage.details.thinking_tokens",
        "gen_ai.usage.details.thoughts_tokens",
        "ai.usage.reasoningTokens",
    ),
    "cache_write_1h": (
        "anthropic.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.cache_creation.ephemeral_1h_input_tokens",
        "gen_ai.usage.details.ephemeral_1h_input_tokens",
        "gen_ai.usage.details.cache_creation.ephemeral_1h_input_tokens",
    ),
    "input_audio": ("gen_ai.usage.details.input_audio_tokens", "gen_ai.usage.details.prompt_audio_tokens"),
    "output_audio": (
        "gen_ai.usage.details.output_audio_tokens",
        "gen_ai.usage.details.completion_audio_tokens",
    ),
    "tier": (
        "openai.response.service_tier",
        "gen_ai.openai.response.service_tier",
        "gen_ai.response.service_tier",
        "anthropic.response.service_tier",
    ),
    "web_searches": (
        "anthropic.usage.server_tool_use.web_search_requests",
        "gen_ai.usage.details.web_search_requests",
    ),
    "usage": ("gen_ai.usage.raw", "langfuse.observation.usage_details"),
    "tags": ("langfuse.trace.tags",),
    "tokens_input": ("ai.usage.inputTokens", "ai.usage.promptTokens", "ai.usage.tokens"),
    "tokens_output": ("ai.usage.outputTokens", "ai.usage.completionTokens"),
    "cost": ("operation.cost", "gen_ai.cost.total_cost", "langfuse.observation.cost_details.total"),
}
"""Names of single frameworks (Pydantic AI, Logfire, the AI SDK, Langfuse, Google's ADK, Anthropic's own)."""

DIALECTS: Final[tuple[tuple[str, Table], ...]] = (
    ("agentops", OWN),
    ("otel", OTEL),
    ("openllmetry", OPENLLMETRY),
    ("openinference", OPENINFERENCE),
    ("agentops 0.4", AGENTOPS_04),
    ("others", OTHERS),
)

KIND_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    semconv.SPAN_KIND: {
        **{kind: kind for kind in (*semconv.KINDS, semconv.SESSION_KIND)},
        "task": "operation",
        "workflow": "operation",
        "chain": "operation",
        "text": "operation",
        "http": "operation",
        "team": "agent",
        "retriever": "retrieval",
    },
    "gen_ai.operation.name": {
        "chat": "llm",
        "generate_content": "llm",
        "text_completion": "llm",
        "text_completions": "llm",
        "completions": "llm",  # Of Semantic Kernel's "chat.completions".
        "responses": "llm",
        "message": "llm",
        "invoke_agent": "agent",
        "create_agent": "agent",
        "execute_tool": "tool",
        "invoke_workflow": "operation",
        "plan": "operation",
        "retrieval": "retrieval",
        "embeddings": "embedding",
        "embedding": "embedding",
        "rerank": "retrieval",
        "guardrail": "guardrail",
        "apply_guardrail": "guardrail",
    },
    "traceloop.span.kind": {
        "agent": "agent",
        "tool": "tool",
        "workflow": "operation",
        "task": "operation",
        "embedding": "embedding",
        "vector_db_retrieve": "retrieval",
        "retriever": "retrieval",
        "guardrail": "guardrail",
    },
    "llm.request.type": {
        "chat": "llm",
        "completion": "llm",
        "embedding": "embedding",
        "rerank": "retrieval",
        "vector_db_retrieve": "retrieval",
    },
    "gen_ai.request.type": {
        "chat": "llm",
        "completion": "llm",
        "embedding": "embedding",
        "rerank": "retrieval",
    },
    "openinference.span.kind": {
        "llm": "llm",
        "agent": "agent",
        "tool": "tool",
        "chain": "operation",
        "prompt": "operation",
        "evaluator": "operation",
        "decision": "llm",
        "retriever": "retrieval",
        "reranker": "retrieval",
        "embedding": "embedding",
        "guardrail": "guardrail",
    },
    "langfuse.observation.type": {
        "generation": "llm",
        "agent": "agent",
        "tool": "tool",
        "chain": "operation",
        "evaluator": "operation",
        "span": "operation",
        "retriever": "retrieval",
        "embedding": "embedding",
        "guardrail": "guardrail",
    },
    # By its last word: "ai.generateText.doGenerate".
    "ai.operationId": {"dogenerate": "llm", "dostream": "llm", "doembed": "embedding", "toolcall": "tool"},
}
"""What the words of each kind attribute mean here, in lower case."""

_READERS: Final[Mapping[str, Reader]] = {
    "provider": values.lowered,
    "tier": lambda value: value if value in TIERS else None,
    "finish": values.texts,
    "tags": values.texts,
    "cost": values.dollars,
    "first_token_ns": values.count,
    "first_token_s": values.nanoseconds,
    "seq": values.count,
    "records_sent": values.count,
    "heartbeat_ns": lambda value: value if type(value) is int and value >= 0 else None,
    "inherited": values.flag,
    **dict.fromkeys(
        (
            "tokens_input",
            "tokens_output",
            "tokens_total",
            "cache_read",
            "cache_write",
            "reasoning",
            "cache_write_1h",
            "input_audio",
            "output_audio",
            "web_searches",
            "characters",
            "audio_seconds",
        ),
        values.count,
    ),
}
"""How a field's values are read; the others are text."""

_AS_IS: Final = frozenset(
    (
        "input",
        "output",
        "input_messages",
        "output_messages",
        "system",
        "tool_input",
        "tool_output",
        "tool_parameters",
    )
)
"""Fields whose values are kept as they came: their form decides how they are shown."""


def _kind_reader(name: str) -> Reader:
    words = KIND_WORDS[name]

    def read(value: Any) -> str | None:
        if type(value) is not str:
            return None
        # An enum may arrive as its repr: "AgentOpsSpanKindValues.TOOL" means tool.
        return words.get(value) or words.get(value.rpartition(".")[2].lower())

    return read


def _present(value: Any) -> Any:
    return None if value == "" else value


def _index() -> dict[str, tuple[str, int, Reader]]:
    index: dict[str, tuple[str, int, Reader]] = {}
    for _, table in DIALECTS:
        for field, names in table.items():
            for name in names:
                if name in index:
                    continue
                if field == "kind":
                    reader = _kind_reader(name)
                else:
                    reader = _READERS.get(field) or (_present if field in _AS_IS else values.text)
                index[name] = (field, len(index), reader)
    return index


INDEX: Final = _index()
"""Attribute name to its field, its rank (lower wins) and its reader."""

FLAT: Final = (
    "llm.input_messages.",
    "llm.output_messages.",
    "gen_ai.prompt.",
    "gen_ai.completion.",
    "llm.prompts.",
    "llm.choices.",
    "retrieval.documents.",
    "embedding.embeddings.",
    "reranker.output_documents.",
    "traceloop.association.properties.",
)
"""How flattened attributes start; the longest of them are read by `flattened`."""


Plan = tuple[tuple[tuple[str, bool, tuple[tuple[str, Reader, bool], ...]], ...], bool]
"""For spans that carry certain attributes: per field whether it matters which name it is from, and the names
that hold it, best first, each with its reader and whether that takes any text as it is; and whether there
are flattened attributes."""

_SOURCED: Final = frozenset(("kind", "input", "output", "tokens_input", "cost"))
"""Fields that are understood by the name of the attribute that they are from."""
_TEXT: Final = (values.text, _present)

_plans: dict[tuple[str, ...], Plan] = {}
_MOST_PLANS: Final = 2048
_WIDEST_KEPT: Final = 64


def plan(names: tuple[str, ...]) -> Plan:
    """Return how to read a span that carries attributes of these names.

    A program makes spans of few shapes, so their plans are kept; flattened conversations have a shape of
    their own each, and are not.
    """
    known = _plans.get(names)
    if known is not None:
        return known
    fields: dict[str, list[tuple[int, str, Reader]]] = {}
    flat = False
    for name in names:
        entry = INDEX.get(name)
        if entry is not None:
            fields.setdefault(entry[0], []).append((entry[1], name, entry[2]))
        elif not flat:
            flat = name.startswith(FLAT)
    made: Plan = (
        tuple(
            (
                field,
                field in _SOURCED,
                tuple(
                    (name, reader, reader in _TEXT)
                    for _, name, reader in sorted(found, key=lambda each: each[0])
                ),
            )
            for field, found in fields.items()
        ),
        flat,
    )
    if len(names) <= _WIDEST_KEPT:
        if len(_plans) >= _MOST_PLANS:
            _plans.clear()
        _plans[names] = made
    return made
