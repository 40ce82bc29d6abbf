"""What a provider's answer says, whatever library gave it: model, messages, why it ended, tokens.

Answers are objects or mappings. The forms of OpenAI (chats and responses), Anthropic, Gemini, Cohere, Bedrock
and Ollama are known, and those of everybody who does as they do.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, cast

_CALL: Final = ("function_call", "custom_tool_call")
_ENDS: Final = ("finish_reason", "stop_reason", "done_reason", "stopReason", "finishReason")
_TEXTS: Final = ("output_text", "completion", "response", "text")
_USAGES: Final = ("usage", "usage_metadata", "usageMetadata")
_INPUT: Final = (
    "prompt_tokens", "input_tokens", "prompt_token_count", "promptTokenCount", "inputTokens",
    "prompt_eval_count",
)  # fmt: skip
_OUTPUT: Final = (
    "completion_tokens", "output_tokens", "candidates_token_count", "candidatesTokenCount", "outputTokens",
    "eval_count",
)  # fmt: skip
_CACHE_READ: Final = (
    "cache_read_input_tokens", "cached_content_token_count", "cachedContentTokenCount",
    "cacheReadInputTokens",
)  # fmt: skip
_CACHE_WRITE: Final = ("cache_creation_input_tokens", "cacheWriteInputTokens")
_THOUGHT: Final = ("thoughts_token_count", "thoughtsTokenCount")
_APART: Final = ("input_tokens", "inputTokens")
"""Counts of what went in that leave out what was read from a cache, and written to it."""


def field(value: Any, *names: str) -> Any:
    """Return the first of these fields that an object or a mapping has, and that is not None."""
    for name in names:
        found: Any = (
            cast("Mapping[str, Any]", value).get(name)
            if isinstance(value, Mapping)
            else getattr(value, name, None)
        )
        if found is not None:
            return found
    return None


def items(value: Any) -> list[Any]:
    """Return a list that is one; of anything else, nothing."""
    return list(cast("list[Any]", value)) if isinstance(value, list | tuple) else []


def completion(result: Any) -> Any:
    """Return the messages, or the text, that an answer says; None when it is of no known form."""
    if isinstance(result, str):
        return result
    choices = items(field(result, "choices"))
    if choices:
        return [found for each in choices if (found := field(each, "message", "text")) is not None] or None
    candidates = items(field(result, "candidates"))
    if candidates and (said := [found for each in candidates if (found := _candidate(each)) is not None]):
        return said
    message = field(field(result, "output"), "message") or field(result, "message")
    if _is_message(message):
        return [message]
    if _is_message(result):
        return result
    said = _items_of(items(field(result, "output")))
    if said:
        return said
    text = field(result, *_TEXTS)
    return text if isinstance(text, str) else None


def _is_message(value: Any) -> bool:
    return isinstance(field(value, "role"), str) and field(value, "content", "tool_calls") is not None


def _candidate(candidate: Any) -> dict[str, Any] | None:
    """Return what one of Gemini's candidates says, as a message."""
    parts = items(field(field(candidate, "content"), "parts"))
    said = [part for each in parts if (part := _part(each)) is not None]
    return {"role": "assistant", "parts": said} if said else None


def _part(part: Any) -> dict[str, Any] | None:
    call = field(part, "function_call", "functionCall")
    if call is not None:
        arguments = field(call, "args")
        return {"type": "tool_call", "id": field(call, "id"), "name": field(call, "name"),
                "arguments": dict(cast("Mapping[str, Any]", arguments))
                if isinstance(arguments, Mapping) else arguments}  # fmt: skip
    text = field(part, "text")
    if not isinstance(text, str):
        return None
    return {"type": "reasoning" if field(part, "thought") is True else "text", "content": text}


def _items_of(output: list[Any]) -> list[Any]:
    """Return what the items of a response of OpenAI's say, as messages."""
    said: list[Any] = []
    for item in output:
        kind = field(item, "type")
        if kind == "message":
            said.append(item)
        elif kind == "reasoning":
            texts = [str(field(each, "text") or "") for each in items(field(item, "summary", "content"))]
            parts = [{"type": "reasoning", "content": text} for text in texts if text]
            said += [{"role": "assistant", "parts": parts}] if parts else []
        elif kind in _CALL:
            call = {"id": field(item, "call_id", "id"), "name": field(item, "name"),
                    "arguments": field(item, "arguments", "input")}  # fmt: skip
            said.append({"role": "assistant", "content": None, "tool_calls": [call]})
    return said


def ends(result: Any) -> list[str]:
    """Return why an answer ended, once for each of its choices."""
    choices = items(field(result, "choices")) or items(field(result, "candidates")) or [result]
    found = (field(each, *_ENDS) for each in choices)
    # Some are members of an enumeration.
    return [str(getattr(each, "value", each)) for each in found if each is not None]


def model_of(result: Any) -> str | None:
    """Return the model that answered."""
    found = field(result, "model", "model_version", "modelVersion")
    return found if isinstance(found, str) and found else None


def tokens(result: Any) -> dict[str, int]:
    """Return the tokens that an answer, or a chunk of one, says it took; what it does not say is unknown."""
    usage = field(result, *_USAGES) or field(field(result, "x_groq"), "usage")
    if usage is None:
        usage = field(field(result, "meta"), "billed_units", "tokens")  # Cohere's first version.
    if usage is None:
        return usage_attributes(result) if field(result, "eval_count", "prompt_eval_count") else {}
    return usage_attributes(field(usage, "billed_units", "tokens") or usage)


def usage_attributes(usage: Any) -> dict[str, int]:
    """Return the tokens that a response's usage names; the classes it does not name are unknown, not zero."""
    if usage is None:
        return {}
    read = field(usage, *_CACHE_READ)
    write = field(usage, *_CACHE_WRITE)
    given, made = field(usage, *_INPUT), field(usage, *_OUTPUT)
    # Anthropic's input_tokens are without the cached ones; the recorded figure includes them.
    if _is_count(given) and field(usage, *_APART) is not None:
        given += sum(part for part in (read, write) if _is_count(part))
    details = field(usage, "prompt_tokens_details", "input_tokens_details")
    detailed = field(usage, "completion_tokens_details", "output_tokens_details")
    thought = field(usage, *_THOUGHT)
    if _is_count(thought) and _is_count(made):
        made += thought  # Gemini counts its thoughts beside what it says.
    figures = {
        "gen_ai.usage.input_tokens": given,
        "gen_ai.usage.output_tokens": made,
        "gen_ai.usage.cache_read.input_tokens": read if read is not None else field(details, "cached_tokens"),
        "gen_ai.usage.cache_creation.input_tokens": write,
        "gen_ai.usage.reasoning.output_tokens": thought or field(detailed, "reasoning_tokens"),
    }
    return {name: int(value) for name, value in figures.items() if _is_count(value)}


def _is_count(value: Any) -> bool:
    """Say whether a value is a number of tokens; Cohere's are floats."""
    return not isinstance(value, bool) and isinstance(value, int | float) and 0 <= value < 2**63
