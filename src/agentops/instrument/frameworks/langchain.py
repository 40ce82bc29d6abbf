"""What the instrumentor of LangChain leaves out.

It tells at the end only what a run is, and nothing of when the first chunk of a stream came. A run whose
reader has left did not fail; one that is cancelled takes along those within it, of which LangChain says
nothing more.
"""

from __future__ import annotations

import asyncio
import importlib
import inspect
import time
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping
from contextvars import ContextVar
from typing import Any, Final

from opentelemetry import trace

from agentops import semconv
from agentops.instrument import calls, kinds
from agentops.instrument.frameworks import langchain_cache
from agentops.instrument.frameworks.told import CALLS, PACKAGE
from agentops.instrument.patches import Patches
from agentops.instrument.shown import to_json


def complete(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell the kind of LangChain's runs when they start, and which of them are agents."""
    del tracer
    runs = {
        "chat_model": "LLM",
        "llm": "LLM",
        "embedding": "EMBEDDING",
        "tool": "TOOL",
        "retriever": "RETRIEVER",
    }

    def started(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        result = wrapped(*args, **kwargs)
        try:
            run: Any = args[0]
            span = instance.get_span(run.id)
            if span is None:
                return result
            extra: Mapping[str, Any] = run.extra or {}
            metadata: Mapping[str, Any] = extra.get("metadata") or {}
            agent = metadata.get("lc_agent_name")
            if agent and agent == run.name and run.run_type == "chain":
                kinds.fix(span, "AGENT")
                span.set_attribute("agent.name", str(agent))
                return result
            kind = runs.get(run.run_type)
            if kind is None:
                span.set_attribute(kinds.KIND, "CHAIN")
                _tell_agent(instance, run)
            else:
                # For good: the instrumentor takes whatever has "agent" in its name for an agent.
                kinds.fix(span, kind)
            if run.run_type == "tool":
                # Of a single argument the instrumentor tells the value without its name.
                span.set_attribute(semconv.INPUT, to_json(run.inputs))
            if kind in CALLS:
                calls.note(span)
        except Exception:
            pass  # Its instrumentor tells at the end what it is.
        return result

    def raised(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        # A stream that its reader has left did not fail.
        return None if isinstance(args[1], GeneratorExit) else wrapped(*args, **kwargs)

    def failed(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            _keep_said(instance, kwargs["run_id"])
            if args and isinstance(args[0], asyncio.CancelledError):
                args = (GeneratorExit() if _left(args[0]) else args[0], *args[1:])
                _end_within(instance, kwargs["run_id"], args[0])
        except Exception:
            pass  # What it said is not kept then, or what is within it stays open.
        return wrapped(*args, **kwargs)

    def said(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            span = instance.get_span(kwargs["run_id"])
            if span is not None and semconv.FIRST_TOKEN_NS not in span.attributes:
                span.set_attribute(semconv.FIRST_TOKEN_NS, max(time.time_ns() - span.start_time, 0))
        except Exception:
            pass  # Only this figure is missing.
        return wrapped(*args, **kwargs)

    module = importlib.import_module(PACKAGE + "langchain._tracer")
    patches.method(module, "_record_exception", raised)
    patches.method(module, "_model_name", _models)
    if isinstance(passed := getattr(module, "IGNORED_EXCEPTION_PATTERNS", None), list):
        patches.replace(module, "IGNORED_EXCEPTION_PATTERNS", [*passed, r"^GeneratorExit\("])  # pyright: ignore[reportUnknownArgumentType] -- the instrumentor's
    tracer_class = module.OpenInferenceTracer
    patches.method(tracer_class, "_start_trace", started)
    for name in ("on_llm_error", "on_chain_error", "on_tool_error", "on_retriever_error"):
        patches.method(tracer_class, name, failed)
    patches.method(tracer_class, "on_llm_new_token", said)
    langchain_cache.complete(tracer_class, patches)
    runnables = importlib.import_module("langchain_core.runnables.base")
    for name in ("_astream_events_implementation_v2", "_astream_log_implementation"):
        patches.method(runnables, name, _watched)
    # In the task that makes the call, and not in a thread beside it, which could note nothing for it.
    patches.replace(tracer_class, "run_inline", True)


def _tell_agent(tracer: Any, run: Any) -> None:
    """Tell that a graph is an agent, by its name, where it is one of `create_react_agent`.

    It calls its model in a step of its node `agent`, the only part that its instrumentor takes for one.
    """
    node = tracer.run_map.get(str(run.parent_run_id)) if run.name == "call_model" else None
    if node is None or node.name != "agent" or node.parent_run_id is None:
        return
    graph = tracer.run_map.get(str(node.parent_run_id))
    if graph is None:
        return
    extra: Mapping[str, Any] = graph.extra or {}
    metadata: Mapping[str, Any] = extra.get("metadata") or {}
    # One without a name goes by that of the node it is, in the graph around it.
    inside = metadata.get("langgraph_node") if graph.name == _UNNAMED else None
    span = tracer.get_span(graph.id)
    kinds.fix(span, "AGENT")
    span.set_attribute("agent.name", str(inside or graph.name))
    kinds.fix(tracer.get_span(node.id), "CHAIN")


_UNNAMED: Final = "LangGraph"


def _models(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Yield the model asked for, and the one that says it has answered: that of a stream does at its end."""
    del instance
    yield from wrapped(*args, **kwargs)
    try:
        said = args[0]["generations"][0][0]["message"]["kwargs"]["response_metadata"]
        name = said.get("model_name") or said.get("model")
    except (LookupError, TypeError, AttributeError):
        return
    if isinstance(name, str) and name:
        half = name[: len(name) // 2]  # LangChain joins texts of chunks, and two may say the name.
        yield "llm.response.model_name", half if name == half * 2 else name


def _keep_said(tracer: Any, run_id: Any) -> None:
    """Keep what a stream has said that broke off."""
    run = tracer.run_map.get(str(run_id))
    said = [each.get("kwargs", {}).get("token") for each in getattr(run, "events", ()) or ()]
    text = "".join(each for each in said if isinstance(each, str))
    span = tracer.get_span(run_id)
    if text and span is not None:
        span.set_attribute("llm.output_messages.0.message.role", "assistant")
        span.set_attribute("llm.output_messages.0.message.content", text)


def _end_within(tracer: Any, run_id: Any, error: BaseException) -> None:
    """End the runs within one that was cancelled, and with it they."""
    for run in [run for run in list(tracer.run_map.values()) if run.parent_run_id == run_id]:
        _end_within(tracer, run.id, error)
        kind = {"chat_model": "llm", "llm": "llm", "tool": "tool", "retriever": "retriever"}
        getattr(tracer, f"on_{kind.get(run.run_type, 'chain')}_error")(error, run_id=run.id)


def _left(error: asyncio.CancelledError) -> bool:
    """Say whether an exception ended something whose reader had left, and which did not fail.

    It came into an async generator while none read: a loop that ends cancels the closing of such a one, which
    then sees a cancellation instead. Or it is LangGraph that cancels the nodes of a run that is over, or the
    task beside `astream_events`.
    """
    if error.args and type(error.args[0]) is object:
        return True
    if any(reading.left for reading in _readings.get()):
        return True
    at = error.__traceback__
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and bool(at.tb_frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR)


class _Reading:
    """A stream of events, and whether its reader has left it."""

    left = False


_readings: Final[ContextVar[tuple[_Reading, ...]]] = ContextVar("agentops_langchain_readings", default=())
"""The streams of events of which a run is."""


async def _watched(
    wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> AsyncGenerator[Any]:
    """Yield the events of a run, which goes on in a task beside it, and is cancelled when they are left."""
    del instance
    reading = _Reading()
    events = wrapped(*args, **kwargs)
    try:
        while True:
            token = _readings.set((*_readings.get(), reading))
            try:
                event = await anext(events)
            except StopAsyncIteration:
                return
            finally:
                _readings.reset(token)
            try:
                yield event
            except BaseException:
                reading.left = True
                raise
    finally:
        await events.aclose()
