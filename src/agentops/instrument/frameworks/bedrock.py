"""What the instrumentor of Bedrock leaves out: the call whose body is no JSON."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Callable
from contextvars import ContextVar
from typing import Any

from opentelemetry import trace

from agentops.instrument import kinds
from agentops.instrument.frameworks.told import PACKAGE
from agentops.instrument.patches import Patches


def complete(tracer: trace.Tracer, patches: Patches) -> None:
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

    module = importlib.import_module(PACKAGE + "bedrock")
    patches.method(module, "_instrument_client", made)
    patches.method(module, "parse_invoke_model_body", read)
