"""What a token that is read from a cache costs less than one that is not."""

from __future__ import annotations

from typing import Final

from agentops.server.prices import cost_of

_TOKENS: Final = 100_000
"""Priced at once: so few that no price for long prompts applies."""


def cached_saving(provider: str, model: str, at_ns: int) -> float | None:
    """Return dollars saved on a million tokens that come from the cache; None where a price is not known."""
    whole = _usd(provider, model, at_ns, 0)
    cached = _usd(provider, model, at_ns, _TOKENS)
    return None if whole is None or cached is None else (whole - cached) / _TOKENS * 1e6


def _usd(provider: str, model: str, at_ns: int, cached: int) -> float | None:
    found = cost_of(
        provider,
        model,
        model,
        at_ns,
        kind="llm",
        entered=_TOKENS,
        left=0,
        cache_read=cached,
        cache_write=0,
        reasoning=0,
        usage_more="",
    )
    return None if found is None else float(found.usd)
