"""Circles of spans that name each other as parents: each is cut above its earliest span, which is a root."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import structs

from agentops.server.store.facts import Fact


def without_circles(facts: Mapping[str, Fact]) -> Mapping[str, Fact]:
    """Return a trace's spans by id, with parents that lead somewhere; the same ones where all do."""
    roots: dict[str, Fact] = {}
    walked: dict[str, str] = {}
    for span_id, one in facts.items():
        # A circle has a span that began before its parent; few others have.
        above = facts.get(one.parent_id)
        if above is None or _place(above) < _place(one):
            continue
        at = span_id
        while at in facts and at not in walked:
            walked[at] = span_id
            at = facts[at].parent_id
        if walked.get(at) == span_id:
            first = min(_around(at, facts), key=_place)
            roots[first.span_id] = structs.replace(first, parent_id="")
    return {**facts, **roots} if roots else facts


def _around(start: str, facts: Mapping[str, Fact]) -> list[Fact]:
    found = [facts[start]]
    while (at := found[-1].parent_id) != start:
        found.append(facts[at])
    return found


def _place(one: Fact) -> tuple[int, str]:
    return one.started_at, one.span_id
