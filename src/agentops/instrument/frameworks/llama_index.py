"""What the instrumentor of LlamaIndex leaves out: what spans are when they start, what a stream had said."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from typing import Any, Final

from opentelemetry import trace

from agentops.instrument import calls, kinds
from agentops.instrument.frameworks.told import CALLS, PACKAGE
from agentops.instrument.patches import Patches, found

_LLAMA_CALLS: Final = ("chat", "complete", "predict", "structured_predict", "embedding", "embeddings", "call")


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell the kind of LlamaIndex's spans when they start; preparing a call is no call."""
    del tracer

    def begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        span = wrapped(*args, **kwargs)
        try:
            _told(span, kwargs.get("instance"))
        except Exception:
            pass  # Its instrumentor tells what it tells.
        return span

    def told(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        event = args[0]
        try:
            if isinstance(event, events.LLMChatInProgressEvent):
                instance.__dict__[_SAID] = event
            elif isinstance(getattr(event, "exception", None), GeneratorExit):
                # A stream that its reader has left did not fail: it ended with what had come.
                last = instance.__dict__.pop(_SAID, None)
                said = {"response": last.response, "messages": last.messages} if last else {}
                args = (events.LLMChatEndEvent(**{"response": None, "messages": [], **said}),)
        except Exception:
            pass  # Its instrumentor tells what it tells.
        return wrapped(*args, **kwargs)

    events: Any = importlib.import_module("llama_index.core.instrumentation.events.llm")

    def known(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            return wrapped(*args, **kwargs)
        except Exception:
            # A model whose name the framework does not know: it is called all the same, and fails by itself.
            name = getattr(args[0], "model", None)
            if isinstance(name, str):
                instance["llm.model_name"] = name
            return None

    patches.method(found(PACKAGE + "llama_index._handler:_Span"), "process_instance", known)
    patches.method(found(PACKAGE + "llama_index._handler:_SpanHandler"), "new_span", begun)
    patches.method(found(PACKAGE + "llama_index._handler:_Span"), "process_event", told)


_SAID: Final = "_agentops_said"
"""Where a span of a stream keeps what came last."""


def _told(span: Any, instance: Any) -> None:
    if span is None:
        return
    method = span.id_.partition("-")[0].rpartition(".")[2]
    agents = found("llama_index.core.agent.workflow:BaseWorkflowAgent")
    if agents is not None and isinstance(instance, agents) and method == "run":
        span._span_kind = "AGENT"
        span._otel_span.set_attribute("agent.name", str(getattr(instance, "name", "")))
    elif span._span_kind in CALLS and (method.startswith("_prepare") or not method.endswith(_LLAMA_CALLS)):
        span._span_kind = "CHAIN"
    if span._span_kind:
        span._otel_span.set_attribute(kinds.KIND, span._span_kind)
        if span._span_kind in CALLS:
            calls.note(span._otel_span)
