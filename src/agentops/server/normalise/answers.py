"""What only the answer of a model call says, its JSON as the provider sent it.

Its usage, when the span has no attribute for any of it; the searches that the provider made; how it served
the call; which tokens are pictures; why each of several choices ended; what was compacted. Most answers say
none of that: they are looked at, and not decoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

import msgspec
from msgspec import Struct

from agentops.server.normalise.tokens import TIERS, advised, hour_written
from agentops.server.normalise.values import count, dollars, is_list, is_object

_COUNTS: Final = ("tokens_input", "tokens_output", "cache_read", "cache_write", "reasoning", "usage")
_SEARCH: Final = "web_search_call"
_SEARCHES: Final = "web_search_requests"
_CACHED: Final = ("prompt_cache_hit_tokens", "cached_tokens")
"""Where DeepSeek and Moonshot say in the usage itself what was read from a cache."""
_READ: Final = re.compile(r'"(?:' + "|".join(_CACHED) + r')":\s?[1-9]')


class _Answer(Struct):
    """The part of a provider's answer that is wanted from its JSON."""

    usage: Any = None
    output: Any = None
    data: Any = None
    service_tier: Any = None
    choices: Any = None
    usage_metadata: Any = None
    usageMetadata: Any = None


_ANSWER: Final = msgspec.json.Decoder(_Answer)


def take(found: dict[str, Any]) -> None:
    """Add what only the answer of a model call says: its usage, when the span has none, and its searches."""
    text = found.get("output")
    if type(text) is not str or text[:1] != "{":
        return
    counted = not found.keys().isdisjoint(_COUNTS)
    searched = "web_searches" not in found and (_SEARCHES in text or _SEARCH in text)
    served = "tier" not in found and _TIER.search(text) is not None
    pictured = '"image_tokens"' in text or '"IMAGE"' in text or '"AUDIO"' in text
    billed = "cost" not in found and '"cost"' in text
    several = _SECOND.search(text) is not None
    repeated = '"iterations"' in text
    cached = (
        "cache_read" not in found
        and counted
        and any(name in text for name in _CACHED)  # The quicker look.
        and _READ.search(text) is not None
    )
    if not (searched or served or pictured or billed or several or repeated or cached) and (
        counted or '"usage"' not in text
    ):
        return
    try:
        said = _ANSWER.decode(text)
    except (msgspec.DecodeError, UnicodeError, RecursionError):
        return
    usage: Mapping[str, Any] = said.usage if is_object(said.usage) else {}
    if not counted and usage:
        found["usage"] = usage
    if searched and (made := _searches(said)):
        found["web_searches"] = made
    if served and (tier := _tier(said.service_tier, usage)):
        found["tier"] = tier
    if billed and (cost := _cost(usage)) is not None:
        found["cost"] = cost
    if several and len(ends := _ends(said.choices)) > 1:
        found["finish"] = ends
    if pictured:
        found.update(_pictures(usage, is_list(said.data)))
        for name, number in _modal(said.usage_metadata or said.usageMetadata).items():
            found.setdefault(name, number)
    if repeated:
        found.update(_iterated(usage))
    if cached and (read := next((known for name in _CACHED if (known := count(usage.get(name)))), None)):
        found["cache_read"] = read


_TIER: Final = re.compile(r'"(?:service_tier|speed)":\s?"(?:' + "|".join(TIERS) + ')"')


_SECOND: Final = re.compile(r'"index":\s?1\b')


def _ends(choices: Any) -> list[str]:
    """Return why each choice ended, in their order."""
    ended = [each for each in choices if is_object(each)] if is_list(choices) else []
    ended.sort(key=lambda each: count(each.get("index")) or 0)
    return [reason for each in ended if type(reason := each.get("finish_reason")) is str]


def _tier(said: Any, usage: Mapping[str, Any]) -> str | None:
    """Return how a call was served: OpenAI says so beside the usage, Anthropic in it."""
    for tier in (said, usage.get("service_tier"), usage.get("speed")):
        if type(tier) is str and tier in TIERS:
            return tier
    return None


def _cost(usage: Mapping[str, Any]) -> float | None:
    """Return what a call cost, where the answer says: OpenRouter's in one number, Perplexity's in parts."""
    said = usage.get("cost")
    if is_object(said):
        return dollars(said.get("total_cost"))
    cost = dollars(said)
    details = usage.get("cost_details")
    if cost is not None and usage.get("is_byok") and is_object(details):
        # With a key of one's own it is OpenRouter's fee, beside the provider's bill.
        cost += dollars(details.get("upstream_inference_cost")) or 0
    return cost


def _pictures(usage: Mapping[str, Any], painted: bool) -> dict[str, int]:
    """Return the parts of the counts that are pictures, as the whole of a painter's answer is."""
    found: dict[str, int] = {}
    for direction in ("input", "output"):
        details = usage.get(f"{direction}_tokens_details") or usage.get(f"{direction}_token_details")
        shown = count(details.get("image_tokens")) if is_object(details) else None
        if shown is None and direction == "output" and painted:
            shown = count(usage.get("output_tokens"))
        if shown:
            found[f"{direction}_image"] = shown
    return found


_MODAL: Final[tuple[tuple[str, tuple[str, str]], ...]] = (
    ("input", ("prompt_tokens_details", "promptTokensDetails")),
    ("output", ("candidates_tokens_details", "candidatesTokensDetails")),
    ("cache_read", ("cache_tokens_details", "cacheTokensDetails")),
)


def _modal(usage: Any) -> dict[str, int]:
    """Return the parts of Google's counts that are pictures or sound."""
    found: dict[str, int] = {}
    for direction, names in _MODAL if is_object(usage) else ():
        held: Any = usage.get(names[0]) or usage.get(names[1])
        listed: list[Any] = held if is_list(held) else []
        for part in listed:
            kind = str(part.get("modality")).lower() if is_object(part) else ""
            if kind in ("image", "audio"):
                name = f"{direction}_{kind}"
                number = count(part.get("token_count") or part.get("tokenCount"))
                found[name] = found.get(name, 0) + (number or 0)
    return {name: number for name, number in found.items() if number}


def _iterated(usage: Mapping[str, Any]) -> dict[str, Any]:
    """Return what Anthropic's steps say: what was compacted is beside the sums, at the same price.

    So is what another model advised, at its own.
    """
    steps: list[Any] = each if is_list(each := usage.get("iterations")) else []
    compacted = [step for step in steps if is_object(step) and step.get("type") == "compaction"]
    asked = [step for step in steps if is_object(step) and step.get("type") == "advisor_message"]
    known = [(step, counts) for step in asked if (counts := advised(step)) is not None]
    beside = [*compacted, *(step for step, _ in known)]
    found: dict[str, Any] = {"beside": beside} if beside else {}
    if known:
        found["advised"] = [counts for _, counts in known]
    if steps:  # Each step repeats its part of the sum.
        found["cache_write_1h"] = sum(hour_written(each) for each in (usage, *compacted))
    return found


def _searches(said: _Answer) -> int | None:
    """Return how many searches the provider made: Anthropic counts them, OpenAI lists what it did."""
    tools: Any = said.usage.get("server_tool_use") if is_object(said.usage) else None
    if is_object(tools):
        return count(tools.get(_SEARCHES))
    listed: list[Any] = said.output if is_list(said.output) else []
    searched = 0
    for item in listed:
        if is_object(item) and item.get("type") == _SEARCH:
            action = item.get("action")
            # Opening a page that was found is no search.
            searched += not is_object(action) or action.get("type", "search") == "search"
    return searched
