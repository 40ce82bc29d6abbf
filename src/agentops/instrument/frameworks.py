"""What the instrumentors of frameworks leave out: which call is open, who is an agent, which tool ran.

One function a framework; each is given the framework's instrumentor enabled, and may find that what it looks
for is not there: then only what it adds is missing.
"""

from __future__ import annotations

import asyncio
import functools
import importlib
import inspect
import sys
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from typing import Any, Final

import msgspec
import wrapt
from opentelemetry import trace
from opentelemetry.context import attach, get_current
from opentelemetry.trace import Status, StatusCode

from agentops import semconv
from agentops.instrument import calls, gemini, groq_raw, kinds, lite_llm
from agentops.instrument.patches import Patches, found

_PACKAGE: Final = "openinference.instrumentation."
_CALLS: Final = ("LLM", "EMBEDDING")


def langchain(tracer: trace.Tracer, patches: Patches) -> None:
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
            span.set_attribute(kinds.KIND, runs.get(run.run_type, "CHAIN"))
            if run.run_type == "tool":
                # Of a single argument the instrumentor tells the value without its name.
                span.set_attribute(semconv.INPUT, _json(run.inputs))
            if runs.get(run.run_type) in _CALLS:
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
        del instance
        if args and _left(args[0]):
            args = (GeneratorExit(), *args[1:])
        return wrapped(*args, **kwargs)

    module = importlib.import_module(_PACKAGE + "langchain._tracer")
    patches.method(module, "_record_exception", raised)
    if isinstance(passed := getattr(module, "IGNORED_EXCEPTION_PATTERNS", None), list):
        patches.replace(module, "IGNORED_EXCEPTION_PATTERNS", [*passed, r"^GeneratorExit\("])  # pyright: ignore[reportUnknownArgumentType] -- the instrumentor's
    tracer_class = module.OpenInferenceTracer
    patches.method(tracer_class, "_start_trace", started)
    patches.method(tracer_class, "on_llm_error", failed)
    patches.method(tracer_class, "on_chain_error", failed)
    # In the task that makes the call, and not in a thread beside it, which could note nothing for it.
    patches.replace(tracer_class, "run_inline", True)


def _left(error: BaseException) -> bool:
    """Say whether an exception ended an async generator that its reader had left: it came while none read.

    A loop that ends cancels the closing of such a generator, which then sees a cancellation instead.
    """
    at = error.__traceback__ if isinstance(error, asyncio.CancelledError) else None
    while at is not None and at.tb_next is not None:
        at = at.tb_next
    return at is not None and bool(at.tb_frame.f_code.co_flags & inspect.CO_ASYNC_GENERATOR)


_LLAMA_CALLS: Final = ("chat", "complete", "predict", "structured_predict", "embedding", "embeddings", "call")


