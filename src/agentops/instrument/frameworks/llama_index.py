"""What the instrumentor of LlamaIndex leaves out: what spans are when they start, what a stream had said.

What goes in and out it tells as all arguments, and whole results: of a prompt, a chat and an agent's run the
words are told.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any, Final

from opentelemetry import trace

from agentops.instrument import calls, kinds
from agentops.instrument.frameworks.told import CALLS, PACKAGE
from agentops.instrument.patches import Patches, found
from agentops.instrument.shown import to_json

_LLAMA_CALLS: Final = ("chat", "complete", "embedding", "embeddings", "call")
"""Methods that are calls: `predict` and its like fill in a prompt, and make one within."""


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

    def entered(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        wrapped(*args, **kwargs)
        try:
            for name, value in _asked(instance.id_, args[1].arguments).items():
                instance[name] = value
            if instance.id_.startswith(_STEP):
                instance._span_kind = "AGENT"
                instance._otel_span.set_attribute(
                    "agent.name", str(args[1].arguments["ev"].current_agent_name)
                )
        except Exception:
            pass  # It is told as its instrumentor tells it.

    def left(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        wrapped(*args, **kwargs)
        try:
            said = _said(args[1])
            if said is not None:
                instance["output.value"] = said
                instance["output.mime_type"] = "text/plain"
        except Exception:
            pass  # As above.

    patches.method(found(PACKAGE + "llama_index._handler:_Span"), "process_input", entered)
    patches.method(found(PACKAGE + "llama_index._handler:_Span"), "process_output", left)
    patches.method(found(PACKAGE + "llama_index._handler:_Span"), "process_instance", known)
    patches.method(found(PACKAGE + "llama_index._handler:_SpanHandler"), "new_span", begun)
    patches.method(found(PACKAGE + "llama_index._handler:_Span"), "process_event", told)


_STEP: Final = "AgentWorkflow.run_agent_step-"
"""What the spans of one agent's turn begin with, in a workflow of several."""
_SAID: Final = "_agentops_said"
"""Where a span of a stream keeps what came last."""


def _asked(identity: str, arguments: Mapping[str, Any]) -> dict[str, str]:
    """Return what a call was asked in words, as attributes; nothing where it is none of those known."""
    given: dict[str, Any] = {**arguments, **arguments.get("kwargs", {})}
    first: Any = next(iter(given.get("args") or ()), None)
    method = _method(identity)
    if method.endswith("complete"):
        prompt = given.get("prompt", first)
        return {"input.value": prompt, "input.mime_type": "text/plain"} if isinstance(prompt, str) else {}
    if method.endswith("chat"):
        chat: Any = given.get("messages", first)
        said = [{"role": each.role.value, "content": each.content or ""} for each in chat]
        return {"input.value": to_json(said), "input.mime_type": "application/json"}
    if method in ("run", "run_agent_step"):
        message: Any = given["start_event"].user_msg if method == "run" else given["ev"].input[-1]
        text = message if isinstance(message, str) else message.content
        return {"input.value": text, "input.mime_type": "text/plain"} if text else {}
    return {}


def _said(result: Any) -> str | None:
    """Return what an agent or a tool answered, in words; None of other results."""
    if isinstance(result, found("llama_index.core.tools:ToolOutput")):
        return result.content
    agents = found("llama_index.core.agent.workflow:AgentOutput")
    for each in (result, getattr(result, "result", None)):  # Or of the event that stops a workflow.
        if agents is not None and isinstance(each, agents):
            return str(each) or None
    return None


def _method(identity: str) -> str:
    """Return the method that a span is of, from the span's id."""
    return identity.partition("-")[0].rpartition(".")[2]


def _told(span: Any, instance: Any) -> None:
    if span is None:
        return
    method = _method(span.id_)
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
