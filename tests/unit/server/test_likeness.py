"""Likeness: a session that says its calls differ has no two that are the same."""

from __future__ import annotations

import random
from typing import Any

import msgspec

from agentops.server.store.facts import Fact
from agentops.server.store.likeness import MIN_SHARED, SHORTEST_SHARED, calls_differ, prompts_differ

_EMPTY: dict[Any, Any] = {str: "", int: 0, bool: False, list[str]: []}


def fact(**given: Any) -> Fact:
    """Return a fact that says nothing but what is given."""
    empty = {one.name: _EMPTY.get(one.type) for one in msgspec.structs.fields(Fact)}
    return msgspec.convert({**empty, **given}, Fact)


def test_calls_that_differ_are_never_the_same() -> None:
    chance = random.Random(3)
    told: set[tuple[bool, bool]] = set()
    for _ in range(3_000):
        calls: list[tuple[Any, ...]] = []
        facts: list[Fact] = []
        for _ in range(chance.randrange(5)):
            given = "".join(chance.choices("ab", k=chance.choice((0, 1, 3, 3))))
            kind, name, model = (
                chance.choice(("llm", "tool", "agent")),
                chance.choice("xy"),
                chance.choice("mn"),
            )
            form = chance.choice(("text", "json", "json"))
            calls.append((kind, name, model, given))
            facts.append(
                fact(kind=kind, name=name, model=model, input_size=len(given), input_format=form,
                     input_preview=chance.choice(("", given[:2])) if form == "json" else "a text")
            )  # fmt: skip
        compared = [one for one in calls if one[0] != "agent" and one[3]]
        same = len(set(compared)) < len(compared)
        differ = calls_differ(facts)
        told.add((same, differ))
        assert not (same and differ), calls
    assert told == {(True, False), (False, False), (False, True)}


def test_prompts_differ_unless_two_to_one_model_are_long_enough_and_one_was_not_cached() -> None:
    long = {
        "kind": "llm",
        "model": "m",
        "provider": "p",
        "tokens_input": MIN_SHARED,
        "input_size": SHORTEST_SHARED,
    }
    cached = {**long, "tokens_cache_read": 5}
    assert not prompts_differ([fact(**long), fact(**cached)])
    for other in (
        {**long, "model": "n"},
        {**long, "provider": "q"},
        {**long, "tokens_input": MIN_SHARED - 1},
        {**long, "tokens_input": None},
        {**long, "input_size": SHORTEST_SHARED - 1},
        {**long, "kind": "tool"},
    ):
        assert prompts_differ([fact(**long), fact(**other)]), other
    assert prompts_differ([fact(**cached), fact(**cached)])
