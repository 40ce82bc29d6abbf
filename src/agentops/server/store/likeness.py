"""Likeness: whether calls of a session may repeat one another, as far as short columns tell.

What was spent in vain (query/waste.py) is found by comparing bodies, which are most of a store. A session
whose calls cannot be the same says so in its row, and its spans are not looked at again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from agentops.server.store.facts import Fact

COMPARED: Final = ("llm", "embedding", "tool")
"""Kinds of calls that may be made twice."""
MIN_SHARED: Final = 1024
"""Tokens; no provider caches less."""
SHORTEST_SHARED: Final = 4096
"""Bytes of a prompt's beginning that are compared at least."""


def calls_differ(events: Sequence[Fact]) -> bool:
    """Return whether no two calls have the same kind, name, model and input.

    Inputs are of one size and begin alike before they are the same. How one begins is not known of all, and
    looks different in each format.
    """
    begun: dict[tuple[str, str, str, int], list[Fact]] = {}
    for one in events:
        if one.kind in COMPARED and one.input_size:
            begun.setdefault((one.kind, one.name, one.model, one.input_size), []).append(one)
    return not any(
        not all(one.input_preview for one in same)
        or len({one.input_preview for one in same}) < len(same)
        or len({one.input_format for one in same}) > 1
        for same in begun.values()
        if len(same) > 1
    )


def prompts_differ(events: Sequence[Fact]) -> bool:
    """Return whether no two prompts to one model are long enough to share what could have been cached."""
    uncached: dict[tuple[str, str], list[bool]] = {}
    for one in events:
        if one.kind == "llm" and (one.tokens_input or 0) >= MIN_SHARED and one.input_size >= SHORTEST_SHARED:
            uncached.setdefault((one.provider, one.model), []).append(not one.tokens_cache_read)
    return not any(len(prompts) > 1 and any(prompts) for prompts in uncached.values())