def llama_index(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell the kind of LlamaIndex's spans when they start; preparing a call is no call."""
    del tracer

    def begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        span = wrapped(*args, **kwargs)
        try:
            _told(span, kwargs.get("instance"))
        except Exception:
            pass  # As with LangChain.
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
            pass  # As with LangChain.
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

    patches.method(found(_PACKAGE + "llama_index._handler:_Span"), "process_instance", known)
    patches.method(found(_PACKAGE + "llama_index._handler:_SpanHandler"), "new_span", begun)
    patches.method(found(_PACKAGE + "llama_index._handler:_Span"), "process_event", told)


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
    elif span._span_kind in _CALLS and (method.startswith("_prepare") or not method.endswith(_LLAMA_CALLS)):
        span._span_kind = "CHAIN"
    if span._span_kind:
        span._otel_span.set_attribute(kinds.KIND, span._span_kind)
        if span._span_kind in _CALLS:
            calls.note(span._otel_span)


def _beginning(place: str, provider: str = "") -> Callable[[trace.Tracer, Patches], None]:
    """Return what lets an instrumentor say of a call when it begins what it would say at the end.

    Args:
        place: its class that begins spans.
        provider: whose models are called, where it does not say so of a call that fails.
    """

    def complete(tracer: trace.Tracer, patches: Patches) -> None:
        del tracer
        patches.method(found(_PACKAGE + place), "_start_as_current_span", begun)

    def begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        if "attributes" in kwargs and "extra_attributes" in kwargs:
            known = dict(kwargs["attributes"])
            if provider:
                known.setdefault("llm.system", provider)
            kwargs["attributes"] = known.items()
            kwargs["extra_attributes"] = {**dict(kwargs["extra_attributes"]), **known}.items()
        return wrapped(*args, **kwargs)

    return complete


def groq(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell at the start what is asked for, and at the end what was in an HTTP response."""
    _beginning("groq._wrappers:_WithTracer")(tracer, patches)
    groq_raw.complete(patches)


def openai_agents(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell that what is around the agents of a run is no agent itself, and that a run which raises failed."""
    del tracer
    handled: dict[str, int] = {}  # The exception that the program was at when a run began, by its trace.

    def begun(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        result = wrapped(*args, **kwargs)
        try:
            kinds.fix(instance._root_spans[args[0].trace_id], "CHAIN")
            handled[args[0].trace_id] = id(sys.exception())
        except Exception:
            pass  # As with LangChain.
        return result

    def fail(span: Any, trace_id: str) -> None:
        error = sys.exception()
        if span is None or error is None or id(error) == handled.get(trace_id) or _stream_left(error):
            return
        span.record_exception(error)
        span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))

    def ended(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            fail(instance._root_spans.get(args[0].trace_id), args[0].trace_id)
            handled.pop(args[0].trace_id, None)
        except Exception:
            pass  # As with LangChain.
        return wrapped(*args, **kwargs)

    def span_ended(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        try:
            fail(instance._otel_spans.get(args[0].span_id), args[0].trace_id)
        except Exception:
            pass  # As with LangChain.
        return wrapped(*args, **kwargs)

    processor = found(_PACKAGE + "openai_agents._processor:OpenInferenceTracingProcessor")
    patches.method(processor, "on_trace_start", begun)
    patches.method(processor, "on_trace_end", ended)
    patches.method(processor, "on_span_end", span_ended)


def _stream_left(error: BaseException) -> bool:
    """Say whether an exception ended a run whose stream its reader has left: the task beside it is cancelled."""
    frame = inspect.currentframe() if isinstance(error, asyncio.CancelledError) else None
    while frame is not None and frame.f_code.co_name != "start_streaming":
        frame = frame.f_back
    return frame is not None


def agno(tracer: trace.Tracer, patches: Patches) -> None:
    """Let what follows a team's run stand beside it: its span is left current."""
    del tracer

    def ran(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        del instance
        before = get_current()
        try:
            return wrapped(*args, **kwargs)
        finally:
            attach(before)

    async def ran_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        before = get_current()
        try:
            return await wrapped(*args, **kwargs)
        finally:
            attach(before)

    module = importlib.import_module("agno.team._run")
    for name in ("_run", "_continue_run"):
        patches.method(module, name, ran)
    for name in ("_arun", "_acontinue_run"):
        patches.method(module, name, ran_async)


def bedrock(tracer: trace.Tracer, patches: Patches) -> None:
    """Record a model that is invoked with what is no JSON as the LLM call that it is."""
    del tracer
    asked: ContextVar[Any] = ContextVar("agentops_bedrock_model", default=None)

    def made(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        client = wrapped(*args, **kwargs)
        if "invoke_model" in vars(client):
            inner = client.invoke_model

            @functools.wraps(inner)
            def invoke_model(*given: Any, **named: Any) -> Any:
                token = asked.set(named.get("modelId"))
                try:
                    return inner(*given, **named)
                finally:
                    asked.reset(token)

            client.invoke_model = invoke_model
        return client

    def read(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        try:
            return wrapped(*args, **kwargs)
        except Exception:
            span, body, model = trace.get_current_span(), args[0], asked.get()
            span.set_attribute(kinds.KIND, "LLM")
            span.set_attribute("llm.provider", "aws")
            if isinstance(body, str | bytes | bytearray):
                text = body if isinstance(body, str) else body.decode("utf-8", "replace")
                span.set_attribute("input.value", text)
            if isinstance(model, str):
                span.set_attribute("llm.model_name", model)
            raise

    module = importlib.import_module(_PACKAGE + "bedrock")
    patches.method(module, "_instrument_client", made)
    patches.method(module, "parse_invoke_model_body", read)


def smolagents(tracer: trace.Tracer, patches: Patches) -> None:
    """End the span of an agent whose run fails; it is left open, and around all that follows."""
    del tracer

    def ran(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        del instance
        before = get_current()
        try:
            return wrapped(*args, **kwargs)
        except BaseException as error:
            span: Any = trace.get_current_span()
            if span is not trace.get_current_span(before) and span.is_recording():
                if not isinstance(error, Exception):
                    span.record_exception(error)
                span.set_status(Status(StatusCode.ERROR, f"{type(error).__name__}: {error}"))
                span.end()
                attach(before)
            raise

    patches.method(found(_PACKAGE + "smolagents._wrappers:_RunWrapper"), "__call__", ran)


def autogen(tracer: trace.Tracer, patches: Patches) -> None:
    """Tell of a tool that failed what it said."""
    del tracer

    async def executed(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        original = args[0]

        async def told(*given: Any, **named: Any) -> Any:
            result = await original(*given, **named)
            try:
                if result[1].is_error:
                    trace.get_current_span().set_status(StatusCode.ERROR, str(result[1].content))
            except Exception:
                pass  # Then its instrumentor says that it failed.
            return result

        return await wrapped(told, *args[1:], **kwargs)

    wrapper = found(_PACKAGE + "autogen_agentchat._wrappers:_AssistantAgentExecuteToolCallWrapper")
    patches.method(wrapper, "__call__", executed)


def haystack(tracer: trace.Tracer, patches: Patches) -> None:
    """Record the tools that Haystack's agents call; components are recorded whenever they are imported."""
    wrappers: Any = importlib.import_module(_PACKAGE + "haystack._wrappers")
    running: ContextVar[Any] = ContextVar("agentops_haystack_tool", default=None)

    def registered(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        """Do for a component that is imported now what its instrumentor did for those it found."""
        made = wrapped(*args, **kwargs)
        try:
            instrumentor: Any = found(_PACKAGE + "haystack:HaystackInstrumentor")()
            for name, kept, around in (
                ("run", instrumentor._original_component_run_methods, wrappers._ComponentRunWrapper),
                (
                    "run_async",
                    instrumentor._original_component_run_async_methods,
                    wrappers._AsyncComponentRunWrapper,
                ),
            ):
                if name in vars(made) and made not in kept:
                    kept[made] = vars(made)[name]
                    setattr(
                        made, name, wrapt.FunctionWrapper(kept[made], around(tracer=instrumentor._tracer))
                    )
        except Exception:
            pass  # It is wrapped when a pipeline runs it.
        return made

    def invoked(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        if running.get() is instance:
            return wrapped(*args, **kwargs)  # Its asynchronous face, which is recorded.
        with _tool(tracer, str(instance.name), kwargs) as span:
            result = wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, _json(result))
            return result

    async def invoked_async(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        token = running.set(instance)
        try:
            with _tool(tracer, str(instance.name), kwargs) as span:
                result = await wrapped(*args, **kwargs)
                span.set_attribute(semconv.OUTPUT, _json(result))
                return result
        finally:
            running.reset(token)

    def ran(wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        """Make the span around an agent's run, which is the current one there, an agent's."""
        span = trace.get_current_span()
        try:
            if getattr(span, "name", "").startswith(type(instance).__name__ + ".run"):
                kinds.fix(span, "AGENT")
                span.set_attribute("agent.name", type(instance).__name__)
        except Exception:
            pass  # As with LangChain.
        return wrapped(*args, **kwargs)

    patches.method(type(found("haystack:component")), "_component", registered)
    agent = found("haystack.components.agents:Agent")
    patches.method(agent, "_initialize_fresh_execution", ran)
    tool = found("haystack.tools:Tool")
    patches.method(tool, "invoke", invoked)
    patches.method(tool, "invoke_async", invoked_async)


def mcp(tracer: trace.Tracer, patches: Patches) -> None:
    """Record the tools that a client of MCP calls, wherever they run."""

    async def called(
        wrapped: Callable[..., Any], instance: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> Any:
        del instance
        name = args[0] if args else kwargs.get("name")
        arguments = args[1] if len(args) > 1 else kwargs.get("arguments")
        with _tool(tracer, str(name), arguments) as span:
            result = await wrapped(*args, **kwargs)
            span.set_attribute(semconv.OUTPUT, _json(_content(result)))
            if getattr(result, "is_error", None) or getattr(result, "isError", None):
                span.set_status(Status(StatusCode.ERROR, str(_content(result))))
            return result

    patches.method(importlib.import_module("mcp").ClientSession, "call_tool", called)


def _content(result: Any) -> Any:
    """Return what an MCP tool answered: the text, when it is one text."""
    content = getattr(result, "content", result)
    if isinstance(content, list) and len(content) == 1 and hasattr(content[0], "text"):  # pyright: ignore[reportUnknownArgumentType] -- the program's
        return content[0].text  # pyright: ignore[reportUnknownVariableType, reportUnknownMemberType] -- as above
    return content  # pyright: ignore[reportUnknownVariableType] -- as above


def _tool(tracer: trace.Tracer, name: str, arguments: Any) -> Any:
    attributes = {semconv.SPAN_KIND: "tool", semconv.TOOL_NAME: name, semconv.INPUT: _json(arguments)}
    return tracer.start_as_current_span(name, attributes=attributes)


def _json(value: Any) -> str:
    try:
        return msgspec.json.encode(value, enc_hook=_plain).decode()
    except Exception:
        return msgspec.json.encode(repr(value)).decode()


def _plain(value: Any) -> Any:
    return value.model_dump(mode="json") if hasattr(value, "model_dump") else repr(value)


COMPLETE: Final[Mapping[str, Callable[[trace.Tracer, Patches], None]]] = {
    "langchain_core": langchain,
    "llama_index.core": llama_index,
    "litellm": lite_llm.complete,
    "groq": groq,
    "mistralai": _beginning("mistralai._chat_wrapper:_WithTracer", "mistralai"),
    "agno": agno,
    "google.genai": gemini.complete,
    "boto3": bedrock,
    "agents": openai_agents,
    "smolagents": smolagents,
    "autogen_agentchat": autogen,
    "haystack": haystack,
    "mcp": mcp,
}
"""What is added to the instrumentor of a library, by its module."""
