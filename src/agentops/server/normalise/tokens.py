"""Token counts by class, such that no token is counted twice.

What we keep: the input with the cached tokens in it, the output with the reasoning in it, and those parts
apart. OpenTelemetry and OpenInference send the input so; Anthropic's own usage, and what forwards it
unchanged, counts the cached tokens beside the input. Unknown stays unknown.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from agentops.server.normalise.parts import parsed
from agentops.server.normalise.values import count, is_object

_OLD_PROMPT: Final = "gen_ai.usage.prompt_tokens"
_INCLUSIVE_SCOPES: Final = ("opentelemetry.instrumentation.", "openinference.")
"""Instrumentation that adds Anthropic's cached tokens to `prompt_tokens` itself."""


class Tokens(Struct, frozen=True, gc=False):
    """Counts of one call. `input` includes `cache_read` and `cache_write`, `output` includes `reasoning`.

    `more` is the JSON text of a `More`, or "".
    """

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None
    more: str = ""


class More(Struct, frozen=True, gc=False, omit_defaults=True):
    """What few calls use and some prices tell apart.

    Attributes:
        cache_write_1h: The part of the tokens written to a cache that stays for an hour.
        input_audio: The part of the input that is sound.
        output_audio: The part of the output that is sound.
        input_image: The part of the input that is pictures, where the provider tells it apart.
        output_image: The part of the output that is pictures.
        cache_read_audio: The part of what was read from the cache that is sound.
        cache_read_image: The part of what was read from the cache that is pictures.
        web_searches: Searches that the provider made for the call.
        characters: Characters that were spoken, where those are billed.
        audio_seconds: Seconds that were listened to, where those are billed.
        tier: How the provider served the call, where that is not the usual way: one of TIERS.
        advised: Of another model that it asked: that model, and its tokens in, out, read from a cache and
            written to one. They are a part of the counts.
    """

    cache_write_1h: int = 0
    input_audio: int = 0
    output_audio: int = 0
    input_image: int = 0
    output_image: int = 0
    cache_read_audio: int = 0
    cache_read_image: int = 0
    web_searches: int = 0
    characters: int = 0
    audio_seconds: int = 0
    tier: str = ""
    advised: list[tuple[str, int, int, int, int]] = []


TIERS: Final = ("batch", "flex", "priority", "fast")
NONE: Final = Tokens()
_MORE: Final = More.__struct_fields__
_HOUR: Final = "ephemeral_1h_input_tokens"
_HOUR_COUNT: Final = re.compile(_HOUR + r'\\?"\s*:\s*([0-9]{1,12})')


def more(text: str) -> More:
    """Return what `Tokens.more` says."""
    return msgspec.json.decode(text, type=More) if text else More()


def _more(found: Mapping[str, Any], written: int | None) -> str:
    if not written and found.keys().isdisjoint(_MORE):
        return ""
    given = {name: found[name] for name in _MORE if found.get(name)}
    if written and "cache_write_1h" not in found:
        # Instrumentation that has no name for it keeps it in the provider's answer only.
        for field in ("usage", "output", "output_messages"):
            text = found.get(field)
            if type(text) is str and _HOUR in text:
                counts = [int(digits) for digits in _HOUR_COUNT.findall(text)]
                if counts and 0 < counts[-1] <= written:
                    given["cache_write_1h"] = counts[-1]
                break
    return msgspec.json.encode(given).decode() if given else ""


def tokens(
    found: Mapping[str, Any], sources: Mapping[str, str], model: str, provider: str, scope: str
) -> Tokens:
    """Return the counts that a span reports.

    Args:
        found: The span's fields.
        sources: The attribute that each field is from.
        model: The model that answered.
        provider: Who answered, in lower case, or "".
        scope: Name of the instrumentation.
    """
    counted = _tokens(found, sources, model, provider, scope)
    for step in found.get("beside", ()):
        counted = _with(counted, _from_raw(step, {}))
    return counted


def _with(one: Tokens, other: Tokens) -> Tokens:
    """Return the sums of two steps of a call; what few calls have is the first one's."""
    return Tokens(
        _sum(one.input, other.input),
        _sum(one.output, other.output),
        _sum(one.cache_read, other.cache_read),
        _sum(one.cache_write, other.cache_write),
        _sum(one.reasoning, other.reasoning),
        one.more,
    )


def advised(step: Mapping[str, Any]) -> tuple[str, int, int, int, int] | None:
    """Return the model of a step that was another one's, and its tokens; None where they are not known."""
    counted = _from_raw(step, {})
    model = step.get("model")
    if type(model) is not str or counted is NONE:
        return None
    return (
        model,
        counted.input or 0,
        counted.output or 0,
        counted.cache_read or 0,
        counted.cache_write or 0,
    )


def _sum(one: int | None, other: int | None) -> int | None:
    return (one or 0) + other if other else one


