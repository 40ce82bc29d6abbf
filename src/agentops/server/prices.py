"""What a model call costs, from genai-prices.

A reported cost is never touched. A computed one carries its arithmetic: one line per class of tokens, each
token in one class only, with the price that was used and where it is from. What is not known (the model, its
price, the number of tokens) has no cost rather than a cost of zero.
"""

from __future__ import annotations

import importlib.metadata
from collections.abc import Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from agentops.server.normalise.event import Event

_PRICED_KINDS: Final = frozenset(("llm", "embedding"))
_MILLION: Final = Decimal(1_000_000)
_THOUSAND: Final = Decimal(1000)
_MOST_REMEMBERED: Final = 4096
_PROVIDERS: Final[Mapping[str, str]] = {
    "amazon_bedrock": "aws",
    "bedrock": "aws",
    "gcp.gen_ai": "google",
    "google_genai": "google",
    "mistralai": "mistral",
    "moonshot": "moonshotai",
    "vertexai": "google",
    "x_ai": "x-ai",
    "xai": "x-ai",
}
"""Names of providers in use that genai-prices does not match itself."""


class Line(Struct, frozen=True, gc=False, rename={"kind": "class"}):
    """One line of the arithmetic: tokens of one class at the price that was in force on `date`."""

    kind: str
    tokens: int
    usd_per_million: float
    usd: float
    price: str
    date: str
    source: str


class Priced(Struct, frozen=True, gc=False):
    """A computed cost and its arithmetic."""

    usd: Decimal
    lines: list[Line]


def priced(event: Event) -> Event:
    """Return the event with its cost, if it is a model call whose cost is not reported but computable."""
    if event.kind not in _PRICED_KINDS or event.cost_source or not event.ended or not event.model:
        return event
    if event.tokens_input is None or (event.tokens_output is None and event.kind == "llm"):
        return event
    found = cost(
        event.provider,
        (event.model, event.request_model),
        event.started_at,
        entered=event.tokens_input,
        left=event.tokens_output or 0,
        cache_read=event.tokens_cache_read or 0,
        cache_write=event.tokens_cache_write or 0,
        reasoning=event.tokens_reasoning or 0,
    )
    if found is None:
        return event
    detail = msgspec.json.encode(found.lines).decode()
    return replace(event, cost_usd=float(found.usd), cost_source="computed", cost_detail=detail)


def cost(
    provider: str,
    models: tuple[str, ...],
    at_ns: int,
    *,
    entered: int,
    left: int,
    cache_read: int = 0,
    cache_write: int = 0,
    reasoning: int = 0,
) -> Priced | None:
    """Return what a call costs, or None when the model or its price is not known.

    Args:
        provider: Who answered, or "" when not known.
        models: Names of the model, the most telling first.
        at_ns: When the call was made, unix nanoseconds: prices change, and some change with the hour.
        entered: Tokens in, those of the cache included.
        left: Tokens out, reasoning included.
        cache_read: Part of `entered` read from a cache.
        cache_write: Part of `entered` written to a cache.
        reasoning: Part of `left` spent on reasoning.
    """
    at = datetime.fromtimestamp(at_ns / 1e9, UTC)
    identity, rates = "", {}
    for model in dict.fromkeys(models):
        found = _lookup(provider, model) if model else None
        if found is not None:
            identity, rates = found[0], found[1].get_prices(at).__dict__
            if rates.get("input_mtok") is not None or rates.get("output_mtok") is not None:
                break
    else:
        return None
    date = at.date().isoformat()
    usd = Decimal(0)
    lines: list[Line] = []
    whole = entered
    # A class without a price of its own is billed as the class that it is a part of.
    parts = (
        ("cache_read", cache_read, "cache_read_mtok"),
        ("cache_write", cache_write, "cache_write_mtok"),
    )
    classes: list[tuple[str, int, Any]] = []
    for kind, tokens, key in parts:
        if tokens and rates.get(key) is not None:
            apart = min(tokens, entered)
            entered -= apart
            classes.append((kind, apart, rates[key]))
    classes.insert(0, ("input", entered, rates.get("input_mtok")))
    if reasoning and rates.get("output_reasoning_mtok") is not None:
        reasoning = min(reasoning, left)
        left -= reasoning
        classes.append(("reasoning", reasoning, rates["output_reasoning_mtok"]))
    classes.append(("output", left, rates.get("output_mtok")))
    for kind, tokens, rate in classes:
        if not tokens or rate is None:
            continue
        price = _tiered(rate, whole)
        amount = price * tokens / _MILLION
        usd += amount
        lines.append(Line(kind, tokens, float(price), float(amount), identity, date, _source()))
    per_request = rates.get("requests_kcount")
    if per_request is not None:
        amount = _tiered(per_request, whole) / _THOUSAND
        usd += amount
        lines.append(Line("request", 1, float(amount * _MILLION), float(amount), identity, date, _source()))
    return Priced(usd, lines)


def warm() -> None:
    """Load the price table (some 0.7 s), so that the first call to be priced need not wait for it."""
    _lookup("openai", "gpt-4o")


def _tiered(rate: Any, tokens_input: int) -> Decimal:
    """Return the rate that applies: some models charge more for every token of a long input."""
    if isinstance(rate, Decimal):
        return rate
    applies: Decimal = rate.base
    for tier in rate.tiers:
        if tokens_input > tier.start:
            applies = tier.price
    return applies


_known: dict[tuple[str, str], tuple[str, Any] | None] = {}


def _lookup(provider: str, model: str) -> tuple[str, Any] | None:
    """Return a model's name in the price table and its entry there."""
    key = (provider, model)
    if key in _known:
        return _known[key]
    found = _search(provider, model)
    if len(_known) >= _MOST_REMEMBERED:
        _known.clear()
    _known[key] = found
    return found


def _search(provider: str, model: str) -> tuple[str, Any] | None:
    # Imported here because its table of prices takes some 0.7 s to load, a third of a server's start.
    from genai_prices.data_snapshot import find_provider_by_id, get_snapshot

    snapshot = get_snapshot()
    known = find_provider_by_id(snapshot.providers, _PROVIDERS.get(provider, provider)) if provider else None
    attempts: list[tuple[str, str | None]] = [(model, known.id if known else None)]
    maker, slash, bare = model.partition("/")
    if slash and bare and (known is None or known.id not in ("openrouter", "together", "fireworks")):
        by_name = find_provider_by_id(snapshot.providers, _PROVIDERS.get(maker.lower(), maker.lower()))
        attempts.append((bare, by_name.id if by_name else None))
    for reference, provider_id in attempts:
        try:
            owner, entry = snapshot.find_provider_model(reference, None, provider_id, None)
        except LookupError:
            continue
        return f"{owner.id}/{entry.id}", entry
    return None


_version = ""


def _source() -> str:
    global _version
    if not _version:
        _version = f"genai-prices {importlib.metadata.version('genai-prices')}"
    return _version
