"""Token counts by class, such that no token is counted twice.

What we keep: the input with the cached tokens in it, the output with the reasoning in it, and those parts
apart. OpenTelemetry and OpenInference send the input so; Anthropic's own usage, and what forwards it
unchanged, counts the cached tokens beside the input. Unknown stays unknown.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct

_OLD_PROMPT: Final = "gen_ai.usage.prompt_tokens"
_INCLUSIVE_SCOPES: Final = ("opentelemetry.instrumentation.", "openinference.")
"""Instrumentation that adds Anthropic's cached tokens to `prompt_tokens` itself."""


class Tokens(Struct, frozen=True, gc=False):
    """Counts of one call. `input` includes `cache_read` and `cache_write`, `output` includes `reasoning`."""

    input: int | None = None
    output: int | None = None
    cache_read: int | None = None
    cache_write: int | None = None
    reasoning: int | None = None


NONE: Final = Tokens()


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
    entered = found.get("tokens_input")
    left = found.get("tokens_output")
    read = found.get("cache_read")
    written = found.get("cache_write")
    reasoning = found.get("reasoning")
    if entered is None and left is None and read is None and written is None and reasoning is None:
        return NONE
    if not entered and not left and not read and not written:
        # A call without a token does not exist: these zeros stand for "not known" (streams without usage).
        return NONE
    cached = (read or 0) + (written or 0)
    if cached and entered is not None:
        beside = cached > entered or (
            sources.get("tokens_input") == _OLD_PROMPT
            and ("anthropic" in provider or (not provider and "claude" in model.lower()))
            and not scope.startswith(_INCLUSIVE_SCOPES)
        )
        if beside:
            entered += cached
    if reasoning and left is not None and reasoning > left:
        left += reasoning
    return Tokens(entered, left, read, written, reasoning)