def hour_written(usage: Mapping[str, Any]) -> int:
    """Return how many tokens Anthropic's usage says were written to a cache for an hour."""
    written = usage.get("cache_creation")
    return (count(written.get(_HOUR)) or 0) if is_object(written) else 0


def _tokens(
    found: Mapping[str, Any], sources: Mapping[str, str], model: str, provider: str, scope: str
) -> Tokens:
    entered = found.get("tokens_input")
    left = found.get("tokens_output")
    read = found.get("cache_read")
    written = found.get("cache_write")
    reasoning = found.get("reasoning")
    if entered is None and left is None and read is None and written is None and reasoning is None:
        counted = _from_raw(found["usage"], found) if "usage" in found else NONE
        if counted is NONE and ("characters" in found or "audio_seconds" in found):
            return Tokens(more=_more(found, None))
        return counted
    if not entered and not left and not read and not written:
        # A call without a token does not exist: these zeros stand for "not known" (streams without usage).
        return NONE
    if "usage" in found:
        whole = _from_raw(found["usage"], found)
        if (whole.input, whole.output) == (entered, left):
            # The span's own attributes name the sums, and its provider's usage their parts.
            return Tokens(
                entered,
                left,
                whole.cache_read if read is None else read,
                whole.cache_write if written is None else written,
                whole.reasoning if reasoning is None else reasoning,
                whole.more,
            )
    cached = (read or 0) + (written or 0)
    total = found.get("tokens_total")
    if cached and entered is not None:
        beside = (
            cached > entered
            or total == entered + cached + (left or 0)
            or (
                sources.get("tokens_input") == _OLD_PROMPT
                and ("anthropic" in provider or (not provider and "claude" in model.lower()))
                and not scope.startswith(_INCLUSIVE_SCOPES)
            )
        )
        if beside:
            entered += cached
    if reasoning and left is not None and (reasoning > left or total == (entered or 0) + left + reasoning):
        left += reasoning  # As xAI counts, beside the output.
    return Tokens(entered, left, read, written, reasoning, _more(found, written))


_RAW: Final[Mapping[str, tuple[str, ...]]] = {
    "input": ("input_tokens", "prompt_tokens", "promptTokenCount", "input"),
    "output": ("output_tokens", "completion_tokens", "candidatesTokenCount", "output"),
    "cache_read": (
        "cache_read_input_tokens",
        "cached_tokens",
        "cachedContentTokenCount",
        "prompt_cache_hit_tokens",
    ),
    "cache_write": ("cache_creation_input_tokens",),
    "reasoning": ("reasoning_tokens", "thinking_tokens", "thoughtsTokenCount"),
    "total": ("total_tokens",),
}
_DETAILS: Final[Mapping[str, str]] = {
    "prompt_tokens_details": "input_audio",
    "input_tokens_details": "input_audio",
    "input_token_details": "input_audio",
    "completion_tokens_details": "output_audio",
    "output_tokens_details": "output_audio",
    "output_token_details": "output_audio",
}
"""Where a usage object has the parts of a count, and which of ours their sound is."""


def _from_raw(value: Any, besides: Mapping[str, Any]) -> Tokens:
    """Return the counts of a provider's own usage object, when a span has nothing else.

    `besides` are the span's fields.

    Anthropic counts the cached tokens beside the input, Google the reasoning beside the output.
    """
    usage = parsed(value)
    if not is_object(usage):
        return NONE
    flat: dict[str, Any] = dict(usage)
    rare: dict[str, Any] = {name: besides[name] for name in _MORE if besides.get(name)}
    for name, sound in _DETAILS.items():
        details = usage.get(name)
        if is_object(details):
            flat = {**details, **flat}
            if heard := count(details.get("audio_tokens")):
                rare[sound] = heard
            cached: Any = details.get("cached_tokens_details")
            for kind in ("audio", "image") if is_object(cached) else ():
                if number := count(cached.get(f"{kind}_tokens")):
                    rare[f"cache_read_{kind}"] = number
    found = {
        field: next((known for name in names if (known := count(flat.get(name))) is not None), None)
        for field, names in _RAW.items()
    }
    if not any(found.values()):
        return NONE
    entered, left = found["input"], found["output"]
    if entered is not None and ("cache_read_input_tokens" in usage or "cache_creation_input_tokens" in usage):
        entered += (found["cache_read"] or 0) + (found["cache_write"] or 0)
    reasoning = found["reasoning"] or 0
    apart = "thoughtsTokenCount" in usage or found["total"] == (entered or 0) + (left or 0) + reasoning
    if left is not None and (apart or reasoning > left):
        left += reasoning
    if found["cache_write"] and "cache_write_1h" not in rare:
        if hour := hour_written(usage):
            rare["cache_write_1h"] = hour
        elif type(value) is str and (spelt := _HOUR_COUNT.search(value)) and int(spelt[1]):
            rare["cache_write_1h"] = int(spelt[1])
    more_ = msgspec.json.encode(rare).decode() if rare else ""
    return Tokens(entered, left, found["cache_read"], found["cache_write"], found["reasoning"], more_)
