"""A chat with a model of openai's, as attributes: what the instrumentor says of one, said in one go.

Its own extractors go through generators within generators for every attribute. Here the common case is
written out, messages of a role and a text; what else is in one, they are asked.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

import msgspec

_type: Final = cast("Callable[[Any], Any]", type)
"""`type`, of which nothing is known: a request may hold anything."""
_TEXT: Final = frozenset({"role", "content"})

_WITH_IMAGES: Final = ("image_url", "input_image")

Pairs = Iterable[tuple[str, Any]]


def to_json(value: Any, **more: Any) -> str:
    """Return a value as JSON text; what JSON cannot hold as its `str`."""
    try:
        return msgspec.json.encode(value, enc_hook=str).decode()
    except Exception:
        return json.dumps(value, default=str, ensure_ascii=False, **more)


def has_image(given: Mapping[str, Any]) -> bool:
    """Say whether a message of a request has a part that is an image."""
    for name in ("messages", "input"):
        messages: Any = given.get(name)
        for message in messages if _type(messages) is list else ():
            content: Any = message.get("content") if _type(message) is dict else None
            for part in content if _type(content) is list else ():
                if _type(part) is dict and part.get("type") in _WITH_IMAGES:
                    return True
    return False


def asked(given: Mapping[str, Any], other: Callable[[Any], Pairs]) -> dict[str, Any]:
    """Return the attributes of a request beside its JSON; `other` tells what a message says beside a text."""
    rest = dict(given)
    messages, tools = rest.pop("messages"), rest.pop("tools", None)
    rest.pop("functions", None)
    found: dict[str, Any] = {}
    for at, tool in enumerate(tools if _type(tools) is list else ()):
        found[f"llm.tools.{at}.tool.json_schema"] = to_json(tool)
    found["llm.invocation_parameters"] = to_json(rest)
    for at, message in enumerate(messages):
        if _type(message) is dict and message.keys() == _TEXT:
            role, content = message["role"], message["content"]
            if _type(role) is str and _type(content) is str and role and content:
                found[f"llm.input_messages.{at}.message.role"] = role
                found[f"llm.input_messages.{at}.message.content"] = content
                continue
        for key, value in other(message):
            found[f"llm.input_messages.{at}.{key}"] = value
    return found


def answered(completion: Any, usage: Callable[[Any], Pairs], other: Callable[[Any], Pairs]) -> dict[str, Any]:
    """Return the attributes of an answer beside its JSON.

    Args:
        completion: a ChatCompletion.
        usage: tells what its `usage` says.
        other: tells what a message says, its tools included.
    """
    found: dict[str, Any] = {}
    if completion.model:
        found["llm.model_name"] = completion.model
    if completion.usage:
        found.update(usage(completion.usage))
    for choice in completion.choices or ():
        at, message = choice.index, choice.message
        if at is None:
            continue
        if message:
            if message.tool_calls or message.function_call:
                for key, value in other(message):
                    found[f"llm.output_messages.{at}.{key}"] = value
            else:
                if message.role:
                    found[f"llm.output_messages.{at}.message.role"] = message.role
                if message.content:
                    found[f"llm.output_messages.{at}.message.content"] = message.content
        if at == 0 and choice.finish_reason is not None:  # Of several choices, the first one's.
            found["llm.finish_reason"] = choice.finish_reason
    return found
